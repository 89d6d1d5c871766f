#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/normal.h"
#include "common/base/philox.h"
#include "coordinator/search/cma_evolution.h"
#include "coordinator/search/point_identity.h"
#include "coordinator/search/testing/told_search.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// ---- the distribution

CmaEvolution::Vector NormalDraw(CmaEvolution::Index dimensions, PhiloxStream* random) {
  CmaEvolution::Vector normal(dimensions);
  for (double& one : normal) one = NormalQuantile(random->NextUniform());
  return normal;
}

TEST(CmaEvolution, BecomesAsLongAndNarrowAsTheValley) {
  // Curvatures 1, 1e4 and 1, 1e4 along axes that are turned by 45 degrees.
  const auto value = [](const CmaEvolution::Vector& x) {
    const double a = (x[0] + x[1]) / 2, b = (x[0] - x[1]) / 2;
    return a * a + 1e4 * b * b;
  };
  PhiloxStream random(1, 0);
  CmaEvolution evolution(CmaEvolution::Vector::Constant(2, 0.9), 0.3);
  for (int generation = 0; generation < 150; ++generation) {
    std::vector<CmaEvolution::Point> points;
    for (int i = 0; i < CmaEvolution::PopulationOf(2); ++i) {
      points.push_back({.place = evolution.PointOf(NormalDraw(2, &random), 1)});
    }
    std::sort(points.begin(), points.end(),
              [&](const auto& a, const auto& b) { return value(a.place) < value(b.place); });
    evolution.Update(points);
    ASSERT_TRUE(evolution.IsSound());
  }
  EXPECT_LT(std::abs(evolution.mean(0)), 1e-3);
  // Of the images of draws, the variance along the valley is about 1e4 times that across it.
  double along = 0, across = 0;
  for (int i = 0; i < 1000; ++i) {
    const CmaEvolution::Vector x = evolution.PointOf(NormalDraw(2, &random), 1);
    along += std::pow(x[0] + x[1] - evolution.mean(0) - evolution.mean(1), 2);
    across += std::pow(x[0] - x[1] - evolution.mean(0) + evolution.mean(1), 2);
  }
  EXPECT_GT(along / across, 1e3);
  EXPECT_LT(along / across, 1e5);
}

TEST(CmaEvolution, APointOfAnotherDistributionMovesItALimitedWay) {
  for (const bool is_own : {false, true}) {
    CmaEvolution evolution(CmaEvolution::Vector::Constant(2, 0.5), 1e-3);
    std::vector<CmaEvolution::Point> points(4, {.place = CmaEvolution::Vector::Constant(2, 0.5)});
    points[0] = {.place = CmaEvolution::Vector::Constant(2, 0.9), .is_own = is_own};
    evolution.Update(points);
    EXPECT_EQ(evolution.mean(0) < 0.51, !is_own);
    EXPECT_TRUE(evolution.IsSound());
  }
}

