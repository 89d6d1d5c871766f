// Searches of sweeps whose file was edited.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "coordinator/search/point_identity.h"
#include "coordinator/search/search.h"
#include "coordinator/search/testing/search_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

SweepSpec ParseSearch(const std::string& method, const std::string& parameters,
                      const std::string& more = "") {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = fmt::format("name: s\nprogram: ./none\nmethod: {}\nseed: 3\n{}epochs: 2\nmetric: "
                           "{{name: value, goal: minimize}}\n{}parameters:\n{}",
                           method, method == "grid" ? "" : "run_cap: 12\n", more, parameters)},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

std::vector<ParameterMap> First(const SweepSpec& spec, std::size_t count) {
  std::vector<ParameterMap> points = All(spec);
  points.resize(std::min(count, points.size()));
  return points;
}

// Those from the number after `made` on, up to `last` or the end.
std::vector<ParameterMap> Rest(const SweepSpec& spec, const std::vector<ParameterMap>& made,
                               std::int64_t last = 1000) {
  const std::unique_ptr<Search> search = Search::Make(&spec, {.made = made});
  std::vector<ParameterMap> points;
  for (std::int64_t number = std::ssize(made) + 1; number <= last; ++number) {
    const auto next = search->Suggest(number);
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok() || !next->has_value()) return points;
    EXPECT_EQ((*next)->configuration.number, number);
    points.push_back((*next)->configuration.parameters);
  }
  return points;
}

constexpr char kLists[] = "  a: {values: [1, 2, 3]}\n  b: {values: [x, y]}\n";
constexpr char kMoreLists[] = "  a: {values: [0, 1, 2, 3]}\n  b: {values: [x, y, z]}\n";
constexpr char kRanges[] = "  a: {min: 0.0, max: 1.0}\n  b: {min: 0.0, max: 1.0}\n";

class BlindMethodTest : public testing::TestWithParam<std::string> {};

TEST_P(BlindMethodTest, InALargerSpaceOfListsEveryPointComesOnce) {
  const std::vector<ParameterMap> made = First(ParseSearch(GetParam(), kLists), 4);
  const SweepSpec after = ParseSearch(GetParam(), kMoreLists);
  const std::vector<ParameterMap> rest = Rest(after, made);
  ASSERT_EQ(rest.size(), 12u - 4u);
  std::set<std::string> all;
  for (const auto* const points : {&made, &rest}) {
    for (const ParameterMap& point : *points) all.insert(PointIdentity(point));
  }
  EXPECT_EQ(all.size(), 12u);
}

TEST_P(BlindMethodTest, AnEditOfSomethingElseChangesNoPoint) {
  for (const char* const space : {kLists, kRanges}) {
    if (GetParam() == "grid" && space == kRanges) continue;
    const SweepSpec spec = ParseSearch(GetParam(), space);
    std::vector<ParameterMap> all = All(spec);
    const std::vector<ParameterMap> made(all.begin(), all.begin() + 3);
    all.erase(all.begin(), all.begin() + 3);
    EXPECT_EQ(Rest(spec, made, 3 + std::ssize(all)), all);
  }
}

TEST_P(BlindMethodTest, APointLeftOutsideDoesNotCount) {
  const std::vector<ParameterMap> made = First(ParseSearch(GetParam(), kLists), 6);
  const SweepSpec after = ParseSearch(GetParam(), "  a: {values: [3, 4]}\n  b: {values: [x, y]}\n");
  EXPECT_EQ(Rest(after, made).size(), 2u) << "with a = 4";
}

