#include "coordinator/search/learning_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/philox.h"
#include "common/spec/search_methods.h"
#include "coordinator/search/point_identity.h"
#include "coordinator/search/search.h"
#include "coordinator/search/testing/told_search.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// What holds for every method that learns.
class LearningSearchTest : public testing::TestWithParam<std::string> {
 protected:
  static SweepSpec ParseSpec(const std::string& parameters, int run_cap = 60,
                             const std::string& more = "") {
    Diagnostics diagnostics;
    const auto spec = SweepSpec::Parse(
        {.file = "s.yaml",
         .text = fmt::format("name: s\nprogram: ./none\nmethod: {}\nseed: 3\nrun_cap: {}\nepochs: "
                             "2\nmetric: {{name: value, goal: minimize}}\n{}parameters:\n{}",
                             GetParam(), run_cap, more, parameters)},
        &diagnostics);
    EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
    return *spec;
  }
  // Whichever the method takes: `any`, or what has numbers that always exist.
  static std::string Either(const std::string& any, const std::string& numbers) {
    return FindSearchMethod(GetParam())->numbers_only ? numbers : any;
  }
};

std::vector<std::string> LearningMethods() {
  std::vector<std::string> words;
  for (const SearchMethod& method : SearchMethods()) {
    if (method.learns && !method.has_population) words.emplace_back(method.word);
  }
  return words;
}

INSTANTIATE_TEST_SUITE_P(Methods, LearningSearchTest, testing::ValuesIn(LearningMethods()),
                         [](const auto& info) { return info.param; });

constexpr char kMixed[] =
    "  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}\n"
    "  width: {min: 3, max: 12}\n  kind: {values: [a, b]}\n"
    "  depth: {min: 0.0, max: 1.0, when: \"kind == 'b'\"}\n";

constexpr char kNumbers[] =
    "  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}\n"
    "  width: {min: 3, max: 12}\n  depth: {min: 0.0, max: 1.0}\n";

double ValueOf(const ParameterMap& point) {
  double value = std::pow(std::log10(AsDouble(point.at("lr"))) + 2, 2);
  value += 0.1 * std::fabs(AsDouble(point.at("width")) - 7);
  if (point.contains("depth")) value += std::fabs(AsDouble(point.at("depth")) - 0.5) - 0.2;
  return value;
}

TEST_P(LearningSearchTest, ComesNearTheBestPoint) {
  const SweepSpec spec = ParseSpec(Either(kMixed, kNumbers), 80);
  ToldSearch search(&spec);
  double best = 1e9;
  for (std::int64_t number = 1; number <= 80; ++number) {
    const double value = ValueOf(search.Ask());
    best = std::min(best, value);
    search.End(number, value);
  }
  EXPECT_LT(best, -0.05);  // the least is -0.2
}

// Lists, cells that many share, equal values, and a branch that few points are in.
constexpr char kCoarse[] =
    "  width: {min: 3, max: 6}\n  kind: {values: [a, b, c, d, e, f, g, h, i, j, k, l]}\n"
    "  lr: {min: 0.001, max: 0.1}\n  depth: {min: 1, max: 4, when: \"kind == 'b'\"}\n";

TEST_P(LearningSearchTest, SuggestsTheSameAfterARestartAtAnyInstant) {
  const SweepSpec spec = ParseSpec(Either(kCoarse, kNumbers));
  const auto coarse = [](const ParameterMap& point) {
    return std::round(AsDouble(point.at("width")) + 20 * AsDouble(point.at("lr")));
  };
  ToldSearch whole(&spec), killed(&spec);
  for (std::int64_t number = 1; number <= 58; number += 3) {
    std::vector<ParameterMap> points;
    for (int i = 0; i < 3; ++i) {
      points.push_back(whole.Ask());
      EXPECT_EQ(killed.Ask(), points.back()) << number + i;
      killed.Restart();
    }
    for (int i = 0; i < 3; ++i) {
      const TrialState state = i == 2 ? TrialState::kStopped : TrialState::kCompleted;
      whole.End(number + i, coarse(points[static_cast<std::size_t>(i)]), state);
      killed.End(number + i, coarse(points[static_cast<std::size_t>(i)]), state);
      killed.Restart();
    }
  }
}

