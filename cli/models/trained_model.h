#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/models/blob_cache.h"
#include "common/inference/inference.h"
#include "common/protocol/trial_spec.h"
#include "common/tensors/safetensors.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// A blob's bytes, checked against their SHA-256: from the cache, else from the coordinator.
// NotFound when the coordinator no longer keeps it, DataLoss when the bytes differ.
absl::StatusOr<std::string> FetchBlob(Connection& connection, const std::string& sha256,
                                      const BlobCache& cache);

// The weights after the epoch with the best accuracy, or after the last epoch.
enum class WeightsChoice { kBest, kLast };

// A trial's trained network as stored by the coordinator.
struct TrialModel {
  v1::Trial trial;
  std::string spec_json;  // the trainer's line
  TrialSpec spec;         // the same, parsed
  std::string role;       // the artifact: "weights_best", "weights_last" or "checkpoint"
  std::string sha256;     // of that artifact
  int epoch = 0;          // of the weights; 0: not recorded
  // On the trial's evaluation images after that epoch; nullopt: not recorded.
  std::optional<double> accuracy;
  // A safetensors file: the artifact itself, or the network's tensors from a checkpoint.
  std::string weights;
};

// NotFound for an unknown trial; FailedPrecondition, with the reason, for a trial that has no
// weights (yet) or whose network Sweep does not know.
absl::StatusOr<TrialModel> FetchTrialModel(Connection& connection, const std::string& name,
                                           WeightsChoice choice, const BlobCache& cache);

// A network ready to predict.
struct TrainedModel {
  std::string title;  // "cnn-18718 of mnist-994/1, epoch 18"
  InferenceNetwork network;
  double normalize_mean = 0;
  double normalize_stddev = 1;
  bool batch_softmax = false;  // was evaluated with a softmax over batches
};

absl::StatusOr<TrainedModel> MakeTrainedModel(const TrialModel& model);
// Reads network.yaml and weights.safetensors from a folder that `sweep model` wrote.
absl::StatusOr<TrainedModel> ReadTrainedModel(const std::string& folder);

// The file names in such a folder.
inline constexpr char kWeightsFile[] = "weights.safetensors";
inline constexpr char kNetworkFile[] = "network.yaml";
inline constexpr char kPythonFile[] = "net.py";
inline constexpr char kTrialFile[] = "trial.json";

}  // namespace sweep::cli
