#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

struct PeekedSweep {
  std::string name;
  std::int64_t trials = 0;  // created so far
};

// The sweeps of a database, newest first, for a shell that completes names. Takes no lock, migrates
// nothing and never waits. NotFound when there is no such file.
absl::StatusOr<std::vector<PeekedSweep>> PeekSweeps(const std::string& path);

}  // namespace sweep
