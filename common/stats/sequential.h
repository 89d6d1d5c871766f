#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "common/stats/intervals.h"

namespace sweep {

// A comparison that may be looked at after every pair of runs and stopped as soon as it knows, with
// a probability of at most 5 % of ever saying something wrong. Pure.
struct SequentialResult {
  enum class Verdict {
    kUnknown,
    kPositive,  // the mean difference is above 0
    kNegative,  // it is below 0
    kSame,      // it is within `margin` of 0
  };
  Verdict verdict = Verdict::kUnknown;
  int pairs = 0;  // when it knew, or all of them; what follows is of these
  double mean = std::numeric_limits<double>::quiet_NaN();
  double evidence = 1;  // against a mean difference of 0; 20 and more decide
  // Every mean difference against which the evidence is below 20; nullopt while that is all
  // numbers.
  std::optional<Interval> interval;
};

// Looks at differences between two configurations, each of a pair of runs with the same seed, in
// this order, whose number need not be planned. They are taken for independent and normal, with one
// mean and an unknown deviation. `margin` > 0: differences up to it do not matter; 0: none is too
// small.
//
// The evidence is that for a mean of delta deviations, with delta from a standard normal
// distribution, against a mean of 0: the likelihood ratio of the t statistics. It is a
// non-negative martingale when the mean is 0, so that it ever reaches 20 with a probability of at
// most 1/20 (Ville). M. F. Perez-Ortiz, T. Lardy, R. de Heide, P. Grünwald: "E-statistics, group
// invariance and anytime-valid testing", The Annals of Statistics 52, 2024; H. Wang, A. Ramdas:
// "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance",
// Sequential Analysis 44, 2025; the closed form in J. Rouder et al., Psychonomic Bulletin & Review
// 16, 2009.
SequentialResult CompareInTurn(const std::vector<double>& differences, double margin);

}  // namespace sweep
