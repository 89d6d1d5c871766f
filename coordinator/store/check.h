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

// Checks a database without changing it, also while a coordinator uses it: the file's structure,
// the rules between its rows, and that every blob it refers to exists with the right bytes. `say`
// receives a line after each check. NotFound or FailedPrecondition when it is not a database of
// ours. A file that is too damaged to be read is reported as a fault.
absl::StatusOr<CheckReport> CheckDatabase(const std::string& path,
                                          const std::function<void(const std::string&)>& say);

}  // namespace sweep
