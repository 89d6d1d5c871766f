#include "coordinator/security/roles.h"

namespace sweep {

const std::vector<std::string>& RoleNames() {
  static const auto* const names =
      new std::vector<std::string>{"reader", "submitter", "worker", "admin"};
  return *names;
}

std::string_view RoleName(Role role) { return RoleNames()[static_cast<std::size_t>(role)]; }

std::optional<Role> ParseRole(std::string_view name) {
  for (const Role role : {Role::kReader, Role::kSubmitter, Role::kWorker, Role::kAdmin}) {
    if (RoleName(role) == name) return role;
  }
  return std::nullopt;
}

}  // namespace sweep
