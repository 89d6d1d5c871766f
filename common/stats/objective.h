#pragma once

#include <vector>

#include "common/trial/measures.h"

namespace sweep {

// Compares values of an objective: the one rule for ranking, gates, importance, search and
// stopping. Pure.

// True when `a` is better than `b`. Every number is better than a NaN.
bool IsBetter(const Objective& objective, double a, double b);

// Lower is better; a NaN costs more than every number.
double CostOf(const Objective& objective, double value);

// True when `a` is nowhere worse than `b` and somewhere better; both in the order of `objectives`.
bool Dominates(const std::vector<Objective>& objectives, const std::vector<double>& a,
               const std::vector<double>& b);

}  // namespace sweep
