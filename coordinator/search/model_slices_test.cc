#include "coordinator/search/model_slices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "coordinator/search/testing/told_search.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

SweepSpec SlicedSpec(const std::string& method, const std::string& parameters,
                     const std::string& more = "", const std::string& goal = "minimize") {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = fmt::format("name: s\nprogram: ./none\nmethod: {}\nseed: 3\nrun_cap: 100\nepochs: "
                           "2\nmetric: {{name: value, goal: {}}}\n{}parameters:\n{}",
                           method, goal, more, parameters)},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

constexpr char kTwoNumbers[] =
    "  x: {min: 0.0, max: 1.0}\n  y: {distribution: log_uniform_values, min: 0.01, max: 100}\n";

// 0 at x = 0.3, y = 1.
double BowlOf(const ParameterMap& point) {
  const double y = std::log10(AsDouble(point.at("y")));
  return std::pow(AsDouble(point.at("x")) - 0.3, 2) + 0.1 * y * y;
}

TEST(ModelSlices, TheProcessPredictsInTheUnitsOfTheObjective) {
  for (const bool maximize : {false, true}) {
    const SweepSpec spec = SlicedSpec("gp", kTwoNumbers, "", maximize ? "maximize" : "minimize");
    const double sign = maximize ? -1 : 1;
    ToldSearch search(&spec);
    for (std::int64_t i = 0; i < 42; ++i) {
      const ParameterMap point = {{"x", static_cast<double>(i % 6) / 6 + 0.05},
                                  {"y", std::pow(10, static_cast<double>(i / 6) / 1.75 - 1.7)}};
      search.Take(point);
      search.End(i + 1, 5 + sign * BowlOf(point));
    }
    const std::optional<ModelSlices> known = search.Slices();
    ASSERT_TRUE(known.has_value());
    EXPECT_EQ(known->ended, 42u);
    ASSERT_EQ(known->slices.size(), 2u);
    double largest = 0;
    for (const ModelSlice& slice : known->slices) {
      EXPECT_GT(slice.configuration, 0);
      ASSERT_EQ(slice.mean.size(), slice.values.size());
      EXPECT_TRUE(slice.density.empty());
      for (std::size_t i = 0; i < slice.values.size(); ++i) {
        // The other parameter is near its best value.
        const double value = AsDouble(slice.values[i]);
        const double truth =
            slice.dimension == 0 ? std::pow(value - 0.3, 2) : 0.1 * std::pow(std::log10(value), 2);
        EXPECT_LE(slice.low[i], slice.mean[i]);
        EXPECT_LE(slice.mean[i], slice.high[i]);
        EXPECT_NEAR(slice.mean[i], 5 + sign * truth, 0.05) << slice.dimension << " " << value;
        EXPECT_GE(slice.improvement[i], 0);
        largest = std::max(largest, slice.improvement[i]);
      }
    }
    EXPECT_DOUBLE_EQ(largest, 1);
  }
}

TEST(ModelSlices, AnIntervalIsNarrowWhereTheProcessHasMeasured) {
  const SweepSpec spec = SlicedSpec("gp", "  x: {min: 0.0, max: 1.0}\n");
  ToldSearch search(&spec);
  for (std::int64_t number = 1; number <= 12; ++number) {
    const double x = 0.3 * static_cast<double>(number) / 12;
    search.Take({{"x", x}});
    search.End(number, std::sin(9 * x));
  }
  // One that runs has no value: it does not make the interval narrow.
  search.Take({{"x", 0.9}});
  const ModelSlice slice = search.Slices()->slices.at(0);
  const auto width_at = [&](double x) {
    std::size_t nearest = 0;
    for (std::size_t i = 0; i < slice.values.size(); ++i) {
      if (std::fabs(AsDouble(slice.values[i]) - x) <
          std::fabs(AsDouble(slice.values[nearest]) - x)) {
        nearest = i;
      }
    }
    return slice.high[nearest] - slice.low[nearest];
  };
  EXPECT_LT(width_at(0.15), 0.2);
  EXPECT_GT(width_at(0.9), 5 * width_at(0.15));
}

TEST(ModelSlices, AskingChangesNoSuggestion) {
  constexpr char kMixed[] =
      "  x: {min: 0.0, max: 1.0}\n  y: {distribution: log_uniform_values, min: 0.01, max: 100}\n"
      "  kind: {values: [a, b, c]}\n  depth: {min: 1, max: 4, when: \"kind == 'b'\"}\n";
  for (const char* method : {"gp", "tpe", "cmaes"}) {
    const bool takes_all = std::string(method) != "cmaes";
    const SweepSpec spec = SlicedSpec(method, takes_all ? kMixed : kTwoNumbers);
    ToldSearch asked(&spec), other(&spec);
    for (std::int64_t number = 1; number <= 45; ++number) {
      const ParameterMap point = asked.Ask();
      asked.Slices();
      ASSERT_EQ(point, other.Ask()) << method << " " << number;
      // Two run at any time.
      if (number < 3) continue;
      const TrialState state = number % 7 == 0 ? TrialState::kFailed : TrialState::kCompleted;
      asked.End(number - 2, std::fmod(static_cast<double>(number) * 0.37, 1), state);
      asked.Slices();
      other.End(number - 2, std::fmod(static_cast<double>(number) * 0.37, 1), state);
    }
  }
}

// By the trapezoidal rule in the unit cube.
double IntegralOf(const ModelSlice& slice, const std::vector<double>& density, double low,
                  double high) {
  double sum = 0;
  for (std::size_t i = 1; i < density.size(); ++i) {
    const double step = AsDouble(slice.values[i]) - AsDouble(slice.values[i - 1]);
    sum += (density[i] + density[i - 1]) / 2 * step / (high - low);
  }
  return sum;
}

