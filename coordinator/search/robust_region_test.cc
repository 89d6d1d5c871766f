#include "coordinator/search/robust_region.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "coordinator/search/learned_gates.h"
#include "coordinator/search/testing/search_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr double kUnmeasured = std::numeric_limits<double>::quiet_NaN();
using Problem = RobustRegion::Problem;

SweepSpec SpecOf(int seed, int runs, const std::string& parameters,
                 const std::string& more = "require: {score: \"<= 1\"}\n",
                 const std::string& method = "random") {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = fmt::format("name: s\nprogram: ./none\nmethod: {}\nseed: {}\nrun_cap: {}\nepochs: "
                           "1\nmetric: {{name: value, goal: minimize}}\nparameters:\n{}{}",
                           method, seed, runs, parameters, more)},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

constexpr char kSquare[] = "  x: {min: 0.0, max: 1.0}\n  y: {min: 0.0, max: 1.0}\n";

using Score = std::function<double(const ParameterMap&)>;

// Runs at the sweep's own points, with that score and normal noise; `replicates` of each.
std::vector<RegionRun> Train(const SweepSpec& spec, const Score& score, double noise, int seed,
                             int replicates = 1) {
  std::mt19937_64 random(static_cast<std::uint64_t>(seed));
  std::normal_distribution<double> deviation(0, noise);
  const LearnedGates gates = LearnedGates::AllOf(spec);
  std::vector<RegionRun> runs;
  for (const ParameterMap& point : All(spec)) {
    const std::int64_t configuration = runs.empty() ? 1 : runs.back().configuration + 1;
    for (int i = 0; i < replicates; ++i) {
      const double value = score(point) + deviation(random);
      RegionRun& run = runs.emplace_back();
      run.configuration = configuration;
      run.parameters = point;
      run.excesses = {gates.Excess(0, value)};
      run.meets = run.excesses[0] <= 0;
    }
  }
  return runs;
}

const RobustRegion::Side& SideOf(const RobustRegion& region, std::size_t dimension) {
  const auto found =
      std::find_if(region.sides.begin(), region.sides.end(),
                   [&](const RobustRegion::Side& side) { return side.dimension == dimension; });
  EXPECT_NE(found, region.sides.end());
  return *found;
}

double Low(const RobustRegion& region, std::size_t dimension) {
  return AsDouble(*SideOf(region, dimension).low);
}
double High(const RobustRegion& region, std::size_t dimension) {
  return AsDouble(*SideOf(region, dimension).high);
}

// At most 1 within the box [0.3, 0.7] × [0.35, 0.85], and rising with the distance from its middle.
double BoxScore(const ParameterMap& point) {
  const double x = AsDouble(point.at("x")), y = AsDouble(point.at("y"));
  return std::max(std::fabs(x - 0.5) / 0.2, std::fabs(y - 0.6) / 0.25);
}

// The share of runs of a box in x and y that meet the gate.
double TrueShare(double x_low, double x_high, double y_low, double y_high, double noise) {
  constexpr int kSteps = 100;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    for (int j = 0; j < kSteps; ++j) {
      const double x = x_low + (x_high - x_low) * (i + 0.5) / kSteps;
      const double y = y_low + (y_high - y_low) * (j + 0.5) / kSteps;
      const double excess = BoxScore({{"x", x}, {"y", y}}) - 1;
      sum += 0.5 * std::erfc(excess / noise / std::sqrt(2.0));
    }
  }
  return sum / kSteps / kSteps;
}

// The volume of the largest box with that share, which has the form of the true one.
double BestVolume(double share, double noise) {
  double low = 0, high = 1.4;
  for (int i = 0; i < 40; ++i) {
    const double scale = (low + high) / 2;
    const double is = TrueShare(0.5 - 0.2 * scale, 0.5 + 0.2 * scale, 0.6 - 0.25 * scale,
                                0.6 + 0.25 * scale, noise);
    (is >= share ? low : high) = scale;
  }
  return 0.4 * 0.5 * low * low;
}

// Over many seeds: what runs do in the box that was found, and how large it is beside the best one.
struct Kept {
  int found = 0;
  double share = 0, volume = 0;  // means
  double least = 1;              // share
};

