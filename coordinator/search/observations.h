#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/observation.h"
#include "coordinator/store/store.h"

namespace sweep {

// An observation with the trial's id in the store.
struct StoredObservation {
  Observation observation;
  std::int64_t trial_id = 0;
};

struct ObservationPage {
  std::vector<StoredObservation> observations;
  std::vector<EventRow> events;  // the observations refer to their values
  // Of the configurations from `first_point` on; the observations refer to them.
  std::vector<SharedParameters> points;
  std::vector<Segment> segments;  // the same, of a population
  std::int64_t first_point = 1;
  std::int64_t last = 0;  // sequence to continue after
  bool is_last = false;   // no later event exists
};

// Where to go on in a sweep's events.
struct ObservationCursor {
  std::int64_t after_sequence = 0;
  std::int64_t known_points = 0;  // configurations whose points were read
  // The number of the first configuration that the file of `spec` has made, or will make.
  std::int64_t first_own = 1;
};

// The events of a sweep's trials after the cursor, at most `limit`. Omits facts that builds before
// schema version 6 did not store with an event. When the method or the stopping rule reads points,
// the first observation of each configuration after the known points has its point: in the space of
// `spec` where it has a place there, if an earlier file has made it.
absl::StatusOr<ObservationPage> ReadObservations(Store* store, std::int64_t sweep_id,
                                                 const SweepSpec& spec,
                                                 const ObservationCursor& cursor, int limit);

}  // namespace sweep
