#include "coordinator/stopping/hyperband_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <vector>

#include "coordinator/stopping/testing/curves.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;

// A logarithm in floating point finds 5 brackets for 243 and 3 for 1000.
TEST(Hyperband, BracketsAreCountedInWholeNumbers) {
  EXPECT_EQ(HyperbandRule::CountBrackets(243, 1, 3), 6);
  EXPECT_EQ(HyperbandRule::CountBrackets(242, 1, 3), 5);
  EXPECT_EQ(HyperbandRule::CountBrackets(1000, 1, 10), 4);
  EXPECT_EQ(HyperbandRule::CountBrackets(81, 1, 3), 5);
  EXPECT_EQ(HyperbandRule::CountBrackets(19, 2, 3), 3);
  EXPECT_EQ(HyperbandRule::CountBrackets(1, 2, 3), 0);
}

std::vector<int> Counts(const HyperbandRule& rule, int configurations) {
  std::vector<int> counts(static_cast<std::size_t>(rule.brackets()));
  for (int i = 1; i <= configurations; ++i) {
    ++counts[static_cast<std::size_t>(rule.BracketOf(i))];
  }
  return counts;
}

TEST(Hyperband, EachBracketHasThePapersShare) {
  const HyperbandRule rule({.epochs = 81, .first = 1, .eta = 3});
  EXPECT_EQ(rule.brackets(), 5);
  // Table 1 of the paper: 81, 34, 15, 8 and 5.
  EXPECT_THAT(Counts(rule, 143), ElementsAre(81, 34, 15, 8, 5));
  EXPECT_THAT(Counts(rule, 286), ElementsAre(162, 68, 30, 16, 10));
  const std::array<double, 5> shares = {81, 34, 15, 8, 5};
  for (int n = 1; n <= 143; ++n) {
    const std::vector<int> counts = Counts(rule, n);
    for (std::size_t b = 0; b < shares.size(); ++b) {
      EXPECT_NEAR(counts[b], n * shares[b] / 143, 1) << "bracket " << b << " of " << n;
    }
  }
}

TEST(Hyperband, ALaterBracketBeginsAtALaterRung) {
  const HyperbandRule rule({.epochs = 9, .first = 1, .eta = 3});
  ASSERT_EQ(rule.brackets(), 3);
  std::vector<int> targets(3, -1);
  for (int i = 1; i <= 17; ++i) {
    targets[static_cast<std::size_t>(rule.BracketOf(i))] = rule.FirstTarget(i);
  }
  EXPECT_THAT(targets, ElementsAre(1, 3, 0)) << "the last has no rung";
  EXPECT_EQ(HyperbandRule({.epochs = 9, .first = 1, .eta = 3, .brackets = 2}).brackets(), 2);
  EXPECT_EQ(HyperbandRule({.epochs = 9, .first = 1, .eta = 3, .brackets = 14}).brackets(), 3);
}

TEST(Hyperband, BracketsDoNotMix) {
  HyperbandRule rule({.epochs = 9, .first = 1, .eta = 2, .brackets = 2});
  std::vector<std::int64_t> first;
  for (int i = 1; first.size() < 2; ++i) {
    if (rule.BracketOf(i) == 0) first.push_back(i);
  }
  const std::int64_t other = [&] {
    std::int64_t i = 1;
    while (rule.BracketOf(i) != 1) ++i;
    return i;
  }();
  const auto report = [&](std::int64_t configuration, double value) {
    return rule.OnEpoch({.configuration = configuration, .epoch = 1, .value = value});
  };
  EXPECT_TRUE(report(first[0], 0.5).empty());
  EXPECT_TRUE(report(other, 0.9).empty()) << "no rung of its bracket";
  const std::vector<StopDecision> decisions = report(first[1], 0.4);
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0].configuration, first[0]);
  EXPECT_EQ(decisions[0].target_epoch, 2);
}

class HyperbandOnCurves : public testing::TestWithParam<ArrivalOrder> {};

TEST_P(HyperbandOnCurves, TheBestReachesTheEnd) {
  HyperbandRule rule({.epochs = kCurveEpochs, .first = 1, .eta = 3});
  const std::vector<int> epochs = CurveTraining(GetParam(), &rule).Run();
  EXPECT_EQ(epochs[kBestCurve], kCurveEpochs);
  EXPECT_EQ(std::accumulate(epochs.begin(), epochs.end(), 0), 123) << "of 243";
}

INSTANTIATE_TEST_SUITE_P(Orders, HyperbandOnCurves,
                         testing::Values(ArrivalOrder::kSequential, ArrivalOrder::kLockstep,
                                         ArrivalOrder::kFourWorkers));

}  // namespace
}  // namespace sweep
