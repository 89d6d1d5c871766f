#include "worker/trainer/lanes/team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <numeric>
#include <vector>

namespace sweep::lanes {
namespace {

TEST(Team, RunsEveryUnitOnceInEveryRound) {
  for (const int threads : {1, 2, 3, 5}) {
    Team team(threads);
    for (int round = 0; round < 2000; ++round) {
      const int units = round % 9;
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(units));
      team.Run(units, [&](int unit, int thread) {
        ASSERT_LT(thread, threads);
        ++runs[static_cast<std::size_t>(unit)];
      });
      for (const std::atomic<int>& count : runs) ASSERT_EQ(count, 1);
    }
  }
}

TEST(Team, TwoThreadsRunTwoUnitsAtTheSameTime) {
  Team team(2);
  std::atomic<int> arrived = 0;
  team.Run(2, [&](int, int) {  // ends only if both units run at the same time
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

TEST(Team, WhatUnitsWriteIsSeenByTheCaller) {
  Team team(4);
  std::vector<int> written(64);
  for (int round = 1; round < 200; ++round) {
    team.Run(64, [&](int unit, int) { written[static_cast<std::size_t>(unit)] += unit; });
    ASSERT_EQ(std::accumulate(written.begin(), written.end(), 0), round * 63 * 64 / 2);
  }
}

TEST(Team, HelpersHaveTheFloatingPointEnvironmentOfTheirMaker) {
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  Team team(2);
  std::fesetround(FE_TONEAREST);
  std::atomic<int> arrived = 0;
  std::atomic<int> upward = 0;
  team.Run(2, [&](int, int thread) {
    if (thread == 1 && std::fegetround() == FE_UPWARD) ++upward;
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(upward, 1);
}

}  // namespace
}  // namespace sweep::lanes
