#include "coordinator/search/gaussian_process.h"

#include <nlopt.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <numbers>
#include <utility>

namespace sweep {
namespace {

using Eigen::ArrayXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Of the scale: keeps a covariance of nearly equal points invertible.
constexpr double kLeastVariance = 1e-9;
constexpr double kLeastNoise = 1e-6;
constexpr int kMostFitEvaluations = 60;
constexpr int kMoreRoom = 64;  // points
// Of so many points the means are predicted at once: more need memory and are no faster.
constexpr std::size_t kPredictedAtOnce = 64;

// Matérn 5/2 of a scale, and its derivative by the squared distance.
ArrayXd Kernel(double scale, const ArrayXd& squared) {
  const ArrayXd a = (5 * squared).sqrt();
  return scale * (1 + a + a.square() / 3) * (-a).exp();
}
ArrayXd KernelSlope(double scale, const ArrayXd& squared) {
  const ArrayXd a = (5 * squared).sqrt();
  return -scale * (5.0 / 6) * (1 + a) * (-a).exp();
}

double SquaredDifference(GaussianAxis axis, double a, double b) {
  if (axis == GaussianAxis::kCategory) return a == b ? 0 : 1;
  return (a - b) * (a - b);
}

// The negative logarithm of the posterior density of parameters, as a function of the logarithms of
// the inverse squared lengths, the scale and the noise.
class Posterior {
 public:
  Posterior(const std::vector<GaussianAxis>& axes, const GaussianData& data,
            const NoisePrior& prior)
      : prior_(prior),
        axes_(static_cast<int>(axes.size())),
        size_(static_cast<int>(data.points.size())),
        values_(VectorXd::Map(data.values.data(), size_)),
        inverse_counts_(ArrayXd::Map(data.counts.data(), size_).inverse()),
        squared_(size_ * (size_ - 1) / 2, axes_) {
    for (int d = 0; d < axes_; ++d) {
      const auto axis = static_cast<std::size_t>(d);
      int pair = 0;
      for (std::size_t j = 0; j < data.points.size(); ++j) {
        for (std::size_t i = j + 1; i < data.points.size(); ++i) {
          squared_(pair++, d) =
              SquaredDifference(axes[axis], data.points[i][axis], data.points[j][axis]);
        }
      }
    }
  }

  // `gradient` may be null.
  double operator()(const double* logarithms, double* gradient) const {
    const ArrayXd lengths = ArrayXd::Map(logarithms, axes_).exp();
    const double scale = std::exp(logarithms[axes_]);
    const double noise = std::exp(logarithms[axes_ + 1]);
    const ArrayXd squared = squared_ * lengths.matrix();
    const ArrayXd kernel = Kernel(scale, squared);
    MatrixXd covariance(size_, size_);
    for (int j = 0, pair = 0; j < size_; ++j) {
      covariance(j, j) = scale * (1 + kLeastVariance) + noise * inverse_counts_(j);
      const int below = size_ - j - 1;
      covariance.col(j).tail(below) = kernel.segment(pair, below);
      pair += below;
    }
    const Eigen::LLT<MatrixXd> cholesky(covariance);
    if (cholesky.info() != Eigen::Success) {
      if (gradient != nullptr) VectorXd::Map(gradient, axes_ + 2).setZero();
      return std::numeric_limits<double>::infinity();
    }
    const VectorXd weights = cholesky.solve(values_);
    double cost = 0.5 * values_.dot(weights) + cholesky.matrixLLT().diagonal().array().log().sum();
    cost += PriorCost(lengths, scale, noise);
    if (gradient == nullptr) return cost;

    const MatrixXd change =
        cholesky.solve(MatrixXd::Identity(size_, size_)) - weights * weights.transpose();
    ArrayXd by_pair(kernel.size());
    for (int j = 0, pair = 0; j < size_; ++j) {
      const int below = size_ - j - 1;
      by_pair.segment(pair, below) = change.col(j).tail(below);
      pair += below;
    }
    const VectorXd by_distance = (by_pair * KernelSlope(scale, squared)).matrix();
    VectorXd::Map(gradient, axes_) =
        (squared_.transpose() * by_distance).array() * lengths + (lengths.log() - kMeanLogarithm);
    const ArrayXd diagonal = change.diagonal().array();
    gradient[axes_] = (by_pair * kernel).sum() + 0.5 * scale * diagonal.sum() - (1 - scale);
    gradient[axes_ + 1] =
        0.5 * noise * (diagonal * inverse_counts_).sum() - (prior_.power - prior_.rate * noise);
    return cost;
  }

