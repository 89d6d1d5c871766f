#include "coordinator/stopping/median_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "common/base/philox.h"

namespace sweep {
namespace {

using ::testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class MedianRuleTest : public testing::Test {
 protected:
  // True when the trial continues after the epoch.
  bool GoesOn(std::int64_t trial, int epoch, double value) {
    const std::vector<StopDecision> decisions = rule_->OnEpoch({.sequence = ++sequence_,
                                                                .configuration = trial,
                                                                .epoch = epoch,
                                                                .value = value,
                                                                .state = TrialState::kRunning});
    if (decisions.empty()) return true;
    EXPECT_EQ(decisions.size(), 1u);
    EXPECT_EQ(decisions[0].action, StopDecision::Action::kStop);
    EXPECT_EQ(decisions[0].configuration, trial);
    reason_ = decisions[0].reason;
    return false;
  }
  void Use(const EarlyTerminate& options, bool maximize = true) {
    rule_ = std::make_unique<MedianRule>(options, maximize);
  }

  std::unique_ptr<MedianRule> rule_ = std::make_unique<MedianRule>(
      EarlyTerminate{.type = EarlyTerminate::Type::kMedian, .min_epochs = 1, .min_trials = 3},
      true);
  std::int64_t sequence_ = 0;
  std::string reason_;
};

TEST_F(MedianRuleTest, StopsWhatIsWorseThanTheMedianOfTheOthers) {
  EXPECT_TRUE(GoesOn(1, 1, 0.5));
  EXPECT_TRUE(GoesOn(2, 1, 0.6));
  EXPECT_TRUE(GoesOn(3, 1, 0.1)) << "two others are too few";
  EXPECT_FALSE(GoesOn(4, 1, 0.49));
  EXPECT_EQ(reason_,
            "stopped after epoch 1 by the median rule: its best value 0.49 is worse than 0.5, the "
            "median of the averages of 3 other trials up to that epoch");
  EXPECT_TRUE(GoesOn(5, 1, 0.7));
}

TEST_F(MedianRuleTest, ATieGoesOn) {
  for (int trial = 1; trial <= 3; ++trial) EXPECT_TRUE(GoesOn(trial, 1, 0.5));
  EXPECT_TRUE(GoesOn(4, 1, 0.5));
  EXPECT_FALSE(GoesOn(5, 1, std::nextafter(0.5, 0)));
}

TEST_F(MedianRuleTest, AnEvenCountHasTheMeanOfTheMiddleTwo) {
  Use({.type = EarlyTerminate::Type::kMedian, .min_epochs = 1, .min_trials = 4});
  for (const double value : {0.2, 0.4, 0.6, 0.8}) {
    EXPECT_TRUE(GoesOn(static_cast<std::int64_t>(value * 10), 1, value));
  }
  EXPECT_FALSE(GoesOn(20, 1, 0.49));
  EXPECT_TRUE(GoesOn(21, 1, 0.51));
}

// A trial's best value is compared with the others' averages: one bad epoch does not stop a trial
// that was good before, and the others' bad first epochs count.
TEST_F(MedianRuleTest, TheBestOfATrialIsHeldAgainstTheAveragesOfTheOthers) {
  for (int trial = 1; trial <= 3; ++trial) {
    EXPECT_TRUE(GoesOn(trial, 1, 0.2));
    EXPECT_TRUE(GoesOn(trial, 2, 0.8));  // 0.5 on average
  }
  EXPECT_TRUE(GoesOn(4, 1, 0.6));
  EXPECT_TRUE(GoesOn(4, 2, 0.1));
  EXPECT_TRUE(GoesOn(5, 1, 0.45));
  EXPECT_FALSE(GoesOn(5, 2, 0.45));
}

TEST_F(MedianRuleTest, TrialsThatRunSideBySideAreHeldAgainstEachOther) {
  Use({.type = EarlyTerminate::Type::kMedian, .min_epochs = 2, .min_trials = 3});
  const double values[] = {0.9, 0.8, 0.7, 0.2};
  for (int epoch = 1; epoch <= 2; ++epoch) {
    for (int trial = 0; trial < 4; ++trial) {
      EXPECT_EQ(GoesOn(trial, epoch, values[trial]), epoch == 1 || trial < 3)
          << "trial " << trial << ", epoch " << epoch;
    }
  }
}

TEST_F(MedianRuleTest, AStoppedTrialStillCounts) {
  for (const double value : {0.5, 0.6, 0.7})
    GoesOn(static_cast<std::int64_t>(value * 10), 1, value);
  EXPECT_FALSE(GoesOn(10, 1, 0.1));
  EXPECT_FALSE(GoesOn(11, 1, 0.1));
  EXPECT_TRUE(GoesOn(12, 1, 0.55)) << "the median of 0.1, 0.1, 0.5, 0.6, 0.7 is 0.5";
}

TEST_F(MedianRuleTest, NothingIsJudgedBeforeTheFirstEpochs) {
  Use({.type = EarlyTerminate::Type::kMedian, .min_epochs = 3, .min_trials = 1});
  for (int epoch = 1; epoch <= 3; ++epoch) EXPECT_TRUE(GoesOn(1, epoch, 0.9));
  EXPECT_TRUE(GoesOn(2, 1, 0.1));
  EXPECT_TRUE(GoesOn(2, 2, 0.1));
  EXPECT_FALSE(GoesOn(2, 3, 0.1));
}

TEST_F(MedianRuleTest, ALossIsBetterWhenItIsLower) {
  Use({.type = EarlyTerminate::Type::kMedian, .min_epochs = 1, .min_trials = 3},
      /*maximize=*/false);
  for (int trial = 1; trial <= 3; ++trial) EXPECT_TRUE(GoesOn(trial, 1, 0.5));
  EXPECT_TRUE(GoesOn(4, 1, 0.4));
  EXPECT_FALSE(GoesOn(5, 1, 0.6));
  EXPECT_THAT(reason_, HasSubstr("its best value 0.6 is worse than 0.5"));
}

// An unreported value affects neither its trial nor the others.
TEST_F(MedianRuleTest, WhatIsNoNumberIsLeftOut) {
  for (int trial = 1; trial <= 3; ++trial) EXPECT_TRUE(GoesOn(trial, 1, kNaN));
  EXPECT_TRUE(GoesOn(4, 1, 0.1)) << "nobody to be held against";
  for (int trial = 5; trial <= 7; ++trial) EXPECT_TRUE(GoesOn(trial, 1, 0.5 + trial / 100.0));
  EXPECT_TRUE(GoesOn(8, 1, kNaN)) << "it has no value yet";
  EXPECT_TRUE(GoesOn(9, 1, std::numeric_limits<double>::infinity())) << "nor has this one";
  EXPECT_FALSE(GoesOn(10, 1, 0.2));
}

TEST_F(MedianRuleTest, EachReplicateIsATrialOfItsOwn) {
  for (int trial = 1; trial <= 3; ++trial) EXPECT_TRUE(GoesOn(trial, 1, 0.5));
  const auto decide = [&](int replicate, double value) {
    return rule_->OnEpoch({.configuration = 4, .replicate = replicate, .epoch = 1, .value = value});
  };
  EXPECT_TRUE(decide(0, 0.9).empty());
  const std::vector<StopDecision> stopped = decide(1, 0.1);
  ASSERT_EQ(stopped.size(), 1u) << "the other replicate's best is not its own";
  EXPECT_EQ(stopped[0].replicate, 1);
}

TEST(RunningMedian, IsThatOfASortedList) {
  PhiloxStream stream(5, 0);
  RunningMedian median;
  std::vector<double> all;
  for (int i = 0; i < 500; ++i) {
    const double number = std::floor(stream.NextUniform() * 50);  // with ties
    median.Add(number);
    all.insert(std::upper_bound(all.begin(), all.end(), number), number);
    const std::size_t middle = all.size() / 2;
    const double expected = all.size() % 2 == 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
    ASSERT_DOUBLE_EQ(median.Get(), expected) << "after " << all.size();
  }
}

}  // namespace
}  // namespace sweep
