#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sweep {

// One hyperparameter over all trials, as PedAnova reads it.
struct ImportanceDimension {
  std::string name;
  // Number of categories, whose indices are in `values`; 0 for a number.
  std::size_t categories = 0;
  // The search space of a number.
  double low = 0;
  double high = 0;
  bool log = false;
  bool integer = false;
  double step = 0;  // 0: continuous
  // By trial; NaN where the hyperparameter does not exist.
  std::vector<double> values;
};

struct Importance {
  std::string name;
  double share = 0;
};

// The influence of each hyperparameter on being among the best tenth of the trials: PED-ANOVA (S.
// Watanabe, A. Bansal, F. Hutter: "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
// Arbitrary Subspaces", IJCAI 2023, arXiv 2304.10255; equation 15 with gamma' = 0.1 and gamma = 1).
// Densities are Parzen estimates on a grid of at most 50 points with Scott's bandwidth, as in
// Optuna's PedAnovaImportanceEvaluator. `costs` are by trial, lower is better. The shares descend
// and sum to 1; empty with fewer than three trials, or when nothing differs. Trials without a value
// count for the other hyperparameters only. Pure.
std::vector<Importance> PedAnova(const std::vector<ImportanceDimension>& dimensions,
                                 const std::vector<double>& costs);

}  // namespace sweep
