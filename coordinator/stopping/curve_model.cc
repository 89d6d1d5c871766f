#include "coordinator/stopping/curve_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sweep {
namespace {

constexpr int kMostDegrees = 200;
constexpr int kLeastDegrees = 4;
// Of the diagonal: keeps the system solvable when all curves have the same step. A curve with
// another step is then far from all of them, and nothing is said of it.
constexpr double kRidge = 1e-10;

}  // namespace

double StudentBelow(double t, int degrees) {
  degrees = std::clamp(degrees, 1, kMostDegrees);
  const double angle = std::atan(std::fabs(t) / std::sqrt(degrees));
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const bool is_odd = degrees % 2 == 1;
  double term = is_odd ? cosine : 1, sum = degrees == 1 ? 0 : term;
  for (int k = is_odd ? 3 : 2; k < degrees; k += 2) {
    term *= cosine * cosine * (k - 1) / k;
    sum += term;
  }
  const double within = is_odd ? 2 / std::numbers::pi * (angle + sine * sum) : sine * sum;
  return t < 0 ? (1 - within) / 2 : (1 + within) / 2;
}

CurveModel::Terms CurveModel::TermsOf(double now, double step) {
  return Terms(1, now, step, step * step);
}

void CurveModel::Add(double now, double step, double end) {
  if (size_++ == 0) origin_ = end;
  const Terms terms = TermsOf(now - origin_, step);
  products_ += terms * terms.transpose();
  moments_ += terms * (end - origin_);
  squares_ += (end - origin_) * (end - origin_);
}

double CurveModel::ChanceBelow(double now, double step, double target,
                               double least_deviation) const {
  const auto degrees = static_cast<int>(std::min<std::int64_t>(size_ - kTerms, kMostDegrees));
  if (degrees < kLeastDegrees) return 1;
  Eigen::Matrix<double, kTerms, kTerms> system = products_;
  system.diagonal() *= 1 + kRidge;
  system.diagonal().array() += kRidge;
  const Eigen::LDLT<Eigen::Matrix<double, kTerms, kTerms>> solver(system);
  const Terms weights = solver.solve(moments_);
  const double left = squares_ - 2 * weights.dot(moments_) + weights.dot(products_ * weights);
  const double deviation = std::max(
      std::sqrt(std::max(left, 0.0) / static_cast<double>(size_ - kTerms)), least_deviation);
  const Terms terms = TermsOf(now - origin_, step);
  const double spread = std::sqrt(1 + std::max(terms.dot(solver.solve(terms)), 0.0));
  const double t = (target - origin_ - weights.dot(terms)) / (deviation * spread);
  return std::isfinite(t) ? StudentBelow(t, degrees) : 1;
}

}  // namespace sweep