Kept KeptAt(double noise, int seeds, int runs) {
  const double best = BestVolume(0.9, noise);
  Kept kept;
  for (int seed = 1; seed <= seeds; ++seed) {
    const SweepSpec spec = SpecOf(seed, runs, kSquare);
    const RobustRegion region = FindRobustRegion(spec, Train(spec, BoxScore, noise, seed), 0.9);
    if (region.problem != Problem::kNone) continue;
    EXPECT_GE(region.chance, 0.9 - 0.005);
    EXPECT_LE(region.low, region.chance);
    EXPECT_GE(region.high, region.chance);
    const double share =
        TrueShare(Low(region, 0), High(region, 0), Low(region, 1), High(region, 1), noise);
    ++kept.found;
    kept.least = std::min(kept.least, share);
    kept.share += share;
    kept.volume += region.volume / best;
  }
  kept.share /= kept.found;
  kept.volume /= kept.found;
  return kept;
}

TEST(RobustRegion, KeepsItsPromiseInALargePartOfTheBestBox) {
  const Kept little = KeptAt(/*noise=*/0.05, /*seeds=*/20, /*runs=*/80);
  EXPECT_EQ(little.found, 20);
  EXPECT_GE(little.share, 0.9);
  EXPECT_GE(little.least, 0.87);
  EXPECT_GE(little.volume, 0.8);
  const Kept much = KeptAt(/*noise=*/0.3, /*seeds=*/20, /*runs=*/80);
  EXPECT_GE(much.found, 17);
  EXPECT_GE(much.share, 0.88);
  EXPECT_GE(much.least, 0.75);
  EXPECT_GE(much.volume, 0.6);
}

TEST(RobustRegion, IsTheSameEveryTime) {
  const SweepSpec spec = SpecOf(3, 60, kSquare);
  const std::vector<RegionRun> runs = Train(spec, BoxScore, 0.1, 3);
  const RobustRegion a = FindRobustRegion(spec, runs, 0.9), b = FindRobustRegion(spec, runs, 0.9);
  EXPECT_EQ(a.chance, b.chance);
  EXPECT_EQ(Low(a, 0), Low(b, 0));
  EXPECT_EQ(High(a, 1), High(b, 1));
  ASSERT_EQ(a.slices.size(), 2u);
  EXPECT_EQ(a.slices[0].chance, b.slices[0].chance);
}

TEST(RobustRegion, IsSmallerForALargerShare) {
  const SweepSpec spec = SpecOf(5, 100, kSquare);
  const std::vector<RegionRun> runs = Train(spec, BoxScore, 0.15, 5);
  double before = 1;
  for (const double share : {0.6, 0.8, 0.95}) {
    const RobustRegion region = FindRobustRegion(spec, runs, share);
    ASSERT_EQ(region.problem, Problem::kNone) << share;
    EXPECT_LT(region.volume, before) << share;
    before = region.volume;
  }
}

TEST(RobustRegion, SaysWhyThereIsNone) {
  const SweepSpec spec = SpecOf(1, 60, kSquare);
  std::vector<RegionRun> runs = Train(spec, BoxScore, 0.05, 1);
  EXPECT_EQ(FindRobustRegion(SpecOf(1, 60, kSquare, ""), runs, 0.9).problem, Problem::kNoGates);
  EXPECT_EQ(
      FindRobustRegion(SpecOf(1, 60, kSquare, "require: {epochs: \"<= 1\"}\n"), runs, 0.9).problem,
      Problem::kNoGates);
  const RobustRegion few = FindRobustRegion(spec, {runs.begin(), runs.begin() + 9}, 0.9);
  EXPECT_EQ(few.problem, Problem::kTooFew);
  EXPECT_EQ(few.configurations, 9);
  for (RegionRun& run : runs) {
    run.excesses = {0.2};
    run.meets = false;
  }
  EXPECT_EQ(FindRobustRegion(spec, runs, 0.9).problem, Problem::kNoneMeets);
  // One lucky run among many that miss by far.
  runs[20].excesses = {-0.01};
  runs[20].meets = true;
  const RobustRegion lucky = FindRobustRegion(spec, runs, 0.9);
  EXPECT_EQ(lucky.problem, Problem::kNotSure);
  EXPECT_EQ(lucky.configuration, 21);
  EXPECT_LT(lucky.configuration_chance, 0.9);
}