TEST(CmaEvolution, KeepsBothNeighboursOfACellInReach) {
  constexpr double kMargin = 0.05;
  const auto share = [](const CmaEvolution& evolution, double from, double to) {
    return NormalCdf((to - evolution.mean(0)) / evolution.Deviation(0)) -
           NormalCdf((from - evolution.mean(0)) / evolution.Deviation(0));
  };
  constexpr double kEnd = std::numeric_limits<double>::infinity();
  for (const double mean : {0.21, 0.3, 0.38}) {
    CmaEvolution evolution(CmaEvolution::Vector::Constant(1, mean), 0.01);
    evolution.Keep(0, 0.2, 0.4, kMargin);
    EXPECT_GE(share(evolution, -kEnd, 0.2), kMargin / 2 - 1e-9) << mean;
    EXPECT_GE(share(evolution, 0.4, kEnd), kMargin / 2 - 1e-9) << mean;
    EXPECT_LE(share(evolution, -kEnd, 0.2) + share(evolution, 0.4, kEnd), 0.5) << mean;
  }
  for (const double mean : {-3.0, 0.1}) {
    CmaEvolution evolution(CmaEvolution::Vector::Constant(1, mean), 0.01);
    evolution.Keep(0, -kEnd, 0.2, kMargin);
    EXPECT_NEAR(share(evolution, 0.2, kEnd), kMargin, 1e-9) << mean;
    EXPECT_LT(evolution.mean(0), 0.2);
  }
  CmaEvolution last(CmaEvolution::Vector::Constant(1, 0.95), 0.01);
  last.Keep(0, 0.8, kEnd, kMargin);
  EXPECT_NEAR(share(last, -kEnd, 0.8), kMargin, 1e-9);
  CmaEvolution wide(CmaEvolution::Vector::Constant(1, 0.3), 0.3);
  wide.Keep(0, 0.2, 0.4, kMargin);
  EXPECT_EQ(wide.mean(0), 0.3) << "nothing to do";
  EXPECT_EQ(wide.Deviation(0), 0.3);
}

TEST(CmaEvolution, SaysWhenRoundingHasSpoiltIt) {
  CmaEvolution evolution(CmaEvolution::Vector::Constant(3, 0.5), 1e-300);
  std::vector<CmaEvolution::Point> points;
  for (int i = 0; i < 7; ++i) {
    points.push_back({.place = CmaEvolution::Vector::Constant(3, 0.1 * i), .is_own = true});
  }
  for (int i = 0; i < 20 && evolution.IsSound(); ++i) evolution.Update(points);
  EXPECT_FALSE(evolution.IsSound());
}

// ---- the search

SweepSpec ParseCmaes(const std::string& parameters, int seed = 3, const std::string& more = "") {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = fmt::format("name: s\nprogram: ./none\nmethod: cmaes\nseed: {}\nrun_cap: "
                           "2000\nepochs: 2\nmetric: {{name: value, goal: "
                           "minimize}}\n{}parameters:\n{}",
                           seed, more, parameters)},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

std::string Axes(int count, const char* low = "-5.0", const char* high = "5.0") {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format("  x{}: {{min: {}, max: {}}}\n", i, low, high);
  return text;
}

std::vector<double> NumbersOf(const ParameterMap& point) {
  std::vector<double> numbers;
  for (const auto& [name, value] : point) numbers.push_back(AsDouble(value));
  return numbers;
}

using Cost = std::function<double(const std::vector<double>&)>;

// The least cost of so many points, in rounds of `at_once`.
double LeastOf(const SweepSpec& spec, const Cost& cost, int evaluations, int at_once = 1) {
  ToldSearch search(&spec);
  double least = std::numeric_limits<double>::infinity();
  while (search.asked() < evaluations) {
    std::vector<std::pair<std::int64_t, double>> results;
    for (int i = 0; i < at_once; ++i) {
      const double value = cost(NumbersOf(search.Ask()));
      results.emplace_back(search.asked(), value);
      least = std::min(least, value);
    }
    for (const auto& [number, value] : results) search.End(number, value);
  }
  return least;
}

double Sphere(const std::vector<double>& x) {
  double sum = 0;
  for (const double one : x) sum += (one - 1) * (one - 1);
  return sum;
}

TEST(Cmaes, FindsTheMiddleOfASphere) {
  EXPECT_LT(LeastOf(ParseCmaes(Axes(4)), Sphere, 300), 1e-3);
  EXPECT_LT(LeastOf(ParseCmaes(Axes(4)), Sphere, 400, /*at_once=*/8), 1e-3);
  EXPECT_LT(LeastOf(ParseCmaes(Axes(1)), Sphere, 100), 1e-4);
  EXPECT_LT(LeastOf(ParseCmaes(Axes(2, "1.0", "3.0")), Sphere, 200), 1e-4) << "in a corner";
}

