#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/base/philox.h"
#include "coordinator/search/parzen_mixture.h"
#include "coordinator/search/point_identity.h"
#include "coordinator/search/search.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// ---- the density

// A number, a category of 3 and an ordered list of 5.
const std::vector<ParzenAxis> kAxes = {{}, {.is_ordered = false, .cells = 3}, {.cells = 5}};

ParzenPoint RandomPoint(PhiloxStream* random) {
  ParzenPoint point = {random->NextUniform(), (random->NextBelow(3) + 0.5) / 3,
                       (random->NextBelow(5) + 0.5) / 5};
  if (random->NextBelow(4) == 0) point[0] = kNaN;
  return point;
}

// The mean of the density over the cube.
double Mass(ParzenMixture* mixture) {
  std::vector<ParzenPoint> points;
  constexpr int kSteps = 200;
  for (int i = 0; i < kSteps; ++i) {
    for (int category = 0; category < 3; ++category) {
      for (int cell = 0; cell < 5; ++cell) {
        points.push_back({(i + 0.5) / kSteps, (category + 0.5) / 3, (cell + 0.5) / 5});
      }
    }
  }
  double sum = 0;
  for (const double density : mixture->LogDensities(points)) sum += std::exp(density);
  return sum / static_cast<double>(points.size());
}

TEST(ParzenMixture, IsADensityWhateverWasAddedAndRemoved) {
  PhiloxStream random(1, 0);
  ParzenMixture mixture(kAxes);
  EXPECT_NEAR(Mass(&mixture), 1, 1e-3);
  std::set<std::int64_t> numbers;
  for (std::int64_t step = 1; step <= 400; ++step) {
    if (random.NextBelow(3) == 0 && !numbers.empty()) {
      mixture.Remove(*numbers.begin());
      numbers.erase(numbers.begin());
    } else {
      mixture.Add(step, RandomPoint(&random));
      numbers.insert(step);
    }
    ASSERT_EQ(mixture.size(), numbers.size());
    if (step % 40 == 0) EXPECT_NEAR(Mass(&mixture), 1, 2e-3) << step;
  }
}

TEST(ParzenMixture, IsTheSameAfterAnyHistory) {
  PhiloxStream random(2, 0);
  std::vector<ParzenPoint> points;
  for (int i = 0; i < 300; ++i) points.push_back(RandomPoint(&random));
  ParzenMixture direct(kAxes), detour(kAxes);
  for (std::int64_t number = 0; number < 300; ++number) {
    if (number % 2 == 0) direct.Add(number, points[static_cast<std::size_t>(number)]);
  }
  // In another order (7 and 300 have no common divisor), with some that go again.
  for (std::int64_t i = 0; i < 300; ++i) {
    const std::int64_t number = 7 * i % 300;
    detour.Add(number, points[static_cast<std::size_t>(number)]);
    if (i % 3 == 0) {
      detour.Remove(number);
      detour.Add(number, points[static_cast<std::size_t>(number)]);
    }
  }
  for (std::int64_t number = 299; number > 0; number -= 2) detour.Remove(number);
  EXPECT_EQ(direct.LogDensities(points), detour.LogDensities(points)) << "to the last bit";
}

TEST(ParzenMixture, DrawsAsItsDensitySays) {
  PhiloxStream random(3, 0);
  ParzenMixture mixture(kAxes);
  for (std::int64_t number = 1; number <= 30; ++number) {
    mixture.Add(number, {0.2 + 0.01 * static_cast<double>(number % 5), 0.5, 0.9});
  }
  int low = 0, own = 0, last = 0;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const ParzenPoint point = mixture.Draw(&random);
    low += point[0] < 0.4 ? 1 : 0;
    own += static_cast<int>(point[1] * 3) == 1 ? 1 : 0;
    last += static_cast<int>(point[2] * 5) == 4 ? 1 : 0;
  }
  // The shares by the density, on a grid.
  double expected_low = 0, expected_own = 0, expected_last = 0, all = 0;
  for (int i = 0; i < 100; ++i) {
    for (int category = 0; category < 3; ++category) {
      for (int cell = 0; cell < 5; ++cell) {
        const ParzenPoint point = {(i + 0.5) / 100, (category + 0.5) / 3, (cell + 0.5) / 5};
        const double density = std::exp(mixture.LogDensities(std::span(&point, 1)).front());
        all += density;
        if (i < 40) expected_low += density;
        if (category == 1) expected_own += density;
        if (cell == 4) expected_last += density;
      }
    }
  }
  EXPECT_NEAR(static_cast<double>(low) / kDraws, expected_low / all, 0.02);
  EXPECT_NEAR(static_cast<double>(own) / kDraws, expected_own / all, 0.02);
  EXPECT_NEAR(static_cast<double>(last) / kDraws, expected_last / all, 0.02);
}