 private:
  // A length is near half of the cube, and the scale near 1. Chosen by tests/bench/search: wider
  // priors find less under noise.
  static constexpr double kMeanLogarithm = 1.4;  // of an inverse squared length

  double PriorCost(const ArrayXd& lengths, double scale, double noise) const {
    return 0.5 * (lengths.log() - kMeanLogarithm).square().sum() - (std::log(scale) - scale) -
           (prior_.power * std::log(noise) - prior_.rate * noise);
  }

  const NoisePrior prior_;
  const int axes_;
  const int size_;
  const VectorXd values_;
  const ArrayXd inverse_counts_;
  MatrixXd squared_;  // by pair of points and axis
};

double Evaluate(unsigned /*size*/, const double* at, double* gradient, void* posterior) {
  return (*static_cast<const Posterior*>(posterior))(at, gradient);
}

}  // namespace

GaussianParameters FitGaussianProcess(const std::vector<GaussianAxis>& axes,
                                      const GaussianData& data, const NoisePrior& prior) {
  Posterior posterior(axes, data, prior);
  const std::size_t size = axes.size() + 2;
  std::vector<double> low(size, std::log(1e-3)), high(size, std::log(1e3));
  low[axes.size()] = std::log(1e-2);
  high[axes.size()] = std::log(1e2);
  low[axes.size() + 1] = std::log(kLeastNoise);
  high[axes.size() + 1] = std::log(2.0);

  // Two explanations of the values: a smooth function with little noise, and a rougher one with
  // more.
  constexpr std::array<std::pair<double, double>, 2> kStarts = {{{1, 1e-3}, {10, 0.1}}};
  std::vector<double> best;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [inverse_squared, noise] : kStarts) {
    const std::unique_ptr<nlopt_opt_s, decltype(&nlopt_destroy)> optimizer(
        nlopt_create(NLOPT_LD_LBFGS, static_cast<unsigned>(size)), &nlopt_destroy);
    nlopt_set_min_objective(optimizer.get(), Evaluate, &posterior);
    nlopt_set_lower_bounds(optimizer.get(), low.data());
    nlopt_set_upper_bounds(optimizer.get(), high.data());
    nlopt_set_maxeval(optimizer.get(), kMostFitEvaluations);
    nlopt_set_ftol_abs(optimizer.get(), 1e-3);
    std::vector<double> at(size, std::log(inverse_squared));
    at[axes.size()] = 0;
    at[axes.size() + 1] = std::log(noise);
    double cost = 0;
    // An error leaves the best point so far in `at`.
    nlopt_optimize(optimizer.get(), at.data(), &cost);
    cost = posterior(at.data(), nullptr);
    if (best.empty() || cost < least) {
      best = at;
      least = cost;
    }
  }
  GaussianParameters parameters;
  for (std::size_t d = 0; d < axes.size(); ++d) {
    parameters.inverse_squared_length.push_back(std::exp(best[d]));
  }
  parameters.scale = std::exp(best[axes.size()]);
  parameters.noise = std::exp(best[axes.size() + 1]);
  return parameters;
}

void GaussianProcess::Reset(GaussianParameters parameters) {
  parameters_ = std::move(parameters);
  size_ = 0;
}

void GaussianProcess::Reserve(int size) {
  const auto room = static_cast<int>(points_.rows());
  if (size <= room) return;
  // Even, so that every column begins at the same alignment, and sums are made in the same order.
  // The square of twice as many would be four times the memory.
  const int more = room + kMoreRoom;
  points_.conservativeResize(more, static_cast<int>(axes_.size()));
  cholesky_.conservativeResize(more, more);
  noise_.conservativeResize(more);
}

