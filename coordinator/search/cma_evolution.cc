#include "coordinator/search/cma_evolution.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "common/base/normal.h"

namespace sweep {
namespace {

// Of the unit cube, in which a wider distribution is as good as uniform.
constexpr double kWidest = 0.5;
// Of the covariance's eigenvalues.
constexpr double kWorstCondition = 1e14;
// The decomposition is renewed when this share of the covariance, divided by d, is new.
constexpr double kNewShare = 0.1;

// Table 1 of the tutorial.
struct CmaRates {
  CmaRates(Eigen::Index dimensions, Eigen::Index population);

  Eigen::Index parents;     // mu
  Eigen::VectorXd weights;  // of all points, best first; negative after the parents
  double mass;              // mu_eff
  double c_sigma, d_sigma, c_path, c_one, c_mu;
  double length;  // of a standard normal draw, on average
};

CmaRates::CmaRates(Eigen::Index dimensions, Eigen::Index population)
    : parents(population / 2), weights(population) {
  const auto n = static_cast<double>(dimensions);
  for (Eigen::Index i = 0; i < population; ++i) {
    weights[i] =
        std::log((static_cast<double>(population) + 1) / 2) - std::log(static_cast<double>(i + 1));
  }
  const auto mass_of = [](const auto& some) {
    return some.sum() * some.sum() / some.squaredNorm();
  };
  mass = mass_of(weights.head(parents));
  const double mass_below = mass_of(weights.tail(population - parents));
  c_sigma = (mass + 2) / (n + mass + 5);
  d_sigma = 1 + 2 * std::max(0.0, std::sqrt((mass - 1) / (n + 1)) - 1) + c_sigma;
  c_path = (4 + mass / n) / (n + 4 + 2 * mass / n);
  c_one = 2 / ((n + 1.3) * (n + 1.3) + mass);
  c_mu = std::min(1 - c_one, 2 * (0.25 + mass + 1 / mass - 2) / ((n + 2) * (n + 2) + mass));
  const double most_below = std::min(
      {1 + c_one / c_mu, 1 + 2 * mass_below / (mass + 2), (1 - c_one - c_mu) / (n * c_mu)});
  const double above = weights.cwiseMax(0).sum(), below = -weights.cwiseMin(0).sum();
  for (double& weight : weights) weight *= weight >= 0 ? 1 / above : most_below / below;
  length = std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

}  // namespace

int CmaEvolution::PopulationOf(Index dimensions) {
  const double usual = 4 + std::floor(3 * std::log(static_cast<double>(dimensions)));
  return std::max(4, static_cast<int>(0.8 * usual));
}

CmaEvolution::CmaEvolution(const Vector& mean, double sigma)
    : mean_(mean),
      sigma_(sigma),
      scale_(Vector::Ones(mean.size())),
      covariance_(Eigen::MatrixXd::Identity(mean.size(), mean.size())),
      path_(Vector::Zero(mean.size())),
      sigma_path_(Vector::Zero(mean.size())),
      root_(covariance_),
      inverse_(covariance_) {}

CmaEvolution::Vector CmaEvolution::PointOf(const Vector& normal, double spread) const {
  return mean_ + spread * sigma_ * scale_.cwiseProduct(root_ * normal);
}

void CmaEvolution::Update(const std::vector<Point>& ranked) {
  const Index dimensions = mean_.size(), population = std::ssize(ranked);
  const auto n = static_cast<double>(dimensions);
  const CmaRates rates(dimensions, population);
  const double longest = std::sqrt(n) + 2 * n / (n + 2);
  Eigen::MatrixXd steps(dimensions, population);
  Vector lengths(population);
  for (Index i = 0; i < population; ++i) {
    const Point& point = ranked[static_cast<std::size_t>(i)];
    steps.col(i) = (point.place - mean_).cwiseQuotient(sigma_ * scale_);
    lengths[i] = (inverse_ * steps.col(i)).norm();
    if (point.is_own || lengths[i] <= longest) continue;
    steps.col(i) *= longest / lengths[i];
    lengths[i] = longest;
  }
  const Vector step = steps.leftCols(rates.parents) * rates.weights.head(rates.parents);
  mean_ += sigma_ * scale_.cwiseProduct(step);

  sigma_path_ *= 1 - rates.c_sigma;
  sigma_path_ += std::sqrt(rates.c_sigma * (2 - rates.c_sigma) * rates.mass) * (inverse_ * step);
  const double relative = sigma_path_.norm() / rates.length;
  path_left_ *= (1 - rates.c_sigma) * (1 - rates.c_sigma);
  const bool is_steady = relative / std::sqrt(1 - path_left_) < 1.4 + 2 / (n + 1);
  path_ *= 1 - rates.c_path;
  const double path_gain = rates.c_path * (2 - rates.c_path);
  if (is_steady) path_ += std::sqrt(path_gain * rates.mass) * step;

  Vector weights = rates.weights;
  for (Index i = rates.parents; i < population; ++i) {
    if (weights[i] < 0) weights[i] *= n / std::max(lengths[i] * lengths[i], 1e-12);
  }
  covariance_ *= 1 + (is_steady ? 0 : rates.c_one * path_gain) - rates.c_one -
                 rates.c_mu * rates.weights.sum();
  covariance_ += rates.c_one * path_ * path_.transpose();
  covariance_ += rates.c_mu * steps * weights.asDiagonal() * steps.transpose();
  sigma_ *= std::exp(std::min(1.0, rates.c_sigma / rates.d_sigma * (relative - 1)));
  since_ += rates.c_one + rates.c_mu;
  if (since_ * n > kNewShare) Decompose();
  Limit();
}

void CmaEvolution::Limit() {
  double widest = 0;
  for (Index i = 0; i < mean_.size(); ++i) widest = std::max(widest, Deviation(i));
  if (!mean_.allFinite() || !std::isfinite(widest) || !(sigma_ > 0)) is_sound_ = false;
  if (widest > kWidest) sigma_ *= kWidest / widest;
}

void CmaEvolution::Decompose() {
  since_ = 0;
  covariance_ = (0.5 * (covariance_ + covariance_.transpose())).eval();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance_);
  const Vector& values = solver.eigenvalues();  // ascending
  const double least = values[0], most = values[values.size() - 1];
  if (solver.info() != Eigen::Success || !(least > 0) || !(most < kWorstCondition * least)) {
    is_sound_ = false;
    return;
  }
  const Vector deviations = values.cwiseSqrt();
  root_ = solver.eigenvectors() * deviations.asDiagonal();
  inverse_ = solver.eigenvectors() * deviations.cwiseInverse().asDiagonal() *
             solver.eigenvectors().transpose();
}

double CmaEvolution::Deviation(Index axis) const {
  return sigma_ * scale_[axis] * std::sqrt(covariance_(axis, axis));
}

double CmaEvolution::Reach(Index axis) const {
  return std::max(Deviation(axis), sigma_ * scale_[axis] * std::abs(path_[axis]));
}

// As Hamano et al. do: at an end of the axis the mean moves, elsewhere the scale grows as well.
void CmaEvolution::Keep(Index axis, double low, double high, double margin) {
  const double deviation = Deviation(axis);
  if (!(deviation > 0) || !std::isfinite(deviation)) return;
  const double below = NormalCdf((low - mean_[axis]) / deviation);
  const double above = NormalCdf((mean_[axis] - high) / deviation);
  if (std::isinf(low) || std::isinf(high)) {
    if (below + above >= margin) return;
    const double reach = -NormalQuantile(margin) * deviation;
    mean_[axis] =
        std::isinf(low) ? std::max(mean_[axis], high - reach) : std::min(mean_[axis], low + reach);
    return;
  }
  const double least = margin / 2;
  if (below >= least && above >= least) return;
  const double within = 1 - below - above;
  const double new_below = std::max(below, least), new_above = std::max(above, least);
  const double slack = within + new_below + new_above - 3 * least;
  if (!(slack > 0)) return;
  // What the margins take, the others give in proportion to what they can.
  const double excess = within + new_below + new_above - 1;
  const double to_low = -NormalQuantile(new_below - excess / slack * (new_below - least));
  const double to_high = -NormalQuantile(new_above - excess / slack * (new_above - least));
  if (!(to_low + to_high > 0)) return;
  const double new_deviation = (high - low) / (to_low + to_high);
  mean_[axis] = low + to_low * new_deviation;
  scale_[axis] *= new_deviation / deviation;
}

}  // namespace sweep
