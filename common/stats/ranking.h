#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/value.h"
#include "common/expr/expression.h"
#include "common/lifecycle/trial_state.h"
#include "common/spec/sweep_spec.h"
#include "common/trial/measures.h"

namespace sweep {

// How far an epoch gets under the gates that are held against epochs.
enum class Tier { kNone, kMeasured, kInEpochGate, kMeetsGates };

// The epoch that stands for a run with `gate_on: best`: of the highest tier that was reached the
// one with the best objective.
struct Standing {
  Tier tier = Tier::kNone;
  int epoch = 0;
  Measurements values;  // of the sweep's JudgedMeasures()
};

// What a trial has reached so far: all that ranking and listing need, so that no epoch is read
// again. Updated per acknowledged epoch by AddEpoch.
struct TrialResult {
  int epoch = 0;              // last acknowledged
  MeasureSummaries measures;  // all that were reported
  int best_epoch = 0;         // where the objective was best; 0: it was not reported
  Standing standing;
  int epochs_to_target = 0;  // first epoch that meets all gates on epochs and measures; 0: none
  int epochs_in_a_row = 0;   // how many of the last ones meet them

  // NaN for what was not reported; a measure or an alias.
  double Last(std::string_view measure) const;
  double Best(const Objective& objective) const;
  bool Has(std::string_view measure) const;
};

// Takes one more epoch into account. Epochs come in rising order; one that is not later than
// `result->epoch` changes nothing (a resumed attempt repeats epochs).
void AddEpoch(const SweepSpec& spec, const EpochMetrics& metrics, TrialResult* result);

// One gate held against a configuration.
struct GateOutcome {
  std::string gate;  // "accuracy >= 0.994"
  bool met = false;
  std::optional<Value> value;  // what was held against it; nullopt: not known
  double missed_by = 0;        // in the gate's unit; 0 when met, not a number or not known
};

// A replicate as ranking sees it.
struct ReplicateResult {
  TrialState state = TrialState::kPending;
  TrialResult result;
};

// A configuration under the sweep's gates.
struct ConfigurationScore {
  bool has_value = false;      // the objective has been reported
  bool qualifies = false;      // every gate is met
  Measurements values;         // of the JudgedMeasures(), held against the gates as gate_on says
  double metric = 0;           // the objective among them: what ranks; NaN when it is not a number
  int epochs_to_target = 0;    // of the replicate that stands for it; 0: none
  int best_replicate = 0;      // index into the replicates
  int replicates = 0;          // that have reported the objective
  double mean_last = 0;        // of the objective over those replicates
  double mean_half_width = 0;  // of the 95 % interval, Student's t; 0 with fewer than two
  std::vector<GateOutcome> gates;  // in the file's order
};

// The one definition of "qualifies" and of what a configuration is worth. Pure.
// best: the epoch that stands for the best replicate (what the write-ups claim);
// last, last_k: the best replicate's last epoch; mean: the mean over ended replicates of the last
// epoch. Network gates ("parameters", "fully_connected", …) are looked up with LookUpConfiguration.
ConfigurationScore ScoreConfiguration(const SweepSpec& spec, const Configuration& configuration,
                                      const std::vector<ReplicateResult>& replicates);

// 95 % Wilson score interval of a share `successes / n` (Wilson 1927).
struct Interval {
  double low = 0;
  double high = 0;
};
Interval WilsonInterval(double share, std::int64_t n);

// 95 % interval of a configuration's `metric`: of a mean over several runs Student's t, else
// Wilson's for a share of `images`; nullopt where neither can be said.
std::optional<Interval> MetricInterval(const SweepSpec& spec, const ConfigurationScore& score,
                                       std::int64_t images);

// What a ranking holds against the gates of one run, as gate_on says.
struct RunValue {
  Measurements values;
  double metric = 0;  // the objective among them
  int epoch = 0;      // where that was measured; 0 before the first
};
RunValue ValueOf(const SweepSpec& spec, const TrialResult& result);
// 95 % interval of the mean of the last epochs' objective, within what it can be; nullopt for fewer
// than two replicates, which have no spread.
std::optional<Interval> MeanInterval(const Objective& objective, double mean, double half_width,
                                     int replicates);

// Two-sided 97.5 % quantile of Student's t for `degrees` ≥ 1.
double StudentT975(int degrees);

}  // namespace sweep
