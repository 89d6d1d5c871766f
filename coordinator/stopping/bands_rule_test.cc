#include "coordinator/stopping/bands_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "coordinator/stopping/testing/curves.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

EarlyTerminate MinIter(int min_iter, double eta = 3) {
  return {.type = EarlyTerminate::Type::kHyperband, .eta = eta, .min_iter = min_iter};
}

EarlyTerminate MaxIter(int max_iter, int s, double eta = 3) {
  return {.type = EarlyTerminate::Type::kHyperband, .eta = eta, .max_iter = max_iter, .s = s};
}

TEST(Bands, AreCountedUpOrDown) {
  EXPECT_THAT(BandsRule::BandsOf(MinIter(3, 10)), ElementsAre(3, 30, 300, 3000));
  EXPECT_THAT(BandsRule::BandsOf(MaxIter(243, 5)), ElementsAre(1, 3, 9, 27, 81));
  EXPECT_THAT(BandsRule::BandsOf(MaxIter(243, 9)), ElementsAre(1, 3, 9, 27, 81)) << "none below 1";
  EXPECT_THAT(BandsRule::BandsOf(MaxIter(27, 2)), ElementsAre(3, 9));
  EXPECT_THAT(BandsRule::BandsOf(MaxIter(100, 2)), ElementsAre(11, 33));
  EXPECT_THAT(BandsRule::BandsOf(MaxIter(10, 2, 2.5)), ElementsAre(1, 4));
  EXPECT_THAT(BandsRule::BandsOf(MinIter(9999, 1.5)), ElementsAre(9999));
  EXPECT_THAT(BandsRule::BandsOf(MinIter(1, 1.01)), ElementsAre(1, 2)) << "100, most of them equal";
  EXPECT_THAT(BandsRule::BandsOf(MinIter(5, 1.0000000001)), ElementsAre(5));
}

// "-": the trial is stopped.
std::string After(BandsRule* rule, std::int64_t trial, int epoch, double value,
                  bool has_value = true) {
  const std::vector<StopDecision> decisions = rule->OnEpoch(
      {.configuration = trial, .epoch = epoch, .value = value, .has_value = has_value});
  return decisions.empty() ? "" : "-";
}

TEST(Bands, AThirdAndOneMoreGoOnAndTiesDo) {
  BandsRule rule(MinIter(1), /*maximize=*/true);
  EXPECT_EQ(After(&rule, 1, 1, 0.5), "") << "the first";
  EXPECT_EQ(After(&rule, 2, 1, 0.5), "") << "a tie";
  EXPECT_EQ(After(&rule, 3, 1, 0.5), "");
  EXPECT_EQ(After(&rule, 4, 1, 0.6), "");
  EXPECT_EQ(After(&rule, 5, 1, 0.4), "-");
  EXPECT_EQ(After(&rule, 6, 1, 0.3), "-") << "the third best of 0.6 0.5 0.5 0.5 0.4 0.3 is 0.5";
}

TEST(Bands, ATrialIsJudgedAgainAtEachReport) {
  BandsRule rule(MinIter(1), /*maximize=*/true);
  EXPECT_EQ(After(&rule, 1, 1, 0.5), "");
  EXPECT_EQ(After(&rule, 2, 1, 0.6), "");
  const std::vector<StopDecision> decisions =
      rule.OnEpoch({.configuration = 1, .epoch = 2, .value = 0.99});
  ASSERT_EQ(decisions.size(), 1u) << "its value at the band counts";
  EXPECT_EQ(decisions[0].reason,
            "stopped after epoch 2 by hyperband: its value there 0.5 is worse than 0.6, which 1 of "
            "2 trials reached at band 1");
  EXPECT_EQ(After(&rule, 1, 3, 0.1), "") << "said once";
}

TEST(Bands, WithoutStrictTheBestCounts) {
  EarlyTerminate options = MinIter(1);
  options.strict = false;
  BandsRule rule(options, /*maximize=*/false);
  EXPECT_EQ(After(&rule, 1, 1, 0.5), "");
  EXPECT_EQ(After(&rule, 2, 1, 0.4), "");
  EXPECT_EQ(After(&rule, 1, 2, 0.3), "") << "better than 0.4 by now";
  EXPECT_EQ(After(&rule, 3, 1, 0.6), "-") << "than 0.5";
}

TEST(Bands, OnlyNumbersAreCounted) {
  BandsRule rule(MinIter(2), /*maximize=*/true);
  EXPECT_EQ(After(&rule, 1, 1, 0.9), "");
  EXPECT_EQ(After(&rule, 1, 2, 0.9), "");
  EXPECT_EQ(After(&rule, 2, 1, 0.1), "");
  EXPECT_EQ(After(&rule, 2, 2, 0, /*has_value=*/false), "");
  EXPECT_EQ(After(&rule, 2, 3, std::numeric_limits<double>::quiet_NaN()), "");
  EXPECT_EQ(After(&rule, 2, 4, 0.1), "-") << "its second number";
}

// What `sweeps` 0.3.0 decides on the table, with min_iter 1 or with max_iter 9 and s 2.
class BandsOnCurves : public testing::TestWithParam<ArrivalOrder> {};

TEST_P(BandsOnCurves, TrainAsTheirs) {
  const std::map<ArrivalOrder, std::vector<int>> expected = {
      {ArrivalOrder::kSequential,
       {9, 3, 9, 1, 1, 1, 3, 9, 1, 9, 9, 1, 1, 9, 1, 3, 1, 3, 9, 1, 1, 3, 1, 3, 1, 1, 3}},
      {ArrivalOrder::kLockstep,
       {2, 4, 9, 1, 1, 1, 2, 4, 1, 2, 9, 1, 1, 9, 1, 3, 1, 2, 9, 1, 1, 3, 1, 3, 1, 1, 3}},
      {ArrivalOrder::kFourWorkers,
       {2, 4, 9, 1, 1, 1, 3, 6, 1, 2, 9, 1, 1, 9, 1, 3, 1, 3, 9, 1, 1, 3, 1, 3, 1, 1, 3}},
  };
  for (const EarlyTerminate& options : {MinIter(1), MaxIter(9, 2)}) {
    BandsRule rule(options, /*maximize=*/true);
    EXPECT_EQ(CurveTraining(GetParam(), &rule).Run(), expected.at(GetParam()));
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, BandsOnCurves,
                         testing::Values(ArrivalOrder::kSequential, ArrivalOrder::kLockstep,
                                         ArrivalOrder::kFourWorkers));

}  // namespace
}  // namespace sweep
