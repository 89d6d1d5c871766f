#include "coordinator/views/sweep_index.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "common/lifecycle/trial_state.h"
#include "common/spec/search_space.h"
#include "coordinator/views/trial_filter.h"

namespace sweep {
namespace {

constexpr double kMega = 1e6;

using Field = std::optional<Value> (*)(const IndexedTrial&);

template <auto member>
std::optional<Value> Count(const IndexedTrial& trial) {
  return Value(static_cast<std::int64_t>(trial.*member));
}

template <auto member>
std::optional<Value> Measured(const IndexedTrial& trial) {
  if (trial.epoch == 0) return std::nullopt;
  return Value(trial.*member);
}

template <auto member>
std::optional<Value> Reached(const IndexedTrial& trial) {
  if (trial.*member == 0) return std::nullopt;
  return Value(std::int64_t{trial.*member});
}

const std::map<std::string_view, Field>& Fields() {
  static const auto& fields = *new std::map<std::string_view, Field>{
      {"configuration", Count<&IndexedTrial::configuration>},
      {"replicate", Count<&IndexedTrial::replicate>},
      {"attempt", Count<&IndexedTrial::attempt>},
      {"failures", Count<&IndexedTrial::failures>},
      {"epochs", Count<&IndexedTrial::epochs>},
      {"epoch", Count<&IndexedTrial::epoch>},
      {"state",
       [](const IndexedTrial& trial) {
         return std::optional<Value>(std::string(TrialStateName(trial.state)));
       }},
      {"parameters", Count<&IndexedTrial::network_parameters>},
      {"fully_connected",
       [](const IndexedTrial& trial) { return std::optional<Value>(trial.fully_connected); }},
      {"best_accuracy", Measured<&IndexedTrial::best_accuracy>},
      {"last_accuracy", Measured<&IndexedTrial::last_accuracy>},
      {"best_loss", Measured<&IndexedTrial::best_loss>},
      {"last_loss", Measured<&IndexedTrial::last_loss>},
      {"best_epoch", Reached<&IndexedTrial::best_epoch>},
      {"epochs_to_target", Reached<&IndexedTrial::epochs_to_target>},
      {"train_mflop",
       [](const IndexedTrial& trial) {
         return std::optional<Value>(static_cast<double>(trial.train_flops) / kMega);
       }},
      {"forward_mflop",
       [](const IndexedTrial& trial) {
         return std::optional<Value>(static_cast<double>(trial.forward_flops) / kMega);
       }},
      {"receptive_field", Count<&IndexedTrial::receptive_field>},
  };
  return fields;
}

IndexedTrial Brief(const SweepSpec& spec, const TrialSummary& summary, std::int32_t counted_epoch) {
  const TrialResult& result = summary.result;
  return {.configuration = summary.configuration,
          .network_parameters = summary.network_parameters,
          .forward_flops = summary.forward_flops,
          .train_flops = summary.train_flops,
          .best_accuracy = result.best_accuracy,
          .last_accuracy = result.last_accuracy,
          .best_loss = result.best_loss,
          .last_loss = result.last_loss,
          .own_metric = ValueOf(spec, result).metric,
          .receptive_field = static_cast<std::int32_t>(summary.receptive_field),
          .replicate = summary.replicate,
          .attempt = summary.attempt,
          .failures = summary.failures,
          .epochs = summary.epochs,
          .epoch = result.epoch,
          .best_epoch = result.best_epoch,
          .epochs_to_target = result.epochs_to_target,
          .counted_epoch = counted_epoch,
          .state = summary.state,
          .fully_connected = summary.fully_connected,
          .score = summary.score};
}

}  // namespace

std::uint32_t TextTable::Add(std::string_view text) {
  const auto [found, is_new] =
      numbers_.try_emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
  if (is_new) texts_.emplace_back(text);
  return found->second;
}

SweepIndex::SweepIndex(std::shared_ptr<const SweepSpec> spec)
    : spec_(std::move(spec)),
      width_(spec_->parameters.size()),
      band_stride_(std::max(1, (spec_->epochs + kMaxBands - 1) / kMaxBands)) {
  for (std::size_t i = 0; i < width_; ++i) parameter_index_[spec_->parameters[i].name] = i;
}

void SweepIndex::Put(const TrialSummary& summary) {
  const auto row = static_cast<std::size_t>(summary.number - 1);
  if (row >= trials_.size()) {
    trials_.resize(row + 1);
    cells_.resize((row + 1) * width_);
  }
  IndexedTrial& trial = trials_[row];
  if (trial.configuration == 0) PutParameters(row, summary.parameters);
  if (trial.epoch == 0 && summary.result.epoch > 0) ++measured_;
  trial = Brief(*spec_, summary, trial.counted_epoch);
  trial.model = texts_.Add(summary.model);
  trial.worker = texts_.Add(summary.worker);
  ShareScore(row);
}

// A configuration's score changes with the report of any of its replicates, which have neighbouring
// numbers.
void SweepIndex::ShareScore(std::size_t row) {
  const auto reach = static_cast<std::size_t>(spec_->replicates - 1);
  const std::size_t last = std::min(row + reach, trials_.size() - 1);
  for (std::size_t i = row - std::min(row, reach); i <= last; ++i) {
    if (trials_[i].configuration == trials_[row].configuration) {
      trials_[i].score = trials_[row].score;
    }
  }
}

void SweepIndex::AddEpoch(const MeasuredEpoch& measured) {
  const auto row = static_cast<std::size_t>(measured.number - 1);
  if (row >= trials_.size() || measured.epoch <= trials_[row].counted_epoch) return;
  trials_[row].counted_epoch = measured.epoch;
  if (measured.epoch % band_stride_ != 0 && measured.epoch != 1) return;
  EpochBand& band = bands_[measured.epoch];
  band.accuracy.Add(measured.accuracy);
  band.loss.Add(measured.loss);
}

SweepIndex::Cell SweepIndex::CellOf(const Value& value) {
  Cell cell;
  if (const bool* flag = std::get_if<bool>(&value)) {
    cell.kind = Cell::Kind::kBool;
    cell.integer = *flag ? 1 : 0;
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    cell.kind = Cell::Kind::kInt;
    cell.integer = *integer;
  } else if (const double* number = std::get_if<double>(&value)) {
    cell.kind = Cell::Kind::kDouble;
    cell.number = *number;
  } else {
    cell.kind = Cell::Kind::kText;
    cell.integer = texts_.Add(std::get<std::string>(value));
  }
  return cell;
}

void SweepIndex::PutParameters(std::size_t row, const ParameterMap& parameters) {
  for (const auto& [name, value] : parameters) {
    const auto found = parameter_index_.find(name);
    if (found != parameter_index_.end()) cells_[row * width_ + found->second] = CellOf(value);
  }
}

std::optional<Value> SweepIndex::ParameterOf(std::size_t row, std::size_t parameter) const {
  const Cell& cell = cells_[row * width_ + parameter];
  switch (cell.kind) {
    case Cell::Kind::kMissing:
      return std::nullopt;
    case Cell::Kind::kBool:
      return Value(cell.integer != 0);
    case Cell::Kind::kInt:
      return Value(cell.integer);
    case Cell::Kind::kDouble:
      return Value(cell.number);
    case Cell::Kind::kText:
      return Value(texts_.at(static_cast<std::uint32_t>(cell.integer)));
  }
  return std::nullopt;
}

SweepIndex::Getter SweepIndex::FixedGetter(const std::string& name) const {
  std::map<std::string, std::optional<Value>> by_model;
  std::vector<std::string> models = spec_->models;
  if (models.empty()) models.emplace_back();
  for (const std::string& model : models) {
    const ParameterMap base = BaseParameters(*spec_, model);
    const auto found = base.find(name);
    if (found != base.end()) by_model[model] = found->second;
    if (name != "layers") continue;
    const absl::StatusOr<Network> network = FindNetwork(*spec_, model) == nullptr
                                                ? absl::NotFoundError("")
                                                : FindNetwork(*spec_, model)->Resolve(base);
    if (network.ok()) by_model[model] = Value(std::ssize(network->layers));
  }
  return [this, by_model](std::size_t row) -> std::optional<Value> {
    const auto found = by_model.find(ModelOf(row));
    return found == by_model.end() ? std::nullopt : found->second;
  };
}

SweepIndex::Getter SweepIndex::ParameterGetter(std::size_t parameter) const {
  const Getter otherwise = FixedGetter(spec_->parameters[parameter].name);
  return [this, parameter, otherwise](std::size_t row) {
    std::optional<Value> value = ParameterOf(row, parameter);
    return value.has_value() ? value : otherwise(row);
  };
}

SweepIndex::Getter SweepIndex::Find(const std::string& written) const {
  const auto [of, name] = ResolveTrialName(*spec_, written);
  if (of == TrialName::Of::kParameters) {
    const auto found = parameter_index_.find(name);
    return found != parameter_index_.end() ? ParameterGetter(found->second) : FixedGetter(name);
  }
  if (name == "number") {
    return [](std::size_t row) { return Value(static_cast<std::int64_t>(row + 1)); };
  }
  if (name == "model") return [this](std::size_t row) { return Value(ModelOf(row)); };
  if (name == "worker") {
    return [this](std::size_t row) { return Value(texts_.at(trials_[row].worker)); };
  }
  if (const auto field = Fields().find(name); field != Fields().end()) {
    return [this, get = field->second](std::size_t row) { return get(trials_[row]); };
  }
  if (const auto found = parameter_index_.find(name); found != parameter_index_.end()) {
    return ParameterGetter(found->second);
  }
  return FixedGetter(name);
}

SweepIndex::Getter SweepIndex::FindRanked(const std::string& name) const {
  if (name == "accuracy") {
    return [this](std::size_t row) { return Value(trials_[row].score.value); };
  }
  if (name != "epochs_to_target") return Find(name);
  return [this](std::size_t row) -> std::optional<Value> {
    const int epochs = trials_[row].score.epochs_to_target;
    if (epochs == 0) return std::nullopt;
    return Value(std::int64_t{epochs});
  };
}

}  // namespace sweep
