#include "coordinator/search/expected_improvement.h"

#include <algorithm>
#include <cmath>

#include "common/base/normal.h"

namespace sweep {
namespace {

// Below this the differences lose digits, and densities underflow.
constexpr double kTail = -20;

// 1 + z * NormalCdf(z) / density(z) for z < kTail: the asymptotic series of Mills's ratio.
double TailImprovement(double z) {
  const double t = 1 / (z * z);
  return t * (1 - t * (3 - t * (15 - t * (105 - t * 945))));
}

}  // namespace

LogImprovement LogExpectedImprovement(double best, double mean, double deviation) {
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
  if (z > kTail) {
    probability = NormalCdf(z) / density;
    improvement = 1 + z * probability;
  } else {
    improvement = TailImprovement(z);
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

LogImprovement LogProbabilityAtMost(double limit, double mean, double deviation) {
  const double z = (limit - mean) / deviation;
  const double log_density = -0.5 * z * z - std::log(kSqrt2Pi);
  const double log_probability =
      z > kTail ? std::log(NormalCdf(z)) : log_density + std::log((TailImprovement(z) - 1) / z);
  const double by_z = std::exp(log_density - log_probability);
  return {.value = log_probability,
          .by_mean = -by_z / deviation,
          .by_deviation = -by_z * z / deviation};
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
