#include "common/stats/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "common/stats/objective.h"

namespace sweep {
namespace {

// Absorbs rounding: 9,940 right of 10,000 must equal 99.4 %.
constexpr double kTolerance = 1e-9;

// Tests a gate on a measured number, with that tolerance.
bool Meets(const Gate& gate, double value) {
  const double bound = AsDouble(gate.bound);
  const bool same = std::fabs(value - bound) <= kTolerance;
  switch (gate.op) {
    case Gate::Op::kEqual:
      return same;
    case Gate::Op::kNotEqual:
      return !same && !std::isnan(value);
    case Gate::Op::kLess:
      return value < bound && !same;
    case Gate::Op::kLessEqual:
      return value < bound || same;
    case Gate::Op::kGreater:
      return value > bound && !same;
    case Gate::Op::kGreaterEqual:
      return value > bound || same;
  }
  return false;
}

// True when `value` meets every gate of that name, or there is none.
bool MeetsAll(const std::vector<Gate>& gates, std::string_view name, double value) {
  return std::all_of(gates.begin(), gates.end(),
                     [&](const Gate& gate) { return gate.name != name || Meets(gate, value); });
}

// The values of a configuration's runs, chosen by gate_on, before any gate is tested.
struct Measured {
  Measurements values;
  int value_epoch = 0;  // where they were measured; 0 for a mean
  int epoch = 0;        // tested against the gate on epochs
  bool epochs_in_gate = false;
};

Measured MeasureOne(const SweepSpec& spec, const TrialResult& result) {
  if (spec.gate_on == GateOn::kBest) {
    const Standing& standing = result.standing;
    return {.values = standing.values,
            .value_epoch = standing.epoch,
            .epoch = result.epochs_to_target > 0 ? result.epochs_to_target : standing.epoch,
            .epochs_in_gate = standing.tier >= Tier::kInEpochGate};
  }
  Measured measured{.value_epoch = result.epoch,
                    .epoch = result.epoch,
                    .epochs_in_gate = MeetsAll(spec.require, "epochs", result.epoch)};
  for (const std::string& name : spec.JudgedMeasures()) {
    if (result.Has(name)) measured.values.Set(name, result.Last(name));
  }
  return measured;
}

// True when one run meets the gates on epochs and measures.
bool MeetsEpochGates(const SweepSpec& spec, const TrialResult& result) {
  if (spec.gate_on == GateOn::kLastK) return result.epochs_in_a_row >= spec.gate_epochs;
  return result.epochs_to_target > 0;
}

// The same, whatever is compared: a run by itself has its last epoch for gate_on last and mean.
bool RunMeetsEpochGates(const SweepSpec& spec, const TrialResult& result) {
  if (spec.gate_on == GateOn::kBest || spec.gate_on == GateOn::kLastK) {
    return MeetsEpochGates(spec, result);
  }
  const Measured measured = MeasureOne(spec, result);
  return measured.epochs_in_gate &&
         std::all_of(spec.require.begin(), spec.require.end(), [&](const Gate& gate) {
           if (!IsMeasureGate(gate)) return true;
           const std::optional<double> value = measured.values.Get(gate.name);
           return value && Meets(gate, *value);
         });
}

// True when `a` represents its configuration better than `b`. With gate_on best and last_k, a
// replicate that meets the gates comes first, because it decides whether the configuration
// qualifies.
bool Better(const SweepSpec& spec, const TrialResult& a, const TrialResult& b) {
  const bool a_meets = MeetsEpochGates(spec, a);
  const bool b_meets = MeetsEpochGates(spec, b);
  const bool by_gates = spec.gate_on == GateOn::kBest || spec.gate_on == GateOn::kLastK;
  if (by_gates && a_meets != b_meets) return a_meets;
  const Objective& objective = spec.objective();
  const double one = MeasureOne(spec, a).values.GetOrNaN(objective.name);
  const double other = MeasureOne(spec, b).values.GetOrNaN(objective.name);
  if (IsBetter(objective, one, other) || IsBetter(objective, other, one)) {
    return IsBetter(objective, one, other);
  }
  if (a_meets != b_meets) return a_meets;
  return a.epochs_to_target < b.epochs_to_target;
}

// Mean and spread of some numbers, by Welford's update: accuracies are close together.
struct Spread {
  int count = 0;
  double mean = 0;
  double squares = 0;  // sum of the squared distances from the mean

