#pragma once

#include <cmath>
#include <numbers>

namespace sweep {

inline constexpr double kSqrt2Pi = 2.5066282746310002;

// The distribution function of the standard normal distribution.
inline double NormalCdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

// The inverse of NormalCdf. Beyond 1e-300 and 1 - 1e-16 as there, so that it is never infinite.
double NormalQuantile(double p);

}  // namespace sweep
