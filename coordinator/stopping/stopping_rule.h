#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "coordinator/search/observation.h"

namespace sweep {

// What a rule wants of one trial.
struct StopDecision {
  enum class Action {
    kStop,     // ends, keeping its weights
    kHold,     // rests, keeping its checkpoint, until it is promoted; see target_epoch
    kPromote,  // goes on to a later target_epoch, also from a rest
  };
  Action action = Action::kStop;
  std::int64_t configuration = 0;
  int replicate = 0;
  // kHold: the epoch to rest after. kPromote: the next one, or 0 for its last epoch. kStop: the
  // epoch that it was judged by, or 0 for the one that was just observed.
  int target_epoch = 0;
  std::string reason;  // for people; of a stop or a hold
};

// Decides which trials end early, rest and go on. Pure: no I/O, no clock, no threads of its own;
// one object per sweep, used by one thread at a time. A decision is a function of what was observed
// before it, so that a restart, which observes everything again from the first event on, comes to
// the same ones. The last decision on a trial counts; a stop is the last. Trials that are on hold
// when nothing else of their sweep is left are stopped.
class StoppingRule {
 public:
  virtual ~StoppingRule() = default;

  // The target epoch of the trials of a new configuration; 0: their last one.
  virtual int FirstTarget(std::int64_t /*configuration*/) const { return 0; }

  // In order of sequence; of epochs alone. Each epoch of a trial comes once. Decisions may be about
  // any trial that was observed; a trial about which there is none goes on.
  virtual std::vector<StopDecision> OnEpoch(const Observation& observation) = 0;

  // That of the sweep; null when it has none.
  static std::unique_ptr<StoppingRule> Make(const SweepSpec& spec);
};

}  // namespace sweep
