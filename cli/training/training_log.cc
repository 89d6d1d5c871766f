#include "cli/training/training_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/present/text.h"

namespace sweep::cli {
namespace {

constexpr int kBarWidth = 10;

std::string ClockText(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto whole = static_cast<long>(seconds);
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{:02}:{:02}", whole / 60, whole % 60);
}

// The part of a line that tqdm prints: "100%|██████████| 469/469 [00:13<00:00, 35.29it/s]".
std::string Tqdm(int step, int steps, double seconds, bool ascii) {
  const double share = steps > 0 ? static_cast<double>(step) / steps : 0;
  const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * kBarWidth);
  const std::string bar = ascii ? Pad(std::string(filled, '#'), kBarWidth) : Bar(share, kBarWidth);
  const double rate = seconds > 0 ? step / seconds : 0;
  const double left = rate > 0 ? (steps - step) / rate : std::nan("");
  return fmt::format("{:3.0f}%|{}| {}/{} [{}<{}, {:.2f}it/s]", std::floor(share * 100), bar, step,
                     steps, ClockText(seconds), ClockText(left), rate);
}

}  // namespace

std::string TrainingBar(const ProgressMessage& progress, absl::Duration elapsed, bool ascii) {
  return fmt::format("loss={:.4f} batch_id={}: {}", progress.loss, std::max(0, progress.step - 1),
                     Tqdm(progress.step, progress.steps, absl::ToDoubleSeconds(elapsed), ascii));
}

std::string EpochHeading(int epoch) { return fmt::format("Epoch number: {}\n", epoch); }

std::string EpochBar(const EpochMetrics& epoch, int steps, bool ascii) {
  return fmt::format("loss={:.4f} batch_id={} accuracy={:.2f}: {}\n", epoch.Get(kTrainLoss),
                     std::max(0, steps - 1), epoch.Get(kTrainAccuracy) * 100,
                     Tqdm(steps, steps, epoch.Get(kTrainSeconds), ascii));
}

std::string TestLine(const EpochMetrics& epoch, int evaluation_images) {
  const auto right = std::llround(epoch.Get(kValidationAccuracy) * evaluation_images);
  return fmt::format("Test set: Average loss: {:.4f}, Accuracy: {}/{} ({:.2f}%)\n",
                     epoch.Get(kValidationLoss), right, evaluation_images,
                     epoch.Get(kValidationAccuracy) * 100);
}

int StepsOf(const EpochMetrics& epoch, int batch_size) {
  const double images = epoch.Get(kImagesPerSecond) * epoch.Get(kTrainSeconds);
  if (!std::isfinite(images) || batch_size <= 0 || images >= 1e9) return 0;
  return static_cast<int>((std::llround(images) + batch_size - 1) / batch_size);
}

}  // namespace sweep::cli
