#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace sweep::bench {

// The text of a sweep with random search over `trials` trials of `epochs` epochs, ranked under the
// usual criteria.
std::string SweepText(const std::string& name, std::int64_t trials, int epochs);

// Makes a database with one finished sweep, through the store's own writes: every trial is granted,
// reported epoch by epoch and completed. Accuracies are made up; a few meet the criteria.
absl::Status FillDatabase(const std::string& path, const std::string& sweep, std::int64_t trials,
                          int epochs);

}  // namespace sweep::bench
