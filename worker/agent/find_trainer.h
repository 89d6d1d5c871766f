#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

// The command of the trainer, its program as a path that can be executed. For an empty `command`
// that is the program that the environment variable SWEEP_TRAINER names, else `sweep-trainer`
// beside this executable, else on PATH. NotFound says where it was looked for, PermissionDenied
// what keeps a file that is there from being executed.
absl::StatusOr<std::vector<std::string>> FindTrainer(std::vector<std::string> command);

// What sweep-trainer takes as --backend.
inline const std::vector<std::string> kTrainerBackends{"auto", "lanes", "torch"};

// Appends sweep-trainer's flags for what is not 0 or "".
void AddTrainerFlags(int threads, const std::string& backend, std::vector<std::string>* command);

// The command of a sweep's own program that runs in `folder` ("": here), its first word as a path
// that can be executed: one with '/' is relative to the folder, another is looked for on PATH.
// Errors as FindTrainer's.
absl::StatusOr<std::vector<std::string>> FindProgram(std::vector<std::string> command,
                                                     const std::string& folder);

}  // namespace sweep
