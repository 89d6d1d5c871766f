#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/stats/ranking.h"

namespace sweep {

// A value with what is known of its error.
struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  double variance = std::numeric_limits<double>::quiet_NaN();  // of `value`; NaN: not known
  // Degrees of freedom with which the variance is known; infinite for that of a share.
  double degrees = std::numeric_limits<double>::infinity();
};

// The mean of several runs with this standard deviation between them.
Estimate EstimateOfMean(double mean, double deviation, int runs);
// A share of `n` images, one added to those that are right and one to those that are not (A.
// Agresti, B. Caffo: "Simple and effective confidence intervals for proportions and differences of
// proportions", The American Statistician 54, 2000): 10,000 of 10,000 are no proof of 100 %.
Estimate EstimateOfShare(double share, std::int64_t n);

// What groups compare of a configuration: with several replicates the mean of their last values;
// else, of an accuracy, the ranking's value as a share of `images`; else a value whose error is not
// known.
Estimate EstimateOf(const SweepSpec& spec, const ConfigurationScore& score, std::int64_t images);

// The probability that two values which are in truth the same differ by at least as much as these:
// two-sided, Welch's t (B. L. Welch, Biometrika 34, 1947). NaN when an error is not known.
double DifferenceProbability(const Estimate& a, const Estimate& b);

// Configurations are compared among the first of a ranking only, since the number of comparisons
// is that of pairs.
inline constexpr int kMostGrouped = 100;

// Groups of the values that cannot be told apart, numbered from 1; `given` are the values,
// best first, at most kMostGrouped. The first value leads the first group. One after it that is
// told apart from the leader leads the next group, and so on, so that groups follow each other. Two
// values are told apart when Holm's procedure (S. Holm, Scandinavian Journal of Statistics 6, 1979)
// over all pairs rejects that they are the same: the probability of telling apart any two that are
// the same is at most 5 %, whichever the data puts first. A mean's variance counts as the median of
// the means' variances at least: a few runs of whole images are equal by chance now and then, and
// are no proof of an error of 0. nullopt for a value whose error is not known.
std::vector<std::optional<int>> GroupsOf(const std::vector<Estimate>& given);

}  // namespace sweep
