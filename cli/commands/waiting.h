#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/session.h"

namespace sweep::cli {

// For commands that may wait (`--wait`) until what they asked for has come about.

// Opens a connection and hands it to `command`. With `waits`, Ctrl-C ends the waiting and not the
// process.
int WithConnection(const Session& session, bool waits,
                   const std::function<int(Connection& connection)>& command);

// Asks `done` four times a second until it says true. Cancelled after Ctrl-C.
absl::Status WaitUntil(const std::function<absl::StatusOr<bool>()>& done);

// Ends a command that has waited. `goes_on` is what a person should know after Ctrl-C.
int AfterWaiting(const absl::Status& status, const Session& session, const std::string& goes_on);

}  // namespace sweep::cli
