// Holds the region that `sweep best --region` says against trainings that it has not seen: of the
// real trainings in mnist/table.csv, half of the configurations make a region and the others are
// counted in it, for many halves.
//
//   region_bench [SPLITS]

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/spec/dimensions.h"
#include "common/stats/intervals.h"
#include "coordinator/search/learned_gates.h"
#include "coordinator/search/robust_region.h"

namespace sweep {
namespace {

constexpr const char* kNames[] = {"lr", "momentum", "batch_size", "dropout", "schedule"};
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

SweepSpec SpecOf(double accuracy, int epochs) {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse({.file = "region.yaml",
                                      .text = fmt::format(R"(name: region
program: ./none
method: random
run_cap: 378
epochs: {}
metric: {{name: accuracy, goal: maximize}}
require: {{accuracy: ">= {}%"}}
parameters:
  lr: {{values: [0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]}}
  momentum: {{values: [0.5, 0.9, 0.97]}}
  batch_size: {{values: [32, 64, 128]}}
  dropout: {{values: [0.0, 0.1]}}
  schedule: {{values: [constant, cosine, one_cycle]}}
)",
                                                          epochs, accuracy)},
                                     &diagnostics);
  if (!spec.ok()) fmt::print(stderr, "{}", FormatDiagnostics(diagnostics));
  if (!spec.ok()) std::exit(1);
  return *spec;
}

// The trainings, with the best accuracy of their epochs.
std::vector<RegionRun> Read(const SweepSpec& spec) {
  const LearnedGates gates = LearnedGates::AllOf(spec);
  std::map<std::string, std::int64_t> configurations;
  std::vector<RegionRun> runs;
  std::ifstream file(SWEEP_MNIST_TABLE);
  std::string line;
  std::getline(file, line);  // the names of the columns
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = absl::StrSplit(line, ',');
    RegionRun& run = runs.emplace_back();
    std::string key;
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
      double number = 0;
      const bool is_number = absl::SimpleAtod(cells[i], &number);
      const bool is_whole = std::string_view(kNames[i]) == "batch_size";
      run.parameters[kNames[i]] = !is_number ? Value(cells[i])
                                  : is_whole ? Value(static_cast<std::int64_t>(number))
                                             : Value(number);
      key += cells[i] + ";";
    }
    run.configuration =
        configurations.try_emplace(key, std::ssize(configurations) + 1).first->second;
    double best = kMissing;
    for (std::size_t i = std::size(kNames) + 1; i < cells.size(); ++i) {
      double accuracy = 0;
      if (absl::SimpleAtod(cells[i], &accuracy)) best = std::fmax(best, accuracy / 100);
    }
    if (cells.back().empty()) best = kMissing;  // it diverged
    run.excesses = {gates.Excess(0, best)};
    run.meets = run.excesses[0] <= 0;
  }
  return runs;
}

bool IsIn(const SweepSpec& spec, const RobustRegion& region, const ParameterMap& point) {
  const SearchSpace space(&spec);
  return std::all_of(region.sides.begin(), region.sides.end(), [&](const auto& side) {
    const Value& value = point.at(space.axis(side.dimension).name);
    return std::any_of(side.values.begin(), side.values.end(),
                       [&](const Value& one) { return SameValue(one, value); });
  });
}

struct Totals {
  int found = 0, none = 0, seen = 0, seen_met = 0, unseen = 0, unseen_met = 0, within = 0;
  double expected = 0, volume = 0, seconds = 0;
};

void Split(const SweepSpec& spec, const std::vector<RegionRun>& runs, std::uint64_t seed,
           double share, Totals* totals) {
  std::set<std::int64_t> configurations;
  for (const RegionRun& run : runs) configurations.insert(run.configuration);
  std::vector<std::int64_t> order(configurations.begin(), configurations.end());
  std::mt19937_64 random(seed);
  std::shuffle(order.begin(), order.end(), random);
  const std::set<std::int64_t> seen(order.begin(), order.begin() + std::ssize(order) / 2);
  std::vector<RegionRun> learned;
  for (const RegionRun& run : runs) {
    if (seen.contains(run.configuration)) learned.push_back(run);
  }
  const std::clock_t began = std::clock();
  const RobustRegion region = FindRobustRegion(spec, learned, share);
  totals->seconds += static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  if (region.problem != RobustRegion::Problem::kNone) {
    ++totals->none;
    return;
  }
  ++totals->found;
  totals->volume += region.volume;
  totals->seen += static_cast<int>(region.inside);
  totals->seen_met += static_cast<int>(region.inside_meeting);
  int inside = 0, met = 0;
  for (const RegionRun& run : runs) {
    if (seen.contains(run.configuration) || !IsIn(spec, region, run.parameters)) continue;
    ++inside;
    met += run.meets ? 1 : 0;
  }
  totals->unseen += inside;
  totals->unseen_met += met;
  totals->expected += region.chance * inside;
  const double is = static_cast<double>(met) / std::max(inside, 1);
  if (WilsonInterval(is, inside).high >= share) ++totals->within;
}

void Measure(double accuracy, double share, int splits) {
  const SweepSpec spec = SpecOf(accuracy, 12);
  const std::vector<RegionRun> runs = Read(spec);
  const auto met =
      std::count_if(runs.begin(), runs.end(), [](const auto& run) { return run.meets; });
  Totals totals;
  for (int i = 1; i <= splits; ++i) {
    Split(spec, runs, static_cast<std::uint64_t>(i), share, &totals);
  }
  const auto percent = [](double part, double of) { return of > 0 ? 100 * part / of : 0; };
  fmt::print(
      "| {} % | {:.0f} % | {:.1f} % | {} of {} | {:.1f} % | {:.1f} % | {:.1f} % | **{:.1f} %** | "
      "{} | {} | {:.2f} |\n",
      accuracy, 100 * share, percent(static_cast<double>(met), static_cast<double>(runs.size())),
      totals.found, splits, percent(totals.volume, totals.found),
      percent(totals.seen_met, totals.seen), percent(totals.expected, totals.unseen),
      percent(totals.unseen_met, totals.unseen), totals.unseen, totals.within,
      totals.seconds / splits);
}

int Main(int argc, char** argv) {
  const int splits = argc > 1 ? std::atoi(argv[1]) : 20;
  fmt::print(
      "| accuracy of at least | share asked for | of all runs | regions | of the space | met, seen "
      "| expected, unseen | met, unseen | unseen runs | not refuted | CPU s |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const double accuracy : {95.0, 96.0, 96.5, 97.0}) {
    for (const double share : {0.8, 0.9, 0.95}) Measure(accuracy, share, splits);
  }
  return 0;
}

}  // namespace
}  // namespace sweep

int main(int argc, char** argv) { return sweep::Main(argc, argv); }
