#include "common/stats/time_left.h"

#include <algorithm>

namespace sweep {

std::optional<double> SecondsLeft(const Pace& pace) {
  if (pace.running_trials == 0 || pace.latest_seconds.empty()) return std::nullopt;
  std::vector<double> seconds = pace.latest_seconds;
  // The median: a trial that was paused over night is no measure.
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  const double left = static_cast<double>(pace.planned_trials - pace.ended_trials) - pace.begun;
  return std::max(0.0, left) * *middle / static_cast<double>(pace.running_trials);
}

}  // namespace sweep
