#include "common/stats/time_left.h"

#include "gtest/gtest.h"

namespace sweep {
namespace {

TEST(SecondsLeft, IsWhatTheLatestTrialsTookSharedAmongThoseThatRun) {
  const Pace pace{.planned_trials = 10,
                  .ended_trials = 4,
                  .running_trials = 2,
                  .latest_seconds = {10, 1000, 12},
                  .begun = 1};
  EXPECT_EQ(SecondsLeft(pace), (10 - 4 - 1) * 12.0 / 2);
}

TEST(SecondsLeft, CannotBeSaidWithoutATrialThatRunsOrHasCompleted) {
  EXPECT_EQ(SecondsLeft({.planned_trials = 4, .latest_seconds = {1}}), std::nullopt);
  EXPECT_EQ(SecondsLeft({.planned_trials = 4, .running_trials = 1}), std::nullopt);
}

TEST(SecondsLeft, IsNeverNegative) {
  EXPECT_EQ(SecondsLeft({.planned_trials = 1,
                         .ended_trials = 1,
                         .running_trials = 1,
                         .latest_seconds = {5},
                         .begun = 0.5}),
            0);
}

}  // namespace
}  // namespace sweep
