#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/connection.h"

namespace sweep::cli {

// A NotFound about a sweep ("seed-01"), a trial ("seed-000/99") or a worker, with what is there
// instead: the nearest name, or the numbers that the sweep's trials have. Other statuses, and what
// nothing is near to, come back as they are. Asks the coordinator once more.
absl::Status WithNearestSweep(Connection& connection, const absl::Status& status,
                              const std::string& name);
absl::Status WithNearestWorker(Connection& connection, const absl::Status& status,
                               const std::string& name);
// An InvalidArgument about the key that trials should be sorted by, with the nearest right one.
absl::Status WithNearestSortKey(Connection& connection, const absl::Status& status,
                                const std::string& sweep, const std::string& key);
// The keys that trials can be sorted by beside the hyperparameters.
const std::vector<std::string>& SortKeys();

}  // namespace sweep::cli