// Generations of a few points would each move the distribution by points of several before.
TEST(Cmaes, ConvergesWithManyAtOnce) {
  for (int seed = 1; seed <= 3; ++seed) {
    EXPECT_LT(LeastOf(ParseCmaes(Axes(4), seed), Sphere, 960, /*at_once=*/32), 1e-3) << seed;
  }
}

// A narrow valley across the axes, which takes a covariance.
TEST(Cmaes, FindsTheEndOfATurnedValley) {
  const Cost valley = [](const std::vector<double>& x) {
    double sum = 0, mean = 0;
    for (const double one : x) mean += (one - 1) / static_cast<double>(x.size());
    for (const double one : x) sum += (one - 1 - mean) * (one - 1 - mean);
    return mean * mean + 1e3 * sum;
  };
  EXPECT_LT(LeastOf(ParseCmaes(Axes(4)), valley, 800), 1e-3);
}

// The integers hardly matter until the rest is exact: without a margin, their deviation is less
// than a cell by then.
TEST(Cmaes, IntegersDoNotFreeze) {
  const Cost cost = [](const std::vector<double>& x) {  // i0 to i3, x0 to x2
    double sum = 0;
    for (std::size_t i = 0; i < 4; ++i) sum += 1e-3 * std::pow(x[i] - 7, 2);
    for (std::size_t i = 4; i < 7; ++i) sum += std::pow(x[i] - 1, 2);
    return sum;
  };
  std::string parameters = Axes(3);
  for (int i = 0; i < 4; ++i) parameters += fmt::format("  i{}: {{min: -10, max: 10}}\n", i);
  int found = 0;
  for (int seed = 1; seed <= 10; ++seed) {
    if (LeastOf(ParseCmaes(parameters, seed), cost, 1200) < 1e-3) ++found;
  }
  EXPECT_GE(found, 9);
}

// Lists of numbers, steps of a logarithm, and steps.
constexpr char kSteps[] =
    "  batch: {values: [16, 32, 64, 128]}\n"
    "  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}\n"
    "  units: {distribution: q_log_uniform_values, min: 1, max: 64, q: 1}\n"
    "  width: {distribution: q_uniform, min: 0.1, max: 1.2, q: 0.1}\n";

double CostOfSteps(const ParameterMap& point) {
  return std::abs(AsDouble(point.at("batch")) - 64) / 32 +
         std::pow(std::log10(AsDouble(point.at("lr"))) + 2, 2) +
         std::abs(std::log(AsDouble(point.at("units")) / 5)) +
         std::abs(AsDouble(point.at("width")) - 0.7);
}

TEST(Cmaes, SuggestsTheSameAfterARestartAtAnyInstant) {
  const SweepSpec spec = ParseCmaes(kSteps);
  ToldSearch whole(&spec), killed(&spec);
  PhiloxStream random(9, 0);
  std::vector<std::pair<std::int64_t, ParameterMap>> running;
  for (int step = 0; step < 600; ++step) {
    if (running.size() < 8 && random.NextBelow(2) == 0) {
      const ParameterMap point = whole.Ask();
      ASSERT_EQ(killed.Ask(), point) << whole.asked();
      running.emplace_back(whole.asked(), point);
    } else if (!running.empty()) {
      const std::size_t one = random.NextBelow(static_cast<std::uint32_t>(running.size()));
      const auto [number, point] = running[one];
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(one));
      const std::uint32_t kind = random.NextBelow(12);
      const double value = kind == 0 ? kNotANumber : CostOfSteps(point);
      const TrialState state = kind == 1 ? TrialState::kStopped : TrialState::kCompleted;
      for (ToldSearch* search : {&whole, &killed}) search->End(number, value, state);
      if (kind == 2) {
        for (ToldSearch* search : {&whole, &killed}) search->Reopen(number);
        running.emplace_back(number, point);
      }
    }
    killed.Restart();
  }
  EXPECT_GT(whole.asked(), 250);
}