// The density is one over the cube, in which the cells have the widths of their shares.
TEST(ParzenMixture, CategoriesHaveTheirShares) {
  PhiloxStream random(4, 0);
  const std::vector<double> shares = {0.5, 0, 0.3, 0.2};
  const std::vector<double> middles = {0.25, 0.5, 0.65, 0.9};
  ParzenMixture mixture({{.is_ordered = false, .cells = 4, .shares = shares}});
  const auto drawn = [&] {
    std::vector<double> counts(4);
    constexpr int kDraws = 20'000;
    for (int i = 0; i < kDraws; ++i) {
      const double at = mixture.Draw(&random).front();
      counts[at < 0.5 ? 0 : at < 0.8 ? 2 : 3] += 1.0 / kDraws;
    }
    return counts;
  };
  const auto by_density = [&](std::size_t cell) {
    const ParzenPoint point = {middles[cell]};
    return shares[cell] * std::exp(mixture.LogDensities(std::span(&point, 1)).front());
  };
  std::vector<double> counts = drawn();
  for (const std::size_t cell : {0, 2, 3}) EXPECT_NEAR(counts[cell], shares[cell], 0.015) << cell;
  for (std::int64_t number = 1; number <= 6; ++number) mixture.Add(number, {middles[3]});
  counts = drawn();
  double all = 0;
  for (const std::size_t cell : {0, 2, 3}) {
    EXPECT_NEAR(counts[cell], by_density(cell), 0.015) << cell;
    all += by_density(cell);
  }
  EXPECT_NEAR(all, 1, 1e-5);
  EXPECT_GT(counts[3], 0.5);
}

// ---- the search

SweepSpec ParseTpe(const std::string& parameters, int run_cap = 60, const std::string& more = "") {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = fmt::format("name: s\nprogram: ./none\nmethod: tpe\nseed: 3\nrun_cap: {}\nepochs: "
                           "2\nmetric: {{name: value, goal: minimize}}\n{}parameters:\n{}",
                           run_cap, more, parameters)},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

constexpr char kMixed[] =
    "  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}\n"
    "  width: {min: 3, max: 12}\n  kind: {values: [a, b]}\n"
    "  depth: {min: 0.0, max: 1.0, when: \"kind == 'b'\"}\n";

double ValueOf(const ParameterMap& point) {
  double value = std::pow(std::log10(AsDouble(point.at("lr"))) + 2, 2);
  value += 0.1 * std::fabs(AsDouble(point.at("width")) - 7);
  if (point.contains("depth")) value += std::fabs(AsDouble(point.at("depth")) - 0.5) - 0.2;
  return value;
}

// A search with what it was told, so that it can be told again.
class Told {
 public:
  explicit Told(const SweepSpec* spec) : spec_(*spec), search_(Search::Make(spec)) {}

  ParameterMap Ask() {
    const auto next = search_->Suggest(++asked_);
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok() || !next->has_value()) return {};
    EXPECT_EQ((*next)->number, asked_);
    points_.push_back(std::make_unique<ParameterMap>((*next)->parameters));
    Tell({.configuration = asked_,
          .state = TrialState::kPending,
          .parameters = points_.back().get()});
    return *points_.back();
  }
  void End(std::int64_t number, double value, TrialState state = TrialState::kCompleted) {
    if (!std::isnan(value)) {
      Tell({.configuration = number, .epoch = 1, .value = value, .state = TrialState::kRunning});
    }
    Tell({.configuration = number, .state = state});
  }
  // As after a restart.
  void Restart() {
    search_ = Search::Make(&spec_);
    for (const Observation& one : told_) search_->Observe(one);
  }

 private:
  void Tell(Observation observation) {
    observation.sequence = std::ssize(told_) + 1;
    told_.push_back(observation);
    search_->Observe(observation);
  }

  const SweepSpec& spec_;
  std::unique_ptr<Search> search_;
  std::vector<std::unique_ptr<ParameterMap>> points_;  // the observations refer to them
  std::vector<Observation> told_;
  std::int64_t asked_ = 0;
};

