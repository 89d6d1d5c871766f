#include "common/stats/confirmation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sweep {
namespace {

const Objective kAccuracy = {.name = "accuracy", .maximize = true};

// Five runs, 99.41, 99.46, 99.39, 99.44 and 99.42 %: mean 99.424 %, half width 2.776445 ·
// 0.000120830.
TEST(Confirmation, IsWhatFreshRunsGave) {
  const Confirmation made = ConfirmationOf(kAccuracy, 0.9949, 0.99424, 0.000335479, 5);
  ASSERT_TRUE(made.interval && made.bound && made.optimism && made.optimism_interval);
  EXPECT_NEAR(made.interval->low, 0.9939045, 1e-7);
  EXPECT_NEAR(made.interval->high, 0.9945755, 1e-7);
  EXPECT_NEAR(*made.bound, 0.9939824, 1e-7);
  EXPECT_NEAR(*made.optimism, 0.00066, 1e-12);
  EXPECT_NEAR(made.optimism_interval->low, 0.00066 - 0.000335479, 1e-12);
  EXPECT_NEAR(made.optimism_interval->high, 0.00066 + 0.000335479, 1e-12);
}

TEST(Confirmation, OfALossIsTheOtherWayRound) {
  const Confirmation made =
      ConfirmationOf({.name = "loss", .maximize = false}, 0.02, 0.025, 0.001, 5);
  EXPECT_NEAR(*made.optimism, 0.005, 1e-12) << "the selection promised less loss";
  EXPECT_GT(*made.bound, 0.025);
}

TEST(Confirmation, SaysNoMoreThanItKnows) {
  Confirmation made = ConfirmationOf(kAccuracy, 0.9949, 0.994, 0, 1);
  EXPECT_TRUE(made.optimism);
  EXPECT_FALSE(made.interval || made.bound || made.optimism_interval);
  made = ConfirmationOf(kAccuracy, std::nullopt, 0.994, 0.001, 3);
  EXPECT_TRUE(made.interval && made.bound);
  EXPECT_FALSE(made.optimism || made.optimism_interval);
  made = ConfirmationOf(kAccuracy, 0.9949, std::nan(""), 0, 3);
  EXPECT_FALSE(made.interval || made.bound || made.optimism) << "a run diverged";
  EXPECT_FALSE(ConfirmationOf(kAccuracy, 0.9949, 0, 0, 0).optimism);
}

}  // namespace
}  // namespace sweep
