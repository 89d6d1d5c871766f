// Sweeps in which nothing varies: they have one point.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "coordinator/search/search.h"
#include "coordinator/search/testing/told_search.h"
#include "fmt/format.h"

namespace sweep {
namespace {

SweepSpec NothingVaries(const std::string& method, const std::string& parameters,
                        const std::string& more) {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = fmt::format("name: s\nprogram: ./none\nmethod: {}\nrun_cap: 20\nepochs: 1\nmetric: "
                           "{{name: value, goal: minimize}}\n{}{}",
                           method, more, parameters)},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return spec.ok() ? *spec : SweepSpec();
}

// The method, and the file's parameters.
class EmptySpaceTest : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  SweepSpec Spec(const std::string& more = "") const {
    return NothingVaries(std::get<0>(GetParam()), std::get<1>(GetParam()), more);
  }
  std::size_t parameters() const { return std::get<1>(GetParam()).empty() ? 0 : 2; }
};

TEST_P(EmptySpaceTest, HasOnePoint) {
  const SweepSpec spec = Spec();
  EXPECT_EQ(spec.points, 1);
  EXPECT_EQ(spec.PlannedConfigurations(), 1);
  const std::unique_ptr<Search> search = Search::Make(&spec);
  const auto only = search->Suggest(1);
  ASSERT_TRUE(only.ok() && only->has_value()) << only.status();
  EXPECT_EQ((*only)->configuration.parameters.size(), parameters());
  const auto next = search->Suggest(2);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_FALSE(next->has_value()) << "and says so instead of an error";
  EXPECT_FALSE(search->WhyNone().is_for_now);
}

TEST_P(EmptySpaceTest, TheOnePointMayComeFirst) {
  const SweepSpec spec = Spec("try_first: [{}]\n");
  const std::unique_ptr<Search> search = Search::Make(&spec);
  const auto only = search->Suggest(1);
  ASSERT_TRUE(only.ok() && only->has_value()) << only.status();
  EXPECT_EQ((*only)->origin.source, SuggestionSource::kTryFirst);
  const auto next = search->Suggest(2);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_FALSE(next->has_value());
}

// So that models, too, see a space without dimensions.
TEST_P(EmptySpaceTest, MayBeTrainedAgainAndAgain) {
  const SweepSpec spec = Spec("repeat_points: true\n");
  EXPECT_EQ(spec.PlannedConfigurations(), 20);
  ToldSearch search(&spec);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(search.Ask().size(), parameters()) << i;
    EXPECT_EQ(search.asked(), i + 1);
    search.End(search.asked(), i % 5);
  }
  if (const std::optional<ModelSlices> slices = search.Slices()) {
    EXPECT_TRUE(slices->slices.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Methods, EmptySpaceTest,
    testing::Combine(testing::Values("random", "sobol", "tpe", "gp", "cmaes", "auto", "bayes"),
                     testing::Values("", "parameters: {x: 0.5, kind: {values: [a]}}\n")),
    [](const auto& info) {
      return std::get<0>(info.param) + (std::get<1>(info.param).empty() ? "_none" : "_fixed");
    });

TEST(EmptySpace, AGridTrainsItsOnePoint) {
  const SweepSpec spec = NothingVaries("grid", "", "");
  const std::unique_ptr<Search> search = Search::Make(&spec);
  EXPECT_EQ(spec.PlannedConfigurations(), 1);
  EXPECT_TRUE((*search->Suggest(1)).has_value());
  EXPECT_FALSE((*search->Suggest(2)).has_value());
}

// Of a range that has one or two values only; the parser cannot list them.
TEST(EmptySpace, ARangeOfFewNumbersIsTriedOnce) {
  const std::pair<const char*, std::set<double>> ranges[] = {
      {"{min: 0.5, max: 0.5}", {0.5}},
      {"{min: 0.1, max: 0.10000000000000002}", {0.1, 0.10000000000000002}}};
  for (const char* const method : {"random", "sobol", "tpe", "gp", "cmaes"}) {
    for (const auto& [range, values] : ranges) {
      const SweepSpec spec =
          NothingVaries(method, std::string("parameters: {x: ") + range + "}\n", "");
      const std::unique_ptr<Search> search = Search::Make(&spec);
      std::multiset<double> tried;
      absl::StatusOr<std::optional<Suggestion>> next = search->Suggest(1);
      for (int number = 2; next.ok() && next->has_value() && number < 20; ++number) {
        tried.insert(AsDouble((*next)->configuration.parameters.at("x")));
        next = search->Suggest(number);
      }
      // It ends like any space that cannot be listed and of which nothing is left.
      if (!next.ok()) {
        EXPECT_THAT(std::string(next.status().message()),
                    testing::EndsWith("new point of the search space"))
            << method;
      }
      EXPECT_FALSE(tried.empty()) << method;
      for (const double value : tried) {
        EXPECT_TRUE(values.contains(value)) << method << " " << value;
        EXPECT_EQ(tried.count(value), 1u) << method << " " << value;
      }
    }
  }
}

// One of its branches has a single point.
TEST(EmptySpace, ABranchOfOnePointIsTriedOnce) {
  for (const char* const method : {"random", "sobol", "tpe", "gp"}) {
    const SweepSpec spec = NothingVaries(
        method,
        "parameters: {kind: {values: [plain, other]}, x: {min: 0.1, max: 0.5, when: \"kind == "
        "'other'\"}}\n",
        "");
    ToldSearch search(&spec);
    int plain = 0;
    for (int i = 0; i < 40; ++i) {
      const ParameterMap point = search.Ask();
      ASSERT_FALSE(point.empty()) << method << " " << i << ": the other branch has more";
      plain += std::get<std::string>(point.at("kind")) == "plain";
      search.End(search.asked(), i % 7);
    }
    EXPECT_EQ(plain, 1) << method;
  }
}

}  // namespace
}  // namespace sweep