TEST_P(LearningSearchTest, LearnsFromThePointsThatAreTriedFirst) {
  if (GetParam() == "cmaes") GTEST_SKIP() << "points that it did not draw move it only a little";
  std::string first = "try_first: [";
  for (int i = 0; i < 10; ++i) first += fmt::format("{{x: 0.{}5}}, ", i);
  const SweepSpec spec = ParseSpec("  x: {min: 0.0, max: 1.0}\n", 60, first + "]\n");
  // The mean of the points after them, which follow from what these gave.
  const auto mean = [&](double best) {
    ToldSearch search(&spec);
    double sum = 0;
    for (std::int64_t number = 1; number <= 20; ++number) {
      const double x = AsDouble(search.Ask().at("x"));
      if (number <= 10) EXPECT_DOUBLE_EQ(x, 0.1 * static_cast<double>(number) - 0.05);
      if (number > 10) sum += x / 10;
      if (number <= 10) search.End(number, std::abs(x - best));
    }
    return sum;
  };
  EXPECT_LT(mean(0), 0.4);
  EXPECT_GT(mean(1), 0.6);
}

TEST_P(LearningSearchTest, SuggestsTheSameAfterARestartWithPointsThatAreTriedFirst) {
  const SweepSpec spec = ParseSpec(Either(kCoarse, kNumbers), 60,
                                   Either("try_first: [{width: 3}, {kind: b, depth: 2}]\n",
                                          "try_first: [{width: 3}, {lr: 0.1, depth: 0.2}]\n"));
  ToldSearch whole(&spec), killed(&spec);
  for (std::int64_t number = 1; number <= 40; number += 2) {
    for (int i = 0; i < 2; ++i) {
      const ParameterMap point = whole.Ask();
      EXPECT_EQ(killed.Ask(), point) << number + i;
      killed.Restart();
    }
    for (int i = 0; i < 2; ++i) {
      whole.End(number + i, static_cast<double>(number % 7));
      killed.End(number + i, static_cast<double>(number % 7));
      killed.Restart();
    }
  }
}

// Trials end in any order, some without a value, some are stopped, and some are tried again.
TEST_P(LearningSearchTest, SuggestsTheSameAfterARestartWhateverHappensToTheTrials) {
  const SweepSpec spec = ParseSpec(Either(kMixed, kNumbers), 100, "replicates: 2\n");
  ToldSearch whole(&spec), killed(&spec);
  PhiloxStream random(5, 0);
  std::vector<std::pair<std::int64_t, int>> running;
  for (int step = 0; step < 160; ++step) {
    if (running.size() < 4 || random.NextBelow(3) == 0) {
      const ParameterMap point = whole.Ask();
      ASSERT_EQ(killed.Ask(), point) << step;
      for (int replicate = 0; replicate < 2; ++replicate) {
        running.emplace_back(whole.asked(), replicate);
      }
    } else {
      const auto one =
          running.begin() + random.NextBelow(static_cast<std::uint32_t>(running.size()));
      const auto [number, replicate] = *one;
      const std::uint32_t kind = random.NextBelow(10);
      const double value = kind == 0 ? kNaN : static_cast<double>(number * 7 % 10 + replicate);
      const TrialState state = kind == 1 ? TrialState::kStopped : TrialState::kCompleted;
      for (ToldSearch* search : {&whole, &killed}) {
        search->End(number, value, state, replicate);
        if (kind == 2) search->Reopen(number, replicate);
      }
      if (kind != 2) running.erase(one);
    }
    killed.Restart();
  }
  EXPECT_GT(whole.asked(), 40);
}

