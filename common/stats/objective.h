#pragma once

#include <vector>

#include "common/trial/measures.h"

namespace sweep {

// How values of an objective compare: the one rule for ranking, gates, importance, search and
// stopping. Pure.

// Whether `a` is better than `b`. Every number is better than a NaN.
bool IsBetter(const Objective& objective, double a, double b);

// Lower is better; a NaN costs more than every number.
double CostOf(const Objective& objective, double value);

// Whether no objective of `a` is worse than that of `b` and one is better; both in the order of
// `objectives`.
bool Dominates(const std::vector<Objective>& objectives, const std::vector<double>& a,
               const std::vector<double>& b);

}  // namespace sweep
