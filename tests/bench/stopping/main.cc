// Measures the stopping rules.
//
//   stopping_bench time TRIALS...               decisions per second with so many running trials
//   stopping_bench target FILE BOUND ORDERS     target feasibility on recorded trainings
//   stopping_bench race SWEEPS                  replicates: auto against as many runs of each
//
// FILE is tests/bench/search/mnist/table.csv, or has its columns: hyperparameters, a replicate, and
// an accuracy in per cent for each epoch. BOUND is the accuracy to be reached, a fraction. The
// trainings follow one another in ORDERS random orders.

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/spec/sweep_spec.h"
#include "common/stats/race.h"
#include "common/stats/ranking.h"
#include "coordinator/stopping/stopping_rule.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kEpochs = 19;
constexpr std::int64_t kCompleted = 20;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

SweepSpec MustParse(const std::string& text) {
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec =
      SweepSpec::Parse({.file = "bench.yaml", .text = text}, &diagnostics);
  if (!spec.ok()) {
    fmt::print(stderr, "{}\n", spec.status().ToString());
    std::exit(1);
  }
  return *std::move(spec);
}

// ---- Time

// All trials side by side, epoch by epoch. A trial that the rule lets rest does not report.
void MeasureTime(const std::string& rule_text, std::int64_t trials) {
  const SweepSpec spec = MustParse(fmt::format(
      "name: b\nprogram: ./none\nmethod: random\nrun_cap: 1000000\nepochs: {}\n"
      "metric: {{name: score, goal: maximize}}\nmeasures: {{score: {{range: [0, 1]}}}}\n"
      "parameters: {{lr: {{min: 0.01, max: 1.0}}}}\nrequire: {{score: \">= 0.999\"}}\n{}\n",
      kEpochs, rule_text));
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  const std::size_t before = mallinfo2().uordblks;
  const std::unique_ptr<StoppingRule> rule = StoppingRule::Make(spec);
  std::vector<double> quality;
  std::vector<int> targets;
  std::int64_t sequence = 0, reports = 0, decisions = 0;
  double seconds = 0;
  const auto timed = [&](const Observation& seen) {
    const double start = CpuSeconds();
    const std::vector<StopDecision> made =
        seen.epoch > 0 ? rule->OnEpoch(seen) : rule->OnState(seen);
    seconds += CpuSeconds() - start;
    decisions += std::ssize(made);
    for (const StopDecision& decision : made) {
      targets[static_cast<std::size_t>(decision.configuration) - 1] =
          decision.action == StopDecision::Action::kPromote ? decision.target_epoch : -1;
    }
  };
  for (std::int64_t trial = 1; trial <= trials; ++trial) {
    quality.push_back(uniform(random));
    targets.push_back(rule->FirstTarget(trial));
    const ParameterMap point = {{"lr", 0.01 + 0.99 * uniform(random)}};
    timed({.sequence = ++sequence, .configuration = trial, .parameters = &point});
  }
  const auto report = [&](std::int64_t trial, int epoch) {
    const auto place = static_cast<std::size_t>(trial) - 1;
    if (targets[place] != 0 && epoch > targets[place]) return;
    const double value = 1 - (1.1 - quality[place]) / (epoch + 1) - 0.01 * uniform(random);
    const Measurements values = {{"score", value}};
    ++reports;
    timed({.sequence = ++sequence,
           .configuration = trial,
           .epoch = epoch,
           .value = value,
           .state = TrialState::kRunning,
           .measures = &values});
  };
  // A few have completed before, as far as the rule lets them.
  for (std::int64_t trial = 1; trial <= kCompleted; ++trial) {
    for (int epoch = 1; epoch <= kEpochs; ++epoch) report(trial, epoch);
    if (targets[static_cast<std::size_t>(trial) - 1] != 0) continue;
    timed({.sequence = ++sequence, .configuration = trial, .state = TrialState::kCompleted});
  }
  for (int epoch = 1; epoch <= kEpochs; ++epoch) {
    for (std::int64_t trial = kCompleted + 1; trial <= trials; ++trial) report(trial, epoch);
  }
  const std::size_t bytes = mallinfo2().uordblks - before;
  fmt::print(
      "{:62} {:>7} trials {:>8} reports {:>7} decisions {:>9.0f} reports/s {:>6.0f} B/trial\n",
      rule_text, trials, reports, decisions, static_cast<double>(reports) / seconds,
      static_cast<double>(bytes) / static_cast<double>(trials));
}