TEST_P(LearningSearchTest, SuggestsTheSameAfterARestartWithManyResults) {
  const SweepSpec spec = ParseSpec(Either(kMixed, kNumbers), 1000);
  SweepSpec sobol = spec;
  sobol.method = FindSearchMethod("sobol");
  const std::unique_ptr<Search> others = Search::Make(&sobol);
  ToldSearch whole(&spec), killed(&spec);
  while (whole.asked() < 610) {
    const auto next = others->Suggest(whole.asked() + 1);
    ASSERT_TRUE(next.ok() && next->has_value());
    for (ToldSearch* search : {&whole, &killed}) {
      search->Take((*next)->configuration.parameters);
      search->End(search->asked(), ValueOf((*next)->configuration.parameters));
    }
    // About the sizes at which a model is built anew.
    if (!std::set<std::int64_t>{29, 32, 140, 170, 490, 520, 560, 605}.contains(whole.asked())) {
      continue;
    }
    killed.Restart();
    const ParameterMap point = whole.Ask();
    ASSERT_EQ(killed.Ask(), point) << whole.asked();
    for (ToldSearch* search : {&whole, &killed}) search->End(search->asked(), ValueOf(point));
  }
}

TEST_P(LearningSearchTest, TriesEveryPointOfAFiniteSpaceOnceAndEnds) {
  const SweepSpec spec =
      ParseSpec("  a: {min: 0, max: 3}\n  b: {values: [1, 2, 4]}\n" +
                    Either("  c: {values: [x, y, z]}\n", "  c: {min: 1, max: 3}\n"),
                50);
  const std::unique_ptr<Search> search = Search::Make(&spec);
  std::set<std::string> seen;
  for (std::int64_t number = 1; number <= 36; ++number) {
    const auto next = search->Suggest(number);
    ASSERT_TRUE(next.ok() && next->has_value()) << number << next.status();
    const ParameterMap& point = (*next)->configuration.parameters;
    EXPECT_TRUE(seen.insert(PointIdentity(point)).second) << number;
    search->Observe({.sequence = 2 * number,
                     .configuration = number,
                     .epoch = 1,
                     .value = AsDouble(point.at("a")),
                     .state = TrialState::kRunning});
    search->Observe(
        {.sequence = 2 * number + 1, .configuration = number, .state = TrialState::kCompleted});
  }
  const auto next = search->Suggest(37);
  ASSERT_TRUE(next.ok());
  EXPECT_FALSE(next->has_value());
}

// Results of eight at a time, told in the order of the points and in others.
TEST_P(LearningSearchTest, TriesEveryPointOfAGridOnceInBatches) {
  const SweepSpec spec = ParseSpec("  a: {min: 0, max: 3}\n  b: {min: 0, max: 3}\n" +
                                   Either("  c: {values: [x, y, z]}\n", "  c: {min: 1, max: 3}\n"));
  // 3 and 5 have no common divisor with the eight of a batch.
  for (const std::int64_t step : {1, 3, 5, 7}) {
    SCOPED_TRACE(step);
    ToldSearch search(&spec);
    std::set<std::string> seen;
    for (int batch = 0; batch < 6; ++batch) {
      std::vector<double> values;
      for (int i = 0; i < 8; ++i) {
        const ParameterMap point = search.Ask();
        EXPECT_TRUE(seen.insert(PointIdentity(point)).second)
            << search.asked() << ": " << PointIdentity(point);
        values.push_back(std::pow(AsDouble(point.at("a")) - 2, 2) + AsDouble(point.at("b")));
      }
      for (std::int64_t i = 0; i < 8; ++i) {
        const std::int64_t place = i * step % 8;
        search.End(8 * batch + place + 1, values[static_cast<std::size_t>(place)]);
      }
    }
    EXPECT_EQ(seen.size(), 48u);
    EXPECT_TRUE(search.Ask().empty()) << "the space is used up";
  }
}

TEST_P(LearningSearchTest, GoesOnWhenNothingIsEverMeasured) {
  const SweepSpec spec = ParseSpec(Either(kMixed, kNumbers));
  for (const TrialState state :
       {TrialState::kFailed, TrialState::kDiverged, TrialState::kCancelled}) {
    ToldSearch search(&spec);
    for (std::int64_t number = 1; number <= 30; ++number) {
      EXPECT_FALSE(search.Ask().empty());
      search.End(number, kNaN, state);
    }
  }
}

