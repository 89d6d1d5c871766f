#include "worker/agent/canary.h"

#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/protocol/trial_spec.h"
#include "common/trial/measures.h"
#include "worker/agent/training.h"

namespace sweep {
namespace {

// Few steps at a low rate, so that the roundings of backends and processors stay small.
constexpr std::string_view kTrial = R"({
  "type": "trial", "protocol": 1, "trial": "canary/1", "seed": 1, "epochs": 1, "batch_size": 64,
  "lr": 0.02, "momentum": 0.9, "weight_decay": 0.0005,
  "network": {"name": "canary", "input": [1, 28, 28], "layers": [
    {"kind": "conv", "out": 8, "kernel": 3, "stride": 1, "padding": 1, "bias": true},
    {"kind": "relu"}, {"kind": "batch_norm"}, {"kind": "max_pool", "kernel": 2, "stride": 2},
    {"kind": "conv", "out": 16, "kernel": 3, "stride": 1, "padding": 0, "bias": true},
    {"kind": "relu"}, {"kind": "batch_norm"}, {"kind": "max_pool", "kernel": 2, "stride": 2},
    {"kind": "conv", "out": 10, "kernel": 1, "stride": 1, "padding": 0, "bias": true},
    {"kind": "global_avg_pool"}, {"kind": "log_softmax"}]},
  "dataset": {"name": "synthetic", "train_size": 1024, "test_size": 256}})";
// What lanes and torch come to with one thread and with two, on x86-64 with AVX2; they differ by
// 0.0001 at most. Untrained, the network has a loss of about 2.3.
constexpr double kTrainingLoss = 2.2439;
constexpr double kEvaluationLoss = 2.2284;
constexpr double kTolerance = 0.002;
constexpr absl::Duration kLongest = absl::Minutes(1);

bool IsNear(double value, double expected) { return std::abs(value - expected) <= kTolerance; }

}  // namespace

absl::Status CheckTraining(const std::vector<std::string>& command, const std::string& device) {
  TrialSpec spec = TrialSpecFromJson(kTrial);
  spec.device = device;
  const absl::Time end = absl::Now() + kLongest;
  std::optional<EpochMetrics> found;
  const TrainingListener listener = {
      .progress = [](const ProgressMessage&) {},
      .epoch = [&](const EpochMetrics& epoch) { found = epoch; },
      .checkpoint = [](const CheckpointMessage&) {},
      .log = [](const std::string&) {},
      .stop = [&] { return absl::Now() < end ? 0 : 2; },
  };
  const absl::StatusOr<DoneMessage> done = RunTraining(command, spec, listener);
  if (absl::IsCancelled(done.status())) {
    return absl::DeadlineExceededError(
        absl::StrCat("the canary has not ended within ", absl::FormatDuration(kLongest)));
  }
  if (!done.ok()) {
    return absl::Status(done.status().code(),
                        absl::StrCat("the canary failed: ", done.status().message()));
  }
  if (!found) return absl::InternalError("the canary failed: the trainer reported no epoch");
  const double training = found->Get(kTrainLoss), evaluation = found->Get(kValidationLoss);
  // Also false for NaN.
  if (IsNear(training, kTrainingLoss) && IsNear(evaluation, kEvaluationLoss)) {
    return absl::OkStatus();
  }
  char losses[160];
  std::snprintf(losses, sizeof(losses),
                "a loss of %.4f in training and of %.4f afterwards, which should be %.4f and %.4f "
                "within %.3f",
                training, evaluation, kTrainingLoss, kEvaluationLoss, kTolerance);
  return absl::FailedPreconditionError(
      absl::StrCat("the canary failed: this machine, or its ", command.front(),
                   ", computes something else than others: ", losses));
}

}  // namespace sweep
