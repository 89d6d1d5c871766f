#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/protocol/trial_spec.h"

namespace sweep::cli {

// The speed of a trainer on one network.
struct TrainingSpeed {
  double train_images_per_second = 0;
  double evaluate_images_per_second = 0;
};

// Trains the network of `spec` for about a second on synthetic digits with the program `command`.
// Leaves no files. InvalidArgument for a network whose images are not 28×28 grey ones.
absl::StatusOr<TrainingSpeed> MeasureSpeed(const std::vector<std::string>& command, TrialSpec spec);

}  // namespace sweep::cli
