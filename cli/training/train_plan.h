#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/protocol/trial_spec.h"

namespace sweep::cli {

// The request of `sweep train`, as texts; "" means the recipe's value.
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

// The trainer's spec: the network's recipe (`seed`, else the first), overridden by the request.
// Reads the network file. InvalidArgument that names the flag and the value, or the file, the line
// and the layer.
absl::StatusOr<TrialSpec> PlanTraining(const TrainRequest& request,
                                       std::vector<std::string>* warnings);

}  // namespace sweep::cli
