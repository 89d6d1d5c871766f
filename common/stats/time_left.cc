#include "common/stats/time_left.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace sweep {
namespace {

// A shorter part of a first trial is mostly start-up.
constexpr double kLeastSeconds = 2;

std::optional<double> SecondsPerTrial(const Pace& pace) {
  const std::vector<double>& completed = pace.completed_seconds;
  if (!completed.empty()) {
    return std::accumulate(completed.begin(), completed.end(), 0.0) /
           static_cast<double>(completed.size());
  }
  double seconds = 0, share = 0;
  for (const Pace::Running& trial : pace.running) {
    if (trial.share <= 0) continue;
    seconds += trial.seconds;
    share += trial.share;
  }
  if (share <= 0 || seconds < kLeastSeconds) return std::nullopt;
  return seconds / share;
}

}  // namespace

std::optional<double> SecondsLeft(const Pace& pace) {
  if (pace.running.empty()) return std::nullopt;
  const std::optional<double> per_trial = SecondsPerTrial(pace);
  if (!per_trial) return std::nullopt;
  double left = static_cast<double>(pace.planned_trials - pace.ended_trials);
  double most = 0;  // of a running trial: other slots cannot help with it
  for (const Pace::Running& trial : pace.running) {
    left -= trial.share;
    most = std::max(most, 1 - trial.share);
  }
  return std::max(left / static_cast<double>(pace.running.size()), most) * *per_trial;
}

}  // namespace sweep
