#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

struct CheckReport {
  std::vector<std::string> faults;
  bool sound() const { return faults.empty(); }
};

// Checks a database that a coordinator may be using, without changing it: the file's structure,
// what holds between its rows at any time, and that every blob it refers to is there with its
// bytes. `say` gets a line about each thing when it has been checked. NotFound or
// FailedPrecondition when it is not one of ours; a file that is too damaged to be looked at is a
// fault.
absl::StatusOr<CheckReport> CheckDatabase(const std::string& path,
                                          const std::function<void(const std::string&)>& say);

}  // namespace sweep
