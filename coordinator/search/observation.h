#pragma once

#include <cstdint>

#include "common/lifecycle/trial_state.h"

namespace sweep {

// One thing that happened to a trial, as the store's events say it. What search methods and
// stopping rules are told, in order of sequence.
struct Observation {
  std::int64_t sequence = 0;       // of the event; rises
  std::int64_t configuration = 0;  // its number within the sweep
  int replicate = 0;               // 0-based
  int epoch = 0;                   // 0: a change of state
  double value = 0;                // the objective after this epoch; NaN where it was not reported
  TrialState state = TrialState::kPending;  // after the event
};

}  // namespace sweep
