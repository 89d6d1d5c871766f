#pragma once

#include <vector>

namespace sweep {

// The front of each point, from 1: no point dominates those of front 1, only points of front 1
// dominate those of front 2, and so on. Lower costs are better; all points have equally many. A
// cost of +infinity means that the value is missing; such points have fronts of their own, behind
// all complete points. Pure.
//
// Efficient non-dominated sort with binary search (X. Zhang, Y. Tian, R. Cheng, Y. Jin: "An
// Efficient Approach to Nondominated Sorting for Evolutionary Multiobjective Optimization", IEEE
// Transactions on Evolutionary Computation 19(2), 2015). O(n log n) for two costs, O(n²) at worst
// for more.
std::vector<int> ParetoFronts(const std::vector<std::vector<double>>& costs);

}  // namespace sweep
