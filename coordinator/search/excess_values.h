#pragma once

#include <Eigen/Core>
#include <vector>

namespace sweep {

// Excesses over a gate's bound as values for a Gaussian process: compressed by a signed logarithm,
// of mean 0 and variance 1.
struct ExcessValues {
  Eigen::VectorXd values;
  double limit = 0;  // up to this the gate is met
};

// What was not measured, NaN, counts as the largest excess, and at least as the median distance.
ExcessValues CompressExcesses(std::vector<double> excesses);

}  // namespace sweep