TEST(Cmaes, TheSameHoldsWhenRunsAreGivenUp) {
  const SweepSpec spec = ParseCmaes(Axes(1));
  ToldSearch whole(&spec), killed(&spec);
  for (int i = 0; i < 300; ++i) {
    const ParameterMap point = whole.Ask();
    ASSERT_EQ(killed.Ask(), point) << i;
    for (ToldSearch* search : {&whole, &killed}) search->End(i + 1, Sphere(NumbersOf(point)));
    if (i % 7 == 0) killed.Restart();
  }
}

// With the best of all its attempts.
TEST(Cmaes, ATrialThatIsTriedAgainCountsOnce) {
  const SweepSpec spec = ParseCmaes(Axes(2));
  ToldSearch again(&spec), once(&spec);
  for (ToldSearch* search : {&again, &once}) {
    for (int i = 0; i < 20; ++i) search->Ask();
  }
  again.End(1, 7, TrialState::kStopped);
  again.Reopen(1);
  for (std::int64_t number = 2; number <= 20; ++number) {
    for (ToldSearch* search : {&again, &once}) {
      if (number == 4) search->End(1, 5);
      search->End(number, static_cast<double>(number * 7 % 20));
    }
    EXPECT_EQ(again.Ask(), once.Ask()) << number;
  }
}

// Trials that were running when a run was given up would lead the next one to its end.
TEST(Cmaes, PointsOfAnEarlierRunDoNotCount) {
  const SweepSpec spec = ParseCmaes(Axes(2));
  ToldSearch search(&spec), other(&spec);
  std::vector<std::pair<std::int64_t, double>> held;  // near the end of the first run
  double distance = 10;
  while (distance < 1 || held.size() < 30) {
    const ParameterMap point = search.Ask();
    ASSERT_EQ(other.Ask(), point);
    distance = std::sqrt(Sphere(NumbersOf(point)));
    if (distance < 1e-2 && held.size() < 30) {
      held.emplace_back(search.asked(), distance);
    } else {
      for (ToldSearch* one : {&search, &other}) one->End(search.asked(), distance);
    }
    ASSERT_LT(search.asked(), 1000);
  }
  for (const auto& [number, value] : held) search.End(number, value);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(search.Ask(), other.Ask()) << "as if they had not ended";
}

TEST(Cmaes, BeginsElsewhereWhenItHasConverged) {
  const SweepSpec spec = ParseCmaes(Axes(2));
  ToldSearch search(&spec);
  std::vector<double> distances;
  for (int i = 0; i < 700; ++i) {
    distances.push_back(std::sqrt(Sphere(NumbersOf(search.Ask()))));
    search.End(i + 1, distances.back());
  }
  // Near, far again, and near again.
  const auto near =
      std::find_if(distances.begin(), distances.end(), [](double d) { return d < 1e-3; });
  ASSERT_NE(near, distances.end());
  const auto far = std::find_if(near, distances.end(), [](double d) { return d > 3; });
  ASSERT_NE(far, distances.end());
  EXPECT_NE(std::find_if(far, distances.end(), [](double d) { return d < 1e-3; }), distances.end());
}

TEST(Cmaes, KeepsAwayFromWhereTrialsFail) {
  for (const TrialState state : {TrialState::kFailed, TrialState::kCompleted}) {
    const SweepSpec spec = ParseCmaes(Axes(2));
    ToldSearch search(&spec);
    double least = 1e9;
    int failed = 0;
    for (std::int64_t number = 1; number <= 200; ++number) {
      const std::vector<double> x = NumbersOf(search.Ask());
      const bool is_bad = x[0] < 0.5;  // nearly to the best point
      if (is_bad && number > 100) ++failed;
      if (!is_bad) least = std::min(least, Sphere(x));
      search.End(number, is_bad ? kNotANumber : Sphere(x), is_bad ? state : TrialState::kCompleted);
    }
    EXPECT_LT(least, 1e-3);
    EXPECT_LT(failed, 50);
  }
}