TEST_P(BlindMethodTest, AnyPlaceOfTheRestCanBeAskedFor) {
  const std::vector<ParameterMap> made = First(ParseSearch(GetParam(), kLists), 4);
  const SweepSpec after = ParseSearch(GetParam(), kMoreLists);
  const std::vector<ParameterMap> rest = Rest(after, made);
  const std::unique_ptr<Search> search = Search::Make(&after, {.made = made});
  for (const std::int64_t number : {9, 6, 7, 5, 12}) {
    const auto next = search->Suggest(number);
    ASSERT_TRUE(next.ok() && next->has_value());
    EXPECT_EQ((*next)->configuration.parameters, rest.at(static_cast<std::size_t>(number - 5)))
        << number;
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, BlindMethodTest, testing::Values("grid", "random", "sobol"),
                         [](const auto& info) { return info.param; });

// The new points that the user wants come next, then the search as it was.
TEST(FirstPoints, NewPointsAreTriedFirstAndOldOnesNotAgain) {
  for (const std::string method : {"random", "sobol"}) {
    const SweepSpec before = ParseSearch(method, kRanges, "try_first: [{a: 0.5, b: 0.5}]\n");
    const std::vector<ParameterMap> all = All(before);
    const std::vector<ParameterMap> made(all.begin(), all.begin() + 4);
    const SweepSpec after =
        ParseSearch(method, kRanges, "try_first: [{a: 0.25, b: 1.0}, {a: 0.5, b: 0.5}]\n");
    const std::vector<ParameterMap> rest = Rest(after, made, 8);
    ASSERT_EQ(rest.size(), 4u);
    EXPECT_EQ(rest[0], (ParameterMap{{"a", 0.25}, {"b", 1.0}})) << method;
    EXPECT_EQ(std::vector<ParameterMap>(rest.begin() + 1, rest.end()),
              std::vector<ParameterMap>(all.begin() + 4, all.begin() + 7))
        << method;
  }
}

class LearningMethodTest : public testing::TestWithParam<std::string> {};

void Tell(Search* search, std::int64_t number, const ParameterMap& point, double value) {
  std::int64_t sequence = 3 * number;
  search->Observe({.sequence = sequence++, .configuration = number, .parameters = &point});
  search->Observe({.sequence = sequence++,
                   .configuration = number,
                   .epoch = 1,
                   .value = value,
                   .state = TrialState::kRunning});
  search->Observe({.sequence = sequence, .configuration = number, .state = TrialState::kCompleted});
}

// The best place lies beyond the old end of the range.
TEST_P(LearningMethodTest, InAWiderSpaceItGoesOnFromWhatItKnows) {
  const SweepSpec before = ParseSearch("random", kRanges);
  const std::vector<ParameterMap> made = First(before, 12);
  const SweepSpec after =
      ParseSearch(GetParam(), "  a: {min: 0.0, max: 2.0}\n  b: {min: 0.0, max: 1.0}\n",
                  "try_first: [{a: 0.75, b: 0.5}]\n");
  const auto value = [](const ParameterMap& point) { return -AsDouble(point.at("a")); };
  std::vector<ParameterMap> points[2];
  for (auto& made_now : points) {
    const std::unique_ptr<Search> search = Search::Make(&after, {.made = made});
    std::int64_t number = 0;
    for (const ParameterMap& point : made) Tell(search.get(), ++number, point, value(point));
    for (int i = 0; i < 20; ++i) {
      const auto next = search->Suggest(++number);
      ASSERT_TRUE(next.ok() && next->has_value()) << next.status();
      EXPECT_EQ((*next)->configuration.number, number);
      made_now.push_back((*next)->configuration.parameters);
      Tell(search.get(), number, made_now.back(), value(made_now.back()));
    }
  }
  EXPECT_EQ(points[0], points[1]) << "the same again";
  EXPECT_EQ(points[0][0], (ParameterMap{{"a", 0.75}, {"b", 0.5}}));
  double best = 0;
  for (const ParameterMap& point : points[0]) best = std::max(best, AsDouble(point.at("a")));
  EXPECT_GT(best, 1.1);
}

TEST_P(LearningMethodTest, InALargerSpaceOfListsEveryPointComesOnce) {
  constexpr char kNumbers[] = "  a: {values: [1, 2, 3, 4]}\n  b: {values: [1, 2, 3]}\n";
  const std::vector<ParameterMap> made =
      First(ParseSearch("random", "  a: {values: [2, 3]}\n  b: {values: [1, 2, 3]}\n"), 5);
  const SweepSpec after = ParseSearch(GetParam(), kNumbers);
  const std::unique_ptr<Search> search = Search::Make(&after, {.made = made});
  std::set<std::string> all;
  std::int64_t number = 0;
  for (const ParameterMap& point : made) {
    Tell(search.get(), ++number, point, AsDouble(point.at("a")));
    all.insert(PointIdentity(point));
  }
  while (true) {
    const auto next = search->Suggest(++number);
    ASSERT_TRUE(next.ok()) << next.status();
    if (!next->has_value()) break;
    EXPECT_TRUE(all.insert(PointIdentity((*next)->configuration.parameters)).second) << number;
    Tell(search.get(), number, (*next)->configuration.parameters,
         AsDouble((*next)->configuration.parameters.at("a")));
  }
  EXPECT_EQ(all.size(), 12u);
}

INSTANTIATE_TEST_SUITE_P(Methods, LearningMethodTest, testing::Values("tpe", "gp", "cmaes"),
                         [](const auto& info) { return info.param; });

// The points of `try_first` that are new move the numbers, but not the sequence back.
TEST(FirstPoints, NoStartUpPointComesAgain) {
  for (const std::string method : {"tpe", "gp"}) {
    const std::vector<ParameterMap> made = First(ParseSearch(method, kRanges), 5);
    const SweepSpec after =
        ParseSearch(method, kRanges,
                    fmt::format("try_first: [{{a: {}, b: {}}}, {{a: {}, b: {}}}]\n",
                                FormatValue(made[0].at("a")), FormatValue(made[0].at("b")),
                                FormatValue(made[1].at("a")), FormatValue(made[1].at("b"))));
    std::set<std::string> all;
    for (const ParameterMap& point : made) all.insert(PointIdentity(point));
    for (const ParameterMap& point : Rest(after, made, 9)) {
      EXPECT_TRUE(all.insert(PointIdentity(point)).second) << method;
    }
    EXPECT_EQ(all.size(), 9u);
  }
}

}  // namespace
}  // namespace sweep
