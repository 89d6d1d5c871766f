#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/value.h"
#include "common/expr/expression.h"
#include "common/lifecycle/trial_state.h"
#include "common/spec/sweep_spec.h"
#include "common/stats/intervals.h"
#include "common/trial/measures.h"

namespace sweep {

// How far an epoch gets: it was measured, it also meets the gate on epochs, it meets all gates.
enum class Tier { kNone, kMeasured, kInEpochGate, kMeetsGates };

// The epoch that represents a run with `gate_on: best`: the one with the best objective in the
// highest tier that the run reached.
struct Standing {
  Tier tier = Tier::kNone;
  int epoch = 0;
  Measurements values;  // of the sweep's JudgedMeasures()
};

// The state of a trial so far: all that ranking and listing need, so that epochs are not read
// again. AddEpoch updates it for each acknowledged epoch.
struct TrialResult {
  int epoch = 0;              // last acknowledged
  MeasureSummaries measures;  // every reported measure
  int best_epoch = 0;         // where the objective was best; 0: not reported
  Standing standing;
  int epochs_to_target = 0;  // first epoch that meets all gates on epochs and measures; 0: none
  int epochs_in_a_row = 0;   // number of latest epochs that meet them

  // NaN when not reported; takes a measure or an alias.
  double Last(std::string_view measure) const;
  double Best(const Objective& objective) const;
  bool Has(std::string_view measure) const;
};

// Adds one epoch. Epochs arrive in rising order; an epoch up to `result->epoch` is ignored (a
// resumed attempt repeats epochs).
void AddEpoch(const SweepSpec& spec, const EpochMetrics& metrics, TrialResult* result);

// The result of one gate for a configuration.
struct GateOutcome {
  std::string gate;  // "accuracy >= 0.994"
  bool met = false;
  std::optional<Value> value;  // the value compared; nullopt: not known
  double missed_by = 0;        // in the gate's unit; 0 when met, not a number or not known
};

// A replicate as the ranking reads it.
struct ReplicateResult {
  TrialState state = TrialState::kPending;
  TrialResult result;
};

// A configuration's result under the sweep's gates.
struct ConfigurationScore {
  bool has_value = false;    // the objective has been reported
  bool qualifies = false;    // every gate is met
  Measurements values;       // of the JudgedMeasures(), chosen by gate_on; the gates test these
  double metric = 0;         // the objective among them, which ranks; NaN when it is not a number
  int epochs_to_target = 0;  // of the replicate that represents it; 0: none
  int best_replicate = 0;    // index into the replicates
  // Number that have ended with a value of the objective; while none has, that have reported it.
  int replicates = 0;
  double mean_last = 0;            // of the objective over those replicates
  double mean_half_width = 0;      // of the 95 % interval, Student's t; 0 with fewer than two
  std::vector<GateOutcome> gates;  // in the file's order
};

// Defines "qualifies" and the value of a configuration. Pure.
//   best: the epoch that represents the best replicate (as the write-ups claim);
//   last, last_k: the best replicate's last epoch;
//   mean: the mean over ended replicates of the last epoch.
// LookUpConfiguration gives the values for network gates ("parameters", "fully_connected", …).
ConfigurationScore ScoreConfiguration(const SweepSpec& spec, const Configuration& configuration,
                                      const std::vector<ReplicateResult>& replicates);

// The standard deviation between the runs of `mean_last`; NaN with fewer than two.
double DeviationOfLast(const ConfigurationScore& score);

// True when a run meets the gates on epochs and measures by itself; with `gate_on: mean` by its
// last epoch. A failed one does not.
bool RunMeetsGates(const SweepSpec& spec, const ReplicateResult& run);

// The number of replicates that have ended and that meet the criteria, each held against them by
// itself: with `gate_on: mean` by its last epoch. `score` is that of their configuration.
struct RunCount {
  int ended = 0;  // also by failing, but not by being cancelled
  int qualifying = 0;
};
RunCount CountQualifying(const SweepSpec& spec, const ConfigurationScore& score,
                         const std::vector<ReplicateResult>& replicates);
// 95 % interval of the share of runs that qualify.
Interval QualifyingInterval(const RunCount& runs);

// 95 % interval of a configuration's `metric`: Student's t for a mean over several runs, else
// Wilson's for a share of `images`; nullopt when neither applies.
std::optional<Interval> MetricInterval(const SweepSpec& spec, const ConfigurationScore& score,
                                       std::int64_t images);

// The values of one run that a ranking compares with the gates, chosen by gate_on.
struct RunValue {
  Measurements values;
  double metric = 0;  // the objective among them
  int epoch = 0;      // where they were measured; 0 before the first
};
RunValue ValueOf(const SweepSpec& spec, const TrialResult& result);
// 95 % interval of the mean of the last epochs' objective, within the measure's limits; nullopt for
// fewer than two replicates, which have no spread.
std::optional<Interval> MeanInterval(const Objective& objective, double mean, double half_width,
                                     int replicates);

}  // namespace sweep
