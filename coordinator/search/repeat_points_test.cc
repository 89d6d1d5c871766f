// Searches that may try a point again.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/search/point_identity.h"
#include "coordinator/search/search.h"
#include "coordinator/search/start_up_points.h"
#include "coordinator/search/testing/search_testing.h"
#include "coordinator/search/testing/told_search.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr char kTwelvePoints[] = "  a: {values: [1, 2, 3, 4]}\n  b: {values: [1, 2, 3]}\n";

SweepSpec Repeating(const std::string& method, int run_cap, const std::string& parameters,
                    const std::string& more = "") {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = fmt::format("name: s\nprogram: ./none\nmethod: {}\nseed: 3\nrun_cap: {}\nepochs: 1\n"
                           "repeat_points: true\nmetric: {{name: value, goal: minimize}}\n"
                           "{}parameters:\n{}",
                           method, run_cap, more, parameters)},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return spec.ok() ? *spec : SweepSpec();
}

std::map<std::string, int> Counts(const std::vector<ParameterMap>& points) {
  std::map<std::string, int> counts;
  for (const ParameterMap& point : points) ++counts[PointIdentity(point)];
  return counts;
}

TEST(RepeatPoints, RunCapAloneSaysHowMany) {
  const SweepSpec spec = Repeating("random", 100, kTwelvePoints);
  EXPECT_EQ(spec.points, 12);
  EXPECT_EQ(spec.PlannedConfigurations(), 100);
  EXPECT_EQ(All(spec).size(), 100u);
}

TEST(RepeatPoints, RandomDrawsWithReplacement) {
  const SweepSpec spec = Repeating("random", 1200, kTwelvePoints);
  const std::vector<ParameterMap> points = All(spec);
  const std::map<std::string, int> counts = Counts(points);
  ASSERT_EQ(counts.size(), 12u);
  double chi_squared = 0;
  for (const auto& [point, count] : counts) chi_squared += (count - 100.0) * (count - 100.0) / 100;
  EXPECT_LT(chi_squared, 31.3) << "the 0.1 % point with 11 degrees of freedom";
  EXPECT_GT(chi_squared, 2.2) << "no more even than draws";
  const auto next = Search::Make(&spec)->Suggest(1000);
  ASSERT_TRUE(next.ok() && next->has_value());
  EXPECT_EQ((*next)->configuration.parameters, points[999]) << "whatever was asked before";
}

// One in ten thousand points is allowed: draws from the space would not find it.
TEST(RepeatPoints, RandomDrawsFromTheListWhereDrawsFindNothing) {
  const SweepSpec spec = Repeating("random", 400,
                                   "  a: {min: 1, max: 200}\n  b: {min: 1, max: 200}\n"
                                   "  c: {values: [x, y], probabilities: [0.75, 0.25]}\n",
                                   "constraints: [\"a == 200\", \"b == 200 or b == 1\"]\n");
  ASSERT_EQ(spec.points, 4);
  int likely = 0, first = 0;
  for (const ParameterMap& point : All(spec)) {
    EXPECT_EQ(AsDouble(point.at("a")), 200);
    likely += FormatValue(point.at("c")) == "x" ? 1 : 0;
    first += AsDouble(point.at("b")) == 1 ? 1 : 0;
  }
  EXPECT_NEAR(likely, 300, 35) << "four deviations";
  EXPECT_NEAR(first, 200, 40) << "the same";
}

TEST(RepeatPoints, SobolTakesItsSequenceAsItComes) {
  for (const auto& [point, count] : Counts(All(
           Repeating("sobol", 64, "  a: {values: [1, 2, 3, 4]}\n  b: {values: [1, 2, 3, 4]}\n")))) {
    EXPECT_EQ(count, 4) << point;
  }
}

TEST(RepeatPoints, SobolBeginsTheRestAgainUnderStrictConstraints) {
  const SweepSpec spec = Repeating("sobol", 9, "  a: {min: 1, max: 300}\n  b: {min: 1, max: 300}\n",
                                   "constraints: [\"a * b > 89699\"]\n");
  ASSERT_EQ(spec.points, 3);
  const std::map<std::string, int> counts = Counts(All(spec));
  EXPECT_EQ(counts.size(), 3u);
  int all = 0;
  for (const auto& [point, count] : counts) all += count;
  EXPECT_EQ(all, 9);
}

class RepeatingModelTest : public testing::TestWithParam<std::string> {};

