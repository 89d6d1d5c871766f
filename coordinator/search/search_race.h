#pragma once

#include "coordinator/search/driver_core.h"

namespace sweep {

// The race of a sweep whose search has made its last configuration: stores further seeds
// (replicate_racer.h), whatever slots are free, or ends the search when the race is over. Ends the
// turn.
void RunRace(DriverCore& core, const SearchJob& job) ABSL_LOCKS_EXCLUDED(core.mutex);

}  // namespace sweep