// ---- Target feasibility

struct Training {
  ParameterMap parameters;
  std::vector<double> accuracies;
};

std::vector<Training> ReadTrainings(const std::string& path, std::set<std::string>* schedules) {
  std::ifstream file(path);
  std::string line;
  std::vector<std::string> names;
  std::vector<Training> trainings;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = absl::StrSplit(line, ',');
    if (names.empty()) {
      names = cells;
      continue;
    }
    Training training;
    for (std::size_t i = 0; i < cells.size() && i < names.size(); ++i) {
      double number = 0;
      const bool is_number = absl::SimpleAtod(cells[i], &number);
      if (names[i].starts_with("epoch_")) {
        // Empty cells: it had diverged, and ended with the first of them.
        const bool has_ended =
            !training.accuracies.empty() && std::isnan(training.accuracies.back());
        if (!has_ended) {
          training.accuracies.push_back(is_number ? number / 100
                                                  : std::numeric_limits<double>::quiet_NaN());
        }
      } else if (names[i] == "schedule") {
        schedules->insert(cells[i]);
        training.parameters[names[i]] = cells[i];
      } else if (is_number && names[i] != "replicate") {
        training.parameters[names[i]] = number;
      }
    }
    trainings.push_back(std::move(training));
  }
  return trainings;
}

struct Replayed {
  std::int64_t good = 0, good_stopped = 0;
  std::int64_t bad_epochs = 0, bad_saved = 0;
};

