#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/philox.h"
#include "coordinator/search/search.h"
#include "coordinator/search/sobol_sequence.h"
#include "coordinator/search/testing/search_testing.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Points = std::vector<std::vector<double>>;

std::vector<std::uint64_t> Keys(std::size_t dimensions, std::uint64_t seed) {
  std::vector<std::uint64_t> keys;
  for (std::size_t i = 0; i < dimensions; ++i) keys.push_back(Mix64(seed * 1000 + i));
  return keys;
}

Points Scrambled(std::size_t dimensions, std::uint32_t count, std::uint64_t seed) {
  const SobolSequence sequence(Keys(dimensions, seed));
  Points points(count, std::vector<double>(dimensions));
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < dimensions; ++k) points[i][k] = sequence.Coordinate(i, k);
  }
  return points;
}

// Warnock's formula for the square of the L2 star discrepancy.
double Discrepancy(const Points& points) {
  const double n = static_cast<double>(points.size());
  const std::size_t dimensions = points.front().size();
  double sum = std::pow(3.0, -static_cast<double>(dimensions));
  for (const auto& a : points) {
    double single = 1;
    for (const double x : a) single *= (1 - x * x) / 2;
    sum -= 2 * single / n;
    for (const auto& b : points) {
      double both = 1;
      for (std::size_t k = 0; k < dimensions; ++k) both *= 1 - std::max(a[k], b[k]);
      sum += both / (n * n);
    }
  }
  return std::sqrt(sum);
}

SweepSpec ParseSobol(const std::string& more) {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml", .text = "name: s\nmodel: cnn-18718\nmethod: sobol\n" + more},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

// Values from SciPy 1.15's qmc.Sobol(128, scramble=False, bits=32), which orders points by Gray's
// code: its point 7 is ours of index 7 ^ (7 >> 1).
TEST(SobolSequence, IsThatOfJoeAndKuo) {
  const SobolSequence sequence(Keys(SobolSequence::kMaxDimensions, 1));
  std::vector<std::uint32_t> found;
  for (const std::size_t dimension : {0, 1, 2, 3, 50, 101, 127}) {
    found.push_back(sequence.Unscrambled(7 ^ (7 >> 1), dimension));
  }
  EXPECT_THAT(found, ElementsAre(536870912u, 2684354560u, 1610612736u, 536870912u, 3758096384u,
                                 536870912u, 1610612736u));
}

TEST(SobolSequence, EveryElementaryIntervalOfADimensionHasOnePoint) {
  for (const std::uint32_t count : {1u, 2u, 16u, 256u, 4096u}) {
    const Points points = Scrambled(SobolSequence::kMaxDimensions, count, count);
    for (std::size_t k = 0; k < SobolSequence::kMaxDimensions; ++k) {
      std::set<std::uint32_t> intervals;
      for (const auto& point : points) {
        intervals.insert(static_cast<std::uint32_t>(point[k] * count));
      }
      ASSERT_EQ(intervals.size(), count) << "dimension " << k;
    }
  }
}

// The first two dimensions form a (0, m, 2)-net, scrambled or not.
TEST(SobolSequence, EveryElementaryBoxOfTwoDimensionsHasOnePoint) {
  constexpr int kPower = 8;
  const Points points = Scrambled(2, 1u << kPower, 3);
  for (int across = 0; across <= kPower; ++across) {
    std::set<std::pair<int, int>> boxes;
    for (const auto& point : points) {
      boxes.insert({static_cast<int>(point[0] * (1 << across)),
                    static_cast<int>(point[1] * (1 << (kPower - across)))});
    }
    EXPECT_EQ(boxes.size(), points.size()) << across;
  }
}

TEST(SobolSequence, IsMoreEvenThanRandomPoints) {
  for (const std::size_t dimensions : {2, 5, 8}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      PhiloxStream stream(seed, 0);
      Points random(256, std::vector<double>(dimensions));
      for (auto& point : random) {
        for (double& x : point) x = stream.NextUniform();
      }
      const double share = dimensions == 2 ? 0.5 : 0.8;
      EXPECT_LT(Discrepancy(Scrambled(dimensions, 256, seed)), share * Discrepancy(random))
          << dimensions << " dimensions, seed " << seed;
    }
  }
}

TEST(SobolSequence, TheFirstPointIsAnywhere) {
  double sum = 0;
  std::set<double> firsts;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Points first = Scrambled(1, 1, seed);
    sum += first[0][0];
    firsts.insert(first[0][0]);
  }
  EXPECT_EQ(firsts.size(), 200u);
  EXPECT_NEAR(sum / 200, 0.5, 0.08);
}

constexpr char kTwo[] =
    "run_cap: 64\nseed: 5\nparameters:\n"
    "  lr: {distribution: log_uniform_values, min: 0.001, max: 1.0}\n"
    "  momentum: {min: 0.5, max: 0.9}\n";

TEST(SobolSearch, FillsTheDistributionsEvenly) {
  const auto points = All(ParseSobol(kTwo));
  ASSERT_EQ(points.size(), 64u);
  std::set<int> rates, momenta;
  for (const ParameterMap& point : points) {
    rates.insert(static_cast<int>((std::log10(AsDouble(point.at("lr"))) + 3) / 3 * 64));
    momenta.insert(static_cast<int>((AsDouble(point.at("momentum")) - 0.5) / 0.4 * 64));
  }
  EXPECT_EQ(rates.size(), 64u);
  EXPECT_EQ(momenta.size(), 64u);
}