TEST(Tpe, ComesNearTheBestPoint) {
  const SweepSpec spec = ParseTpe(kMixed, 80);
  Told search(&spec);
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

TEST(Tpe, SuggestsTheSameAfterARestartAtAnyInstant) {
  const SweepSpec spec = ParseTpe(kCoarse);
  const auto coarse = [](const ParameterMap& point) {
    return std::round(AsDouble(point.at("width")) + 20 * AsDouble(point.at("lr")));
  };
  Told whole(&spec), killed(&spec);
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

TEST(Tpe, TriesEveryPointOfAFiniteSpaceOnceAndEnds) {
  const SweepSpec spec =
      ParseTpe("  a: {min: 0, max: 3}\n  b: {values: [1, 2, 4]}\n  c: {values: [x, y, z]}\n", 50);
  const std::unique_ptr<Search> search = Search::Make(&spec);
  std::set<std::string> seen;
  for (std::int64_t number = 1; number <= 36; ++number) {
    const auto next = search->Suggest(number);
    ASSERT_TRUE(next.ok() && next->has_value()) << number << next.status();
    const ParameterMap& point = (*next)->parameters;
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

TEST(Tpe, LearnsFromThePointsThatAreTriedFirst) {
  std::string first = "try_first: [";
  for (int i = 0; i < 10; ++i) first += fmt::format("{{x: 0.{}5}}, ", i);
  const SweepSpec spec = ParseTpe("  x: {min: 0.0, max: 1.0}\n", 60, first + "]\n");
  // The mean of the points after them, which follow from what these gave.
  const auto mean = [&](double best) {
    Told search(&spec);
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

TEST(Tpe, SuggestsTheSameAfterARestartWithPointsThatAreTriedFirst) {
  const SweepSpec spec = ParseTpe(kCoarse, 60, "try_first: [{width: 3}, {kind: b, depth: 2}]\n");
  Told whole(&spec), killed(&spec);
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

TEST(Tpe, GoesOnWhenNothingIsEverMeasured) {
  const SweepSpec spec = ParseTpe(kMixed);
  for (const TrialState state :
       {TrialState::kFailed, TrialState::kDiverged, TrialState::kCancelled}) {
    Told search(&spec);
    for (std::int64_t number = 1; number <= 30; ++number) {
      EXPECT_FALSE(search.Ask().empty());
      search.End(number, kNaN, state);
    }
  }
}

TEST(Tpe, InfinitiesAndNaNAreTheWorst) {
  const SweepSpec spec = ParseTpe("  x: {min: 0.0, max: 1.0}\n");
  Told search(&spec);
  int above = 0;
  for (std::int64_t number = 1; number <= 60; ++number) {
    const double x = AsDouble(search.Ask().at("x"));
    if (number > 30 && x > 0.5) ++above;
    const double odd = number % 2 == 0 ? -std::numeric_limits<double>::infinity() : kNaN;
    search.End(number, x > 0.5 ? 1 - x : odd);
  }
  EXPECT_GT(above, 24) << "only there are numbers";
}

TEST(Tpe, RunningTrialsKeepItFromTheSamePlace) {
  const SweepSpec spec = ParseTpe("  x: {min: 0.0, max: 1.0}\n  y: {min: 0.0, max: 1.0}\n", 200);
  Told search(&spec);
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

TEST(Tpe, TakesOddSpaces) {
  std::string many, choices = "  c: {values: [";
  for (int i = 0; i < 50; ++i) many += fmt::format("  x{}: {{min: 0.0, max: 1.0}}\n", i);
  for (int i = 0; i < 100; ++i) choices += fmt::format("{}v{}", i == 0 ? "" : ", ", i);
  choices += "]}\n  x: {min: 0.0, max: 1.0}\n";
  const std::string narrow = "  x: {min: 0.5, max: 0.5000000000000001}\n";
  for (const std::string& parameters : {many, choices, narrow}) {
    const SweepSpec spec = ParseTpe(parameters);
    Told search(&spec);
    for (std::int64_t number = 1; number <= 30; ++number) {
      const ParameterMap point = search.Ask();
      ASSERT_FALSE(point.empty());
      search.End(number, static_cast<double>(number % 7));
    }
  }
}

TEST(Tpe, KeepsToTheConstraints) {
  const SweepSpec spec = ParseTpe("  x: {min: 0.0, max: 1.0}\n  y: {min: 0.0, max: 1.0}\n", 60,
                                  "constraints: [\"x + y < 0.3\"]\n");
  Told search(&spec);
  for (std::int64_t number = 1; number <= 60; ++number) {
    const ParameterMap point = search.Ask();
    ASSERT_LT(AsDouble(point.at("x")) + AsDouble(point.at("y")), 0.3);
    search.End(number, -AsDouble(point.at("x")));
  }
}

}  // namespace
}  // namespace sweep
