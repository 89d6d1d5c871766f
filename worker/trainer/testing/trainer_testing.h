#pragma once

// Helpers for this folder's tests: small trials, temporary folders, a listener that records.

#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/protocol/trial_spec.h"
#include "worker/trainer/trainer.h"

namespace sweep {

// A new folder, removed at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_((std::filesystem::temp_directory_path() / "sweep-trainer-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot create " + path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline Network MakeNetwork(const std::string& name, std::vector<Layer> layers) {
  Network network{.name = name, .layers = std::move(layers)};
  const std::string error = InferShapes(&network);
  if (!error.empty()) throw std::invalid_argument(error);
  return network;
}

// Has every kind of layer except linear and average pooling; 2,794 parameters.
inline Network SmallNetwork() {
  return MakeNetwork("small", {{.kind = LayerKind::kConv, .out = 8, .kernel = 3, .padding = 1},
                               {.kind = LayerKind::kRelu},
                               {.kind = LayerKind::kBatchNorm},
                               {.kind = LayerKind::kDropout, .p = 0.05},
                               {.kind = LayerKind::kMaxPool, .kernel = 2, .stride = 2},
                               {.kind = LayerKind::kConv, .out = 16, .kernel = 3, .padding = 1},
                               {.kind = LayerKind::kRelu},
                               {.kind = LayerKind::kBatchNorm},
                               {.kind = LayerKind::kDropout2d, .p = 0.02},
                               {.kind = LayerKind::kMaxPool, .kernel = 2, .stride = 2},
                               {.kind = LayerKind::kConv, .out = 10, .kernel = 3, .padding = 1},
                               {.kind = LayerKind::kGlobalAvgPool},
                               {.kind = LayerKind::kLogSoftmax}});
}

// Takes a fraction of a second per epoch.
inline TrialSpec SmallTrial(const std::string& output_dir) {
  TrialSpec spec;
  spec.trial = "test/1";
  spec.seed = 11;
  spec.epochs = 3;
  spec.batch_size = 50;
  spec.lr = 0.1;
  spec.network = SmallNetwork();
  spec.dataset = {.name = "synthetic", .train_size = 520, .test_size = 130};
  spec.output_dir = output_dir;
  spec.device = "cpu";
  return spec;
}

// Records all events; `ask` may return requests.
class Recorder final : public TrainingListener {
 public:
  void OnProgress(const ProgressMessage& message) override { progress.push_back(message); }
  void OnEpoch(const EpochMetrics& metrics) override { epochs.push_back(metrics); }
  void OnCheckpoint(int epoch, const std::string& path) override {
    checkpoints.emplace_back(epoch, path);
  }
  TrainingRequest TakeRequest() override {
    ++asked;
    return ask ? ask() : TrainingRequest::kNone;
  }

  std::function<TrainingRequest()> ask;
  int asked = 0;
  std::vector<ProgressMessage> progress;
  std::vector<EpochMetrics> epochs;
  std::vector<std::pair<int, std::string>> checkpoints;
};

// Sets the values that depend on the clock to 0.
inline std::vector<EpochMetrics> WithoutTimes(std::vector<EpochMetrics> epochs) {
  for (EpochMetrics& metrics : epochs) {
    for (const std::string_view name : {kTrainSeconds, kEvaluateSeconds, kImagesPerSecond}) {
      metrics.values.Set(name, 0);
    }
  }
  return epochs;
}

}  // namespace sweep
