#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

// The command of the trainer, its program as a path that can be executed. For an empty `command`
// that is the program that the environment variable SWEEP_TRAINER names, else `sweep-trainer`
// beside this executable, else on PATH. NotFound says where it was looked for.
absl::StatusOr<std::vector<std::string>> FindTrainer(std::vector<std::string> command);

}  // namespace sweep
