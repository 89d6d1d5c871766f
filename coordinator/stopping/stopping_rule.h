#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "coordinator/search/observation.h"

namespace sweep {

// A rule's decision on one trial.
struct StopDecision {
  enum class Action {
    kStop,     // ends and keeps its weights
    kHold,     // waits with its checkpoint until it is promoted; see target_epoch
    kPromote,  // continues to a later target_epoch, also from a hold
  };
  Action action = Action::kStop;
  std::int64_t configuration = 0;
  int replicate = 0;
  // kHold: the epoch after which to hold. kPromote: the next target, or 0 for the last epoch.
  // kStop: the last epoch that counts; 0: the one just observed, or none of another trial.
  int target_epoch = 0;
  std::string reason;  // for people; set for a stop or a hold
};

// Decides which trials end early, wait and continue. Pure: no I/O, no clock, no threads of its own;
// one object per sweep, used by one thread at a time. A decision depends only on the earlier
// observations, so a restart, which observes everything again from the first event on, makes the
// same ones. The last decision on a trial counts; a stop is final.
class StoppingRule {
 public:
  virtual ~StoppingRule() = default;

  // The target epoch of a new configuration's trials; 0: their last epoch.
  virtual int FirstTarget(std::int64_t /*configuration*/) const { return 0; }

  // Called in order of sequence. Each epoch of a trial comes once, also one that did not report the
  // objective. May decide on any trial observed so far; a trial without a decision continues.
  virtual std::vector<StopDecision> OnEpoch(const Observation& observation) = 0;
  // As OnEpoch, for changes of a trial's state, between its epochs in order of sequence.
  virtual std::vector<StopDecision> OnState(const Observation& /*observation*/) { return {}; }
  // Only trials on hold are left, and all events so far are observed: what is not promoted now is
  // stopped. After a restart, a promotion that was stored is observed as a change of state.
  virtual std::vector<StopDecision> OnOnlyHeld() { return {}; }

  // Why the sweep ends, once it has found what it looks for; "": it goes on. No configurations are
  // made from then on; the rule has stopped the trials.
  virtual std::string SweepEnd() const { return ""; }

  // The sweep's rule; null when it has none. `spec` must outlive it.
  static std::unique_ptr<StoppingRule> Make(const SweepSpec& spec);
};

}  // namespace sweep
