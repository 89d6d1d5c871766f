#include "cli/training/speed.h"

#include <algorithm>
#include <memory>

#include "absl/time/clock.h"
#include "worker/agent/owned_folder.h"
#include "worker/agent/training.h"

namespace sweep::cli {
namespace {

constexpr int kTrainImages = 2048;
constexpr int kTestImages = 1024;
// Stops slow networks early; then only the first epoch is known.
constexpr absl::Duration kLongest = absl::Seconds(3);

}  // namespace

absl::StatusOr<TrainingSpeed> MeasureSpeed(const std::vector<std::string>& command,
                                           TrialSpec spec) {
  const absl::StatusOr<std::unique_ptr<OwnedFolder>> folder =
      OwnedFolder::MakeTemporary("sweep-speed-");
  if (!folder.ok()) return folder.status();
  spec.trial = "speed/1";
  spec.dataset = {.name = "synthetic",
                  .train_size = std::max(kTrainImages, 2 * spec.batch_size),
                  .test_size = kTestImages};
  spec.holdout = 0;
  spec.epochs = 3;
  spec.warmup_epochs = std::min(spec.warmup_epochs, 1.0);
  spec.output_dir = (*folder)->path();
  const absl::Time end = absl::Now() + kLongest;
  TrainingSpeed speed;
  TrainingListener listener;
  listener.progress = [&](const ProgressMessage& progress) {
    if (speed.evaluate_images_per_second == 0) {
      speed.train_images_per_second = progress.images_per_second;
    }
  };
  // Uses the last epoch: the first one includes warm-up.
  listener.epoch = [&](const EpochMetrics& epoch) {
    const double training = epoch.Get(kTrainSeconds);
    const double evaluating = epoch.Get(kEvaluateSeconds);
    if (!(training > 0 && evaluating > 0)) return;
    speed.train_images_per_second = spec.dataset.train_size / training;
    speed.evaluate_images_per_second = kTestImages / evaluating;
  };
  listener.checkpoint = [](const CheckpointMessage&) {};
  listener.log = [](const std::string&) {};
  listener.stop = [&] { return absl::Now() < end ? 0 : 2; };
  const absl::StatusOr<DoneMessage> done = RunTraining(command, spec, listener);
  if (speed.train_images_per_second > 0) return speed;
  return done.ok() ? absl::InternalError("the trainer reported no speed") : done.status();
}

}  // namespace sweep::cli