TEST(RobustRegion, IsAllThatWasTriedWhenAllRunsMeet) {
  const SweepSpec spec = SpecOf(1, 40, kSquare);
  const std::vector<RegionRun> runs = Train(spec, [](const ParameterMap&) { return 0.5; }, 0.01, 1);
  const RobustRegion region = FindRobustRegion(spec, runs, 0.9);
  ASSERT_EQ(region.problem, Problem::kNone);
  EXPECT_EQ(region.inside_meeting, region.inside);
  EXPECT_GE(region.inside, 36) << "but for the rounding of the ends";
  EXPECT_GT(region.volume, 0.85);
  double least = 1, most = 0;
  for (const RegionRun& run : runs) {
    least = std::min(least, AsDouble(run.parameters.at("x")));
    most = std::max(most, AsDouble(run.parameters.at("x")));
  }
  EXPECT_GE(Low(region, 0), least) << "never beyond what was tried";
  EXPECT_LE(High(region, 0), most);
  EXPECT_EQ(AsDouble(*SideOf(region, 0).tried_low), least);
}

// Runs that end without a value do not meet the gates, and are not where the region is.
TEST(RobustRegion, TakesWhatWasNotMeasuredForMissed) {
  const SweepSpec spec = SpecOf(2, 80, kSquare);
  std::vector<RegionRun> runs = Train(spec, [](const ParameterMap&) { return 0.5; }, 0.05, 2);
  for (RegionRun& run : runs) {
    if (AsDouble(run.parameters.at("x")) < 0.5) continue;
    run.excesses = {kUnmeasured};
    run.meets = false;
  }
  const RobustRegion region = FindRobustRegion(spec, runs, 0.9);
  ASSERT_EQ(region.problem, Problem::kNone);
  EXPECT_LT(High(region, 0), 0.55);
  EXPECT_GT(High(region, 0), 0.4);
  EXPECT_GT(High(region, 1) - Low(region, 1), 0.7);
  // One that failed after a good epoch.
  for (RegionRun& run : runs) {
    if (AsDouble(run.parameters.at("x")) >= 0.5) run.excesses = {-0.5};
  }
  EXPECT_LT(High(FindRobustRegion(spec, runs, 0.9), 0), 0.55);
}

TEST(RobustRegion, HasRangesAndListsInTheirOwnScales) {
  const SweepSpec spec = SpecOf(4, 160,
                                "  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}\n"
                                "  layers: {distribution: int_uniform, min: 1, max: 8}\n"
                                "  batch: {values: [32, 64, 128, 256]}\n"
                                "  kind: {values: [a, b, c]}\n");
  const auto score = [](const ParameterMap& point) {
    const double lr =
        std::fabs(std::log10(AsDouble(point.at("lr"))) + 2);  // within a decade of 0.01
    const double layers = AsDouble(point.at("layers")) >= 3 ? 0.5 : 1.6;
    const double batch = AsDouble(point.at("batch")) <= 128 ? 0.5 : 1.6;
    const double kind = std::get<std::string>(point.at("kind")) == "b" ? 1.6 : 0.5;
    return std::max({lr, layers, batch, kind});
  };
  const RobustRegion region = FindRobustRegion(spec, Train(spec, score, 0.05, 4), 0.9);
  ASSERT_EQ(region.problem, Problem::kNone);
  EXPECT_NEAR(std::log10(Low(region, 0)), -3, 0.4);
  EXPECT_NEAR(std::log10(High(region, 0)), -1, 0.4);
  EXPECT_EQ(*SideOf(region, 1).low, Value(std::int64_t{3}));
  EXPECT_EQ(*SideOf(region, 1).high, Value(std::int64_t{8}));
  const std::vector<Value> batches = {std::int64_t{32}, std::int64_t{64}, std::int64_t{128}};
  EXPECT_EQ(SideOf(region, 2).values, batches);
  EXPECT_EQ(*SideOf(region, 2).high, Value(std::int64_t{128}));
  const std::vector<Value> kinds = {std::string("a"), std::string("c")};
  EXPECT_EQ(SideOf(region, 3).values, kinds);
  EXPECT_FALSE(SideOf(region, 3).low.has_value());
  EXPECT_EQ(SideOf(region, 3).tried.size(), 3u);
}