VectorXd GaussianProcess::SquaredDistances(const GaussianPoint& point) const {
  ArrayXd sum = ArrayXd::Zero(size_);
  for (std::size_t d = 0; d < axes_.size(); ++d) {
    const auto column = points_.col(static_cast<int>(d)).head(size_).array();
    const double factor = parameters_.inverse_squared_length[d];
    if (axes_[d] == GaussianAxis::kCategory) {
      sum += factor * (column != point[d]).cast<double>();
    } else {
      sum += factor * (column - point[d]).square();
    }
  }
  return sum;
}

void GaussianProcess::Add(const GaussianPoint& point, double count) {
  Reserve(size_ + 1);
  const VectorXd covariances = Kernel(parameters_.scale, SquaredDistances(point).array());
  const VectorXd row =
      cholesky_.topLeftCorner(size_, size_).triangularView<Eigen::Lower>().solve(covariances);
  noise_(size_) = parameters_.noise / count + parameters_.scale * kLeastVariance;
  const double rest = parameters_.scale + noise_(size_) - row.squaredNorm();
  cholesky_.row(size_).head(size_) = row;
  cholesky_(size_, size_) = std::sqrt(std::max(rest, noise_(size_)));
  points_.row(size_) = VectorXd::Map(point.data(), static_cast<int>(point.size()));
  ++size_;
}

void GaussianProcess::Truncate(int size) { size_ = std::min(size, size_); }

void GaussianProcess::SetValues(const VectorXd& values) {
  values_ = values;
  const auto lower = cholesky_.topLeftCorner(size_, size_).triangularView<Eigen::Lower>();
  weights_ = lower.transpose().solve(VectorXd(lower.solve(values)));
}

VectorXd GaussianProcess::FittedMeans() const {
  return values_ - noise_.head(size_).cwiseProduct(weights_);
}

GaussianProcess::Prediction GaussianProcess::Predict(const GaussianPoint& point) const {
  const VectorXd squared = SquaredDistances(point);
  const VectorXd covariances = Kernel(parameters_.scale, squared.array());
  const auto lower = cholesky_.topLeftCorner(size_, size_).triangularView<Eigen::Lower>();
  const VectorXd half = lower.solve(covariances);
  Prediction prediction;
  prediction.mean = covariances.dot(weights_);
  const double least = parameters_.scale * kLeastVariance;
  prediction.variance = std::max(parameters_.scale - half.squaredNorm(), least);
  const VectorXd whole = lower.transpose().solve(half);
  const ArrayXd slope = KernelSlope(parameters_.scale, squared.array());
  prediction.mean_gradient.resize(axes_.size());
  prediction.variance_gradient.resize(axes_.size());
  for (std::size_t d = 0; d < axes_.size(); ++d) {
    if (axes_[d] == GaussianAxis::kCategory) continue;
    const VectorXd change = 2 * parameters_.inverse_squared_length[d] * slope *
                            (point[d] - points_.col(static_cast<int>(d)).head(size_).array());
    prediction.mean_gradient[d] = change.dot(weights_);
    prediction.variance_gradient[d] = -2 * change.dot(whole);
  }
  return prediction;
}

GaussianProcess::Predictions GaussianProcess::Predict(
    const std::vector<GaussianPoint>& points) const {
  const auto all = static_cast<int>(points.size());
  Predictions predictions{.means = VectorXd(all), .variances = VectorXd(all)};
  const auto lower = cholesky_.topLeftCorner(size_, size_).triangularView<Eigen::Lower>();
  for (std::size_t first = 0; first < points.size(); first += kPredictedAtOnce) {
    const std::size_t count = std::min(kPredictedAtOnce, points.size() - first);
    MatrixXd covariances(size_, static_cast<int>(count));
    for (std::size_t i = 0; i < count; ++i) {
      covariances.col(static_cast<int>(i)) =
          Kernel(parameters_.scale, SquaredDistances(points[first + i]).array());
    }
    const auto at = static_cast<int>(first), size = static_cast<int>(count);
    predictions.means.segment(at, size) = covariances.transpose() * weights_;
    lower.solveInPlace(covariances);
    predictions.variances.segment(at, size) =
        (parameters_.scale - covariances.colwise().squaredNorm().transpose().array())
            .max(parameters_.scale * kLeastVariance);
  }
  return predictions;
}

}  // namespace sweep