TEST(SobolSearch, GivesEachValueItsProbability) {
  const auto points = All(ParseSobol(
      "run_cap: 64\nparameters:\n  lr: {min: 0.1, max: 0.2}\n"
      "  batch_size: {values: [16, 32, 64, 128], probabilities: [0.25, 0, 0.625, 0.125]}\n"));
  ASSERT_EQ(points.size(), 64u);
  std::map<double, int> counts;
  for (const ParameterMap& point : points) ++counts[AsDouble(point.at("batch_size"))];
  EXPECT_THAT(counts, ElementsAre(std::pair(16.0, 16), std::pair(64.0, 40), std::pair(128.0, 8)));
}

TEST(SobolSearch, IsAFunctionOfSeedAndNumber) {
  const SweepSpec spec = ParseSobol(kTwo);
  const auto points = All(spec);
  EXPECT_EQ(points, All(spec));
  const std::unique_ptr<Search> search = Search::Make(&spec);
  for (const int number : {40, 3, 64}) {  // a restarted coordinator continues at its last number
    const auto later = search->Suggest(number);
    ASSERT_TRUE(later.ok());
    EXPECT_EQ((*later)->configuration.parameters, points[number - 1]);
  }
  EXPECT_NE(points, All(ParseSobol("seed: 6\n" + std::string(kTwo).erase(12, 8))));
}

TEST(SobolSearch, TheOrderOfKeysMeansNothing) {
  EXPECT_EQ(All(ParseSobol(kTwo)),
            All(ParseSobol("run_cap: 64\nseed: 5\nparameters:\n  momentum: {min: 0.5, max: 0.9}\n"
                           "  lr: {distribution: log_uniform_values, min: 0.001, max: 1.0}\n")));
}

TEST(SobolSearch, AnExtendedSweepHasThePointsOfALongerOne) {
  const auto some = All(ParseSobol(kTwo));
  std::string text = kTwo;
  const auto more = All(ParseSobol(text.replace(9, 2, "99")));
  ASSERT_EQ(more.size(), 99u);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), more.begin()));
}

TEST(SobolSearch, LeavesOutWhatTheConstraintsExclude) {
  const std::string constraint = "constraints: [\"lr * momentum < 0.01\"]\n";
  const auto points = All(ParseSobol(std::string(kTwo) + constraint));
  ASSERT_EQ(points.size(), 64u);
  std::size_t next = 0;  // the remaining points are the sequence without them, in order
  std::string text = kTwo;
  for (const ParameterMap& point : All(ParseSobol(text.replace(9, 2, "500")))) {
    const bool allowed = AsDouble(point.at("lr")) * AsDouble(point.at("momentum")) < 0.01;
    if (!allowed || next == points.size()) continue;
    EXPECT_EQ(point, points[next++]);
  }
  EXPECT_EQ(next, points.size());
}

TEST(SobolSearch, SaysWhenNearlyEverythingIsExcluded) {
  std::string text = kTwo;
  const SweepSpec spec =
      ParseSobol(text + "constraints: [\"lr < 0.00105 or lr > 0.99\", \"momentum < 0.53\"]\n");
  const std::unique_ptr<Search> search = Search::Make(&spec);
  ASSERT_TRUE(search->Suggest(1).ok());
  SweepSpec impossible = spec;
  impossible.constraints.push_back(*Expression::Parse("lr > 2"));
  const std::unique_ptr<Search> none = Search::Make(&impossible);
  const auto refusal = none->Suggest(1);
  EXPECT_THAT(std::string(refusal.status().message()),
              HasSubstr("1000 draws found no point of the search space that satisfies"));
  EXPECT_EQ(none->Suggest(1).status(), refusal.status()) << "also when it is asked again";
}

TEST(SobolSearch, GivesConditionalParametersOnlyWhereTheyExist) {
  const auto points = All(ParseSobol(
      "run_cap: 64\nparameters:\n  schedule: {values: [constant, step]}\n"
      "  step_gamma: {min: 0.1, max: 0.5, when: \"schedule == 'step'\"}\n  lr: {min: 0.1, max: "
      "0.2}\n"));
  int steps = 0;
  for (const ParameterMap& point : points) {
    const bool is_step = SameValue(point.at("schedule"), std::string("step"));
    EXPECT_EQ(point.contains("step_gamma"), is_step);
    steps += is_step ? 1 : 0;
  }
  EXPECT_EQ(steps, 32) << "half of a power of two";
}

TEST(SobolSearch, TriesEveryPointOfAFiniteSpaceOnce) {
  const SweepSpec spec = ParseSobol(
      "run_cap: 1000\nparameters:\n  lr: {values: [0.1, 0.2, 0.3]}\n"
      "  batch_size: {min: 1, max: 100}\n  schedule: {values: [constant, step]}\n"
      "  step_epochs: {values: [1, 2], when: \"schedule == 'step'\"}\n");
  const auto points = All(spec);
  EXPECT_EQ(points.size(), 900u);
  EXPECT_EQ(std::set<ParameterMap>(points.begin(), points.end()).size(), 900u);
  const std::unique_ptr<Search> search = Search::Make(&spec);
  const auto end = search->Suggest(901);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_FALSE(end->has_value());
  EXPECT_EQ((*search->Suggest(900))->configuration.parameters, points[899]);
}

}  // namespace
}  // namespace sweep
