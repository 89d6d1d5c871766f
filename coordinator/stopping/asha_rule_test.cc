#include "coordinator/stopping/asha_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "coordinator/stopping/testing/curves.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

TEST(Rungs, AreCountedInWholeNumbers) {
  EXPECT_THAT(RungsBelow(243, 1, 3), ElementsAre(1, 3, 9, 27, 81));
  EXPECT_THAT(RungsBelow(244, 1, 3), ElementsAre(1, 3, 9, 27, 81, 243));
  EXPECT_THAT(RungsBelow(1000, 1, 10), ElementsAre(1, 10, 100));
  EXPECT_THAT(RungsBelow(19, 2, 3), ElementsAre(2, 6, 18));
  EXPECT_THAT(RungsBelow(10'000, 9'999, 1000), ElementsAre(9'999));
  EXPECT_THAT(RungsBelow(5, 5, 3), IsEmpty());
}

class AshaTest : public testing::Test {
 protected:
  void Use(AshaRule::Options options) { rule_ = std::make_unique<AshaRule>(std::move(options)); }

  // What is decided after an epoch: "+2>3" promotes trial 2 to epoch 3, "-2" stops it, and "=2>5"
  // holds it after epoch 5.
  std::string After(std::int64_t trial, int epoch, double value, bool has_value = true) {
    return Text(rule_->OnEpoch({.sequence = ++sequence_,
                                .configuration = trial,
                                .epoch = epoch,
                                .value = value,
                                .has_value = has_value,
                                .state = TrialState::kRunning}));
  }
  std::string When(std::int64_t trial, TrialState state) {
    return Text(rule_->OnState({.sequence = ++sequence_, .configuration = trial, .state = state}));
  }
  std::string AtTheEnd() { return Text(rule_->OnOnlyHeld()); }

  std::string Text(const std::vector<StopDecision>& decisions) {
    std::string text;
    for (const StopDecision& decision : decisions) {
      const bool is_stop = decision.action == StopDecision::Action::kStop;
      const bool is_hold = decision.action == StopDecision::Action::kHold;
      text += (text.empty() ? "" : " ") +
              std::string(is_stop   ? "-"
                          : is_hold ? "="
                                    : "+") +
              std::to_string(decision.configuration) +
              (is_stop ? "" : ">" + std::to_string(decision.target_epoch));
      reason_ = decision.reason;
    }
    return text;
  }

  std::unique_ptr<AshaRule> rule_ = std::make_unique<AshaRule>(
      AshaRule::Options{.rungs = {1, 3}, .eta = 3, .promotes = true, .maximize = true});
  std::int64_t sequence_ = 0;
  std::string reason_;
};

// ---- Promotion

TEST_F(AshaTest, OneInThreeGoesOnFromEachRung) {
  EXPECT_EQ(rule_->FirstTarget(1), 1);
  EXPECT_EQ(After(1, 1, 0.5), "");
  EXPECT_EQ(After(2, 1, 0.7), "");
  EXPECT_EQ(After(3, 1, 0.6), "+2>3") << "the best of three";
  EXPECT_EQ(After(4, 1, 0.9), "") << "the place is taken";
  EXPECT_EQ(After(5, 1, 0.1), "");
  EXPECT_EQ(After(6, 1, 0.2), "+4>3") << "the second place";
  EXPECT_EQ(After(2, 3, 0.8), "");
  EXPECT_EQ(After(4, 3, 0.95), "");
  EXPECT_EQ(After(7, 1, 0.65), "");
  EXPECT_EQ(After(8, 1, 0.65), "");
  EXPECT_EQ(After(9, 1, 0.1), "+7>3") << "of two that tie, the one that came first";
  EXPECT_EQ(After(7, 3, 0.7), "+4>0") << "from the last rung to the last epoch";
}

TEST_F(AshaTest, ADipAtTheRungDoesNotCount) {
  for (const int trial : {1, 2, 3}) After(trial, 1, 0.5);
  for (const int trial : {4, 5, 6}) After(trial, 1, 0.4);
  for (const int trial : {7, 8, 9}) After(trial, 1, 0.3);
  EXPECT_EQ(After(1, 2, 0.9), "");
  EXPECT_EQ(After(1, 3, 0.1), "");
  EXPECT_EQ(After(2, 3, 0.8), "");
  EXPECT_EQ(After(3, 3, 0.8), "+1>0");
}

TEST_F(AshaTest, AtTheEndThePlacesAreRoundedUp) {
  for (const int trial : {1, 2, 3, 4}) After(trial, 1, trial / 10.0);
  EXPECT_EQ(AtTheEnd(), "") << "trial 3 is on its way";
  EXPECT_EQ(After(3, 3, 0.5), "");
  EXPECT_EQ(AtTheEnd(), "+4>3") << "two of four";
  EXPECT_EQ(After(4, 3, 0.6), "");
  EXPECT_EQ(AtTheEnd(), "+4>0") << "one of two";
  EXPECT_EQ(After(4, 4, 0.6), "");
  EXPECT_EQ(When(4, TrialState::kCompleted), "");
  EXPECT_EQ(AtTheEnd(), "");
}

TEST_F(AshaTest, ASingleTrialReachesItsLastEpoch) {
  EXPECT_EQ(After(1, 1, 0.5), "");
  EXPECT_EQ(AtTheEnd(), "+1>3");
  EXPECT_EQ(After(1, 3, 0.6), "");
  EXPECT_EQ(AtTheEnd(), "+1>0");
}

TEST_F(AshaTest, ThePlaceOfATrialThatFailsOnItsWayIsFree) {
  for (const int trial : {1, 2, 3}) After(trial, 1, trial / 10.0);
  EXPECT_EQ(When(3, TrialState::kFailed), "+2>3");
  EXPECT_EQ(After(2, 2, kNoNumber), "+1>3") << "it has diverged";
  EXPECT_EQ(When(2, TrialState::kStopped), "");
  EXPECT_EQ(When(1, TrialState::kCompleted), "") << "its last epoch came before the rung";
  EXPECT_EQ(AtTheEnd(), "");
}

TEST_F(AshaTest, ATrialThatWasCancelledWhileItRestedIsNotPromoted) {
  EXPECT_EQ(After(1, 1, 0.9), "");
  EXPECT_EQ(When(1, TrialState::kCancelled), "");
  EXPECT_EQ(After(2, 1, 0.3), "");
  EXPECT_EQ(After(3, 1, 0.4), "+3>3");
}

TEST_F(AshaTest, ATrialThatDivergesTakesNoPlace) {
  EXPECT_EQ(After(1, 1, kNoNumber), "");
  EXPECT_EQ(After(2, 1, -std::numeric_limits<double>::infinity()), "");
  EXPECT_EQ(After(3, 1, 0.1), "+3>3") << "though the others count";
  EXPECT_EQ(After(1, 2, 0.9), "") << "it is being stopped";
}

// Its objective comes after every fifth epoch, here.
TEST_F(AshaTest, ATrialWithoutAValueGoesOnFreely) {
  Use({.rungs = {1, 3, 9}, .eta = 3, .promotes = true, .maximize = true});
  for (const int trial : {1, 2, 3, 4}) {
    const std::string name = "+" + std::to_string(trial);
    EXPECT_EQ(After(trial, 1, 0, /*has_value=*/false), name + ">3");
    EXPECT_EQ(After(trial, 2, 0, /*has_value=*/false), "") << "no target";
    EXPECT_EQ(After(trial, 3, 0, /*has_value=*/false), name + ">9");
  }
  EXPECT_EQ(After(1, 5, 0.5), "=1>5") << "it has reached rung 3";
  EXPECT_EQ(reason_, "rests after epoch 5, with its first value since epoch 3");
  EXPECT_EQ(After(1, 6, 0, /*has_value=*/false), "") << "before it is told";
  EXPECT_EQ(After(2, 5, 0.6), "=2>5");
  EXPECT_EQ(After(3, 5, 0.4), "+2>9 =3>5") << "the best of three";
  EXPECT_EQ(After(4, 5, 0.9), "=4>5") << "the place is taken";
  EXPECT_EQ(After(2, 9, 0, /*has_value=*/false), "+2>0");
  EXPECT_EQ(After(2, 10, 0.7), "=2>10") << "the first at rung 9";
  EXPECT_EQ(AtTheEnd(), "+4>9") << "two of four, and nobody is at rung 1";
}

TEST_F(AshaTest, ATrialThatNeverReportsTheObjectiveIsNotCompared) {
  for (const int trial : {1, 2}) {
    EXPECT_NE(After(trial, 1, 0, /*has_value=*/false), "");
    EXPECT_NE(After(trial, 3, 0, /*has_value=*/false), "");
    EXPECT_EQ(When(trial, TrialState::kCompleted), "");
  }
  EXPECT_EQ(After(3, 1, 0.1), "") << "the first at the rung";
  EXPECT_EQ(After(4, 1, 0.2), "");
  EXPECT_EQ(After(5, 1, 0.3), "+5>3");
}

TEST_F(AshaTest, SeveralRungsInOneReportTakeNoPlaces) {
  EXPECT_EQ(After(1, 2, 0.5), "") << "past the first rung";
  EXPECT_EQ(After(2, 5, 0.6), "") << "past both: it is at the second only";
  EXPECT_EQ(After(3, 1, 0.1), "");
  EXPECT_EQ(After(4, 1, 0.2), "+1>3") << "one of three";
  EXPECT_EQ(After(1, 3, 0.7), "");
  EXPECT_EQ(AtTheEnd(), "+1>0");
}

// A trial that a person retries after it has rested trains to its last epoch.
TEST_F(AshaTest, ARetriedTrialTakesNoPlaceOfABetterOne) {
  EXPECT_EQ(After(1, 1, 0.1), "");
  EXPECT_EQ(When(1, TrialState::kOnHold), "");
  EXPECT_EQ(When(1, TrialState::kCancelled), "");
  EXPECT_EQ(When(1, TrialState::kPending), "");
  EXPECT_EQ(After(1, 2, 0.1), "");
  EXPECT_EQ(After(2, 1, 0.6), "");
  EXPECT_EQ(After(3, 1, 0.5), "+2>3") << "the place is free";
  EXPECT_EQ(After(1, 3, 0.2), "");
  EXPECT_EQ(After(1, 4, 0.2), "") << "it is not waited for";
  EXPECT_EQ(After(2, 3, 0.9), "");
  for (const int trial : {4, 5, 6}) After(trial, 1, 0.7);
  EXPECT_EQ(After(4, 3, 0.8), "+2>0") << "the place of one of three is free";
}

// The epochs of one that has not been told yet.
TEST_F(AshaTest, ATrialThatTrainsOnKeepsItsRest) {
  EXPECT_EQ(After(1, 1, 0.5), "");
  EXPECT_EQ(After(1, 2, 0.5), "");
  EXPECT_EQ(When(1, TrialState::kPending), "") << "its worker was lost";
  EXPECT_EQ(AtTheEnd(), "+1>3");
}

TEST_F(AshaTest, ARetriedTrialIsNotHeldBetweenRungs) {
  Use({.rungs = {1, 3, 9}, .eta = 3, .promotes = true, .maximize = true});
  EXPECT_EQ(After(1, 1, 0.5), "");
  EXPECT_EQ(When(1, TrialState::kCancelled), "");
  EXPECT_EQ(When(1, TrialState::kPending), "");
  EXPECT_EQ(After(1, 3, 0, /*has_value=*/false), "+1>9");
  EXPECT_EQ(After(1, 5, 0.5), "");
}

// Trials of 3 epochs among those of more.
TEST_F(AshaTest, ATrialThatEndsAtARungTakesNoPlaceThere) {
  for (const int trial : {1, 2, 3, 4, 5, 6, 7, 8, 9}) After(trial, 1, trial / 10.0);
  EXPECT_EQ(After(9, 3, 0.9), "");
  EXPECT_EQ(When(9, TrialState::kCompleted), "");
  EXPECT_EQ(After(3, 3, 0.5), "");
  EXPECT_EQ(After(6, 3, 0.95), "+6>0");
  EXPECT_EQ(When(6, TrialState::kCompleted), "+3>0") << "its epochs were 3";
  EXPECT_EQ(After(3, 4, 0.5), "");
  EXPECT_EQ(When(3, TrialState::kCompleted), "") << "it has used its place";
  for (const int trial : {10, 11, 12}) After(trial, 1, 1);
  EXPECT_EQ(After(10, 3, 1), "") << "the one place of four is taken";
}

// The last epoch may have no value.
TEST_F(AshaTest, ATrialThatReportsNothingAfterItsPromotionHasUsedItsPlace) {
  Use({.rungs = {1}, .eta = 2});
  EXPECT_EQ(After(1, 1, 0.5), "");
  EXPECT_EQ(When(1, TrialState::kOnHold), "");
  EXPECT_EQ(After(2, 1, 0.4), "+1>0");
  EXPECT_EQ(When(1, TrialState::kPending), "");
  EXPECT_EQ(When(1, TrialState::kCompleted), "");
  // The promotion came before the trial had come to rest.
  Use({.rungs = {1}, .eta = 2});
  EXPECT_EQ(After(1, 1, 0.4), "");
  EXPECT_EQ(After(2, 1, 0.5), "+2>0");
  EXPECT_EQ(When(2, TrialState::kPending), "");
  EXPECT_EQ(When(2, TrialState::kCompleted), "");
}

// As after a restart: the promotion is known from what followed.
TEST_F(AshaTest, APromotionIsKnownByTheStateThatFollowsIt) {
  EXPECT_EQ(After(1, 1, 0.5), "");
  EXPECT_EQ(When(1, TrialState::kOnHold), "");
  EXPECT_EQ(When(1, TrialState::kPending), "");
  EXPECT_EQ(AtTheEnd(), "") << "it is on its way";
  EXPECT_EQ(After(2, 1, 0.6), "");
  EXPECT_EQ(After(3, 1, 0.7), "") << "the place is taken";
}

TEST_F(AshaTest, ALossIsBetterWhenItIsLower) {
  Use({.rungs = {1}, .eta = 2, .promotes = true, .maximize = false});
  EXPECT_EQ(After(1, 1, 0.5), "");
  EXPECT_EQ(After(2, 1, 0.4), "+2>0");
}

// ---- Stopping

TEST_F(AshaTest, WhatIsNotAmongTheBestThirdIsStopped) {
  Use({.rungs = {1, 3}, .eta = 3, .promotes = false, .maximize = true});
  EXPECT_EQ(rule_->FirstTarget(1), 0);
  EXPECT_EQ(After(1, 1, 0.5), "") << "the first";
  EXPECT_EQ(After(2, 1, 0.5), "-2") << "a tie: the best one came before";
  EXPECT_EQ(reason_,
            "stopped after epoch 1 by asha: its best value 0.5 is not among the best 1 of 2 trials "
            "at epoch 1; the last of them has 0.5");
  EXPECT_EQ(After(3, 1, 0.6), "");
  EXPECT_EQ(After(4, 1, 0.4), "-4");
  EXPECT_EQ(After(5, 1, 0.3), "-5");
  EXPECT_EQ(After(6, 1, 0.5), "-6") << "the third best of six";
  EXPECT_EQ(After(1, 2, 0.1), "") << "no rung";
  EXPECT_EQ(After(1, 3, 0.1), "") << "the first there";
  EXPECT_EQ(After(3, 3, 0.1), "") << "its best is 0.6";
}

TEST_F(AshaTest, ATrialIsJudgedByItsFirstValueAtARungOrLater) {
  Use({.rungs = {1, 3, 9}, .eta = 3, .promotes = false, .maximize = true});
  for (const int trial : {1, 2, 3}) {
    for (const int epoch : {1, 2, 3, 4}) EXPECT_EQ(After(trial, epoch, 0, false), "");
  }
  EXPECT_EQ(After(1, 5, 0.5), "");
  EXPECT_EQ(After(2, 5, 0.4), "-2");
  EXPECT_THAT(reason_, HasSubstr("stopped after epoch 5 by asha: its best value 0.4 is not among "
                                 "the best 1 of 2 trials at epoch 3"));
  EXPECT_EQ(After(3, 5, 0.6), "");
}

TEST_F(AshaTest, ATrialThatDivergesCountsAtItsRung) {
  Use({.rungs = {1}, .eta = 3, .promotes = false, .maximize = true});
  EXPECT_EQ(After(1, 1, 0.5), "");
  for (const int trial : {2, 3, 4, 5}) EXPECT_EQ(After(trial, 1, kNoNumber), "");
  EXPECT_EQ(After(6, 1, 0.4), "") << "the second best of six";
  EXPECT_EQ(After(7, 1, 0.3), "-7");
  EXPECT_EQ(After(7, 2, 0.9), "") << "said once";
}

TEST_F(AshaTest, ALossIsStoppedWhenItIsHigher) {
  Use({.rungs = {1}, .eta = 3, .promotes = false, .maximize = false});
  EXPECT_EQ(After(1, 1, 0.5), "");
  EXPECT_EQ(After(2, 1, 0.6), "-2");
  EXPECT_THAT(reason_, HasSubstr("its best value 0.6 is not among the best 1 of 2"));
  EXPECT_EQ(After(3, 1, 0.4), "");
}

// ---- The table of curves

std::vector<int> TrainTable(ArrivalOrder order, bool promotes, int interval = 1) {
  AshaRule rule({.rungs = RungsBelow(kCurveEpochs, 1, 3), .eta = 3, .promotes = promotes});
  return CurveTraining(order, &rule, interval).Run();
}

class AshaOnCurves : public testing::TestWithParam<ArrivalOrder> {};

TEST_P(AshaOnCurves, PromotionTrainsNoMoreThanSynchronousHalving) {
  const std::vector<int> epochs = TrainTable(GetParam(), /*promotes=*/true);
  EXPECT_EQ(epochs[kBestCurve], kCurveEpochs);
  EXPECT_EQ(std::count(epochs.begin(), epochs.end(), kCurveEpochs), 3);
  EXPECT_EQ(std::count(epochs.begin(), epochs.end(), 3), 6);
  EXPECT_EQ(std::accumulate(epochs.begin(), epochs.end(), 0), 63) << "of 243";
}

TEST_P(AshaOnCurves, StoppingKeepsTheBest) {
  const std::vector<int> epochs = TrainTable(GetParam(), /*promotes=*/false);
  EXPECT_EQ(epochs[kBestCurve], kCurveEpochs);
  EXPECT_EQ(std::accumulate(epochs.begin(), epochs.end(), 0), 73) << "of 243";
}

// With values after every second epoch, trials are compared at epochs 2 and 4.
TEST_P(AshaOnCurves, RareValuesStillLeadTheBestToTheEnd) {
  for (const bool promotes : {true, false}) {
    const std::vector<int> epochs = TrainTable(GetParam(), promotes, /*interval=*/2);
    EXPECT_EQ(epochs[kBestCurve], kCurveEpochs) << promotes;
    EXPECT_LT(std::accumulate(epochs.begin(), epochs.end(), 0), 27 * 2 + 9 * 2 + 3 * 5 + 10)
        << promotes;
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, AshaOnCurves,
                         testing::Values(ArrivalOrder::kSequential, ArrivalOrder::kLockstep,
                                         ArrivalOrder::kFourWorkers));

}  // namespace
}  // namespace sweep
