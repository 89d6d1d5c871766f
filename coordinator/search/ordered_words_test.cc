// Lists whose order the sweep file declares.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "coordinator/search/search.h"
#include "coordinator/search/testing/told_search.h"
#include "fmt/format.h"

namespace sweep {
namespace {

SweepSpec WithSizes(const std::string& method, const std::string& list, int run_cap = 60) {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = fmt::format("name: s\nprogram: ./none\nmethod: {}\nseed: 5\nrun_cap: {}\nepochs: 1\n"
                           "metric: {{name: value, goal: minimize}}\nparameters:\n"
                           "  x: {{min: 0.0, max: 1.0}}\n  size: {{values: {}}}\n",
                           method, run_cap, list)},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return spec.ok() ? *spec : SweepSpec();
}

constexpr char kWords[] = "[a, b, c, d, e, f, g, h, i, j, k, l]";
constexpr int kBest = 8;  // of the words

// The best place lies among words that lie side by side.
double CostAt(const ParameterMap& point) {
  const int place = std::get<std::string>(point.at("size"))[0] - 'a';
  const double x = AsDouble(point.at("x")) - 0.3;
  return (place - kBest) * (place - kBest) / 20.0 + x * x;
}

class OrderedWordsTest : public testing::TestWithParam<std::string> {};

TEST_P(OrderedWordsTest, FindsThePlaceAmongThem) {
  const SweepSpec spec = WithSizes(GetParam(), std::string(kWords) + ", ordered: true");
  ToldSearch search(&spec);
  int near = 0;
  for (int i = 0; i < 60; ++i) {
    const ParameterMap point = search.Ask();
    ASSERT_FALSE(point.empty());
    search.End(search.asked(), CostAt(point));
    if (i >= 30 && CostAt(point) < 0.1) ++near;
  }
  EXPECT_GE(near, 10) << "of thirty; about three by chance";
}

INSTANTIATE_TEST_SUITE_P(Methods, OrderedWordsTest, testing::Values("tpe", "gp", "cmaes"),
                         [](const auto& info) { return info.param; });

// What the model knows of two words says something of the one between them, in their order only.
TEST(OrderedWords, TheModelOfANeighbourIsNear) {
  const auto means = [](const std::string& list) {
    const SweepSpec spec = WithSizes("gp", list);
    ToldSearch search(&spec);
    for (int i = 0; i < 24; ++i) {
      // "f" is never tried.
      const char word = static_cast<char>('a' + (i % 12 == 5 ? 6 : i % 12));
      search.Take({{"x", 0.04 * i}, {"size", std::string(1, word)}});
      search.End(search.asked(), (word - 'a') * 1.0);
    }
    for (const ModelSlice& slice : search.Slices()->slices) {
      if (slice.dimension == 1) return slice.mean;
    }
    return std::vector<double>();
  };
  const std::vector<double> ordered = means(std::string(kWords) + ", ordered: true");
  const std::vector<double> words = means(kWords);
  ASSERT_EQ(ordered.size(), 12u);
  ASSERT_EQ(words.size(), 12u);
  EXPECT_NEAR(ordered[5], 5, 0.7);
  EXPECT_LT(std::abs(ordered[5] - 5), std::abs(words[5] - 5));
}

// A number that stands for a category says nothing of the next one.
TEST(OrderedWords, NumbersMayBeCategories) {
  const SweepSpec numbers = WithSizes("tpe", "[1, 2, 3, 4], ordered: false", 30);
  const SweepSpec words = WithSizes("tpe", "[a, b, c, d]", 30);
  ToldSearch search(&numbers), other(&words);
  for (int i = 0; i < 30; ++i) {
    const ParameterMap point = search.Ask(), same = other.Ask();
    const auto place = std::get<std::int64_t>(point.at("size"));
    EXPECT_EQ(std::get<std::string>(same.at("size"))[0], static_cast<char>('a' + place - 1)) << i;
    EXPECT_EQ(point.at("x"), same.at("x"));
    const double cost = static_cast<double>(place * 7 % 4) + AsDouble(point.at("x"));
    search.End(search.asked(), cost);
    other.End(other.asked(), cost);
  }
}

// Another order of the same words: what was trained keeps its word, and moves to its new place.
TEST(OrderedWords, EarlierPointsAreKnownByTheirWords) {
  const SweepSpec spec = WithSizes("gp", "[l, k, j, i, h, g, f, e, d, c, b, a], ordered: true");
  std::vector<EarlierConfiguration> earlier;
  for (int i = 0; i < 24; ++i) {
    const ParameterMap point{{"x", 0.04 * i},
                             {"size", std::string(1, static_cast<char>('a' + i % 12))}};
    earlier.push_back({.point = point, .replicates = {{.epoch = 1, .value = CostAt(point)}}});
  }
  ToldSearch search(&spec, {.made = {}, .earlier = earlier});
  for (int i = 0; i < 5; ++i) {
    const ParameterMap point = search.Ask();
    EXPECT_NEAR(std::get<std::string>(point.at("size"))[0] - 'a', kBest, 2) << i;
    search.End(search.asked(), CostAt(point));
  }
}

}  // namespace
}  // namespace sweep
