#include "common/stats/pareto.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

namespace sweep {
namespace {

using Costs = std::vector<double>;

// True when `a` is nowhere worse than `b`, and differs.
bool Dominates(const Costs& a, const Costs& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
  }
  return a != b;
}

bool IsComplete(const Costs& costs) {
  return std::find(costs.begin(), costs.end(), std::numeric_limits<double>::infinity()) ==
         costs.end();
}

// Numbers the fronts of the points in [begin, end), starting with `first`; returns their number.
int NumberFronts(const std::vector<Costs>& costs, std::vector<std::size_t>::const_iterator begin,
                 std::vector<std::size_t>::const_iterator end, int first,
                 std::vector<int>* result) {
  std::vector<std::vector<std::size_t>> fronts;
  const auto is_dominated = [&](const std::vector<std::size_t>& front, std::size_t point) {
    // With two costs, the last member of a front has the smallest second cost.
    if (costs[point].size() == 2) return Dominates(costs[front.back()], costs[point]);
    return std::any_of(front.rbegin(), front.rend(),
                       [&](std::size_t member) { return Dominates(costs[member], costs[point]); });
  };
  for (auto at = begin; at != end; ++at) {
    const std::size_t point = *at;
    // Domination is transitive: every front before one that dominates the point dominates it too.
    const auto front = std::partition_point(
        fronts.begin(), fronts.end(),
        [&](const std::vector<std::size_t>& one) { return is_dominated(one, point); });
    (*result)[point] = first + static_cast<int>(front - fronts.begin());
    if (front == fronts.end()) {
      fronts.push_back({point});
    } else {
      front->push_back(point);
    }
  }
  return static_cast<int>(fronts.size());
}

}  // namespace

std::vector<int> ParetoFronts(const std::vector<Costs>& costs) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), 0);
  // Only an earlier point can dominate a later one.
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return costs[a] != costs[b] ? costs[a] < costs[b] : a < b;
  });
  const auto incomplete = std::stable_partition(
      order.begin(), order.end(), [&](std::size_t point) { return IsComplete(costs[point]); });
  std::vector<int> result(costs.size());
  const int complete = NumberFronts(costs, order.begin(), incomplete, 1, &result);
  NumberFronts(costs, incomplete, order.end(), 1 + complete, &result);
  return result;
}

}  // namespace sweep
