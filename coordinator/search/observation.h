#pragma once

#include <cstdint>

#include "common/base/value.h"
#include "common/lifecycle/trial_state.h"
#include "common/spec/pbt_settings.h"
#include "common/trial/measures.h"

namespace sweep {

// One event of a trial, from the store's events. Search methods and stopping rules receive them in
// order of sequence.
struct Observation {
  std::int64_t sequence = 0;                // of the event; increases
  std::int64_t configuration = 0;           // its number within the sweep
  int replicate = 0;                        // 0-based
  int epoch = 0;                            // 0: a change of state
  double value = 0;                         // the objective after this epoch
  bool has_value = true;                    // false: this epoch did not report it; see `measures`
  TrialState state = TrialState::kPending;  // after the event
  // The point of the configuration, in its first observation; nullptr later, and when neither the
  // method nor the stopping rule reads points. Valid during the call.
  const ParameterMap* parameters = nullptr;
  // The same of a population: which segment the configuration is.
  const Segment* segment = nullptr;
  // What this epoch reported, for searches that learn gates and for stopping rules; else nullptr.
  // Valid during the call.
  const Measurements* measures = nullptr;
};

}  // namespace sweep
