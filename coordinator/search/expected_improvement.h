#pragma once

namespace sweep {

// The logarithm of the expected improvement below `best` of a normal distribution, and its
// derivatives by the distribution's mean and deviation (Ament et al., "Unexpected improvements to
// expected improvement", NeurIPS 2023, arXiv:2310.20708). Accurate however unlikely an improvement
// is.
struct LogImprovement {
  double value = 0;
  double by_mean = 0;
  double by_deviation = 0;
};
LogImprovement LogExpectedImprovement(double best, double mean, double deviation);

// How a cost grows with a value: its derivative is at_zero * exp(rate * value).
struct CostGrowth {
  double at_zero = 1;
  double rate = 0;
};
// By how much the cost of a normal value is expected to be below that of the value `best`.
double ExpectedImprovement(double best, double mean, double deviation, const CostGrowth& cost);

// The augmented expected improvement for measurements with noise (Huang et al., "Global
// optimization of stochastic black-box systems", 2006): less where another measurement would tell
// little, because the noise of one is far above `deviation`, that of the mean.
LogImprovement LogAugmentedImprovement(double best, double mean, double deviation,
                                       double noise_deviation);

// The logarithm of the probability that a number of a normal distribution is at most `limit`.
// Accurate however improbable that is.
LogImprovement LogProbabilityAtMost(double limit, double mean, double deviation);

}  // namespace sweep
