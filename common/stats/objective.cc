#include "common/stats/objective.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace sweep {

bool IsBetter(const Objective& objective, double a, double b) {
  return CostOf(objective, a) < CostOf(objective, b);
}

double CostOf(const Objective& objective, double value) {
  if (std::isnan(value)) return std::numeric_limits<double>::infinity();
  return objective.maximize ? -value : value;
}

bool Dominates(const std::vector<Objective>& objectives, const std::vector<double>& a,
               const std::vector<double>& b) {
  bool is_better = false;
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    if (IsBetter(objectives[i], b[i], a[i])) return false;
    is_better = is_better || IsBetter(objectives[i], a[i], b[i]);
  }
  return is_better;
}

}  // namespace sweep
