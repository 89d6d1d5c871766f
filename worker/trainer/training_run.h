#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/protocol/trial_spec.h"
#include "worker/data/batch.h"
#include "worker/data/dataset.h"
#include "worker/trainer/backend.h"
#include "worker/trainer/checkpoint.h"
#include "worker/trainer/schedule.h"
#include "worker/trainer/trainer.h"

namespace sweep {

// Trains one trial from its first (or resumed) epoch to its last. Used once, on one thread. Throws
// TrainingError, DataError, SafeTensorsError or the backend's exceptions.
class TrainingRun {
 public:
  // All references must outlive the object. Throws for a spec that cannot be trained.
  TrainingRun(const TrialSpec& spec, const Dataset& dataset, std::unique_ptr<Backend> backend,
              double checkpoint_seconds, TrainingListener* listener);

  TrainingResult Run();

 private:
  using Clock = std::chrono::steady_clock;

  void Resume();
  // Begins with the weights of another training, of which nothing else is kept.
  void TakeOver(Checkpoint checkpoint);
  // False when a stop was requested.
  bool TrainEpoch(EpochMetrics* metrics);
  bool Evaluate(EpochMetrics* metrics);
  // The images `order`[first …] of `set`, in buffers that the next call overwrites.
  Batch MakeBatch(const ImageSet& set, const std::vector<std::int32_t>& order, int first, int count,
                  const BatchOptions& options);
  TrainingError Diverged(const std::string& what) const;
  void CheckLoss(double loss, int epoch, int step) const;
  // Takes a request; true: stop now.
  bool ShouldStop();
  void ReportProgress(int epoch, int step, double loss, Clock::time_point epoch_start, int images);
  void TakeSnapshot(const EpochMetrics& metrics);
  void KeepIfBest(const EpochMetrics& metrics);  // after TakeSnapshot
  void WriteCheckpoint();
  TrainingResult Finish(bool stopped);
  std::string WriteTensors(const std::string& role, const std::vector<SafeTensor>& tensors,
                           const EpochMetrics& metrics) const;

  const TrialSpec& spec_;
  const Dataset& dataset_;
  const double checkpoint_seconds_;
  TrainingListener* const listener_;

  std::vector<std::int32_t> train_indices_;
  const ImageSet* evaluation_set_;
  std::vector<std::int32_t> evaluation_indices_;
  int steps_per_epoch_;
  Augmentation augmentation_;
  const std::unique_ptr<Backend> backend_;
  Schedule schedule_;
  std::vector<float> images_;
  std::vector<std::uint8_t> labels_;

  std::string predictions_;  // of the epoch just evaluated
  Checkpoint snapshot_;      // after the last whole epoch
  int checkpoint_on_disk_ = 0;
  Clock::time_point last_checkpoint_;
  Clock::time_point last_progress_;
};

}  // namespace sweep
