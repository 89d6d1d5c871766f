#include "coordinator/search/expected_improvement.h"

#include <algorithm>
#include <cmath>

#include "common/base/normal.h"

namespace sweep {

LogImprovement LogExpectedImprovement(double best, double mean, double deviation) {
  constexpr double kSqrt2Pi = 2.5066282746310002;
  const double z = (best - mean) / deviation;
  const double density = std::exp(-0.5 * z * z) / kSqrt2Pi;
  if (z > -1) {
    const double probability = NormalCdf(z);
    const double improvement = density + z * probability;  // in deviations
    return {.value = std::log(deviation * improvement),
            .by_mean = -probability / (deviation * improvement),
            .by_deviation = density / (deviation * improvement)};
  }
  // Both divided by the density, which may underflow.
  double improvement = 0, probability = 0;
  if (z > -20) {
    probability = NormalCdf(z) / density;
    improvement = 1 + z * probability;
  } else {
    // The asymptotic series of Mills's ratio: the difference would lose all digits.
    const double t = 1 / (z * z);
    improvement = t * (1 - t * (3 - t * (15 - t * (105 - t * 945))));
    probability = (improvement - 1) / z;
  }
  return {.value = std::log(deviation * improvement / kSqrt2Pi) - 0.5 * z * z,
          .by_mean = -probability / (deviation * improvement),
          .by_deviation = 1 / (deviation * improvement)};
}

// The integral, over the values below `best`, of the cost's derivative times the probability of a
// lower value: a sum of positive terms, so it is accurate also where it is small.
double ExpectedImprovement(double best, double mean, double deviation, const CostGrowth& cost) {
  constexpr int kSteps = 256;
  const double z = (best - mean) / deviation;
  // In deviations below `best`; the rest is less than the rounding.
  const double reach = std::max(z, 0.0) + 8;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double below = reach * (i + 0.5) / kSteps;
    sum += std::exp(cost.rate * (best - deviation * below)) * NormalCdf(z - below);
  }
  return cost.at_zero * deviation * sum * reach / kSteps;
}

LogImprovement LogAugmentedImprovement(double best, double mean, double deviation,
                                       double noise_deviation) {
  LogImprovement improvement = LogExpectedImprovement(best, mean, deviation);
  const double square = deviation * deviation + noise_deviation * noise_deviation;
  const double both = std::sqrt(square);
  // 1 - noise / both, without the difference.
  const double share = deviation * deviation / (both * (both + noise_deviation));
  improvement.value += std::log(share);
  improvement.by_deviation += noise_deviation * deviation / (square * both * share);
  return improvement;
}

}  // namespace sweep
