#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

struct PeekedSweep {
  std::string name;
  std::int64_t trials = 0;  // made so far
};

// The sweeps of a database, newest first, read without taking it, migrating it or waiting for
// anybody: for a shell that completes names. NotFound when there is no such file.
absl::StatusOr<std::vector<PeekedSweep>> PeekSweeps(const std::string& path);

}  // namespace sweep
