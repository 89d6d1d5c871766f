#include "coordinator/search/expected_improvement.h"

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