TEST_P(LearningSearchTest, InfinitiesAndNaNAreTheWorst) {
  const SweepSpec spec = ParseSpec("  x: {min: 0.0, max: 1.0}\n");
  ToldSearch search(&spec);
  int above = 0;
  for (std::int64_t number = 1; number <= 60; ++number) {
    const double x = AsDouble(search.Ask().at("x"));
    if (number > 30 && x > 0.5) ++above;
    const std::vector<double> bad = {-std::numeric_limits<double>::infinity(), kNaN,
                                     std::numeric_limits<double>::max()};
    const double odd = bad[static_cast<std::size_t>(number % 3)];
    search.End(number, x > 0.5 ? 1 - x : odd);
  }
  EXPECT_GT(above, 24) << "only there are numbers";
}

// Both learn from the order of the configurations alone.
TEST_P(LearningSearchTest, StoppedTrialsCountByHowFarTheyCame) {
  if (GetParam() == "gp") GTEST_SKIP() << "a model of values: no better than the median";
  const SweepSpec spec = ParseSpec("  x: {min: 0.0, max: 1.0}\n");
  for (const TrialState state :
       {TrialState::kStopped, TrialState::kFailed, TrialState::kDiverged}) {
    ToldSearch search(&spec);
    int above = 0;
    for (std::int64_t number = 1; number <= 60; ++number) {
      const double x = AsDouble(search.Ask().at("x"));
      if (number > 30 && x > 0.5) ++above;
      // The values alone would lead to the other end.
      search.EndAfter(1 + static_cast<int>(8 * x), number, x, state);
    }
    EXPECT_GT(above, 24) << TrialStateName(state);
  }
}

// The order that methods learn from, without a method.
class RankingSearch final : public LearningSearch {
 public:
  explicit RankingSearch(const SweepSpec* spec) : LearningSearch(spec, /*finite=*/false) {}

  // Those of the first `count` that have ended, best first.
  std::vector<std::int64_t> Order(std::int64_t count) const {
    std::vector<std::int64_t> numbers;
    for (std::int64_t number = 1; number <= count; ++number) {
      if (Get(number).has_ended) numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end(),
              [&](std::int64_t a, std::int64_t b) { return RanksBefore(a, b); });
    return numbers;
  }

 private:
  std::optional<Choice> Model(std::int64_t /*number*/) override { return std::nullopt; }
  void OnKnown(std::int64_t /*number*/, const Known& /*known*/) override {}
  void OnEnded(std::int64_t /*number*/, const Known& /*known*/) override {}
  void OnReopened(std::int64_t /*number*/, const Known& /*known*/) override {}
  void Describe(const std::vector<std::vector<SlicePlace>>& /*places*/,
                std::vector<ModelSlice>* /*slices*/) override {}
};