  void Add(double value) {
    const double delta = value - mean;
    mean += delta / ++count;
    squares += delta * (value - mean);
  }
  // Half of the interval of the mean in which Student's t stays with `probability` on each side.
  // NaN with fewer than two.
  double HalfWidth(double probability) const {
    if (count < 2) return std::numeric_limits<double>::quiet_NaN();
    return StudentQuantile(probability, count - 1) * std::sqrt(squares / (count - 1) / count);
  }
};

// Over the replicates' last epochs.
struct Means {
  int count = 0;
  std::map<std::string, Spread> measures;  // not every run reports every measure
  bool epochs_in_gate = true;
  int last_epoch = 0;  // the latest of the replicates

  Measurements Values() const {
    Measurements values;
    for (const auto& [name, spread] : measures) values.Set(name, spread.mean);
    return values;
  }
};

// `only_ended` omits those that still train.
Means MeanOfLast(const SweepSpec& spec, const std::vector<ReplicateResult>& replicates,
                 bool only_ended) {
  Means means;
  for (const ReplicateResult& replicate : replicates) {
    const TrialResult& result = replicate.result;
    if (!result.Has(spec.objective().name)) continue;
    if (only_ended && !IsTerminal(replicate.state)) continue;
    ++means.count;
    means.last_epoch = std::max(means.last_epoch, result.epoch);
    means.epochs_in_gate = means.epochs_in_gate && MeetsAll(spec.require, "epochs", result.epoch);
    for (const std::string& name : spec.JudgedMeasures()) {
      if (result.Has(name)) means.measures[name].Add(result.Last(name));
    }
  }
  return means;
}

// What is held against a gate on a measure with `confidence`: the worse end of the one-sided
// interval of the mean. Not known until all replicates have completed: judged after each one, a
// configuration would meet its gates by luck at some time; and without those that diverged, failed
// or were cancelled, the mean would be that of the lucky ones.
std::optional<double> BoundOf(const SweepSpec& spec, const Gate& gate, const Means& means,
                              const std::vector<ReplicateResult>& replicates) {
  const auto is_complete = [](const ReplicateResult& one) {
    return one.state == TrialState::kCompleted;
  };
  const auto found = means.measures.find(std::string(CanonicalMeasure(gate.name)));
  if (std::ssize(replicates) < spec.replicates || found == means.measures.end() ||
      found->second.count < spec.replicates || found->second.count < 2 ||
      !std::all_of(replicates.begin(), replicates.end(), is_complete)) {
    return std::nullopt;
  }
  const double half = found->second.HalfWidth(spec.confidence);
  const bool is_upper = gate.op == Gate::Op::kLess || gate.op == Gate::Op::kLessEqual;
  return found->second.mean + (is_upper ? half : -half);
}

GateOutcome Hold(const SweepSpec& spec, const Gate& gate, const std::optional<Value>& value,
                 bool met) {
  GateOutcome outcome{.gate = GateText(spec, gate), .met = met, .value = value};
  if (!met && value && IsNumber(*value) && IsNumber(gate.bound)) {
    const double missed_by = std::fabs(AsDouble(*value) - AsDouble(gate.bound));
    outcome.missed_by = std::isfinite(missed_by) ? missed_by : 0;
  }
  return outcome;
}

// A gate on a measure; `value` is nullopt when it was not reported.
GateOutcome HoldMeasure(const SweepSpec& spec, const Gate& gate, const std::optional<double>& value,
                        bool judged) {
  if (!value) return Hold(spec, gate, std::nullopt, false);
  return Hold(spec, gate, *value, judged && Meets(gate, *value));
}

// A gate on epochs or on a fact of the network.
GateOutcome HoldOther(const SweepSpec& spec, const Gate& gate, const Configuration& configuration,
                      const Measured& measured, bool judged) {
  if (gate.name == "epochs") {
    const bool met = judged && (spec.gate_on == GateOn::kBest ? Meets(gate, measured.epoch)
                                                              : measured.epochs_in_gate);
    return Hold(spec, gate, std::int64_t{measured.epoch}, met);
  }
  const std::optional<Value> value = LookUpConfiguration(configuration, gate.name);
  return Hold(spec, gate, value, value && gate.Holds(*value));
}

// The tier of an epoch under the gates on epochs and measures.
Tier TierOf(const SweepSpec& spec, const EpochMetrics& metrics) {
  if (!MeetsAll(spec.require, "epochs", metrics.epoch)) return Tier::kMeasured;
  const bool meets = std::all_of(spec.require.begin(), spec.require.end(), [&](const Gate& gate) {
    if (!IsMeasureGate(gate)) return true;
    const std::optional<double> value = metrics.values.Get(gate.name);
    return value && Meets(gate, *value);
  });
  return meets ? Tier::kMeetsGates : Tier::kInEpochGate;
}

// True when an epoch reports a measure that misses its gate. A missing measure misses nothing: a
// program may report it only now and then.
bool Misses(const SweepSpec& spec, const Measurements& values) {
  return std::any_of(spec.require.begin(), spec.require.end(), [&](const Gate& gate) {
    if (!IsMeasureGate(gate)) return false;
    const std::optional<double> value = values.Get(gate.name);
    return value && !Meets(gate, *value);
  });
}

// Replaces the standing epoch by a better one. Skips an epoch without the objective: a program may
// report it only now and then.
void UpdateStanding(const SweepSpec& spec, const EpochMetrics& metrics, Tier tier,
                    Standing* standing) {
  const Objective& objective = spec.objective();
  if (!metrics.values.Get(objective.name)) return;
  const bool is_better = tier != standing->tier
                             ? tier > standing->tier
                             : IsBetter(objective, metrics.values.GetOrNaN(objective.name),
                                        standing->values.GetOrNaN(objective.name));
  if (!is_better) return;
  *standing = {.tier = tier, .epoch = metrics.epoch, .values = {}};
  for (const std::string& name : spec.JudgedMeasures()) {
    const std::optional<double> value = metrics.values.Get(name);
    if (value) standing->values.Set(name, *value);
  }
}

}  // namespace

double TrialResult::Last(std::string_view measure) const {
  const MeasureSummary* const summary = measures.Find(measure);
  return summary == nullptr ? std::numeric_limits<double>::quiet_NaN() : summary->last;
}

double TrialResult::Best(const Objective& objective) const {
  const MeasureSummary* const summary = measures.Find(objective.name);
  return summary == nullptr ? std::numeric_limits<double>::quiet_NaN()
                            : summary->Best(objective.maximize ? 1 : -1);
}

bool TrialResult::Has(std::string_view measure) const { return measures.Find(measure) != nullptr; }

void AddEpoch(const SweepSpec& spec, const EpochMetrics& metrics, TrialResult* result) {
  if (metrics.epoch <= result->epoch) return;
  const Objective& objective = spec.objective();
  const std::optional<double> value = metrics.values.Get(objective.name);
  const bool is_best = value && (!result->Has(objective.name) ||
                                 IsBetter(objective, *value, result->Best(objective)));
  result->epoch = metrics.epoch;
  AddToSummaries(metrics.values, &result->measures);
  if (is_best) result->best_epoch = metrics.epoch;

  const Tier tier = TierOf(spec, metrics);
  UpdateStanding(spec, metrics, tier, &result->standing);
  if (tier == Tier::kMeetsGates) {
    ++result->epochs_in_a_row;
    if (result->epochs_to_target == 0) result->epochs_to_target = metrics.epoch;
  } else if (tier == Tier::kMeasured || Misses(spec, metrics.values)) {
    result->epochs_in_a_row = 0;
  }
}

ConfigurationScore ScoreConfiguration(const SweepSpec& spec, const Configuration& configuration,
                                      const std::vector<ReplicateResult>& replicates) {
  ConfigurationScore score;
  int best = -1;
  for (int i = 0; i < static_cast<int>(replicates.size()); ++i) {
    if (!replicates[i].result.Has(spec.objective().name)) continue;
    if (best < 0 || Better(spec, replicates[i].result, replicates[best].result)) best = i;
  }
  const Means ended = MeanOfLast(spec, replicates, /*only_ended=*/true);
  const Means means = ended.count > 0 ? ended : MeanOfLast(spec, replicates, /*only_ended=*/false);
  score.replicates = means.count;
  if (const auto found = means.measures.find(std::string(CanonicalMeasure(spec.objective().name)));
      found != means.measures.end()) {
    score.mean_last = found->second.mean;
    const double half = found->second.HalfWidth(0.975);
    score.mean_half_width = std::isnan(half) ? 0 : half;
  }

  Measured measured;
  score.has_value = best >= 0;
  if (best >= 0) {
    score.best_replicate = best;
    score.epochs_to_target = replicates[best].result.epochs_to_target;
    measured = MeasureOne(spec, replicates[best].result);
  }
  bool judged = score.has_value;  // the values for the gates exist
  if (spec.gate_on == GateOn::kMean && score.has_value) {
    judged = ended.count > 0;
    measured = {.values = means.Values(),
                .epoch = means.last_epoch,
                .epochs_in_gate = means.epochs_in_gate};
  }
  score.metric = measured.values.GetOrNaN(spec.objective().name);
  score.qualifies = score.has_value;
  for (const Gate& gate : spec.require) {
    if (!IsMeasureGate(gate)) {
      score.gates.push_back(HoldOther(spec, gate, configuration, measured, judged));
    } else {
      const std::optional<double> value = spec.confidence > 0
                                              ? BoundOf(spec, gate, means, replicates)
                                              : measured.values.Get(gate.name);
      score.gates.push_back(HoldMeasure(spec, gate, value, judged));
    }
    score.qualifies = score.qualifies && score.gates.back().met;
  }
  score.values = std::move(measured.values);
  // All gates must be met in the same epoch of a run.
  const bool by_epochs = spec.gate_on == GateOn::kBest || spec.gate_on == GateOn::kLastK;
  if (by_epochs && best >= 0 && !MeetsEpochGates(spec, replicates[best].result)) {
    score.qualifies = false;
  }
  return score;
}

double DeviationOfLast(const ConfigurationScore& score) {
  if (score.replicates < 2) return std::numeric_limits<double>::quiet_NaN();
  return score.mean_half_width / StudentQuantile(0.975, score.replicates - 1) *
         std::sqrt(score.replicates);
}

bool RunMeetsGates(const SweepSpec& spec, const ReplicateResult& run) {
  const bool has_failed = run.state == TrialState::kFailed || run.state == TrialState::kDiverged;
  return !has_failed && run.result.Has(spec.objective().name) &&
         RunMeetsEpochGates(spec, run.result);
}

RunCount CountQualifying(const SweepSpec& spec, const ConfigurationScore& score,
                         const std::vector<ReplicateResult>& replicates) {
  bool network_qualifies = score.gates.size() == spec.require.size();
  for (std::size_t i = 0; network_qualifies && i < spec.require.size(); ++i) {
    const Gate& gate = spec.require[i];
    network_qualifies = IsMeasureGate(gate) || gate.name == "epochs" || score.gates[i].met;
  }
  RunCount count;
  for (const ReplicateResult& replicate : replicates) {
    // A cancelled run says nothing; one that failed, as by diverging, does not qualify.
    if (!IsTerminal(replicate.state) || replicate.state == TrialState::kCancelled) continue;
    ++count.ended;
    if (network_qualifies && RunMeetsGates(spec, replicate)) ++count.qualifying;
  }
  return count;
}

Interval QualifyingInterval(const RunCount& runs) {
  return WilsonInterval(static_cast<double>(runs.qualifying) / std::max(runs.ended, 1), runs.ended);
}

RunValue ValueOf(const SweepSpec& spec, const TrialResult& result) {
  Measured measured = MeasureOne(spec, result);
  const double metric = measured.values.GetOrNaN(spec.objective().name);
  return {.values = std::move(measured.values), .metric = metric, .epoch = measured.value_epoch};
}

std::optional<Interval> MeanInterval(const Objective& objective, double mean, double half_width,
                                     int replicates) {
  if (replicates < 2 || std::isnan(mean)) return std::nullopt;
  Interval interval = {mean - half_width, mean + half_width};
  if (const Measure* const measure = FindMeasure(objective.name)) {
    if (measure->min) interval.low = std::max(interval.low, *measure->min);
    if (measure->max) interval.high = std::min(interval.high, *measure->max);
  }
  return interval;
}

std::optional<Interval> MetricInterval(const SweepSpec& spec, const ConfigurationScore& score,
                                       std::int64_t images) {
  const Objective& objective = spec.objective();
  if (!score.has_value || std::isnan(score.metric)) return std::nullopt;
  if (spec.gate_on == GateOn::kMean && score.mean_half_width > 0) {
    return MeanInterval(objective, score.metric, score.mean_half_width, score.replicates);
  }
  if (images <= 0 || CanonicalMeasure(objective.name) != kValidationAccuracy) return std::nullopt;
  return WilsonInterval(score.metric, images);
}

}  // namespace sweep
