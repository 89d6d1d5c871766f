#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/spec/sweep_spec.h"
#include "coordinator/search/observation.h"

namespace sweep {

// What a rule says of a trial after one of its epochs.
struct StopDecision {
  enum class Action {
    kGoOn,
    kStop,     // ends, keeping its weights
    kHold,     // rests, keeping its checkpoint, until it is promoted or stopped
    kPromote,  // another one, which is on hold, goes on
  };
  Action action = Action::kGoOn;
  std::string reason;              // for people; of a stop
  std::int64_t configuration = 0;  // of the trial to promote
  int replicate = 0;
};

// Decides which trials end early. Pure: no I/O, no clock, no threads of its own; one object per
// sweep, used by one thread at a time. A decision is a function of what was observed before it, so
// that a restart, which observes everything again from the first event on, comes to the same ones.
class StoppingRule {
 public:
  virtual ~StoppingRule() = default;

  // In order of sequence; of epochs alone. Each epoch of a trial comes once.
  virtual StopDecision OnEpoch(const Observation& observation) = 0;

  // That of the sweep; null when it has none.
  static std::unique_ptr<StoppingRule> Make(const SweepSpec& spec);
};

}  // namespace sweep
