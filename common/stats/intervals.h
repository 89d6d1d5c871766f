#pragma once

#include <cstdint>

namespace sweep {

// Intervals and tail probabilities of one sample. Pure.

struct Interval {
  double low = 0;
  double high = 0;
};

// 95 % Wilson score interval of a share `share` of `n` (Wilson 1927); [0, 1] of nothing.
Interval WilsonInterval(double share, std::int64_t n);

// P(T > t) for Student's t with `degrees` > 0 of freedom, which need not be whole; an infinite
// number of them is the normal distribution. 0.5 for a NaN.
double StudentUpperTail(double t, double degrees);

// The t with P(T <= t) = `probability`, from 0.5 up to, but not including, 1.
double StudentQuantile(double probability, double degrees);

}  // namespace sweep
