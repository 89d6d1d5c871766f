#pragma once

#include "coordinator/scheduler/lease_desk.h"
#include "coordinator/scheduler/scheduler_state.h"
#include "coordinator/search/driver.h"

namespace sweep {

// Answers the search driver from the shared state: which sweeps want configurations, and what
// follows from suggestions and decisions that are stored.
SearchDriver::Host MakeSearchHost(SchedulerState& state, LeaseDesk& leases);

}  // namespace sweep
