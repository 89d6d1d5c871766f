#pragma once

#include "coordinator/search/driver_core.h"
#include "coordinator/search/end_desk.h"

namespace sweep {

// Hands out the further seeds of a sweep with a race (replicate_racer.h), whatever slots are free,
// once its search has made its last configuration.
class RaceDesk {
 public:
  RaceDesk(DriverCore& core, EndDesk& ends) : core_(core), ends_(ends) {}

  // Stores further seeds, or ends the sweep's search when the race is over. Takes over the turn:
  // ends it.
  void Race(const SearchJob& job) ABSL_LOCKS_EXCLUDED(core_.mutex);

 private:
  void Give(const SearchJob& job, std::vector<ReplicateRacer::Seed> next);
  // `has_held`: some trials are on hold.
  void End(const SearchJob& job, bool has_held);

  DriverCore& core_;
  EndDesk& ends_;
};

}  // namespace sweep
