#include "common/stats/intervals.h"

#include <algorithm>
#include <cmath>

namespace sweep {
namespace {

// The regularised incomplete beta function I_x(a, b) by its continued fraction (Lentz's method,
// as in Press et al., "Numerical Recipes", 6.4).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::fabs(d) < kTiny ? kTiny : d);
  double result = d;
  for (int m = 1; m <= 300; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    c = 1 + even / c;
    d = 1 / (std::fabs(d) < kTiny ? kTiny : d);
    c = std::fabs(c) < kTiny ? kTiny : c;
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    c = 1 + odd / c;
    d = 1 / (std::fabs(d) < kTiny ? kTiny : d);
    c = std::fabs(c) < kTiny ? kTiny : c;
    const double factor = d * c;
    result *= factor;
    if (std::fabs(factor - 1) < 1e-12) break;
  }
  return result;
}

double IncompleteBeta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(a, b, x) / a;
  return 1 - front * BetaFraction(b, a, 1 - x) / b;
}

}  // namespace

double StudentUpperTail(double t, double degrees) {
  if (std::isnan(t)) return 0.5;
  if (t < 0) return 1 - StudentUpperTail(-t, degrees);
  if (std::isinf(degrees)) return 0.5 * std::erfc(t / std::sqrt(2.0));
  if (std::isinf(t)) return 0;
  return 0.5 * IncompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

double StudentQuantile(double probability, double degrees) {
  const double tail = 1 - probability;
  double low = 0;
  double high = 1;
  while (StudentUpperTail(high, degrees) > tail) {
    low = high;
    high *= 2;
  }
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (StudentUpperTail(middle, degrees) > tail ? low : high) = middle;
  }
  return (low + high) / 2;
}

Interval WilsonInterval(double share, std::int64_t n) {
  if (n <= 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;
  const double count = static_cast<double>(n);
  const double centre = (share + kZ * kZ / (2 * count)) / (1 + kZ * kZ / count);
  const double half = kZ / (1 + kZ * kZ / count) *
                      std::sqrt(share * (1 - share) / count + kZ * kZ / (4 * count * count));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

}  // namespace sweep
