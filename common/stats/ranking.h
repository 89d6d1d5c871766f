#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/value.h"
#include "common/expr/expression.h"
#include "common/lifecycle/trial_state.h"
#include "common/protocol/trainer_message.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// What a trial has reached so far: all that ranking and listing need, so that no epoch is read
// again. Updated per acknowledged epoch by AddEpoch.
struct TrialResult {
  int epoch = 0;  // last acknowledged
  double last_accuracy = 0;
  double last_loss = 0;
  double best_accuracy = 0;
  int best_epoch = 0;
  double best_loss = 0;
  double best_gated_accuracy = 0;  // best among epochs that satisfy the epoch gate
  int best_gated_epoch = 0;        // 0: none did
  int epochs_to_target = 0;  // first epoch that satisfies the epoch and accuracy gates; 0: none
};

// Takes one more epoch into account. Epochs come in order; one that is not later than
// `result->epoch` changes nothing (a resumed attempt repeats epochs).
void AddEpoch(const std::vector<Gate>& gates, const EpochMetrics& metrics, TrialResult* result);

// One gate held against a configuration.
struct GateOutcome {
  std::string gate;  // "accuracy >= 0.994"
  bool met = false;
  Value value;           // what was held against it
  double missed_by = 0;  // in the gate's unit; 0 when met or not a number
};

// A replicate as ranking sees it.
struct ReplicateResult {
  TrialState state = TrialState::kPending;
  TrialResult result;
};

// A configuration under the sweep's gates.
struct ConfigurationScore {
  bool has_value = false;    // some epoch has been measured
  bool qualifies = false;    // every gate is met
  double value = 0;          // accuracy held against the gate, as gate_on says
  double metric = 0;         // what ranks: accuracy as `value`, or the loss
  int epochs_to_target = 0;  // of the replicate that stands for it; 0: none
  int best_replicate = 0;    // index into the replicates
  int replicates = 0;        // with at least one epoch
  double mean_last_accuracy = 0;
  double mean_half_width = 0;      // of the 95 % interval, Student's t; 0 with fewer than two
  std::vector<GateOutcome> gates;  // in the file's order
};

// The one definition of "qualifies" and of what a configuration is worth. Pure.
// best: the best replicate's best epoch within the epoch gate (what the write-ups claim);
// last: the best replicate's last epoch; mean: the mean over ended replicates of the last epoch.
// Network gates ("parameters", "fully_connected", …) are looked up with LookUpConfiguration.
ConfigurationScore ScoreConfiguration(const SweepSpec& spec, const Configuration& configuration,
                                      const std::vector<ReplicateResult>& replicates);

// 95 % Wilson score interval of a share `successes / n` (Wilson 1927).
struct Interval {
  double low = 0;
  double high = 0;
};
Interval WilsonInterval(double share, std::int64_t n);

// 95 % interval of a configuration's `value`: of a mean over several runs Student's t, else
// Wilson's for a share of `images`; [0, 0] where neither can be said.
Interval ValueInterval(const SweepSpec& spec, const ConfigurationScore& score, std::int64_t images);

// What a ranking holds against the gates of one run, as gate_on says: its best epoch within the
// epoch gate (of all when none is), or its last one.
struct RunValue {
  double accuracy = 0;
  double metric = 0;  // that or the loss: what the sweep ranks by
  int epoch = 0;      // where the accuracy was measured; 0 before the first
};
RunValue ValueOf(const SweepSpec& spec, const TrialResult& result);
// 95 % interval of the mean of the last epochs, within what an accuracy can be; nullopt for fewer
// than two replicates, which have no spread.
std::optional<Interval> MeanInterval(double mean, double half_width, int replicates);

// Two-sided 97.5 % quantile of Student's t for `degrees` ≥ 1.
double StudentT975(int degrees);

}  // namespace sweep
