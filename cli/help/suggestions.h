#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/connection.h"

namespace sweep::cli {

// Adds to a NotFound about a sweep ("seed-01"), a trial ("seed-000/99") or a worker what exists:
// the nearest name, or the numbers of the sweep's trials. Returns other statuses, and those without
// a near name, unchanged. Makes one more call.
absl::Status WithNearestSweep(Connection& connection, const absl::Status& status,
                              const std::string& name);
absl::Status WithNearestWorker(Connection& connection, const absl::Status& status,
                               const std::string& name);
// Adds the nearest right key to an InvalidArgument about the key for sorting trials.
absl::Status WithNearestSortKey(Connection& connection, const absl::Status& status,
                                const std::string& sweep, const std::string& key);
// The keys for sorting trials, apart from hyperparameters.
const std::vector<std::string>& SortKeys();

}  // namespace sweep::cli
