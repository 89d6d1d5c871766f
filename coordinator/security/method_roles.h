#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coordinator/security/roles.h"

namespace sweep {

// Which roles may make a call. The one table of access rights of the RPCs.
struct MethodRule {
  std::string_view path;  // "/sweep.v1.SweepService/GetSweep"; ends in "/" for a whole service
  // Besides admin, who may call everything in the table. Empty: admin alone.
  std::vector<Role> roles;
  bool is_open = false;  // needs no token

  std::string_view Method() const;  // "GetSweep"
  bool Allows(Role role) const;
  // "reader, submitter or worker": those to ask for, without admin unless it is the only one.
  std::string RolesText() const;
};

const std::vector<MethodRule>& MethodRules();

// The rule of a call's path; null when the table has none, and then nobody may make the call.
const MethodRule* FindMethodRule(std::string_view path);

}  // namespace sweep