TEST(LearningSearchRanking, CompleteThenByHowFarTheyCameThenWithoutANumber) {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse({.file = "s.yaml",
                                      .text = "name: s\nprogram: ./none\nmethod: tpe\nrun_cap: 60\n"
                                              "epochs: 9\nmetric: {name: value, goal: minimize}\n"
                                              "parameters:\n  x: {min: 0.0, max: 1.0}\n"},
                                     &diagnostics);
  ASSERT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  struct Told {
    TrialState state;
    std::vector<double> values;  // of its epochs
  };
  const std::vector<Told> told = {
      {TrialState::kDiverged, {kNaN}},                  // 1: no number, in the order of numbers
      {TrialState::kCompleted, {0.9, 0.5}},             // 2
      {TrialState::kStopped, {0.9, 0.3, 0.3}},          // 3: as far as the next, but worse
      {TrialState::kStopped, {0.9, 0.1, 0.4}},          // 4: its best
      {TrialState::kStopped, {0.01}},                   // 5: good, but it came less far
      {TrialState::kFailed, {0.9, 0.05}},               // 6: like one that was stopped
      {TrialState::kDiverged, {0.9, 0.9, 0.02, kNaN}},  // 7: came farthest
      {TrialState::kFailed, {}},                        // 8
      {TrialState::kCompleted, {kNaN, kNaN}},           // 9
      {TrialState::kCompleted, {0.9, 0.2, 0.9}},        // 10: its best
      {TrialState::kRunning, {0.001}},                  // 11: has not ended
      {TrialState::kCancelled, {0.8}},                  // 12
      {TrialState::kFailed, {-std::numeric_limits<double>::infinity()}},  // 13
  };
  RankingSearch search(&*spec);
  std::vector<ParameterMap> points;
  for (std::size_t i = 0; i < told.size(); ++i) points.push_back({{"x", 0.05 * (1.0 + i)}});
  std::int64_t sequence = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i) + 1;
    search.Observe({.sequence = ++sequence, .configuration = number, .parameters = &points[i]});
    int epoch = 0;
    for (const double value : told[i].values) {
      search.Observe({.sequence = ++sequence,
                      .configuration = number,
                      .epoch = ++epoch,
                      .value = value,
                      .state = TrialState::kRunning});
    }
    if (!IsTerminal(told[i].state)) continue;
    search.Observe({.sequence = ++sequence, .configuration = number, .state = told[i].state});
  }
  EXPECT_EQ(search.Order(13), (std::vector<std::int64_t>{10, 2, 7, 4, 3, 6, 5, 12, 1, 8, 9, 13}));
}

TEST_P(LearningSearchTest, RunningTrialsKeepItFromTheSamePlace) {
  const SweepSpec spec = ParseSpec("  x: {min: 0.0, max: 1.0}\n  y: {min: 0.0, max: 1.0}\n", 200);
  ToldSearch search(&spec);
  for (std::int64_t number = 1; number <= 40; ++number) {
    const ParameterMap point = search.Ask();
    search.End(number, std::hypot(AsDouble(point.at("x")) - 0.3, AsDouble(point.at("y")) - 0.6));
  }
  std::set<std::pair<int, int>> places;
  for (int i = 0; i < 16; ++i) {
    const ParameterMap point = search.Ask();
    places.insert({static_cast<int>(AsDouble(point.at("x")) * 50),
                   static_cast<int>(AsDouble(point.at("y")) * 50)});
  }
  EXPECT_GE(places.size(), 12u);
}

TEST_P(LearningSearchTest, TakesOddSpaces) {
  std::string many, choices = "  c: {values: [";
  for (int i = 0; i < 50; ++i) many += fmt::format("  x{}: {{min: 0.0, max: 1.0}}\n", i);
  for (int i = 0; i < 100; ++i) choices += fmt::format("{}v{}", i == 0 ? "" : ", ", i);
  choices += "]}\n  x: {min: 0.0, max: 1.0}\n";
  const std::string narrow = "  x: {min: 0.5, max: 0.50000001}\n";
  for (const std::string& parameters : {many, Either(choices, narrow)}) {
    const SweepSpec spec = ParseSpec(parameters);
    ToldSearch search(&spec);
    for (std::int64_t number = 1; number <= 30; ++number) {
      const ParameterMap point = search.Ask();
      ASSERT_FALSE(point.empty());
      search.End(number, static_cast<double>(number % 7));
    }
  }
}

// Asks for points, which must all be new; the smaller their sum, the better.
void ExpectNewPoints(int count, ToldSearch* search) {
  std::set<std::string> tried;
  for (std::int64_t number = 1; number <= count; ++number) {
    const ParameterMap point = search->Ask();
    EXPECT_TRUE(tried.insert(PointIdentity(point)).second)
        << number << ": " << PointIdentity(point);
    double sum = 0;
    for (const auto& [name, value] : point) sum += AsDouble(value);
    search->End(number, sum);
  }
}

