#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/http/http_server.h"

namespace sweep {

// Carries out one action: POST `path` with `body`, which MayAct has allowed. Waits for the commit
// and returns the answer's document. Errors are the scheduler's, NotFound for a path that is no
// action, InvalidArgument for a body that the action does not accept.
absl::StatusOr<std::string> RunAction(const HttpOptions& options, const std::string& path,
                                      const std::string& body);

}  // namespace sweep
