#include "coordinator/views/sweep_index.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "common/lifecycle/trial_state.h"
#include "common/spec/search_space.h"
#include "coordinator/views/trial_filter.h"

namespace sweep {
namespace {

constexpr double kMega = 1e6;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr MeasureSummary kNothing = {.last = kNaN, .low = kNaN, .high = kNaN};

std::optional<Value> Known(double number) {
  return std::isnan(number) ? std::nullopt : std::optional<Value>(number);
}

using Field = std::optional<Value> (*)(const IndexedTrial&);

template <auto member>
std::optional<Value> Count(const IndexedTrial& trial) {
  return Value(static_cast<std::int64_t>(trial.*member));
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
          .best = result.Best(spec.objective()),
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
          .has_value = summary.score.has_value,
          .qualifies = summary.score.qualifies,
          .metric = summary.score.metric,
          .ranked_epochs_to_target = summary.score.epochs_to_target,
          .best_replicate = summary.score.best_replicate};
}

}  // namespace

std::uint32_t TextTable::Add(std::string_view text) {
  const auto [found, is_new] =
      numbers_.try_emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
  if (is_new) texts_.emplace_back(text);
  return found->second;
}

std::vector<std::string> BandedMeasures(const SweepSpec& spec) {
  std::vector<std::string> names = spec.JudgedMeasures();
  if (!spec.program.empty()) return names;
  for (const std::string_view name :
       {kValidationAccuracy, kValidationLoss, kTrainAccuracy, kTrainLoss}) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }
  return names;
}

SweepIndex::SweepIndex(std::shared_ptr<const SweepSpec> spec)
    : spec_(std::move(spec)),
      width_(spec_->parameters.size()),
      banded_(BandedMeasures(*spec_)),
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
  for (const auto& [name, one] : summary.result.measures) {
    std::vector<MeasureSummary>& column = summaries_[name];
    if (column.size() <= row) column.resize(trials_.size(), kNothing);
    column[row] = one;
  }
  ShareScore(row, summary.score);
}

// A configuration's score changes with the report of any of its replicates, which have neighbouring
// numbers.
void SweepIndex::ShareScore(std::size_t row, const ScoreSummary& score) {
  const auto reach = static_cast<std::size_t>(spec_->replicates - 1);
  const std::size_t last = std::min(row + reach, trials_.size() - 1);
  for (std::size_t i = row - std::min(row, reach); i <= last; ++i) {
    IndexedTrial& trial = trials_[i];
    if (trial.configuration != trials_[row].configuration) continue;
    trial.has_value = score.has_value;
    trial.qualifies = score.qualifies;
    trial.metric = score.metric;
    trial.ranked_epochs_to_target = score.epochs_to_target;
    trial.best_replicate = score.best_replicate;
    // Another epoch may stand for it now, which need not have reported the same.
    for (auto& [name, column] : held_) {
      if (i < column.size()) column[i] = score.values.GetOrNaN(name);
    }
    for (const auto& [name, value] : score.values) {
      std::vector<double>& column = held_[name];
      if (column.size() <= i) column.resize(trials_.size(), kNaN);
      column[i] = value;
    }
  }
}

std::vector<std::string> SweepIndex::Measures() const {
  std::vector<std::string> names;
  for (const auto& [name, column] : summaries_) names.push_back(name);
  return names;
}

MeasureSummary SweepIndex::SummaryOf(std::size_t row, std::string_view measure) const {
  const auto found = summaries_.find(CanonicalMeasure(measure));
  if (found == summaries_.end() || row >= found->second.size()) return kNothing;
  return found->second[row];
}

int SweepIndex::DirectionOf(std::string_view measure) const {
  return MeasureDirection(measure, spec_->Goals());
}

void SweepIndex::AddEpoch(const MeasuredEpoch& measured) {
  const auto row = static_cast<std::size_t>(measured.number - 1);
  if (row >= trials_.size() || measured.epoch <= trials_[row].counted_epoch) return;
  trials_[row].counted_epoch = measured.epoch;
  if (measured.epoch % band_stride_ != 0 && measured.epoch != 1) return;
  EpochBand& band = bands_[measured.epoch];
  if (band.empty()) {
    for (const std::string& name : banded_) {
      const Measure* const known = FindMeasure(name);
      band.emplace_back(known != nullptr && known->unit == Measure::Unit::kShare,
                        DirectionOf(name) > 0);
    }
  }
  for (std::size_t i = 0; i < band.size(); ++i) band[i].Add(measured.values[i]);
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
  if (const auto measure = FindMeasureField(*spec_, name)) return MeasureGetter(*measure);
  if (const auto field = Fields().find(name); field != Fields().end()) {
    return [this, get = field->second](std::size_t row) { return get(trials_[row]); };
  }
  if (const auto found = parameter_index_.find(name); found != parameter_index_.end()) {
    return ParameterGetter(found->second);
  }
  return FixedGetter(name);
}

SweepIndex::Getter SweepIndex::MeasureGetter(const MeasureField& field) const {
  const auto found = summaries_.find(field.measure);
  if (found == summaries_.end()) return [](std::size_t) { return std::nullopt; };
  return [column = &found->second, part = field.part](std::size_t row) -> std::optional<Value> {
    if (row >= column->size()) return std::nullopt;
    const MeasureSummary& summary = (*column)[row];
    return Known(part == MeasureField::Part::kLast  ? summary.last
                 : part == MeasureField::Part::kLow ? summary.low
                                                    : summary.high);
  };
}

SweepIndex::Getter SweepIndex::FindRanked(const std::string& name) const {
  if (const auto held = held_.find(CanonicalMeasure(name)); held != held_.end()) {
    return [column = &held->second](std::size_t row) -> std::optional<Value> {
      return row < column->size() ? Known((*column)[row]) : std::nullopt;
    };
  }
  if (name != "epochs_to_target") return Find(name);
  return [this](std::size_t row) -> std::optional<Value> {
    const int epochs = trials_[row].ranked_epochs_to_target;
    if (epochs == 0) return std::nullopt;
    return Value(std::int64_t{epochs});
  };
}

}  // namespace sweep