// Words in an order have neighbours, but no numbers at the ends.
TEST(RobustRegion, TakesOrderedWordsSideBySide) {
  const SweepSpec spec =
      SpecOf(4, 160,
             "  x: {min: 0.0, max: 1.0}\n"
             "  size: {values: [tiny, small, medium, large, huge], ordered: true}\n");
  const auto score = [](const ParameterMap& point) {
    const std::string& size = std::get<std::string>(point.at("size"));
    return size == "small" || size == "medium" || size == "large" ? 0.5 : 1.6;
  };
  const RobustRegion region = FindRobustRegion(spec, Train(spec, score, 0.05, 4), 0.9);
  ASSERT_EQ(region.problem, Problem::kNone);
  const std::vector<Value> sizes = {std::string("small"), std::string("medium"),
                                    std::string("large")};
  EXPECT_EQ(SideOf(region, 1).values, sizes);
  EXPECT_FALSE(SideOf(region, 1).low.has_value());
  EXPECT_EQ(SideOf(region, 1).tried.size(), 5u);
}

TEST(RobustRegion, StaysInTheBranchOfItsConfiguration) {
  const SweepSpec spec = SpecOf(6, 120,
                                "  kind: {values: [plain, tuned]}\n"
                                "  x: {min: 0.0, max: 1.0}\n"
                                "  y: {min: 0.0, max: 1.0, when: \"kind == 'tuned'\"}\n");
  const auto score = [](const ParameterMap& point) {
    if (!point.contains("y")) return 0.9 + std::fabs(AsDouble(point.at("x")) - 0.5);
    return 2 * std::fabs(AsDouble(point.at("y")) - 0.3) + 0.4;
  };
  const RobustRegion region = FindRobustRegion(spec, Train(spec, score, 0.05, 6), 0.9);
  ASSERT_EQ(region.problem, Problem::kNone);
  ASSERT_EQ(region.sides.size(), 3u);
  const std::vector<Value> tuned = {std::string("tuned")};
  EXPECT_EQ(SideOf(region, 0).values, tuned);
  EXPECT_LT(High(region, 2), 0.75);
}

TEST(RobustRegion, LearnsTheNoiseFromReplicatesAndCountsRuns) {
  const SweepSpec spec = SpecOf(7, 40, kSquare);
  const std::vector<RegionRun> runs = Train(spec, BoxScore, 0.3, 7, 3);
  const RobustRegion region = FindRobustRegion(spec, runs, 0.8);
  EXPECT_EQ(region.configurations, 40);
  EXPECT_EQ(region.runs, 120);
  ASSERT_EQ(region.problem, Problem::kNone);
  EXPECT_EQ(region.inside % 3, 0);
  EXPECT_GT(region.inside, 0);
  EXPECT_GE(TrueShare(Low(region, 0), High(region, 0), Low(region, 1), High(region, 1), 0.3), 0.72);
}

TEST(RobustRegion, OmitsWhatConstraintsExclude) {
  const SweepSpec spec =
      SpecOf(8, 80, kSquare, "require: {score: \"<= 1\"}\nconstraints: [\"x + y <= 1.2\"]\n");
  const RobustRegion region =
      FindRobustRegion(spec, Train(spec, [](const ParameterMap&) { return 0.5; }, 0.05, 8), 0.9);
  ASSERT_EQ(region.problem, Problem::kNone);
  EXPECT_GT(region.volume, 0.8) << "runs are drawn from what is allowed in it";
  EXPECT_GT(region.chance, 0.97);
}

TEST(RobustRegion, TakesAboutASecondForManyRuns) {
  const SweepSpec spec =
      SpecOf(9, 500,
             "  a: {min: 0.0, max: 1.0}\n  b: {min: 0.0, max: 1.0}\n  c: {min: 0.0, max: 1.0}\n"
             "  d: {min: 0.0, max: 1.0}\n  x: {min: 0.0, max: 1.0}\n  y: {min: 0.0, max: 1.0}\n");
  const std::vector<RegionRun> runs = Train(spec, BoxScore, 0.1, 9);
  const std::clock_t began = std::clock();
  const RobustRegion region = FindRobustRegion(spec, runs, 0.9);
  const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  fmt::print("{} runs: {:.2f} s, volume {:.3f}, {} of {}\n", region.runs, seconds, region.volume,
             region.inside_meeting, region.inside);
  ASSERT_EQ(region.problem, Problem::kNone);
  EXPECT_LT(seconds, 20) << "even under a sanitizer";
}

}  // namespace
}  // namespace sweep
