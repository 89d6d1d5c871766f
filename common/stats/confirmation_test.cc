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

ReplicateResult RunOf(TrialState state, int epoch) {
  ReplicateResult run{.state = state, .result = {}};
  run.result.epoch = epoch;
  bool is_new = false;
  if (epoch > 0) {
    run.result.measures.At("accuracy", &is_new) = {.last = 0.9, .low = 0.9, .high = 0.9};
  }
  return run;
}

// The last epoch of a run that ended early is no last epoch of a full one.
TEST(Confirmation, ComparesLikeWithLike) {
  using S = TrialState;
  const MeanRuns whole = {.runs = {RunOf(S::kCompleted, 20), RunOf(S::kCompleted, 20)},
                          .epochs = 20};
  EXPECT_EQ(WhyNotAlike(kAccuracy, whole, whole), "");
  const auto with = [](const ReplicateResult& other) {
    return MeanRuns{.runs = {RunOf(S::kCompleted, 20), other}, .epochs = 20};
  };
  EXPECT_EQ(WhyNotAlike(kAccuracy, with(RunOf(S::kStopped, 5)), whole),
            "in the selection a run was stopped after epoch 5 of 20");
  EXPECT_EQ(WhyNotAlike(kAccuracy, whole, with(RunOf(S::kDiverged, 3))),
            "a fresh run diverged after epoch 3 of 20");
  EXPECT_EQ(WhyNotAlike(kAccuracy, whole, with(RunOf(S::kCancelled, 4))),
            "a fresh run was cancelled after epoch 4 of 20");
  EXPECT_EQ(WhyNotAlike(kAccuracy, with(RunOf(S::kFailed, 0)), whole), "") << "it is in no mean";
  EXPECT_EQ(WhyNotAlike(kAccuracy, whole, with(RunOf(S::kRunning, 7))), "") << "nor is this";
  EXPECT_EQ(WhyNotAlike(kAccuracy, {.runs = {RunOf(S::kRunning, 7)}, .epochs = 20}, whole),
            "in the selection none of its runs has ended");
  EXPECT_EQ(WhyNotAlike(kAccuracy, {.runs = {RunOf(S::kCompleted, 10)}, .epochs = 10}, whole),
            "in the selection it was trained for 10 epochs, here for 20");
  EXPECT_EQ(WhyNotAlike(kAccuracy, {.runs = whole.runs, .epochs = 20, .is_segment = true}, whole),
            "in the selection it went on from the weights of other trials");
}

}  // namespace
}  // namespace sweep