// The noise is as large as the differences: measuring the best again is worth it.
TEST_P(RepeatingModelTest, TriesTheBestAgainAndAgain) {
  const SweepSpec spec = Repeating(GetParam(), 60, kTwelvePoints);
  ToldSearch search(&spec);
  std::vector<ParameterMap> points;
  for (int i = 0; i < 60; ++i) {
    const ParameterMap point = search.Ask();
    ASSERT_FALSE(point.empty()) << i;
    points.push_back(point);
    const double cost = AsDouble(point.at("a")) + AsDouble(point.at("b"));
    search.End(search.asked(), cost + (i * 37 % 11) / 5.0);
  }
  const std::map<std::string, int> counts = Counts(points);
  EXPECT_GT(counts.at(PointIdentity({{"a", std::int64_t{1}}, {"b", std::int64_t{1}}})), 10);
  search.Restart();
  const ParameterMap again = search.Ask();
  EXPECT_FALSE(again.empty()) << "the model takes points that are known for so many";
}

// A restart is told the same, and suggests the same.
TEST_P(RepeatingModelTest, ARestartSuggestsTheSame) {
  const SweepSpec spec = Repeating(GetParam(), 40, kTwelvePoints, "try_first: [{a: 2}, {a: 2}]\n");
  ToldSearch search(&spec), restarted(&spec);
  for (int i = 0; i < 40; ++i) {
    const ParameterMap point = search.Ask();
    EXPECT_EQ(restarted.Ask(), point) << i;
    if (i < 2) {
      EXPECT_EQ(AsDouble(point.at("a")), 2);
      EXPECT_EQ(search.origin().source, SuggestionSource::kTryFirst);
    }
    const double cost = AsDouble(point.at("a")) * AsDouble(point.at("b")) + i % 3;
    search.End(search.asked(), cost);
    restarted.End(restarted.asked(), cost);
    if (i % 7 == 6) restarted.Restart();
  }
}

// Several at once, of which none has ended.
TEST_P(RepeatingModelTest, AllOfOnePointMayRunAtOnce) {
  const SweepSpec spec = Repeating(GetParam(), 30, "  a: {values: [1, 2]}\n");
  ToldSearch search(&spec);
  for (int i = 0; i < 12; ++i) {
    search.Ask();
    search.End(search.asked(), i % 4);
  }
  for (int i = 0; i < 18; ++i) EXPECT_FALSE(search.Ask().empty()) << i;
}

INSTANTIATE_TEST_SUITE_P(Methods, RepeatingModelTest, testing::Values("tpe", "gp", "cmaes"),
                         [](const auto& info) { return info.param; });

TEST(RepeatPoints, AnEditTriesAPointAsOftenAsItStandsInTryFirst) {
  const ParameterMap point{{"a", std::int64_t{2}}, {"b", std::int64_t{2}}};
  const ParameterMap other{{"a", std::int64_t{1}}, {"b", std::int64_t{3}}};
  const SweepSpec spec = Repeating("sobol", 9, kTwelvePoints,
                                   "try_first: [{a: 2, b: 2}, {a: 2, b: 2}, {a: 1, b: 3}]\n");
  const std::unique_ptr<Search> search =
      Search::Make(&spec, {.made = {point, other, other, other}});
  EXPECT_EQ((*search->Suggest(5))->configuration.parameters, point) << "was made once";
  EXPECT_EQ((*search->Suggest(5))->origin.source, SuggestionSource::kTryFirst);
  for (int number = 6; number < 40; ++number) {
    const auto next = search->Suggest(number);
    ASSERT_TRUE(next.ok() && next->has_value()) << number;
    EXPECT_EQ((*next)->origin.source, SuggestionSource::kSequence);
  }
}

TEST(RepeatPoints, WhatStandsInForAModelMayBeKnown) {
  const SweepSpec spec = Repeating("gp", 30, "  a: {values: [1, 2]}\n");
  StartUpPoints points(&spec, SearchStart());
  for (int number = 1; number <= 10; ++number) {
    const auto point = points.Point(number);
    ASSERT_TRUE(point.ok() && point->has_value()) << number;
    points.Know((*point)->parameters);
    EXPECT_TRUE(points.IsNew((*point)->parameters));
  }
}

TEST(RepeatPoints, EveryConfigurationHasSeedsOfItsOwn) {
  const SweepSpec spec = Repeating("random", 9, kTwelvePoints, "replicates: 2\n");
  std::set<std::uint64_t> seeds;
  for (int number = 1; number <= 9; ++number) {
    const auto configuration =
        spec.Complete(number, {{"a", std::int64_t{1}}, {"b", std::int64_t{1}}});
    ASSERT_TRUE(configuration.ok());
    for (const int replicate : {0, 1}) {
      seeds.insert(spec.MakeTrialSpec(*configuration, replicate).seed);
    }
  }
  EXPECT_EQ(seeds.size(), 18u) << "the same training again would say nothing new";
}

}  // namespace
}  // namespace sweep
