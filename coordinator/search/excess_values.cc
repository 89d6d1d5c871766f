#include "coordinator/search/excess_values.h"

#include <algorithm>
#include <cmath>

#include "coordinator/search/median.h"

namespace sweep {
namespace {

// From the mean of excesses without a variance to the limit, in their deviations.
constexpr double kSureDistance = 3;
constexpr double kLargest = 1e6;  // in median distances from the gate
// Values differ when their deviation is a larger share of the largest: the rest is rounding.
constexpr double kExcessRounding = 1e-12;

}  // namespace

ExcessValues CompressExcesses(std::vector<double> excesses) {
  std::vector<double> distances;
  double largest = 0;
  for (const double excess : excesses) {
    if (!std::isfinite(excess)) continue;
    distances.push_back(std::fabs(excess));
    largest = std::max(largest, excess);
  }
  // Far values say little about where the gate is met (Eriksson and Poloczek, "Scalable constrained
  // Bayesian optimization", AISTATS 2021, arXiv:2002.08526).
  const double median = distances.empty() ? 0 : UpperMedian(distances);
  const double unit = median > 0 ? median : 1;
  for (double& excess : excesses) {
    if (!std::isfinite(excess)) excess = std::max(largest, unit);
  }
  const auto bend = [&](double excess) {
    return std::copysign(std::log1p(std::min(std::fabs(excess) / unit, kLargest)), excess);
  };
  Eigen::VectorXd values(static_cast<int>(excesses.size()));
  std::transform(excesses.begin(), excesses.end(), values.begin(), bend);
  const double mean = values.mean();
  const double deviation = std::sqrt((values.array() - mean).square().mean());
  if (!(deviation > kExcessRounding * values.array().abs().maxCoeff())) {
    return {.values = Eigen::VectorXd::Zero(values.size()),
            .limit = mean > 0 ? -kSureDistance : kSureDistance};
  }
  return {.values = (values.array() - mean) / deviation, .limit = -mean / deviation};
}

}  // namespace sweep
