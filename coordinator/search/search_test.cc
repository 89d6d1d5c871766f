#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "coordinator/search/point_identity.h"
#include "coordinator/search/search_makers.h"
#include "coordinator/search/testing/search_testing.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;

SweepSpec Parse(const std::string& more) {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml", .text = "name: s\nmodel: cnn-18718\n" + more, .network_files = {}},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

std::vector<double> Values(const std::vector<ParameterMap>& points, const std::string& name) {
  std::vector<double> values;
  for (const ParameterMap& point : points) values.push_back(AsDouble(point.at(name)));
  return values;
}

TEST(PointIdentity, IsThatOfTheSameValues) {
  const auto identity = [](const char* list) {
    return PointIdentity({{"a", ListValue(list)}, {"b", 1.5}});
  };
  EXPECT_EQ(identity("[64,[2]]"), identity("[64.0,[2.0]]"));
  EXPECT_NE(identity("[64]"), identity("[64.5]"));
  EXPECT_NE(identity("[64]"), identity("[\"64\"]"));
}

constexpr char kGrid[] =
    "method: grid\nparameters:\n  lr: {values: [0.1, 0.2]}\n  batch_size: {values: [32, 64, "
    "128]}\n";

TEST(GridSearch, TheLastParameterVariesFastest) {
  const auto points = All(Parse(kGrid));
  EXPECT_THAT(Values(points, "lr"), ElementsAre(0.1, 0.1, 0.1, 0.2, 0.2, 0.2));
  EXPECT_THAT(Values(points, "batch_size"), ElementsAre(32, 64, 128, 32, 64, 128));
}

TEST(GridSearch, SkipsWhatTheConstraintsExcludeAndStopsAtTheCap) {
  const auto points =
      All(Parse(std::string(kGrid) + "constraints: [\"lr * batch_size < 13\"]\nrun_cap: 4\n"));
  EXPECT_THAT(Values(points, "batch_size"), ElementsAre(32, 64, 128, 32));
  EXPECT_THAT(Values(points, "lr"), ElementsAre(0.1, 0.1, 0.1, 0.2));
}

TEST(GridSearch, AParameterThatDoesNotExistMakesNoDuplicates) {
  const auto points =
      All(Parse("method: grid\nparameters:\n  schedule: {values: [constant, step]}\n"
                "  step_gamma: {values: [0.1, 0.5], when: \"schedule == 'step'\"}\n"));
  ASSERT_EQ(points.size(), 3u);
  EXPECT_FALSE(points[0].contains("step_gamma"));
  EXPECT_EQ(std::set<ParameterMap>(points.begin(), points.end()).size(), 3u);
}

constexpr char kRandom[] =
    "method: random\nrun_cap: 200\nseed: 5\nparameters:\n"
    "  lr: {distribution: log_uniform_values, min: 0.001, max: 1.0}\n  momentum: {min: 0.5, max: "
    "0.9}\n";

TEST(RandomSearch, IsAFunctionOfSeedAndNumber) {
  const SweepSpec spec = Parse(kRandom);
  const auto points = All(spec);
  ASSERT_EQ(points.size(), 200u);
  EXPECT_EQ(points, All(spec));
  // A restarted coordinator continues at its last number.
  const auto later = Search::Make(&spec)->Suggest(150);
  ASSERT_TRUE(later.ok());
  EXPECT_EQ((*later)->configuration.parameters, points[149]);
}

TEST(RandomSearch, SpreadsAsTheDistributionSays) {
  const auto rates = Values(All(Parse(kRandom)), "lr");
  const auto below =
      std::count_if(rates.begin(), rates.end(), [](double lr) { return lr < 0.0316; });
  EXPECT_NEAR(static_cast<double>(below), 100, 30)
      << "half of the draws lie below the geometric mean";
}

TEST(RandomSearch, AnotherParameterLeavesTheOthersAsTheyWere) {
  const auto before = Values(All(Parse(kRandom)), "lr");
  const auto after =
      Values(All(Parse(std::string(kRandom) + "  dropout: {min: 0.0, max: 0.1}\n")), "lr");
  EXPECT_EQ(before, after);
}

TEST(RandomSearch, NeverRepeatsAPointOfAFiniteSpace) {
  const SweepSpec spec = Parse(
      "method: random\nrun_cap: 100\nseed: 3\nparameters:\n  lr: {values: [0.1, 0.2, 0.3]}\n"
      "  batch_size: {values: [32, 64, 128]}\n");
  const auto points = All(spec);
  EXPECT_EQ(points.size(), 9u);
  EXPECT_EQ(std::set<ParameterMap>(points.begin(), points.end()).size(), 9u);
  EXPECT_FALSE(std::is_sorted(points.begin(), points.end())) << "shuffled";
  const auto fifth = Search::Make(&spec)->Suggest(5);
  ASSERT_TRUE(fifth.ok());
  EXPECT_EQ((*fifth)->configuration.parameters, points[4]);
}

// A space that can be listed: 2 × 2 × 2 points and one without `x`.
constexpr char kWeighted[] =
    "method: random\nrun_cap: 100\nprogram: ./none\nparameters:\n"
    "  a: {values: [0, 1], probabilities: [0.9, 0.1]}\n  b: {values: [0, 1]}\n"
    "  c: {values: [off, a, b, never], probabilities: [0.4, 0.3, 0.3, 0]}\n"
    "  x: {values: [0, 1], probabilities: [0, 1], when: \"c != 'off'\"}\nseed: ";

TEST(RandomSearch, ProbabilitiesWeighTheOrderOfAFiniteSpace) {
  int rare_first = 0, off_first = 0, off_before_a = 0;
  constexpr int kSeeds = 400;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const auto points = All(Parse(kWeighted + std::to_string(seed) + "\n"));
    ASSERT_EQ(points.size(), 12u) << "with each c that is drawn, and each a and b";
    EXPECT_EQ(std::set<ParameterMap>(points.begin(), points.end()).size(), 12u);
    std::map<Value, std::size_t> first;
    for (std::size_t i = 0; i < points.size(); ++i) {
      EXPECT_NE(points[i].at("c"), Value("never"));
      EXPECT_EQ(points[i].contains("x"), points[i].at("c") != Value("off"));
      if (points[i].contains("x")) EXPECT_EQ(AsDouble(points[i].at("x")), 1);
      first.try_emplace(points[i].at("c"), i);
    }
    rare_first += points[0].at("a") == Value(std::int64_t{1}) ? 1 : 0;
    off_first += points[0].at("c") == Value("off") ? 1 : 0;
    off_before_a += first.at(Value("off")) < first.at(Value("a")) ? 1 : 0;
  }
  EXPECT_NEAR(rare_first, 0.1 * kSeeds, 20) << "three standard deviations";
  EXPECT_NEAR(off_first, 0.4 * kSeeds, 30);
  EXPECT_NEAR(off_before_a, 4.0 / 7 * kSeeds, 30) << "whatever came in between";
}

