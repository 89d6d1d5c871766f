#include "common/stats/ranking.h"

#include <algorithm>
#include <cmath>

namespace sweep {
namespace {

// 9940 right of 10,000 is 99.4 %, whatever the rounding of the division.
constexpr double kTolerance = 1e-9;

// A gate on a measured number, with that tolerance.
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

// Whether every gate of that name is met by `value`; true when there is none.
bool MeetsAll(const std::vector<Gate>& gates, std::string_view name, double value) {
  return std::all_of(gates.begin(), gates.end(),
                     [&](const Gate& gate) { return gate.name != name || Meets(gate, value); });
}

// What the runs of a configuration come to, as gate_on says, before any gate is looked at.
struct Measured {
  double accuracy = 0;
  double loss = 0;
  int accuracy_epoch = 0;  // where it was measured; of a mean nowhere
  int epoch = 0;           // that the epoch gate is held against
  bool epochs_in_gate = false;
};

Measured MeasureOne(GateOn gate_on, const std::vector<Gate>& gates, const TrialResult& result) {
  if (gate_on != GateOn::kBest) {
    return {.accuracy = result.last_accuracy,
            .loss = result.last_loss,
            .accuracy_epoch = result.epoch,
            .epoch = result.epoch,
            .epochs_in_gate = MeetsAll(gates, "epochs", result.epoch)};
  }
  // Without an epoch inside the gate there is still something to show, and by how much it missed.
  const bool inside = result.best_gated_epoch > 0;
  const int best_epoch = inside ? result.best_gated_epoch : result.best_epoch;
  return {.accuracy = inside ? result.best_gated_accuracy : result.best_accuracy,
          .loss = result.best_loss,
          .accuracy_epoch = best_epoch,
          .epoch = result.epochs_to_target > 0 ? result.epochs_to_target : best_epoch,
          .epochs_in_gate = inside};
}

// Whether `a` stands for its configuration rather than `b`. With gate_on best, a replicate that
// reached the target goes before one that did not: whether the configuration qualifies hangs on it.
bool Better(const SweepSpec& spec, const TrialResult& a, const TrialResult& b) {
  const bool a_reached = a.epochs_to_target > 0;
  const bool b_reached = b.epochs_to_target > 0;
  if (spec.gate_on == GateOn::kBest && a_reached != b_reached) return a_reached;
  const Measured one = MeasureOne(spec.gate_on, spec.require, a);
  const Measured other = MeasureOne(spec.gate_on, spec.require, b);
  if (spec.metric == "loss") {
    if (std::isnan(one.loss) != std::isnan(other.loss)) return std::isnan(other.loss);
    if (one.loss < other.loss || one.loss > other.loss) return one.loss < other.loss;
  }
  if (one.accuracy != other.accuracy) return one.accuracy > other.accuracy;
  if (a_reached != b_reached) return a_reached;
  return a.epochs_to_target < b.epochs_to_target;
}

struct Means {
  int count = 0;
  double accuracy = 0;
  double loss = 0;
  double half_width = 0;
  bool epochs_in_gate = true;
  int last_epoch = 0;  // the latest of the replicates
};

// Over the replicates' last epochs; `only_ended` leaves out what still trains.
Means MeanOfLast(const SweepSpec& spec, const std::vector<ReplicateResult>& replicates,
                 bool only_ended) {
  Means means;
  double squares = 0;
  for (const ReplicateResult& replicate : replicates) {
    const TrialResult& result = replicate.result;
    if (result.epoch == 0 || (only_ended && !IsTerminal(replicate.state))) continue;
    ++means.count;
    means.last_epoch = std::max(means.last_epoch, result.epoch);
    means.epochs_in_gate = means.epochs_in_gate && MeetsAll(spec.require, "epochs", result.epoch);
    // Welford's update: the accuracies are close together.
    const double delta = result.last_accuracy - means.accuracy;
    means.accuracy += delta / means.count;
    squares += delta * (result.last_accuracy - means.accuracy);
    means.loss += (result.last_loss - means.loss) / means.count;
  }
  if (means.count > 1) {
    const double deviation = std::sqrt(squares / (means.count - 1));
    means.half_width = StudentT975(means.count - 1) * deviation / std::sqrt(means.count);
  }
  return means;
}

GateOutcome Hold(const Gate& gate, const Value& value, bool met) {
  GateOutcome outcome{.gate = gate.name + " " + gate.ToString(), .met = met, .value = value};
  if (!met && IsNumber(value) && IsNumber(gate.bound)) {
    outcome.missed_by = std::fabs(AsDouble(value) - AsDouble(gate.bound));
  }
  return outcome;
}

GateOutcome HoldGate(const Gate& gate, const SweepSpec& spec, const Configuration& configuration,
                     const Measured& measured, bool has_value) {
  if (gate.name == "accuracy") {
    return Hold(gate, measured.accuracy, has_value && Meets(gate, measured.accuracy));
  }
  if (gate.name == "loss")
    return Hold(gate, measured.loss, has_value && Meets(gate, measured.loss));
  if (gate.name == "epochs") {
    const bool met = has_value && (spec.gate_on == GateOn::kBest ? Meets(gate, measured.epoch)
                                                                 : measured.epochs_in_gate);
    return Hold(gate, std::int64_t{measured.epoch}, met);
  }
  const std::optional<Value> value = LookUpConfiguration(configuration, gate.name);
  if (!value.has_value()) return Hold(gate, std::string("unknown"), false);
  return Hold(gate, *value, gate.Holds(*value));
}

}  // namespace

void AddEpoch(const std::vector<Gate>& gates, const EpochMetrics& metrics, TrialResult* result) {
  if (metrics.epoch <= result->epoch) return;
  const bool first = result->epoch == 0;
  const double accuracy = metrics.validation_accuracy;
  result->epoch = metrics.epoch;
  result->last_accuracy = accuracy;
  result->last_loss = metrics.validation_loss;
  if (first || accuracy > result->best_accuracy) {
    result->best_accuracy = accuracy;
    result->best_epoch = metrics.epoch;
  }
  if (first || std::isnan(result->best_loss) || metrics.validation_loss < result->best_loss) {
    result->best_loss = metrics.validation_loss;
  }
  if (!MeetsAll(gates, "epochs", metrics.epoch)) return;
  if (result->best_gated_epoch == 0 || accuracy > result->best_gated_accuracy) {
    result->best_gated_accuracy = accuracy;
    result->best_gated_epoch = metrics.epoch;
  }
  const bool reached =
      MeetsAll(gates, "accuracy", accuracy) && MeetsAll(gates, "loss", metrics.validation_loss);
  if (result->epochs_to_target == 0 && reached) result->epochs_to_target = metrics.epoch;
}

ConfigurationScore ScoreConfiguration(const SweepSpec& spec, const Configuration& configuration,
                                      const std::vector<ReplicateResult>& replicates) {
  ConfigurationScore score;
  int best = -1;
  for (int i = 0; i < static_cast<int>(replicates.size()); ++i) {
    if (replicates[i].result.epoch == 0) continue;
    ++score.replicates;
    if (best < 0 || Better(spec, replicates[i].result, replicates[best].result)) best = i;
  }
  const Means all = MeanOfLast(spec, replicates, /*only_ended=*/false);
  score.mean_last_accuracy = all.accuracy;
  score.mean_half_width = all.half_width;

  Measured measured;
  score.has_value = best >= 0;
  if (best >= 0) {
    score.best_replicate = best;
    score.epochs_to_target = replicates[best].result.epochs_to_target;
    measured = MeasureOne(spec.gate_on, spec.require, replicates[best].result);
  }
  bool judged = score.has_value;  // what the gates are held against exists
  if (spec.gate_on == GateOn::kMean && score.has_value) {
    const Means ended = MeanOfLast(spec, replicates, /*only_ended=*/true);
    judged = ended.count > 0;
    const Means& means = judged ? ended : all;
    measured = {.accuracy = means.accuracy,
                .loss = means.loss,
                .epoch = means.last_epoch,
                .epochs_in_gate = means.epochs_in_gate};
  }
  score.value = measured.accuracy;
  score.metric = spec.metric == "loss" ? measured.loss : measured.accuracy;
  score.qualifies = score.has_value;
  for (const Gate& gate : spec.require) {
    score.gates.push_back(HoldGate(gate, spec, configuration, measured, judged));
    score.qualifies = score.qualifies && score.gates.back().met;
  }
  // Gates met one by one, but by different epochs of a run, are not met together.
  if (spec.gate_on == GateOn::kBest && score.epochs_to_target == 0) score.qualifies = false;
  return score;
}

RunValue ValueOf(const SweepSpec& spec, const TrialResult& result) {
  const Measured measured = MeasureOne(spec.gate_on, spec.require, result);
  return {.accuracy = measured.accuracy,
          .metric = spec.metric == "loss" ? measured.loss : measured.accuracy,
          .epoch = measured.accuracy_epoch};
}

std::optional<Interval> MeanInterval(double mean, double half_width, int replicates) {
  if (replicates < 2) return std::nullopt;
  return Interval{std::max(0.0, mean - half_width), std::min(1.0, mean + half_width)};
}

Interval ValueInterval(const SweepSpec& spec, const ConfigurationScore& score,
                       std::int64_t images) {
  if (spec.gate_on == GateOn::kMean && score.mean_half_width > 0) {
    return {std::max(0.0, score.value - score.mean_half_width),
            std::min(1.0, score.value + score.mean_half_width)};
  }
  return images > 0 && score.has_value ? WilsonInterval(score.value, images) : Interval{};
}

}  // namespace sweep
