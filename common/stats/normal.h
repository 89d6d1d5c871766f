#pragma once

#include <cmath>
#include <numbers>

namespace sweep {

// The distribution function of the standard normal distribution.
inline double NormalCdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

}  // namespace sweep
