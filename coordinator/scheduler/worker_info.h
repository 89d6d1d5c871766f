#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "coordinator/scheduler/scheduler_types.h"
#include "coordinator/scheduler/work_table.h"
#include "coordinator/scheduler/worker_builds.h"

namespace sweep {

// The names of callers whose requests wait. They refer to the table.
std::set<std::string_view> CallersThatWait(const WorkTable& table);

// A worker of the table as people see it. Pure but for the clock. A caller is connected while it
// holds a lease or waits; this looks only at its leases.
WorkerInfo DescribeWorker(const WorkTable& table, const WorkerEntry& worker, const Clock& clock,
                          const WorkerBuilds& builds);

// Why the worker is put aside and until when; nullopt: it is not.
std::optional<PutAside> DescribeHealth(const WorkerEntry& worker, const Clock& clock);

}  // namespace sweep