TEST(Cmaes, SearchesWidelyWhenNothingIsLearnt) {
  for (const double value : {kNotANumber, 1.0}) {
    const SweepSpec spec = ParseCmaes(Axes(2));
    ToldSearch search(&spec);
    std::set<std::pair<int, int>> places;
    for (std::int64_t number = 1; number <= 200; ++number) {
      const std::vector<double> x = NumbersOf(search.Ask());
      places.emplace(static_cast<int>(x[0] + 5) / 2, static_cast<int>(x[1] + 5) / 2);
      search.End(number, value);
    }
    EXPECT_GE(places.size(), 22u) << "of 25";
  }
}

TEST(Cmaes, KeepsToTheConstraints) {
  const SweepSpec spec = ParseCmaes(Axes(2), 3, "constraints: [\"x0 + x1 < -4\"]\n");
  ToldSearch search(&spec);
  double least = 1e9;
  for (std::int64_t number = 1; number <= 300; ++number) {
    const std::vector<double> x = NumbersOf(search.Ask());
    ASSERT_LT(x[0] + x[1], -4);
    least = std::min(least, Sphere(x));
    search.End(number, Sphere(x));
  }
  EXPECT_LT(least, 18.01);  // 18 at (-2, -2), where the constraint ends the space
}

TEST(Cmaes, TriesEveryPointOfAFiniteSpaceOnceAndEnds) {
  const SweepSpec spec =
      ParseCmaes("  a: {min: 0, max: 6}\n  b: {values: [1, 2, 4]}\n  c: {values: [0.5, 0.1]}\n");
  ToldSearch search(&spec);
  std::set<std::string> seen;
  for (std::int64_t number = 1; number <= 42; ++number) {
    const ParameterMap point = search.Ask();
    ASSERT_FALSE(point.empty()) << number;
    EXPECT_TRUE(seen.insert(PointIdentity(point)).second) << number;
    search.End(number, AsDouble(point.at("a")));
  }
  EXPECT_TRUE(search.Ask().empty());
}

TEST(Cmaes, ComesToTheBestOfAFiniteSpaceEarly) {
  const Cost cost = [](const std::vector<double>& x) {
    return std::abs(x[0] - 13) + std::abs(x[1] - 4) + std::abs(std::log2(x[2]) - 3);
  };
  int found = 0;
  for (int seed = 1; seed <= 10; ++seed) {
    const SweepSpec one = ParseCmaes(
        "  a: {min: 0, max: 19}\n  b: {min: 0, max: 19}\n  c: {values: [1, 2, 4, 8, 16]}\n", seed);
    if (LeastOf(one, cost, 120) == 0) ++found;
  }
  EXPECT_GE(found, 8) << "of 2,000 points";
}

TEST(Cmaes, TakesOddSpaces) {
  const std::string fixed = "  x: {min: 0.5, max: 0.50000001}\n  word: {value: a}\n";
  const std::string large =
      "  i: {min: -1000000000000, max: 1000000000000}\n"
      "  q: {distribution: q_log_uniform_values, min: 0.001, max: 1000.0, q: 0.001}\n";
  for (const std::string& parameters : {Axes(50), fixed, large}) {
    const SweepSpec spec = ParseCmaes(parameters);
    ToldSearch search(&spec);
    for (std::int64_t number = 1; number <= 200; ++number) {
      ASSERT_FALSE(search.Ask().empty());
      search.End(number, static_cast<double>(number % 7));
    }
  }
  const SweepSpec spec = ParseCmaes("  x: {value: 1}\n");
  ToldSearch search(&spec);
  EXPECT_FALSE(search.Ask().empty());
  search.End(1, 1);
  EXPECT_TRUE(search.Ask().empty());
}

}  // namespace
}  // namespace sweep
