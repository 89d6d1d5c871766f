#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/protocol/trial_spec.h"

namespace sweep::cli {

// What a person asked `sweep train` for, as texts; "" is "as the recipe says".
struct TrainRequest {
  std::string network;  // built-in name or file
  // Flags that set a hyperparameter of the same name: {"lr", "0.05"}.
  std::vector<std::pair<std::string, std::string>> flags;
  std::vector<std::string> settings;  // --set NAME=VALUE
  std::string dataset = "mnist";      // mnist, synthetic, or the folder of IDX files
  int train_images = 0;
  int test_images = 0;
  std::uint64_t seed = 1;
};

// The training as the trainer gets it: the network's recipe (`seed`, else the first), over it what
// was asked for. Reads the network file. InvalidArgument that names the flag and the value, or the
// file, the line and the layer.
absl::StatusOr<TrialSpec> PlanTraining(const TrainRequest& request,
                                       std::vector<std::string>* warnings);

}  // namespace sweep::cli
