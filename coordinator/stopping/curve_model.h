#pragma once

#include <cstdint>

#include "Eigen/Dense"

namespace sweep {

// The probability that Student's t with `degrees` ≥ 1 lies below `t`: the finite series of
// Abramowitz and Stegun, 26.7.3 and 26.7.4. Takes at most 200 degrees: beyond, those of 200, whose
// tails are slightly longer.
double StudentBelow(double t, int degrees);

// Where learning curves end, given where they are after some epoch: a linear regression
//   end = b0 + b1 · now + b2 · step + b3 · step²,
// by least squares, with the usual prediction interval. `now` and `end` are logarithms of errors,
// as a rule; `step` is that of the effective learning rate, which decides how much a schedule that
// ends low is still to gain. O(1) for each curve and each question.
class CurveModel {
 public:
  static constexpr int kTerms = 4;

  void Add(double now, double step, double end);
  std::int64_t size() const { return size_; }

  // The probability that a curve which is at `now` ends below `target`. 1 with too few curves to
  // know. The standard deviation of the ends is taken for at least `least_deviation`.
  double ChanceBelow(double now, double step, double target, double least_deviation) const;

 private:
  using Terms = Eigen::Matrix<double, kTerms, 1>;
  static Terms TermsOf(double now, double step);

  std::int64_t size_ = 0;
  double origin_ = 0;  // of `end`; that of the first curve, against cancellation
  Eigen::Matrix<double, kTerms, kTerms> products_ = Eigen::Matrix<double, kTerms, kTerms>::Zero();
  Terms moments_ = Terms::Zero();  // of the terms with the ends
  double squares_ = 0;             // of the ends
};

}  // namespace sweep
