#include "common/stats/confirmation.h"

#include <cmath>

#include "common/stats/ranking.h"

namespace sweep {

Confirmation ConfirmationOf(const Objective& objective, std::optional<double> selected, double mean,
                            double half_width, int runs) {
  Confirmation made;
  if (runs < 1 || std::isnan(mean)) return made;
  const double sign = objective.maximize ? 1 : -1;
  const bool is_selected = selected && std::isfinite(*selected);
  if (is_selected) made.optimism = sign * (*selected - mean);
  if (runs < 2) return made;
  made.interval = MeanInterval(objective, mean, half_width, runs);
  const double error = half_width / StudentQuantile(0.975, runs - 1);
  made.bound = mean - sign * error * StudentQuantile(0.95, runs - 1);
  if (is_selected) {
    made.optimism_interval = {*made.optimism - half_width, *made.optimism + half_width};
  }
  return made;
}

}  // namespace sweep
