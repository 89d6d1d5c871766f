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

// A blob's bytes, checked against their SHA-256: out of the cache, else from the coordinator.
// NotFound when it is no longer kept, DataLoss when the bytes are others.
absl::StatusOr<std::string> FetchBlob(Connection& connection, const std::string& sha256,
                                      const BlobCache& cache);

// Which weights of a trial: those of the epoch with the best accuracy, or of the last epoch.
enum class WeightsChoice { kBest, kLast };

// A trial with a trained network, as the coordinator keeps it.
struct TrialModel {
  v1::Trial trial;
  std::string spec_json;  // the trainer's line
  TrialSpec spec;         // the same, parsed
  std::string role;       // the artifact: "weights_best", "weights_last" or "checkpoint"
  std::string sha256;     // of that artifact
  int epoch = 0;          // after which the weights were taken; 0: they do not say
  // On the trial's evaluation images after that epoch; nullopt: they do not say.
  std::optional<double> accuracy;
  // A safetensors file: the artifact itself, or the network's tensors out of a checkpoint.
  std::string weights;
};

// NotFound for an unknown trial; FailedPrecondition, saying what is the matter, for a trial that
// has no weights (yet), or whose files are not those of a network that Sweep knows.
absl::StatusOr<TrialModel> FetchTrialModel(Connection& connection, const std::string& name,
                                           WeightsChoice choice, const BlobCache& cache);

// A network ready to predict.
struct TrainedModel {
  std::string title;  // "cnn-18718 of mnist-994/1, epoch 18"
  InferenceNetwork network;
  double normalize_mean = 0;
  double normalize_stddev = 1;
  bool batch_softmax = false;  // it was evaluated with a softmax over batches
};

absl::StatusOr<TrainedModel> MakeTrainedModel(const TrialModel& model);
// From network.yaml and weights.safetensors in a folder that `sweep model` wrote.
absl::StatusOr<TrainedModel> ReadTrainedModel(const std::string& folder);

// The names of the files in such a folder.
inline constexpr char kWeightsFile[] = "weights.safetensors";
inline constexpr char kNetworkFile[] = "network.yaml";
inline constexpr char kPythonFile[] = "net.py";
inline constexpr char kTrialFile[] = "trial.json";

}  // namespace sweep::cli
