#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

// The trainer's command, its first word as the path of an executable. An empty `command` means the
// program that the environment variable SWEEP_TRAINER names, else `sweep-trainer` beside this
// executable, else on PATH. NotFound lists the places searched; PermissionDenied says why an
// existing file cannot be executed.
absl::StatusOr<std::vector<std::string>> FindTrainer(std::vector<std::string> command);

// The values of sweep-trainer's --backend.
inline const std::vector<std::string> kTrainerBackends{"auto", "lanes", "torch"};

// Appends sweep-trainer's flags, unless `threads` is 0 or `backend` is "".
void AddTrainerFlags(int threads, const std::string& backend, std::vector<std::string>* command);

// The command of a sweep's own program that runs in `folder` ("": here), its first word as the path
// of an executable: a word with '/' is relative to the folder, any other is looked up on PATH.
// Errors as FindTrainer's.
absl::StatusOr<std::vector<std::string>> FindProgram(std::vector<std::string> command,
                                                     const std::string& folder);

}  // namespace sweep
