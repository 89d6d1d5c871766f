#include "common/stats/groups.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::Optional;

constexpr std::int64_t kImages = 10'000;

std::vector<std::optional<int>> GroupsOfShares(const std::vector<double>& shares) {
  std::vector<Estimate> estimates;
  for (const double share : shares) estimates.push_back(EstimateOfShare(share, kImages));
  return GroupsOf(estimates);
}

// scipy.stats.ttest_ind(a, b, equal_var=False) of five accuracies each: .9941 .9946 .9939 .9944
// .9942 and .9931 .9938 .9935 .9929 .9936; the third of .9940 and .9936.
TEST(DifferenceProbability, OfMeansIsWelchs) {
  const Estimate a = EstimateOfMean(0.99424, 0.0002701851217221332, 5);
  const Estimate b = EstimateOfMean(0.99338, 0.00037013511046645115, 5);
  const Estimate c = EstimateOfMean(0.9938, 0.0002 * std::sqrt(2), 2);
  EXPECT_NEAR(DifferenceProbability(a, b), 0.003669637976498457, 1e-9);
  EXPECT_NEAR(DifferenceProbability(a, c), 0.2140373721782897, 1e-9);
  EXPECT_NEAR(DifferenceProbability(c, b), 0.22015887293145422, 1e-9);
}

// By hand: of 10,000 images 9,948 and 9,935 are right, with one more of each kind 9,949 and 9,936
// of 10,002; the standard error is 0.001088, the difference 1.195 of them.
TEST(DifferenceProbability, OfSharesAddsOneOfEachKind) {
  EXPECT_NEAR(
      DifferenceProbability(EstimateOfShare(0.9948, kImages), EstimateOfShare(0.9935, kImages)),
      0.23196544716131717, 1e-12);
  EXPECT_NEAR(DifferenceProbability(EstimateOfShare(1, kImages), EstimateOfShare(0.9996, kImages)),
              0.10239603261582464, 1e-12)
      << "four errors against none";
}

TEST(DifferenceProbability, WithoutSpreadOnlyEqualValuesAreTheSame) {
  const Estimate exact = EstimateOfMean(2, 0, 3);
  EXPECT_EQ(DifferenceProbability(exact, exact), 1);
  EXPECT_EQ(DifferenceProbability(exact, EstimateOfMean(2.5, 0, 3)), 0);
  EXPECT_TRUE(std::isnan(DifferenceProbability(exact, EstimateOfMean(2, 0, 1))))
      << "the error of one run is not known";
}

// 15 pairs; Holm rejects the eleven with p up to 0.00068, at most 0.05 / 5; the next, 99.48 against
// 99.35 %, has 0.23 where 0.05 / 4 would be needed.
TEST(Groups, EachHasWhatItsLeaderCannotBeToldApartFrom) {
  EXPECT_THAT(GroupsOfShares({0.9948, 0.9945, 0.9935, 0.9890, 0.9885, 0.9780}),
              ElementsAre(1, 1, 1, 2, 2, 3));
}

// The last against the first has 0.0152: enough for one pair, not for ten.
TEST(Groups, AccountForEveryComparison) {
  EXPECT_THAT(GroupsOfShares({0.9948, 0.9920}), ElementsAre(1, 2));
  EXPECT_THAT(GroupsOfShares({0.9948, 0.9947, 0.9946, 0.9945, 0.9920}), ElementsAre(1, 1, 1, 1, 1));
}

// What has no value or no known error is in no group, and does not part the others.
TEST(Groups, NeedAKnownError) {
  const Estimate unknown = {.value = 0.9};
  EXPECT_THAT(GroupsOf({EstimateOfMean(0.99, 0.01, 5), unknown, EstimateOfMean(0.98, 0.01, 5),
                        EstimateOfMean(std::nan(""), 0, 2)}),
              ElementsAre(Optional(1), std::nullopt, Optional(1), std::nullopt));
  EXPECT_THAT(GroupsOf({unknown, unknown}), ElementsAre(std::nullopt, std::nullopt));
  EXPECT_THAT(GroupsOf({}), ElementsAre());
}

// A better value behind a worse one, as when it misses a gate, begins a group as well.
TEST(Groups, AreInTheOrderOfTheRanking) {
  EXPECT_THAT(GroupsOfShares({0.9800, 0.9950, 0.9790}), ElementsAre(1, 2, 3));
}

SweepSpec SpecOf(const std::string& more) {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse({.file = "s.yaml",
                                      .text = "name: s\nmodel: cnn-18718\nmethod: grid\n"
                                              "parameters: {lr: {values: [0.1]}}\n" +
                                              more,
                                      .network_files = {}},
                                     &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

TEST(EstimateOf, IsTheMeanOfReplicatesElseAShareOfTheImages) {
  ConfigurationScore score{.has_value = true, .metric = 0.995, .replicates = 1, .mean_last = 0.99};
  EXPECT_DOUBLE_EQ(EstimateOf(SpecOf(""), score, kImages).value,
                   EstimateOfShare(0.995, kImages).value);
  EXPECT_DOUBLE_EQ(EstimateOf(SpecOf("replicates: 5\n"), score, kImages).value,
                   EstimateOfShare(0.99, kImages).value)
      << "the first of five replicates, beside means of last epochs";
  EXPECT_TRUE(std::isnan(EstimateOf(SpecOf("metric: loss\n"), score, kImages).variance));
  // Two runs, 0.992 and 0.993: half width 12.706 · 0.0005.
  score.replicates = 2;
  score.mean_last = 0.9925;
  score.mean_half_width = 12.706204736174694 * 0.0005;
  const Estimate mean = EstimateOf(SpecOf("replicates: 5\n"), score, kImages);
  EXPECT_DOUBLE_EQ(mean.value, 0.9925);
  EXPECT_NEAR(mean.variance, 0.0005 * 0.0005, 1e-15);
  EXPECT_EQ(mean.degrees, 1);
}

}  // namespace
}  // namespace sweep
