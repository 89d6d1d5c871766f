#pragma once

#include <cstddef>
#include <vector>

#include "coordinator/search/gaussian_process.h"

namespace sweep {

// How likely a run at a point is to meet gates: learned from runs by a Gaussian process for each
// gate, of the excess over its bound (excess_values.h). A run's excess is the process's mean, which
// is uncertain, and the noise between runs, which is normal; gates are taken for independent. Pure;
// not thread-safe.
class GateModel {
 public:
  // Runs from which the processes are built, and to which their parameters are fitted with one
  // gate; fewer with several.
  static constexpr std::size_t kMostPoints = 400;
  static constexpr std::size_t kMostFitted = 150;

  struct Run {
    GaussianPoint point;
    std::vector<double> excesses;  // by gate; NaN: not measured, which is as bad as the worst
  };
  // `runs`: one or more. Of too many, some are chosen by where they are, never by how they went:
  // half of them where the gates are most likely met, the others evenly.
  GateModel(std::vector<GaussianAxis> axes, std::size_t gates, const std::vector<Run>& runs);

  struct Chance {
    double mean = 0;   // the probability
    double low = 0;    // if the processes' means were worse by `kDoubt` of their deviations
    double least = 0;  // by 1.96 of them: the end of a 95 % interval
    double most = 0;   // better by 1.96 of them
  };
  // For one gate: at 90 % the mean is not worse.
  static constexpr double kDoubt = 1.281552;
  std::vector<Chance> Predict(const std::vector<GaussianPoint>& points) const;

 private:
  struct Gate {
    GaussianProcess process;
    double limit = 0;  // up to this the gate is met
  };
  void Build(const std::vector<const Run*>& runs);
  std::vector<const Run*> Choose(const std::vector<Run>& runs) const;

  const std::vector<GaussianAxis> axes_;
  const std::size_t most_fitted_;
  std::vector<Gate> gates_;
};

}  // namespace sweep
