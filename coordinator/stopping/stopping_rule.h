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
  // kStop: the epoch that decided, or 0 for the one just observed.
  int target_epoch = 0;
  std::string reason;  // for people; set for a stop or a hold
};

// Decides which trials end early, wait and continue. Pure: no I/O, no clock, no threads of its own;
// one object per sweep, used by one thread at a time. A decision depends only on the earlier
// observations, so a restart, which observes everything again from the first event on, makes the
// same ones. The last decision on a trial counts; a stop is final. When only trials on hold are
// left of a sweep, they are stopped.
class StoppingRule {
 public:
  virtual ~StoppingRule() = default;

  // The target epoch of a new configuration's trials; 0: their last epoch.
  virtual int FirstTarget(std::int64_t /*configuration*/) const { return 0; }

  // Called in order of sequence, for epochs only. Each epoch of a trial comes once. May decide on
  // any trial observed so far; a trial without a decision continues.
  virtual std::vector<StopDecision> OnEpoch(const Observation& observation) = 0;

  // The sweep's rule; null when it has none.
  static std::unique_ptr<StoppingRule> Make(const SweepSpec& spec);
};

}  // namespace sweep
