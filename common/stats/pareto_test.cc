#include "common/stats/pareto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace sweep {
namespace {

using testing::ElementsAre;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ParetoFronts, PeelsOffWhatIsDominatedByNone) {
  EXPECT_THAT(ParetoFronts({{1, 4}, {2, 2}, {4, 1}, {3, 3}, {4, 4}, {2, 2}}),
              ElementsAre(1, 1, 1, 2, 3, 1));
  EXPECT_THAT(ParetoFronts({}), ElementsAre());
  EXPECT_THAT(ParetoFronts({{5}, {3}, {5}, {4}}), ElementsAre(3, 1, 3, 2));
  EXPECT_THAT(ParetoFronts({{1, kInfinity}, {1, 2}, {2, kInfinity}}), ElementsAre(2, 1, 3));
  EXPECT_THAT(ParetoFronts({{-kInfinity, 5}, {1, 2}}), ElementsAre(1, 1));
}

// A diverged trial is fast and best in nothing else: it is no compromise.
TEST(ParetoFronts, PointsWithoutAValueComeBehindAllOthers) {
  EXPECT_THAT(ParetoFronts({{kInfinity, 1}, {3, 9}, {4, 9}, {0, kInfinity}, {kInfinity, 2}}),
              ElementsAre(3, 1, 2, 3, 4));
}

// Only points of lower fronts dominate the points of front k.
TEST(ParetoFronts, AreThoseOfTheDefinition) {
  std::mt19937 random(7);
  for (const std::size_t objectives : {2U, 3U, 4U}) {
    std::vector<std::vector<double>> costs(120, std::vector<double>(objectives));
    for (auto& point : costs) {
      for (double& cost : point) cost = static_cast<double>(random() % 12);
    }
    const std::vector<int> fronts = ParetoFronts(costs);
    for (std::size_t i = 0; i < costs.size(); ++i) {
      int behind = 0;
      for (std::size_t j = 0; j < costs.size(); ++j) {
        bool is_nowhere_worse = costs[j] != costs[i];
        for (std::size_t k = 0; k < objectives; ++k) {
          is_nowhere_worse = is_nowhere_worse && costs[j][k] <= costs[i][k];
        }
        if (is_nowhere_worse) behind = std::max(behind, fronts[j]);
      }
      EXPECT_EQ(fronts[i], behind + 1) << objectives << " objectives, point " << i;
    }
  }
}

}  // namespace
}  // namespace sweep
