#include "coordinator/views/sweep_index.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "common/spec/search_space.h"
#include "coordinator/store/trial_facts.h"
#include "coordinator/views/trial_filter.h"

namespace sweep {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr MeasureSummary kNothing = {.last = kNaN, .low = kNaN, .high = kNaN};

std::optional<Value> Known(double number) {
  return std::isnan(number) ? std::nullopt : std::optional<Value>(number);
}

// The position of a name in `facts`.
std::optional<std::size_t> PlaceOf(const std::vector<TrialFact>& facts, std::string_view name) {
  const auto found = std::find_if(facts.begin(), facts.end(),
                                  [&](const TrialFact& fact) { return fact.name == name; });
  if (found == facts.end()) return std::nullopt;
  return static_cast<std::size_t>(found - facts.begin());
}

IndexedTrial Indexed(const SweepSpec& spec, const TrialSummary& summary) {
  const TrialRow& trial = summary.trial;
  return {.configuration = trial.configuration,
          .network_parameters = trial.network_parameters,
          .best = trial.result.Best(spec.objective()),
          .own_metric = ValueOf(spec, trial.result).metric,
          .replicate = trial.replicate,
          .epoch = trial.result.epoch,
          .epochs_to_target = trial.result.epochs_to_target,
          .state = trial.state,
          .meets_gates = RunMeetsGates(spec, {.state = trial.state, .result = trial.result}),
          .has_value = summary.score.has_value,
          .qualifies = summary.score.qualifies,
          .metric = summary.score.metric,
          .ranked_epochs_to_target = summary.score.epochs_to_target,
          .best_replicate = summary.score.best_replicate};
}

}  // namespace

std::vector<std::string> BandedMeasures(const SweepSpec& spec) {
  std::vector<std::string> names = spec.JudgedMeasures();
  if (spec.HasOwnTrainer()) return names;
  for (const std::string_view name :
       {kValidationAccuracy, kValidationLoss, kTrainAccuracy, kTrainLoss}) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }
  return names;
}

SweepIndex::SweepIndex(std::shared_ptr<const SweepSpec> spec)
    : spec_(std::move(spec)),
      banded_(BandedMeasures(*spec_)),
      gates_(LearnedGates::AllOf(*spec_)),
      band_stride_(std::max(1, (spec_->epochs + kMaxBands - 1) / kMaxBands)),
      excesses_(gates_.size()),
      values_(spec_->parameters.size() + TrialFacts().size() + NetworkFacts().size()) {
  for (std::size_t i = 0; i < spec_->parameters.size(); ++i) {
    parameter_index_[spec_->parameters[i].name] = i;
  }
}

void SweepIndex::Put(const TrialSummary& summary) {
  const TrialRow& trial = summary.trial;
  const auto row = static_cast<std::size_t>(trial.number - 1);
  if (row >= trials_.size()) {
    trials_.resize(row + 1);
    values_.Resize(row + 1);
  }
  IndexedTrial& indexed = trials_[row];
  if (indexed.epoch == 0 && trial.result.epoch > 0) ++measured_;
  const std::int32_t counted_epoch = indexed.counted_epoch;
  indexed = Indexed(*spec_, summary);
  indexed.counted_epoch = counted_epoch;
  indexed.model = models_.Add(trial.model);
  PutValues(row, trial);
  for (const auto& [name, one] : trial.result.measures) {
    std::vector<MeasureSummary>& column = summaries_[name];
    if (column.size() <= row) column.resize(trials_.size(), kNothing);
    column[row] = one;
  }
  const Measurements own = ValueOf(*spec_, trial.result).values;
  for (std::size_t gate = 0; gate < gates_.size(); ++gate) {
    excesses_[gate].resize(trials_.size(), kNaN);
    excesses_[gate][row] = gates_.Excess(gate, own.GetOrNaN(gates_.measure(gate)));
  }
  ShareScore(row, summary.score);
}

std::vector<double> SweepIndex::ExcessesOf(std::size_t row) const {
  std::vector<double> excesses;
  for (const std::vector<double>& of_gate : excesses_) {
    excesses.push_back(row < of_gate.size() ? of_gate[row] : kNaN);
  }
  return excesses;
}

void SweepIndex::PutValues(std::size_t row, const TrialRow& trial) {
  for (const auto& [name, value] : trial.parameters) {
    const auto found = parameter_index_.find(name);
    if (found != parameter_index_.end()) values_.Put(row, found->second, value);
  }
  std::size_t column = spec_->parameters.size();
  for (const TrialFact& fact : TrialFacts()) values_.Put(row, column++, fact.value(trial));
  for (const TrialFact& fact : NetworkFacts()) values_.Put(row, column++, fact.value(trial));
}

// The rows of a trial's configuration, also of trials that were not read yet. Replicates have
// neighbouring numbers, except for those that a race has added.
std::vector<std::size_t> SweepIndex::RowsLike(std::size_t row) {
  if (spec_->race) {
    std::vector<std::size_t>& rows = raced_rows_[trials_[row].configuration];
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
    return rows;
  }
  const auto reach = static_cast<std::size_t>(spec_->replicates - 1);
  const std::size_t last = std::min(row + reach, trials_.size() - 1);
  std::vector<std::size_t> rows;
  for (std::size_t i = row - std::min(row, reach); i <= last; ++i) {
    if (trials_[i].configuration == trials_[row].configuration) rows.push_back(i);
  }
  return rows;
}

// Copies a configuration's new score to its other replicates.
void SweepIndex::ShareScore(std::size_t row, const ConfigurationScore& score) {
  for (const std::size_t i : RowsLike(row)) {
    IndexedTrial& trial = trials_[i];
    trial.has_value = score.has_value;
    trial.qualifies = score.qualifies;
    trial.metric = score.metric;
    trial.ranked_epochs_to_target = score.epochs_to_target;
    trial.best_replicate = score.best_replicate;
    // Another epoch may represent it now, which may not have reported the same measures.
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

std::span<const MeasureSummary> SweepIndex::SummariesOf(std::string_view measure) const {
  const auto found = summaries_.find(CanonicalMeasure(measure));
  if (found == summaries_.end()) return {};
  return found->second;
}

MeasureSummary SweepIndex::SummaryOf(std::size_t row, std::string_view measure) const {
  return SummaryAt(SummariesOf(measure), row);
}

MeasureSummary SummaryAt(std::span<const MeasureSummary> summaries, std::size_t row) {
  return row < summaries.size() ? summaries[row] : kNothing;
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
    const auto found = by_model.find(models_.at(trials_[row].model));
    return found == by_model.end() ? std::nullopt : found->second;
  };
}

SweepIndex::Getter SweepIndex::ColumnGetter(std::size_t column) const {
  return [this, column](std::size_t row) { return values_.Get(row, column); };
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
  if (const auto measure = FindMeasureField(*spec_, name)) return MeasureGetter(*measure);
  const std::size_t first_fact = spec_->parameters.size();
  if (const auto fact = PlaceOf(TrialFacts(), name)) return ColumnGetter(first_fact + *fact);
  if (const auto found = parameter_index_.find(name); found != parameter_index_.end()) {
    return ParameterGetter(found->second);
  }
  if (const auto fact = PlaceOf(NetworkFacts(), name)) {
    return ColumnGetter(first_fact + TrialFacts().size() + *fact);
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
