#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/http/http_server.h"

namespace sweep {

// Carries out one action: POST `path` with `body`, which MayAct has let through. Waits for the
// commit. The answer's document; errors as the scheduler's, NotFound for a path that is no action,
// InvalidArgument for a body that is not what the action takes.
absl::StatusOr<std::string> RunAction(const HttpOptions& options, const std::string& path,
                                      const std::string& body);

}  // namespace sweep