// Of a range with multiples of q there is no list, but each of its values is tried once.
TEST_P(LearningSearchTest, RepeatsNoMultiple) {
  const SweepSpec spec =
      ParseSpec("  b: {distribution: q_log_uniform_values, min: 16, max: 96, q: 16}\n", 20);
  ToldSearch search(&spec);
  ExpectNewPoints(6, &search);
  EXPECT_TRUE(search.Ask().empty());
}

// The best place is a corner, where a climb ends at the same number again and again.
TEST_P(LearningSearchTest, RepeatsNoCorner) {
  const SweepSpec spec = ParseSpec("  x: {min: 0.0, max: 1.0}\n  y: {min: 0.0, max: 1.0}\n", 60);
  ToldSearch search(&spec);
  ExpectNewPoints(60, &search);
}

TEST_P(LearningSearchTest, SaysHowEachPointWasChosen) {
  const SweepSpec spec =
      ParseSpec(Either(kMixed, kNumbers), 60, "try_first: [{lr: 0.1, width: 4}]\n");
  ToldSearch search(&spec);
  const SuggestionSource first =
      GetParam() == "cmaes" ? SuggestionSource::kModel : SuggestionSource::kStartUp;
  for (std::int64_t number = 1; number <= 30; ++number) {
    const double value = ValueOf(search.Ask());
    const SuggestionOrigin& origin = search.origin();
    EXPECT_EQ(origin.source, number == 1    ? SuggestionSource::kTryFirst
                             : number <= 10 ? first
                                            : SuggestionSource::kModel)
        << number;
    EXPECT_EQ(origin.method, GetParam());
    const bool has_improvement = GetParam() == "gp" && origin.source == SuggestionSource::kModel;
    EXPECT_EQ(origin.expected_improvement.has_value(), has_improvement) << number;
    if (has_improvement) EXPECT_GE(*origin.expected_improvement, 0);
    search.End(number, value);
  }
}

TEST_P(LearningSearchTest, ExpectsAnImprovementInTheUnitsOfTheObjective) {
  const SweepSpec spec = ParseSpec(Either(kMixed, kNumbers));
  // By a power of two, so that the model has the same numbers to the last bit.
  constexpr double kTimes = 1024;
  ToldSearch search(&spec), scaled(&spec);
  int expected = 0;
  for (std::int64_t number = 1; number <= 25; ++number) {
    const ParameterMap point = search.Ask();
    ASSERT_EQ(scaled.Ask(), point);
    if (const std::optional<double> one = search.origin().expected_improvement) {
      EXPECT_DOUBLE_EQ(scaled.origin().expected_improvement.value(), kTimes * *one);
      ++expected;
    }
    search.End(number, ValueOf(point));
    scaled.End(number, kTimes * ValueOf(point));
  }
  EXPECT_EQ(expected, GetParam() == "gp" ? 15 : 0);
}

// All that the model finds is known before the space is used up.
TEST_P(LearningSearchTest, SaysThatAPointIsOneOfThoseThatAreLeft) {
  const SweepSpec spec = ParseSpec("  a: {min: 0, max: 11}\n  b: {values: [1, 2]}\n", 50);
  ToldSearch search(&spec);
  std::set<SuggestionSource> sources;
  for (std::int64_t number = 1; number <= 24; ++number) {
    const double value = AsDouble(search.Ask().at("a"));
    sources.insert(search.origin().source);
    search.End(number, value);
  }
  EXPECT_FALSE(sources.contains(SuggestionSource::kSequence));
  EXPECT_TRUE(sources.contains(SuggestionSource::kModel));
}

TEST_P(LearningSearchTest, KeepsToTheConstraints) {
  const SweepSpec spec = ParseSpec("  x: {min: 0.0, max: 1.0}\n  y: {min: 0.0, max: 1.0}\n", 60,
                                   "constraints: [\"x + y < 0.3\"]\n");
  ToldSearch search(&spec);
  for (std::int64_t number = 1; number <= 60; ++number) {
    const ParameterMap point = search.Ask();
    ASSERT_LT(AsDouble(point.at("x")) + AsDouble(point.at("y")), 0.3);
    search.End(number, -AsDouble(point.at("x")));
  }
}

}  // namespace
}  // namespace sweep
