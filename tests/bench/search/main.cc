// Measures the search methods on functions whose minimum is known, and the time of a suggestion.
//
//   search_bench quality METHOD FUNCTION EVALUATIONS SEEDS [AT_ONCE]
//   search_bench curves METHOD FUNCTION EVALUATIONS SEEDS [AT_ONCE]   a JSON line for each seed
//   search_bench repeats METHOD [AT_ONCE]                             of the 48 points of a grid
//   search_bench time METHOD TRIALS...
//   search_bench memory METHOD TRIALS...
//   search_bench warm METHOD CONFIGURATIONS                           of an earlier sweep
//
// Function `table` looks its values up in mnist/table.csv: the errors of real trainings.

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numbers>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/search.h"
#include "fmt/format.h"

namespace sweep {
namespace {

struct Function {
  std::string name;
  std::string parameters;  // of a sweep file
  std::function<double(const ParameterMap&)> value;
  double minimum = 0;
  // What the search is told instead of the value, if not the value itself.
  std::function<double(const ParameterMap&, std::mt19937_64*)> seen = nullptr;
  // The value that the best hundredth of all points reaches, where they can be counted.
  double top = -std::numeric_limits<double>::infinity();
};

double Number(const ParameterMap& point, const std::string& name) {
  return AsDouble(point.at(name));
}

std::vector<double> Numbers(const ParameterMap& point) {
  std::vector<double> numbers;
  for (const auto& [name, value] : point) numbers.push_back(AsDouble(value));
  return numbers;
}

std::string Cube(int dimensions, const char* low, const char* high) {
  std::string text;
  for (int i = 0; i < dimensions; ++i) {
    text += fmt::format("  x{}: {{min: {}, max: {}}}\n", i, low, high);
  }
  return text;
}

double Branin(const ParameterMap& point) {
  const double x = Number(point, "x"), y = Number(point, "y");
  constexpr double kPi = std::numbers::pi;
  const double a = y - 5.1 / (4 * kPi * kPi) * x * x + 5 / kPi * x - 6;
  return a * a + 10 * (1 - 1 / (8 * kPi)) * std::cos(x) + 10;
}

double Hartmann6(const ParameterMap& point) {
  constexpr double kA[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                               {0.05, 10, 17, 0.1, 8, 14},
                               {3, 3.5, 1.7, 10, 17, 8},
                               {17, 8, 0.05, 10, 0.1, 14}};
  constexpr double kP[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                               {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                               {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                               {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
  constexpr double kC[4] = {1, 1.2, 3, 3.2};
  const std::vector<double> x = Numbers(point);
  double value = 0;
  for (int i = 0; i < 4; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 6; ++j) sum += kA[i][j] * (x[j] - kP[i][j]) * (x[j] - kP[i][j]);
    value -= kC[i] * std::exp(-sum);
  }
  return value;
}

double Rosenbrock(const ParameterMap& point) {
  const std::vector<double> x = Numbers(point);
  double value = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    value += 100 * std::pow(x[i + 1] - x[i] * x[i], 2) + std::pow(1 - x[i], 2);
  }
  return value;
}

double Levy(const ParameterMap& point) {
  std::vector<double> w = Numbers(point);
  for (double& one : w) one = 1 + (one - 1) / 4;
  constexpr double kPi = std::numbers::pi;
  double value = std::pow(std::sin(kPi * w[0]), 2);
  for (std::size_t i = 0; i + 1 < w.size(); ++i) {
    value += std::pow(w[i] - 1, 2) * (1 + 10 * std::pow(std::sin(kPi * w[i] + 1), 2));
  }
  return value + std::pow(w.back() - 1, 2) * (1 + std::pow(std::sin(2 * kPi * w.back()), 2));
}

// Two branches: sgd reaches 0 on a narrow ridge, adam 0.3 in a wide basin.
double Conditional(const ParameterMap& point) {
  const double l = std::log10(Number(point, "lr")), w = std::log10(Number(point, "wd"));
  const double k = Number(point, "k");
  const double value = 0.15 * std::pow(w + 4 + 0.3 * (l + 2), 2) + 0.05 * std::pow(k - 7, 2);
  if (std::get<std::string>(point.at("opt")) == "adam") {
    return value + 0.3 + 0.4 * std::pow(l + 3, 2);
  }
  const double m = Number(point, "mom");
  return value + 0.6 * std::pow(l + 1 + 2 * (m - 0.5), 2) + 3 * std::pow(m - 0.9, 2);
}

// Something like the loss of accuracy of a network for MNIST, in percentage points.
double MnistLike(const ParameterMap& point) {
  const double l = std::log10(Number(point, "lr")), m = Number(point, "momentum");
  const double b = std::log2(Number(point, "batch_size")), d = Number(point, "dropout");
  const double effective = l - std::log10(std::max(1e-3, 1 - m)) - 0.30103 * (b - 6);
  double value = 0.12 * std::pow(effective + 0.3, 2);
  if (effective > 0.6) value += 0.5 * std::pow(effective - 0.6, 2);
  value += 6.0 * std::pow(d - 0.06, 2) + 0.06 * std::pow(m - 0.9, 2) + 0.012 * std::pow(b - 6.5, 2);
  return std::min(value, 89.0);
}

double Grid(const ParameterMap& point) {
  const double a = Number(point, "a"), b = Number(point, "b");
  const std::string c = std::get<std::string>(point.at("c"));
  const double of_c = c == "x" ? 0.5 : c == "y" ? 0 : 1.2;
  return (a - 2) * (a - 2) + 0.7 * (b - 1) * (b - 1) + of_c + 0.1 * a * b;
}

// Whose values are words: the sum of what each word and each pair of words is worth, drawn once.
// With numbers, the best of each depends on the first word.
class Words {
 public:
  Words(int words, int values, int numbers) : words_(words), values_(values), numbers_(numbers) {
    std::mt19937_64 random(7);
    std::normal_distribution<double> normal(0, 1);
    for (int i = 0; i < words * values; ++i) alone_.push_back(normal(random));
    for (int i = 0; i < words * words * values * values; ++i) {
      together_.push_back(0.3 * normal(random));
    }
  }

  std::string Parameters() const {
    std::vector<std::string> list;
    for (int i = 0; i < values_; ++i) list.push_back(std::string(1, static_cast<char>('a' + i)));
    std::string text;
    for (int i = 0; i < words_; ++i) {
      text += fmt::format("  w{}: {{values: [{}]}}\n", i, absl::StrJoin(list, ", "));
    }
    return numbers_ > 0 ? text + Cube(numbers_, "0.0", "1.0") : text;
  }
  double Value(const ParameterMap& point) const {
    std::vector<int> chosen;
    for (int i = 0; i < words_; ++i) {
      chosen.push_back(std::get<std::string>(point.at(fmt::format("w{}", i)))[0] - 'a');
    }
    double value = OfWords(chosen);
    for (int i = 0; i < numbers_; ++i) {
      const double best = 0.2 + 0.6 * chosen[0] / (values_ - 1);
      value += 10 * std::pow(Number(point, fmt::format("x{}", i)) - best, 2);
    }
    return value;
  }
  double Minimum() const {
    double least = std::numeric_limits<double>::infinity();
    std::vector<int> chosen(static_cast<std::size_t>(words_));
    for (bool more = true; more;) {
      least = std::min(least, OfWords(chosen));
      more = false;
      for (int& one : chosen) {
        if (++one < values_) {
          more = true;
          break;
        }
        one = 0;
      }
    }
    return least;
  }

 private:
  double OfWords(const std::vector<int>& chosen) const {
    double value = 0;
    for (int i = 0; i < words_; ++i) {
      value += alone_[static_cast<std::size_t>(i * values_ + chosen[static_cast<std::size_t>(i)])];
      for (int j = 0; j < i; ++j) {
        const int pair = (i * words_ + j) * values_ * values_ +
                         chosen[static_cast<std::size_t>(i)] * values_ +
                         chosen[static_cast<std::size_t>(j)];
        value += together_[static_cast<std::size_t>(pair)];
      }
    }
    return value;
  }

  const int words_, values_, numbers_;
  std::vector<double> alone_, together_;
};

Function MakeWords(const std::string& name, int words, int values, int numbers) {
  const Words function(words, values, numbers);
  return {.name = name,
          .parameters = function.Parameters(),
          .value = [function](const ParameterMap& point) { return function.Value(point); },
          .minimum = function.Minimum()};
}

double NoisyMnistLike(const ParameterMap& point, std::mt19937_64* random) {
  return MnistLike(point) + std::normal_distribution<double>(0, 0.04)(*random);
}

// Real trainings of a small network on MNIST: the errors of the last epoch in percent, of one or
// several trainings for each configuration.
class Table {
 public:
  static const Table& Get() {
    static const Table& table = *new Table(SWEEP_MNIST_TABLE);
    return table;
  }

  // The mean of the trainings.
  double Mean(const ParameterMap& point) const {
    const std::vector<double>& errors = ErrorsOf(point);
    return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(errors.size());
  }
  // One of the trainings.
  double Draw(const ParameterMap& point, std::mt19937_64* random) const {
    const std::vector<double>& errors = ErrorsOf(point);
    return errors[(*random)() % errors.size()];
  }
  // The mean error that only a share of all configurations goes below, at least one.
  double Best(double share) const {
    std::vector<double> means;
    for (const auto& [key, errors] : errors_) {
      means.push_back(std::accumulate(errors.begin(), errors.end(), 0.0) /
                      static_cast<double>(errors.size()));
    }
    std::sort(means.begin(), means.end());
    const auto count = static_cast<std::size_t>(share * static_cast<double>(means.size()));
    return means[std::max<std::size_t>(count, 1) - 1];
  }

 private:
  static constexpr const char* kNames[] = {"lr", "momentum", "batch_size", "dropout", "schedule"};

  explicit Table(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);  // the names of the columns
    while (std::getline(file, line)) {
      const std::vector<std::string> cells = absl::StrSplit(line, ',');
      std::string key;
      for (std::size_t i = 0; i < std::size(kNames); ++i) key += KeyCell(cells[i]);
      double accuracy = 0;
      const bool has_diverged = cells.back().empty();
      if (!has_diverged && !absl::SimpleAtod(cells.back(), &accuracy)) {
        fmt::print(stderr, "search_bench: no number at the end of {}\n", line);
        std::exit(1);
      }
      errors_[key].push_back(100 - accuracy);
    }
    if (!errors_.empty()) return;
    fmt::print(stderr, "search_bench: no trainings in {}; mnist/make.py makes it\n", path);
    std::exit(1);
  }

  const std::vector<double>& ErrorsOf(const ParameterMap& point) const {
    const auto found = errors_.find(KeyOf(point));
    if (found != errors_.end()) return found->second;
    fmt::print(stderr, "search_bench: the table has no training of {}; mnist/make.py says how\n",
               KeyOf(point));
    std::exit(1);
  }
  static std::string KeyCell(const std::string& text) {
    double number = 0;
    return absl::SimpleAtod(text, &number) ? fmt::format("{};", number) : text + ";";
  }
  static std::string KeyOf(const ParameterMap& point) {
    std::string key;
    for (const char* name : kNames) key += KeyCell(FormatValue(point.at(name)));
    return key;
  }

  std::map<std::string, std::vector<double>> errors_;  // by configuration
};

Function MakeTable() {
  return {.name = "table",
          .parameters =
              "  lr: {values: [0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]}\n"
              "  momentum: {values: [0.5, 0.9, 0.97]}\n"
              "  batch_size: {values: [32, 64, 128]}\n"
              "  dropout: {values: [0.0, 0.1]}\n"
              "  schedule: {values: [constant, cosine, one_cycle]}\n",
          .value = [](const ParameterMap& point) { return Table::Get().Mean(point); },
          .minimum = Table::Get().Best(0),
          .seen = [](const ParameterMap& point,
                     std::mt19937_64* random) { return Table::Get().Draw(point, random); },
          .top = Table::Get().Best(0.01)};
}

const std::vector<Function>& Functions() {
  static const auto& functions = *new std::vector<Function>{
      {"branin", "  x: {min: -5.0, max: 10.0}\n  y: {min: 0.0, max: 15.0}\n", Branin,
       0.39788735772973816},
      {"hartmann6", Cube(6, "0.0", "1.0"), Hartmann6, -3.322368011415515},
      {"rosenbrock5", Cube(5, "-5.0", "10.0"), Rosenbrock, 0},
      {"rosenbrock20", Cube(20, "-5.0", "10.0"), Rosenbrock, 0},
      {"levy4", Cube(4, "-10.0", "10.0"), Levy, 0},
      {"levy20", Cube(20, "-10.0", "10.0"), Levy, 0},
      {"mixcond",
       "  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}\n"
       "  wd: {distribution: log_uniform_values, min: 0.000001, max: 0.01}\n"
       "  k: {min: 3, max: 12}\n  opt: {values: [adam, sgd]}\n"
       "  mom: {min: 0.0, max: 0.99, when: \"opt == 'sgd'\"}\n",
       Conditional, 0},
      {"mnist",
       "  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}\n"
       "  momentum: {min: 0.0, max: 0.99}\n  batch_size: {values: [16, 32, 64, 128, 256, 512]}\n"
       "  dropout: {min: 0.0, max: 0.5}\n",
       MnistLike, 0.003, NoisyMnistLike},
      {"grid", "  a: {min: 0, max: 3}\n  b: {min: 0, max: 3}\n  c: {values: [x, y, z]}\n", Grid,
       0.2},
      MakeWords("words2", 2, 4, 4),
      MakeWords("words4", 4, 5, 2),
      MakeWords("words8", 8, 4, 0),
  };
  return functions;
}

const Function& FunctionOf(std::string_view name) {
  return *std::find_if(Functions().begin(), Functions().end(),
                       [&](const Function& one) { return one.name == name; });
}

SweepSpec SpecOf(const Function& function, const std::string& method, int seed, int cap) {
  const std::string text = fmt::format(
      "name: bench\nprogram: ./none\nmethod: {}\nseed: {}\nrun_cap: {}\nepochs: 1\nmetric: {{name: "
      "value, goal: minimize}}\nparameters:\n{}",
      method, seed, cap, function.parameters);
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec =
      SweepSpec::Parse({.file = "bench.yaml", .text = text}, &diagnostics);
  if (!spec.ok()) {
    fmt::print(stderr, "search_bench: {}\n", std::string(spec.status().message()));
    for (const Diagnostic& one : diagnostics) fmt::print(stderr, "{}\n", FormatDiagnostic(one));
    std::exit(1);
  }
  return *std::move(spec);
}

// Runs a search as a sweep would.
class Runner {
 public:
  explicit Runner(const SweepSpec* spec, SearchStart start = {})
      : search_(Search::Make(spec, std::move(start))) {}

  ParameterMap Ask() {
    const auto next = search_->Suggest(++number_);
    if (!next.ok() || !next->has_value()) {
      fmt::print(stderr, "search_bench: no point {}: {}\n", number_,
                 std::string(next.status().message()));
      std::exit(1);
    }
    search_->Observe({.sequence = ++sequence_,
                      .configuration = number_,
                      .state = TrialState::kPending,
                      .parameters = &(*next)->configuration.parameters});
    return (*next)->configuration.parameters;
  }
  void Tell(std::int64_t number, double value) {
    search_->Observe({.sequence = ++sequence_,
                      .configuration = number,
                      .epoch = 1,
                      .value = value,
                      .state = TrialState::kRunning});
    search_->Observe(
        {.sequence = ++sequence_, .configuration = number, .state = TrialState::kCompleted});
  }
  std::int64_t number() const { return number_; }

 private:
  std::unique_ptr<Search> search_;
  std::int64_t number_ = 0;
  std::int64_t sequence_ = 0;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

constexpr int kReported[] = {25, 50, 100, 200, 500, 1000};

// What a search found with one seed.
struct Outcome {
  std::vector<double> regrets;  // of the best point so far, after each evaluation
  std::int64_t duplicates = 0;
  std::vector<bool> is_right;  // it is in the better branch of the conditional function
  int first_top = 0;           // the evaluation that was the first of the best hundredth; 0: none
  double seconds = 0;          // of the processor
};

Outcome RunSeed(const std::string& method, const Function& function, int evaluations, int seed,
                int at_once) {
  Outcome outcome;
  const double start = CpuSeconds();
  const SweepSpec spec = SpecOf(function, method, seed + 1, evaluations);
  Runner runner(&spec);
  std::mt19937_64 random(static_cast<std::uint64_t>(seed));
  double best_seen = 1e300, best = 1e300;
  bool is_right = false;
  std::vector<std::string> asked;
  for (int done = 0; done < evaluations; done += at_once) {
    std::vector<std::pair<std::int64_t, ParameterMap>> batch;
    for (int i = 0; i < at_once && done + i < evaluations; ++i) {
      ParameterMap point = runner.Ask();
      std::string text;
      for (const auto& [name, value] : point) text += name + "=" + FormatValue(value) + " ";
      asked.push_back(text);
      batch.emplace_back(runner.number(), std::move(point));
    }
    for (const auto& [number, point] : batch) {
      const double value = function.value(point);
      const double seen = function.seen ? function.seen(point, &random) : value;
      if (seen < best_seen) {
        best_seen = seen;
        best = value;
        is_right = point.contains("mom");
      }
      runner.Tell(number, seen);
      outcome.regrets.push_back(best - function.minimum);
      outcome.is_right.push_back(is_right);
      if (outcome.first_top == 0 && value <= function.top) {
        outcome.first_top = static_cast<int>(std::ssize(outcome.regrets));
      }
    }
  }
  std::sort(asked.begin(), asked.end());
  outcome.duplicates = asked.end() - std::unique(asked.begin(), asked.end());
  outcome.seconds = CpuSeconds() - start;
  return outcome;
}

int Curves(const std::string& method, const Function& function, int evaluations, int seeds,
           int at_once) {
  for (int seed = 0; seed < seeds; ++seed) {
    const Outcome outcome = RunSeed(method, function, evaluations, seed, at_once);
    std::vector<std::string> regrets, right;
    for (const int at : kReported) {
      if (at > evaluations) break;
      const auto place = static_cast<std::size_t>(at - 1);
      regrets.push_back(fmt::format("\"{}\": {:.6g}", at, outcome.regrets[place]));
      right.push_back(fmt::format("\"{}\": {}", at, bool{outcome.is_right[place]}));
    }
    fmt::print(
        "{{\"method\": \"{}\", \"function\": \"{}\", \"at_once\": {}, \"seed\": {}, \"regret\": "
        "{{{}}}, "
        "\"duplicates\": {}, \"right\": {{{}}}, \"first_top\": {}, \"cpu_s\": {:.3f}}}\n",
        method, function.name, at_once, seed, absl::StrJoin(regrets, ", "), outcome.duplicates,
        absl::StrJoin(right, ", "), outcome.first_top, outcome.seconds);
    std::fflush(stdout);
  }
  return 0;
}

int Quality(const std::string& method, const Function& function, int evaluations, int seeds,
            int at_once) {
  std::vector<Outcome> outcomes;
  for (int seed = 0; seed < seeds; ++seed) {
    outcomes.push_back(RunSeed(method, function, evaluations, seed, at_once));
  }
  const auto median = [&](const std::function<double(const Outcome&)>& value) {
    std::vector<double> values;
    for (const Outcome& one : outcomes) values.push_back(value(one));
    return Median(values);
  };
  fmt::print("{:<8} {:<12} x{}", method, function.name, at_once);
  for (const int at : kReported) {
    if (at > evaluations) break;
    const auto place = static_cast<std::size_t>(at - 1);
    fmt::print("  @{} {:.3g}", at, median([&](const Outcome& one) { return one.regrets[place]; }));
  }
  fmt::print("  duplicates {}",
             median([](const Outcome& one) { return static_cast<double>(one.duplicates); }));
  if (function.name == "mixcond") {
    fmt::print("  right branch {}/{}",
               std::count_if(outcomes.begin(), outcomes.end(),
                             [](const Outcome& one) { return one.is_right.back(); }),
               seeds);
  }
  fmt::print("  {:.2f} CPU s per seed\n", median([](const Outcome& one) { return one.seconds; }));
  return 0;
}

// How often a point of the 4 × 4 × 3 grid comes again, although each could come once.
int Repeats(const std::string& method, int at_once) {
  constexpr int kPoints = 48, kSeeds = 20;
  std::int64_t all = 0;
  int seeds_with = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const std::int64_t repeats =
        RunSeed(method, FunctionOf("grid"), kPoints, seed, at_once).duplicates;
    all += repeats;
    seeds_with += repeats > 0 ? 1 : 0;
  }
  fmt::print("{:<8} {} points, {} at once: {} repeated in {} seeds, in {} of them\n", method,
             kPoints, at_once, all, kSeeds, seeds_with);
  return 0;
}

int Time(const std::string& method, std::vector<int> counts) {
  const Function& function = FunctionOf("mnist");
  for (const int count : counts) {
    const SweepSpec spec = SpecOf(function, method, 1, count + 1000);
    Runner runner(&spec);
    std::vector<double> milliseconds;
    // Like a sweep: one suggestion for each trial that ends.
    for (int i = 0; i < count + 21; ++i) {
      const double start = CpuSeconds();
      const ParameterMap point = runner.Ask();
      if (i >= count) milliseconds.push_back((CpuSeconds() - start) * 1000);
      runner.Tell(runner.number(), function.value(point));
    }
    const double sum = std::accumulate(milliseconds.begin(), milliseconds.end(), 0.0);
    fmt::print("{:<8} {:>6} finished: {:.3f} ms per suggestion (mean {:.3f}, most {:.3f})\n",
               method, count, Median(milliseconds), sum / static_cast<double>(milliseconds.size()),
               *std::max_element(milliseconds.begin(), milliseconds.end()));
  }
  return 0;
}

// Of this process, in bytes.
struct MemoryUse {
  double resident = 0;   // pages that the system has given
  double allocated = 0;  // blocks that are in use; the rest of the pages is kept for later ones
};

MemoryUse MemoryNow() {
  std::ifstream file("/proc/self/statm");
  double size = 0, resident = 0;
  file >> size >> resident;
  const struct mallinfo2 blocks = mallinfo2();
  return {.resident = resident * static_cast<double>(sysconf(_SC_PAGESIZE)),
          .allocated = static_cast<double>(blocks.uordblks + blocks.hblkhd)};
}

// What so many finished trials need: the memory after them less that after the first ten.
int Memory(const std::string& method, std::vector<int> counts) {
  constexpr int kFirst = 10;
  const Function& function = FunctionOf("mnist");
  std::sort(counts.begin(), counts.end());
  if (counts.front() <= kFirst) {
    fmt::print(stderr, "search_bench: memory is counted from the tenth trial on, not at {}\n",
               counts.front());
    return 2;
  }
  const SweepSpec spec = SpecOf(function, method, 1, counts.back());
  Runner runner(&spec);
  const auto run_to = [&](int count) {
    while (runner.number() < count) {
      const double value = function.value(runner.Ask());
      runner.Tell(runner.number(), value);
    }
    return MemoryNow();
  };
  const MemoryUse first = run_to(kFirst);
  MemoryUse before = first;
  int count_before = kFirst;
  for (const int count : counts) {
    const MemoryUse now = run_to(count);
    fmt::print(
        "{:<8} {:>6} finished: {:.0f} kB resident, {:.0f} kB allocated; a trial: {:.2f} and {:.2f} "
        "kB, since {}: {:.2f} and {:.2f} kB\n",
        method, count, (now.resident - first.resident) / 1000,
        (now.allocated - first.allocated) / 1000, (now.resident - first.resident) / 1000 / count,
        (now.allocated - first.allocated) / 1000 / count, count_before,
        (now.resident - before.resident) / 1000 / (count - count_before),
        (now.allocated - before.allocated) / 1000 / (count - count_before));
    std::fflush(stdout);
    before = now;
    count_before = count;
  }
  return 0;
}

// A sweep that begins with the results of an earlier one.
int Warm(const std::string& method, int count) {
  const Function& function = FunctionOf("mnist");
  const SweepSpec earlier = SpecOf(function, "sobol", 2, count);
  Runner runner(&earlier);
  SearchStart start;
  for (int i = 0; i < count; ++i) {
    ParameterMap point = runner.Ask();
    const double value = function.value(point);
    start.earlier.push_back(
        {.point = std::move(point),
         .replicates = {{.state = TrialState::kCompleted, .epoch = 1, .value = value}}});
  }
  const SweepSpec spec = SpecOf(function, method, 1, 1000);
  double begin = CpuSeconds();
  Runner warm(&spec, std::move(start));
  const double made = CpuSeconds() - begin;
  std::vector<double> seconds;
  for (int i = 0; i < 21; ++i) {
    begin = CpuSeconds();
    const double value = function.value(warm.Ask());
    seconds.push_back(CpuSeconds() - begin);
    warm.Tell(warm.number(), value);
  }
  const double first = seconds.front();
  seconds.erase(seconds.begin());
  fmt::print(
      "{:<8} {:>6} earlier: made in {:.1f} ms, first suggestion {:.2f} ms, then {:.2f} ms (most "
      "{:.2f})\n",
      method, count, made * 1000, first * 1000, Median(seconds) * 1000,
      *std::max_element(seconds.begin(), seconds.end()) * 1000);
  return 0;
}

int Main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() >= 2 && args[0] == "repeats") {
    return Repeats(args[1], args.size() > 2 ? std::atoi(args[2].c_str()) : 1);
  }
  if (args.size() == 3 && args[0] == "warm") return Warm(args[1], std::atoi(args[2].c_str()));
  if (args.size() >= 3 && (args[0] == "time" || args[0] == "memory")) {
    std::vector<int> counts;
    for (std::size_t i = 2; i < args.size(); ++i) counts.push_back(std::atoi(args[i].c_str()));
    return (args[0] == "time" ? Time : Memory)(args[1], counts);
  }
  if (args.size() >= 5 && (args[0] == "quality" || args[0] == "curves")) {
    std::vector<Function> functions = Functions();
    if (args[2] == "table") functions.push_back(MakeTable());  // reads the file
    for (const Function& function : functions) {
      if (function.name != args[2]) continue;
      return (args[0] == "quality" ? Quality : Curves)(
          args[1], function, std::atoi(args[3].c_str()), std::atoi(args[4].c_str()),
          args.size() > 5 ? std::atoi(args[5].c_str()) : 1);
    }
  }
  fmt::print(stderr,
             "search_bench quality METHOD FUNCTION EVALUATIONS SEEDS [AT_ONCE]\n"
             "search_bench curves METHOD FUNCTION EVALUATIONS SEEDS [AT_ONCE]\n"
             "search_bench repeats METHOD [AT_ONCE]\n"
             "search_bench time METHOD TRIALS...\n"
             "search_bench memory METHOD TRIALS...\n"
             "search_bench warm METHOD CONFIGURATIONS\n");
  return 2;
}

}  // namespace
}  // namespace sweep

int main(int argc, char** argv) { return sweep::Main(argc, argv); }