TEST(ModelSlices, DensitiesAreThoseOfOneParameterAlone) {
  constexpr char kLists[] =
      "  x: {min: 0.0, max: 1.0}\n  n: {min: 1, max: 4}\n  kind: {values: [a, b, c]}\n";
  constexpr char kOther[] = "  x: {min: 0.0, max: 1.0}\n  n: {min: 1, max: 4}\n";
  for (const char* method : {"tpe", "cmaes"}) {
    const bool is_tpe = std::string(method) == "tpe";
    const SweepSpec spec = SlicedSpec(method, is_tpe ? kLists : kOther);
    ToldSearch search(&spec);
    for (std::int64_t number = 1; number <= 60; ++number) {
      search.End(number, std::fabs(AsDouble(search.Ask().at("x")) - 0.7));
    }
    const std::optional<ModelSlices> known = search.Slices();
    ASSERT_EQ(known->slices.size(), is_tpe ? 3u : 2u);
    for (const ModelSlice& slice : known->slices) {
      EXPECT_TRUE(slice.mean.empty());
      EXPECT_EQ(slice.other_density.empty(), !is_tpe);
      for (const std::vector<double>* density : {&slice.density, &slice.other_density}) {
        if (density->empty()) continue;
        ASSERT_EQ(density->size(), slice.values.size());
        if (slice.dimension == 0) {
          EXPECT_NEAR(IntegralOf(slice, *density, 0, 1), 1, 0.05) << method;
        } else {  // values that are equally likely in the space
          const double sum = std::accumulate(density->begin(), density->end(), 0.0);
          EXPECT_NEAR(sum / static_cast<double>(density->size()), 1, 0.02) << method;
        }
      }
    }
    const ModelSlice& x = known->slices.front();
    const auto densest = std::max_element(x.density.begin(), x.density.end());
    EXPECT_NEAR(AsDouble(x.values[static_cast<std::size_t>(densest - x.density.begin())]), 0.7, 0.1)
        << method;
  }
}

TEST(ModelSlices, AParameterIsShownWhereItExistsAndNotWhereItIsExcluded) {
  const SweepSpec spec = SlicedSpec("gp",
                                    "  kind: {values: [a, b]}\n  x: {min: 0.0, max: 1.0}\n"
                                    "  depth: {min: 0.0, max: 1.0, when: \"kind == 'b'\"}\n"
                                    "  never: {min: 0.0, max: 1.0, when: \"x > 2\"}\n",
                                    "constraints: [\"x < 0.5 or kind == 'b'\"]\n");
  ToldSearch search(&spec);
  std::int64_t best_b = 0;
  double least_b = 1e9;
  for (std::int64_t number = 1; number <= 40; ++number) {
    const ParameterMap point = search.Ask();
    const bool is_b = point.at("kind") == Value(std::string("b"));
    // Those of `a` are best.
    const double value = AsDouble(point.at("x")) + (is_b ? 3 + AsDouble(point.at("depth")) : 0);
    search.End(number, value);
    if (is_b && value < least_b) {
      least_b = value;
      best_b = number;
    }
  }
  const std::optional<ModelSlices> known = search.Slices();
  ASSERT_EQ(known->slices.size(), 3u);  // nothing has `never`
  for (const ModelSlice& slice : known->slices) {
    const std::string& name = spec.parameters[slice.dimension].name;
    if (name == "depth") {
      EXPECT_EQ(slice.configuration, best_b);
    }
    if (name == "kind") {
      ASSERT_EQ(slice.values.size(), 2u);
      EXPECT_LT(slice.mean[0], slice.mean[1]);
    }
    if (name == "x") {
      EXPECT_TRUE(std::isfinite(slice.mean.front()));
      EXPECT_TRUE(std::isnan(slice.mean.back()) && std::isnan(slice.improvement.back()));
    }
  }
}

TEST(ModelSlices, ThereAreNoneBeforeThereIsAModel) {
  const SweepSpec grid = SlicedSpec("random", kTwoNumbers);
  EXPECT_FALSE(ToldSearch(&grid).Slices().has_value());
  const SweepSpec spec = SlicedSpec("tpe", kTwoNumbers);
  ToldSearch search(&spec);
  for (std::int64_t number = 1; number <= 9; ++number) search.End(number, BowlOf(search.Ask()));
  EXPECT_EQ(search.Slices()->ended, 9u);
  EXPECT_EQ(search.Slices()->needed, 10u);
  EXPECT_TRUE(search.Slices()->slices.empty());
  search.End(10, BowlOf(search.Ask()));
  EXPECT_EQ(search.Slices()->slices.size(), 2u);
}

TEST(ModelSlices, ASweepWithoutAnyValueHasNoPrediction) {
  const SweepSpec spec = SlicedSpec("gp", kTwoNumbers);
  ToldSearch search(&spec);
  for (std::int64_t number = 1; number <= 12; ++number) {
    search.Ask();
    search.End(number, kNoNumber, TrialState::kFailed);
  }
  const std::optional<ModelSlices> known = search.Slices();
  for (const ModelSlice& slice : known->slices) {
    for (const double mean : slice.mean) EXPECT_TRUE(std::isnan(mean));
  }
}

TEST(ModelSlices, EqualValuesArePredictedAsTheyAre) {
  const SweepSpec spec = SlicedSpec("gp", kTwoNumbers);
  ToldSearch search(&spec);
  for (std::int64_t number = 1; number <= 12; ++number) {
    search.Ask();
    search.End(number, 0.25);
  }
  const std::optional<ModelSlices> known = search.Slices();
  for (const ModelSlice& slice : known->slices) {
    for (const double mean : slice.mean) EXPECT_EQ(mean, 0.25);
  }
}

}  // namespace
}  // namespace sweep
