#pragma once

#include <string>

#include "absl/status/status.h"
#include "coordinator/security/security_options.h"

namespace sweep {

// Refuses what would open a coordinator to other machines by mistake: InvalidArgument names the
// address, or the option that is missing. `http` is the dashboard's address; "" or "off": none.
// Addresses that are none are for others to refuse.
absl::Status CheckSecurity(const SecurityOptions& options, const std::string& listen,
                           const std::string& http);

// Warns in the log of every way in that is left open on purpose.
void WarnOfOpenDoors(const SecurityOptions& options, const std::string& listen);

}  // namespace sweep
