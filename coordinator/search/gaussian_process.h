#pragma once

#include <Eigen/Core>
#include <vector>

namespace sweep {

// A coordinate for each axis: a number in [0, 1], or any number that stands for a category.
using GaussianPoint = std::vector<double>;

enum class GaussianAxis { kNumber, kCategory };

// What a Gaussian process is fitted by.
struct GaussianParameters {
  std::vector<double> inverse_squared_length;  // by axis; 0: the axis has no influence
  double scale = 1;                            // variance of the values
  double noise = 1e-3;                         // variance of one measurement
};

// A measured value at a point, the mean of so many measurements.
struct GaussianData {
  std::vector<GaussianPoint> points;
  std::vector<double> values;  // of mean 0 and variance 1
  std::vector<double> counts;  // measurements
};

// What is expected of the noise before there are data: its density is proportional to
// noise^power * exp(-rate * noise) over its logarithm.
struct NoisePrior {
  double power = 0.1;
  double rate = 30;  // small noise; chosen by tests/bench/search: wider ones find less under noise
};

// The parameters with the largest posterior probability. Pure; takes time cubic in the points.
GaussianParameters FitGaussianProcess(const std::vector<GaussianAxis>& axes,
                                      const GaussianData& data, const NoisePrior& prior = {});

// A Gaussian process with mean 0 and the Matérn 5/2 kernel with a length for each axis (Rasmussen
// and Williams, "Gaussian processes for machine learning", 2006, 2.2 and 4.2). Two categories are
// one length apart. Adding a point takes time quadratic in the number of points. The result depends
// only on the parameters and the order of the points, to the last bit on one kind of processor. Not
// thread-safe.
class GaussianProcess {
 public:
  explicit GaussianProcess(std::vector<GaussianAxis> axes) : axes_(std::move(axes)) {}

  // Without points.
  void Reset(GaussianParameters parameters);
  void Add(const GaussianPoint& point, double count);
  // Removes the points after the first `size`.
  void Truncate(int size);
  int size() const { return size_; }
  // The variance of one measurement.
  double noise() const { return parameters_.noise; }
  // The values at the points, in their order.
  void SetValues(const Eigen::VectorXd& values);

  const Eigen::VectorXd& values() const { return values_; }
  // The means at the process's own points.
  Eigen::VectorXd FittedMeans() const;

  struct Prediction {
    double mean = 0;
    double variance = 0;  // without noise, above 0
    // By axis; 0 for categories.
    std::vector<double> mean_gradient;
    std::vector<double> variance_gradient;
  };
  Prediction Predict(const GaussianPoint& point) const;

  struct Predictions {
    Eigen::VectorXd means;
    Eigen::VectorXd variances;
  };
  Predictions Predict(const std::vector<GaussianPoint>& points) const;

 private:
  Eigen::VectorXd SquaredDistances(const GaussianPoint& point) const;
  void Reserve(int size);

  const std::vector<GaussianAxis> axes_;
  GaussianParameters parameters_;
  int size_ = 0;
  // With room for more than `size_` points.
  Eigen::MatrixXd points_;    // a row for each
  Eigen::MatrixXd cholesky_;  // lower triangle
  Eigen::VectorXd noise_;     // of each point's value
  Eigen::VectorXd values_;
  Eigen::VectorXd weights_;  // the inverse covariance times the values
};

}  // namespace sweep
