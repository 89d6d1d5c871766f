#pragma once

#include <vector>

namespace sweep {

// The front of each point, from 1: points of front 1 are dominated by none, those of front 2 only
// by points of front 1, and so on. `costs`: the less the better, all points with as many. A cost of
// +infinity says that there is no value; points with one have fronts of their own, behind all
// complete points. Pure.
//
// Efficient non-dominated sort with binary search (X. Zhang, Y. Tian, R. Cheng, Y. Jin: "An
// Efficient Approach to Nondominated Sorting for Evolutionary Multiobjective Optimization", IEEE
// Transactions on Evolutionary Computation 19(2), 2015). O(n log n) for two costs, O(n²) at worst
// for more.
std::vector<int> ParetoFronts(const std::vector<std::vector<double>>& costs);

}  // namespace sweep