TEST(RandomSearch, ProbabilitiesAreTheSharesOfADraw) {
  const auto points = All(
      Parse("method: random\nrun_cap: 2000\nseed: 5\nprogram: ./none\nparameters:\n"
            "  a: {values: [0, 1, 2], probabilities: [0.7, 0.3, 0]}\n  x: {min: 0.0, max: 1.0}\n"));
  int ones = 0;
  for (const double a : Values(points, "a")) {
    EXPECT_NE(a, 2);
    ones += a == 1 ? 1 : 0;
  }
  EXPECT_NEAR(ones, 600, 62) << "three standard deviations";
}

TEST(GridSearch, TakesNoNoticeOfProbabilities) {
  const auto points =
      All(Parse("method: grid\nparameters:\n"
                "  lr: {values: [0.1, 0.2, 0.4], probabilities: [0, 0.9, 0.1]}\n"));
  EXPECT_THAT(Values(points, "lr"), ElementsAre(0.1, 0.2, 0.4));
}

TEST(RandomSearch, DrawsAgainUntilTheConstraintsHold) {
  for (double lr :
       Values(All(Parse(std::string(kRandom) + "constraints: [\"lr < 0.01\"]\n")), "lr")) {
    EXPECT_LT(lr, 0.01);
  }
}

TEST(RandomSearch, NeverRepeatsAPointOfAFiniteSpaceTooLargeToList) {
  const SweepSpec spec = Parse(
      "method: random\nrun_cap: 300\nseed: 3\nparameters:\n"
      "  lr: {distribution: q_uniform, min: 0.001, max: 1.0, q: 0.001}\n"
      "  momentum: {distribution: q_uniform, min: 0.001, max: 0.999, q: 0.001}\n"
      "  batch_size: {min: 1, max: 60}\n  warmup_epochs: {value: 0}\n");
  const auto points = All(spec);
  EXPECT_EQ(std::set<ParameterMap>(points.begin(), points.end()).size(), 300u);
  const auto later = Search::Make(&spec)->Suggest(250);
  ASSERT_TRUE(later.ok());
  EXPECT_EQ((*later)->configuration.parameters, points[249]);
}

constexpr char kFirst[] = "try_first: [{lr: 0.05}, {momentum: 0.6}, {lr: 0.02, momentum: 0.7}]\n";

TEST(TryFirst, ComesBeforeThePointsThatTheMethodChoosesAnyway) {
  for (const std::string method : {"random", "sobol"}) {
    std::string text = kRandom;
    text.replace(text.find("random"), 6, method);
    const auto plain = All(Parse(text));
    const SweepSpec spec = Parse(text + kFirst);
    const auto points = All(spec);
    ASSERT_EQ(points.size(), 200u);
    EXPECT_EQ(points[0].at("lr"), Value(0.05));
    EXPECT_EQ(points[1].at("momentum"), Value(0.6));
    EXPECT_EQ(points[2], (ParameterMap{{"lr", 0.02}, {"momentum", 0.7}}));
    EXPECT_TRUE(std::equal(points.begin() + 3, points.end(), plain.begin())) << method;
    // A restarted coordinator continues at its last number.
    const std::unique_ptr<Search> search = Search::Make(&spec);
    for (const std::int64_t number : {150, 2, 151, 3, 4}) {
      const auto later = search->Suggest(number);
      ASSERT_TRUE(later.ok() && later->has_value());
      EXPECT_EQ((*later)->configuration.number, number);
      EXPECT_EQ((*later)->configuration.parameters, points[static_cast<std::size_t>(number - 1)])
          << method;
    }
  }
}

