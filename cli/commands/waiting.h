#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/session.h"

namespace sweep::cli {

// Helpers for commands with `--wait`, which wait until their request is fulfilled.

// Opens a connection and runs `command`. With `waits`, Ctrl-C ends the waiting instead of the
// process.
int WithConnection(const Session& session, bool waits,
                   const std::function<int(Connection& connection)>& command);

// Calls `done` four times a second until it returns true. Cancelled after Ctrl-C.
absl::Status WaitUntil(const std::function<absl::StatusOr<bool>()>& done);

// Ends a command that has waited. `goes_on` is the message after Ctrl-C.
int AfterWaiting(const absl::Status& status, const Session& session, const std::string& goes_on);

}  // namespace sweep::cli
