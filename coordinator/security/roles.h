#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

// What the holder of a token may do.
enum class Role {
  kReader,     // see everything
  kSubmitter,  // also submit, change and delete sweeps, and report what callers trained
  kWorker,     // take leases, report, and read what a worker needs
  kAdmin,      // everything
};

// In the order of the enumeration.
const std::vector<std::string>& RoleNames();
std::string_view RoleName(Role role);
std::optional<Role> ParseRole(std::string_view name);

}  // namespace sweep