TEST(TryFirst, IsNotRepeatedInAFiniteSpace) {
  const std::string small =
      "  lr: {values: [0.1, 0.2, 0.3]}\n  batch_size: {values: [32, 64, 128]}\n";
  // Too many points to list, of which few are likely.
  std::string large;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    large += std::string("  ") + name + ": {values: [";
    for (int i = 0; i < 9; ++i) large += std::to_string(i) + ", ";
    large += "9], probabilities: [0.9, 0.09";
    for (int i = 2; i < 10; ++i) large += ", 0.00125";
    large += "]}\n";
  }
  for (const std::string method : {"random", "sobol", "tpe"}) {
    for (const auto& [parameters, first, cap, expected] :
         {std::tuple(small, "[{lr: 0.2}, {lr: 0.3, batch_size: 128}]", 100, 9u),
          std::tuple(large, "[{a: 0}, {a: 1}, {a: 1, b: 1}, {a: 1, b: 1, c: 1}]", 40, 40u)}) {
      const SweepSpec spec = Parse("program: ./none\nmethod: " + method +
                                   "\nseed: 3\nrun_cap: " + std::to_string(cap) +
                                   "\nparameters:\n" + parameters + "try_first: " + first + "\n");
      const auto points = All(spec);
      ASSERT_EQ(points.size(), expected) << method;
      EXPECT_TRUE(std::equal(spec.try_first.begin(), spec.try_first.end(), points.begin()));
      EXPECT_EQ(std::set<ParameterMap>(points.begin(), points.end()).size(), expected) << method;
      if (spec.method->learns) continue;
      const std::unique_ptr<Search> search = Search::Make(&spec);
      for (const std::size_t number : {8u, 4u, 9u}) {
        const auto later = search->Suggest(static_cast<std::int64_t>(number));
        ASSERT_TRUE(later.ok() && later->has_value());
        EXPECT_EQ((*later)->configuration.parameters, points[number - 1]) << method;
      }
    }
  }
}

TEST(Search, APointSaysWhetherItIsOfTheUserOrOfTheMethod) {
  for (const std::string method : {"grid", "random", "sobol"}) {
    const SweepSpec spec = Parse("method: " + method +
                                 "\nrun_cap: 6\nparameters:\n  lr: {values: [0.1, 0.2, 0.3]}\n"
                                 "  batch_size: {values: [32, 64]}\n" +
                                 (method == "grid" ? "" : "try_first: [{lr: 0.2}]\n"));
    const std::unique_ptr<Search> search = Search::Make(&spec);
    for (std::int64_t number = 1; number <= 6; ++number) {
      const auto next = search->Suggest(number);
      ASSERT_TRUE(next.ok() && next->has_value()) << method << number;
      const SuggestionOrigin& origin = (*next)->origin;
      EXPECT_EQ(origin.source, number == 1 && method != "grid" ? SuggestionSource::kTryFirst
                                                               : SuggestionSource::kSequence);
      EXPECT_EQ(origin.method, method);
      EXPECT_EQ(origin.expected_improvement, std::nullopt);
    }
  }
}

TEST(Search, TheWordsOfASourceAreReadBack) {
  for (int i = 0; i < kSuggestionSources; ++i) {
    const auto source = static_cast<SuggestionSource>(i);
    const auto read = ParseSuggestionSource(SuggestionSourceName(source));
    ASSERT_TRUE(read.ok()) << i;
    EXPECT_EQ(*read, source);
  }
  EXPECT_FALSE(ParseSuggestionSource("model ").ok());
}

TEST(Search, EveryMethodOfASweepFileHasAMakerAndTheReverse) {
  std::vector<std::string> words;
  for (const SearchMaker& maker : SearchMakers()) words.emplace_back(maker.word);
  EXPECT_EQ(words, SearchMethodWords());
}

TEST(Search, AMethodThatLearnsNothingKeepsEveryFreeSlotBusy) {
  const SweepSpec spec = Parse(kGrid);
  const std::unique_ptr<Search> search = Search::Make(&spec);
  EXPECT_GT(search->Ahead(0), 0);
  EXPECT_GT(search->Ahead(1000), 1000);
}

TEST(Search, NoMethodEndsBeforeItsSpaceIsUsedUp) {
  const SweepSpec spec = Parse(kRandom);  // 200 configurations
  const auto beyond = Search::Make(&spec)->Suggest(500);
  ASSERT_TRUE(beyond.ok());
  EXPECT_TRUE(beyond->has_value()) << "the budget may be extended";
}

}  // namespace
}  // namespace sweep
