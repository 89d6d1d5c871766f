#include "common/stats/sequential.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/base/normal.h"
#include "common/base/philox.h"

namespace sweep {
namespace {

using Verdict = SequentialResult::Verdict;

const std::vector<double> kDifferences = {0.0007, 0.0002, 0.0011, 0.0009,
                                          0.0005, 0.0014, 0.0008, 0.0010};

std::vector<double> First(int n) { return {kDifferences.begin(), kDifferences.begin() + n}; }

// The values are those of the formula in NumPy; of 0.7, -0.2, 1.1, 0.9, 0.5 and 1.4 also those of
// the density of the noncentral t (SciPy), integrated over the effect.
TEST(CompareInTurn, WeighsTheEvidenceAfterEachPair) {
  EXPECT_NEAR(CompareInTurn({0.7, -0.2, 1.1, 0.9, 0.5, 1.4}, 0).evidence, 5.139367849194583, 1e-9);
  const double evidence[] = {1.1769063179634678, 1.802794801852261,  3.8597209602275426,
                             7.513968354290971,  12.870239071211454, 32.803271767997195};
  for (int n = 2; n <= 7; ++n) {
    EXPECT_NEAR(CompareInTurn(First(n), 0).evidence, evidence[n - 2], 1e-9) << n;
  }
}

TEST(CompareInTurn, StopsAsSoonAsItKnows) {
  const SequentialResult known = CompareInTurn(kDifferences, 0);
  EXPECT_EQ(known.verdict, Verdict::kPositive);
  EXPECT_EQ(known.pairs, 7) << "the eighth was not needed";
  EXPECT_NEAR(known.mean, 0.0008, 1e-12);
  ASSERT_TRUE(known.interval);
  EXPECT_NEAR(known.interval->low, 0.0008 - 0.0006867579751918152, 1e-12);
  EXPECT_EQ(CompareInTurn(First(6), 0).verdict, Verdict::kUnknown);
  std::vector<double> other_way;
  for (const double difference : kDifferences) other_way.push_back(-difference);
  EXPECT_EQ(CompareInTurn(other_way, 0).verdict, Verdict::kNegative);
}

TEST(CompareInTurn, FewPairsNeverDecide) {
  EXPECT_EQ(CompareInTurn({}, 0).pairs, 0);
  EXPECT_FALSE(CompareInTurn({5}, 0).interval);
  EXPECT_EQ(CompareInTurn({5, 5, 5, 5}, 0).verdict, Verdict::kUnknown) << "4 of 5^1.5 = 11.2";
  EXPECT_NEAR(CompareInTurn({5, 5, 5, 5}, 0).evidence, std::pow(5, 1.5), 1e-9);
  EXPECT_EQ(CompareInTurn({5, 5, 5, 5, 5}, 0).verdict, Verdict::kPositive) << "6² = 36";
  EXPECT_EQ(CompareInTurn({0, 0, 0, 0, 0}, 0).verdict, Verdict::kUnknown);
}

TEST(CompareInTurn, AMarginLetsItSayThatTheyAreTheSame) {
  const std::vector<double> small = {1e-5, -1e-5, 2e-5, -2e-5, 1e-5, 0, -1e-5, 1e-5};
  EXPECT_EQ(CompareInTurn(small, 0).verdict, Verdict::kUnknown);
  EXPECT_EQ(CompareInTurn(small, 1e-3).verdict, Verdict::kSame);
  EXPECT_EQ(CompareInTurn(small, 1e-6).verdict, Verdict::kUnknown);
}

// 1,000 series of 100 pairs without a difference, looked at after every pair: at most 5 % may ever
// decide. A t test at 5 % after every pair does so in 39 %.
TEST(CompareInTurn, IsRarelyWrongHoweverOftenItLooks) {
  int wrong = 0;
  int right = 0;
  for (std::uint64_t series = 0; series < 1000; ++series) {
    PhiloxStream random(7, series);
    std::vector<double> none, some;
    for (int i = 0; i < 100; ++i) {
      const double draw = NormalQuantile(random.NextUniform());
      none.push_back(draw);
      some.push_back(draw + 0.7);
    }
    wrong += CompareInTurn(none, 0).verdict != Verdict::kUnknown ? 1 : 0;
    right += CompareInTurn(some, 0).verdict == Verdict::kPositive ? 1 : 0;
  }
  EXPECT_LE(wrong, 50);
  EXPECT_GT(wrong, 5) << "it would say nothing at all";
  EXPECT_GT(right, 950) << "0.7 deviations are seen in 100 pairs";
}

}  // namespace
}  // namespace sweep
