#pragma once

#include <optional>

#include "common/base/clock.h"
#include "coordinator/scheduler/scheduler_types.h"
#include "coordinator/scheduler/work_table.h"

namespace sweep {

// A worker of the table as people see it. Pure but for the clock.
WorkerInfo DescribeWorker(const WorkTable& table, const WorkerEntry& worker, const Clock& clock);

// Why the worker is put aside and until when; nullopt: it is not.
std::optional<PutAside> DescribeHealth(const WorkerEntry& worker, const Clock& clock);

}  // namespace sweep
