#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace sweep {

// Trains a small network on synthetic digits for a moment, with a fixed seed, and compares its
// losses with those that every machine and backend come to. So a machine that computes something
// else, or a trainer that was built wrongly, is found before it gets work. `command` is a
// sweep-trainer (FindTrainer); `device` as TrialSpec's. FailedPrecondition, naming both losses,
// when they differ by more than rounding makes them; else errors of RunTraining. Takes a second or
// two, and a minute at most.
absl::Status CheckTraining(const std::vector<std::string>& command, const std::string& device);

}  // namespace sweep