Replayed Replay(const SweepSpec& spec, const std::vector<Training>& trainings, double bound,
                std::uint64_t seed) {
  std::vector<std::size_t> order(trainings.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
  const std::unique_ptr<StoppingRule> rule = StoppingRule::Make(spec);
  Replayed replayed;
  std::int64_t number = 0, sequence = 0;
  for (const std::size_t place : order) {
    const Training& training = trainings[place];
    rule->OnState(
        {.sequence = ++sequence, .configuration = ++number, .parameters = &training.parameters});
    const auto epochs = static_cast<int>(training.accuracies.size());
    int last = 0;
    double best = 0;
    bool is_stopped = false, has_diverged = false;
    while (last < epochs && !is_stopped && !has_diverged) {
      const double value = training.accuracies[static_cast<std::size_t>(last)];
      has_diverged = std::isnan(value);
      const Measurements values = {{"score", value}};
      is_stopped = !rule->OnEpoch({.sequence = ++sequence,
                                   .configuration = number,
                                   .epoch = ++last,
                                   .value = value,
                                   .state = TrialState::kRunning,
                                   .measures = &values})
                        .empty();
    }
    is_stopped = is_stopped && !has_diverged;
    rule->OnState({.sequence = ++sequence,
                   .configuration = number,
                   .state = has_diverged ? TrialState::kDiverged
                            : is_stopped ? TrialState::kStopped
                                         : TrialState::kCompleted});
    for (const double value : training.accuracies) {
      if (value > best) best = value;
    }
    if (best >= bound - 1e-9) {
      ++replayed.good;
      replayed.good_stopped += is_stopped ? 1 : 0;
    } else {
      replayed.bad_epochs += epochs;
      replayed.bad_saved += epochs - last;
    }
  }
  return replayed;
}

int MeasureTarget(const std::string& path, double bound, int orders) {
  std::set<std::string> schedules;
  const std::vector<Training> trainings = ReadTrainings(path, &schedules);
  if (trainings.empty()) {
    fmt::print(stderr, "{}: no trainings\n", path);
    return 1;
  }
  std::size_t epochs = 0;
  for (const Training& training : trainings) epochs = std::max(epochs, training.accuracies.size());
  std::string list;
  for (const std::string& schedule : schedules) list += (list.empty() ? "" : ", ") + schedule;
  const SweepSpec spec = MustParse(fmt::format(
      "name: b\nprogram: ./none\nmethod: random\nrun_cap: 100000\nepochs: {}\n"
      "metric: {{name: score, goal: maximize}}\nmeasures: {{score: {{range: [0, 1]}}}}\n"
      "parameters: {{lr: {{min: 0.0, max: 10.0}}, momentum: {{min: 0.0, max: 0.999}}, batch_size: "
      "{{min: 1.0, max: 65536.0}}, dropout: {{min: 0.0, max: 0.9}}, schedule: {{values: [{}]}}}}\n"
      "require: {{score: \">= {}\"}}\nearly_terminate: {{type: target}}\n",
      epochs, list, bound));
  Replayed all;
  for (int order = 0; order < orders; ++order) {
    const Replayed one = Replay(spec, trainings, bound, static_cast<std::uint64_t>(order));
    all.good += one.good;
    all.good_stopped += one.good_stopped;
    all.bad_epochs += one.bad_epochs;
    all.bad_saved += one.bad_saved;
  }
  const double share =
      all.good == 0 ? 0 : static_cast<double>(all.good_stopped) / static_cast<double>(all.good);
  const Interval interval = WilsonInterval(share, all.good);
  fmt::print(
      "{} trainings, {} of which reach {}; {} orders: {} of {} good ones stopped, {:.2f} % "
      "(95 %: {:.2f} to {:.2f}); {:.0f} % of the epochs of the others saved\n",
      trainings.size(), all.good / orders, bound, orders, all.good_stopped, all.good, 100 * share,
      100 * interval.low, 100 * interval.high,
      all.bad_epochs == 0
          ? 0.0
          : 100 * static_cast<double>(all.bad_saved) / static_cast<double>(all.bad_epochs));
  return 0;
}

// ---- The race for the best configuration

constexpr double kDeviation = 0.05;  // between seeds, in points, as on MNIST
constexpr double kGood = 0.01;       // a choice this close to the best is right

// Configurations whose means are drawn evenly from a range, and their runs.
class SimulatedSweep {
 public:
  SimulatedSweep(int configurations, double range, std::uint64_t seed) : random_(seed) {
    std::uniform_real_distribution<double> uniform(0, range);
    for (int i = 0; i < configurations; ++i) means_.push_back(uniform(random_));
  }
  int size() const { return static_cast<int>(means_.size()); }
  double Train(int configuration) {
    return means_[static_cast<std::size_t>(configuration)] + kDeviation * normal_(random_);
  }
  std::size_t best() const {
    return static_cast<std::size_t>(std::max_element(means_.begin(), means_.end()) -
                                    means_.begin());
  }
  double BehindBest(std::size_t configuration) const {
    return means_[best()] - means_[configuration];
  }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  std::vector<double> means_;
};

struct Choice {
  double behind = 0;  // the best
  std::int64_t trainings = 0;
  bool lost_the_best = false;  // it was ruled out
};

Choice ChooseUniformly(int runs, SimulatedSweep sweep) {
  std::size_t chosen = 0;
  double best = -std::numeric_limits<double>::infinity();
  for (int i = 0; i < sweep.size(); ++i) {
    double mean = 0;
    for (int run = 0; run < runs; ++run) mean += sweep.Train(i) / runs;
    if (mean <= best) continue;
    best = mean;
    chosen = static_cast<std::size_t>(i);
  }
  return {.behind = sweep.BehindBest(chosen), .trainings = std::int64_t{runs} * sweep.size()};
}

// Seeds end in the order in which they were handed out, and as many are under way as the race says.
Choice ChooseByRace(const ReplicateRace& race, int max, SimulatedSweep sweep) {
  std::vector<std::vector<RaceRun>> runs;
  std::vector<Contender> contenders;
  for (int i = 0; i < sweep.size(); ++i) {
    runs.push_back({{TrialState::kCompleted, sweep.Train(i)}});
    contenders.push_back(ContenderOf(i + 1, runs.back()));
  }
  Choice choice{.trainings = sweep.size()};
  std::deque<std::pair<std::size_t, std::size_t>> open;
  for (std::int64_t left = race.MostExtra(sweep.size(), max);;) {
    const RaceVerdict verdict =
        JudgeRace({.max = max, .left = left, .within = race.within}, contenders);
    if (verdict.standings[sweep.best()] == RaceStanding::kRuledOut) choice.lost_the_best = true;
    if (verdict.is_over) {
      choice.behind = sweep.BehindBest(*verdict.leader);
      return choice;
    }
    std::size_t changed = 0;
    if (verdict.next) {
      changed = *verdict.next;
      open.emplace_back(changed, runs[changed].size());
      runs[changed].push_back({TrialState::kRunning, std::nullopt});
      --left;
      ++choice.trainings;
    } else {
      changed = open.front().first;
      runs[changed][open.front().second] = {TrialState::kCompleted,
                                            sweep.Train(static_cast<int>(changed))};
      open.pop_front();
    }
    contenders[changed] = ContenderOf(static_cast<std::int64_t>(changed) + 1, runs[changed]);
  }
}

void PrintChoices(const std::string& what, int sweeps,
                  const std::function<Choice(std::uint64_t)>& choose) {
  double right = 0, behind = 0, trainings = 0, lost = 0;
  for (int seed = 1; seed <= sweeps; ++seed) {
    const Choice choice = choose(static_cast<std::uint64_t>(seed));
    if (choice.behind <= kGood) ++right;
    if (choice.lost_the_best) ++lost;
    behind += choice.behind;
    trainings += static_cast<double>(choice.trainings);
  }
  fmt::print("  {:34} {:>6.0f} trainings  right {:.3f}  behind the best {:.4f}  ruled out {:.4f}\n",
             what, trainings / sweeps, right / sweeps, behind / sweeps, lost / sweeps);
}

void MeasureRace(int sweeps) {
  for (const int size : {20, 100}) {
    for (const double range : {0.02, 0.05, 0.1, 0.3}) {
      fmt::print("{} configurations within {} points\n", size, range);
      const auto sweep = [&](std::uint64_t seed) { return SimulatedSweep(size, range, seed); };
      for (const int runs : {1, 2, 3, 4, 5, 6, 8, 10}) {
        PrintChoices(fmt::format("replicates: {}", runs), sweeps,
                     [&](std::uint64_t seed) { return ChooseUniformly(runs, sweep(seed)); });
      }
      PrintChoices("replicates: auto", sweeps,
                   [&](std::uint64_t seed) { return ChooseByRace({}, 10, sweep(seed)); });
      // Long races take long.
      PrintChoices("replicates: {extra: 1000000}", sweeps / 4, [&](std::uint64_t seed) {
        return ChooseByRace({.extra = 1'000'000}, 10, sweep(seed));
      });
      PrintChoices("replicates: {extra: …, within: 0.02}", sweeps / 4, [&](std::uint64_t seed) {
        return ChooseByRace({.extra = 1'000'000, .within = 0.02}, 10, sweep(seed));
      });
    }
  }
}

int Main(const std::vector<std::string>& args) {
  if (args.size() >= 3 && args[1] == "time") {
    for (std::size_t i = 2; i < args.size(); ++i) {
      const std::int64_t trials = std::atoll(args[i].c_str());
      for (const char* rule :
           {"early_terminate: {type: asha}", "early_terminate: {type: asha, form: stopping}",
            "early_terminate: {type: asha, brackets: all}",
            "early_terminate: {type: hyperband, min_iter: 1}", "early_terminate: {type: median}",
            "early_terminate: {type: target}", "stop_when: {qualifying: 1000000}"}) {
        MeasureTime(rule, trials);
      }
    }
    return 0;
  }
  if (args.size() == 5 && args[1] == "target") {
    return MeasureTarget(args[2], std::atof(args[3].c_str()), std::atoi(args[4].c_str()));
  }
  if (args.size() == 3 && args[1] == "race") {
    MeasureRace(std::atoi(args[2].c_str()));
    return 0;
  }
  fmt::print(stderr,
             "usage: stopping_bench time TRIALS... | target FILE BOUND ORDERS | race SWEEPS\n");
  return 2;
}

}  // namespace
}  // namespace sweep

int main(int argc, char** argv) { return sweep::Main(std::vector<std::string>(argv, argv + argc)); }
