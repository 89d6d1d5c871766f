#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/observation.h"
#include "coordinator/store/store.h"

namespace sweep {

// An observation, and the trial's id in the store.
struct StoredObservation {
  Observation observation;
  std::int64_t trial_id = 0;
};

struct ObservationPage {
  std::vector<StoredObservation> observations;
  std::int64_t last = 0;  // to read on after
  bool is_last = false;   // nothing was there after it
};

// What happened to the trials of a sweep after `after_sequence`, at most `limit` events of it. What
// a build before schema version 6 has not written of an event is left out.
absl::StatusOr<ObservationPage> ReadObservations(Store* store, std::int64_t sweep_id,
                                                 const SweepSpec& spec, std::int64_t after_sequence,
                                                 int limit);

}  // namespace sweep
