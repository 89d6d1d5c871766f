#include "common/stats/pareto.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace sweep {
namespace {

using Costs = std::vector<double>;

// Whether `a` is nowhere worse than `b`, and not the same.
bool Dominates(const Costs& a, const Costs& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
  }
  return a != b;
}

}  // namespace

std::vector<int> ParetoFronts(const std::vector<Costs>& costs) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), 0);
  // A point can only be dominated by one before it.
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return costs[a] != costs[b] ? costs[a] < costs[b] : a < b;
  });
  std::vector<std::vector<std::size_t>> fronts;
  std::vector<int> result(costs.size());
  const auto is_dominated = [&](const std::vector<std::size_t>& front, std::size_t point) {
    // With two costs the last member of a front has the least second one.
    if (costs[point].size() == 2) return Dominates(costs[front.back()], costs[point]);
    return std::any_of(front.rbegin(), front.rend(),
                       [&](std::size_t member) { return Dominates(costs[member], costs[point]); });
  };
  for (const std::size_t point : order) {
    // Domination is transitive: a point that a front dominates is dominated by all before it.
    const auto front = std::partition_point(
        fronts.begin(), fronts.end(),
        [&](const std::vector<std::size_t>& one) { return is_dominated(one, point); });
    result[point] = static_cast<int>(front - fronts.begin()) + 1;
    if (front == fronts.end()) {
      fronts.push_back({point});
    } else {
      front->push_back(point);
    }
  }
  return result;
}

}  // namespace sweep
