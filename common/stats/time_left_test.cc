#include "common/stats/time_left.h"

#include "gtest/gtest.h"

namespace sweep {
namespace {

TEST(SecondsLeft, IsWhatATrialTakesSharedAmongTheSlotsThatServeTheSweep) {
  const Pace pace{.planned_trials = 10,
                  .ended_trials = 4,
                  .completed_seconds = {10, 14},
                  .running = {{.share = 0.25, .seconds = 3}, {.share = 0.75, .seconds = 9}}};
  EXPECT_EQ(SecondsLeft(pace), (10 - 4 - 1) * 12.0 / 2);
}

TEST(SecondsLeft, OfAFirstTrialIsWhatItsShareSays) {
  const Pace pace{.planned_trials = 3, .running = {{.share = 0.25, .seconds = 10}}};
  EXPECT_EQ(SecondsLeft(pace), 2.75 * 40);
}

TEST(SecondsLeft, IsNotLessThanTheLastTrialNeeds) {
  const Pace pace{.planned_trials = 2,
                  .completed_seconds = {100},
                  .running = {{.share = 0.99, .seconds = 99}, {.share = 0.1, .seconds = 10}}};
  EXPECT_EQ(SecondsLeft(pace), 90);
}

TEST(SecondsLeft, CannotBeSaidWithoutATrialThatRunsOrAnythingDone) {
  EXPECT_EQ(SecondsLeft({.planned_trials = 4, .completed_seconds = {1}}), std::nullopt);
  EXPECT_EQ(SecondsLeft({.planned_trials = 4, .running = {{}}}), std::nullopt);
  EXPECT_EQ(SecondsLeft({.planned_trials = 4, .running = {{.share = 0.5, .seconds = 0.1}}}),
            std::nullopt);
}

TEST(SecondsLeft, IsNeverNegative) {
  EXPECT_EQ(SecondsLeft({.planned_trials = 1,
                         .ended_trials = 1,
                         .completed_seconds = {5},
                         .running = {{.share = 1, .seconds = 5}}}),
            0);
}

}  // namespace
}  // namespace sweep
