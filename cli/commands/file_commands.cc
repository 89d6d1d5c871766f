#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <optional>
#include <sstream>

#include "cli/present/cells.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "cli/spec_input.h"
#include "cli/training/speed.h"
#include "common/base/counted.h"
#include "common/base/input_file.h"
#include "common/command_line/options.h"
#include "common/network/network_file.h"
#include "common/spec/method_choice.h"
#include "common/spec/suggestion_origin.h"
#include "common/spec/sweep_file.h"
#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"
#include "coordinator/search/search.h"
#include "worker/agent/find_trainer.h"

namespace sweep::cli {
namespace {

using cells::Count;
using cells::Mega;
using cells::Missing;
using cells::Text;
using nlohmann::json;

// True for a file with the layers of a network file and without the model of a sweep file. False
// for an unreadable file.
bool IsNetworkFile(const std::string& path) {
  InputFile file(path);
  std::string text;
  if (!file.ok() || !file.Read(YamlReader::kMaxSizeBytes, &text)) return false;
  std::istringstream lines(text);
  bool layers = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("model:")) return false;
    layers = layers || line.starts_with("layers:");
  }
  return layers;
}

// The errors and warnings of `file`; adds an error in `status` that no diagnostic contains.
Listing MessageListing(const std::string& file, const absl::Status& status,
                       const Diagnostics& diagnostics) {
  Listing listing;
  listing.columns = {
      {"FILE", "file"}, {"LINE", "line"}, {"MESSAGE", "message"}, {"SEVERITY", "severity"}};
  for (const Diagnostic& one : diagnostics) {
    const bool warns = one.severity == Diagnostic::Severity::kWarning;
    listing.rows.push_back({Text(one.file), one.line == 0 ? Missing() : Count(one.line),
                            Text(one.message), Text(warns ? "warning" : "error")});
  }
  if (!status.ok() && CountErrors(diagnostics) == 0) {
    listing.rows.push_back(
        {Text(file), Missing(), Text(std::string(status.message())), Text("error")});
  }
  return listing;
}

struct Verdict {
  std::string file;
  const char* kind;  // "sweep" or "network"
  absl::Status status;
  json name = nullptr;
  json digest = nullptr;
  Diagnostics diagnostics;
};

// Prints the result of `validate` for programs, also for a wrong file: JSON has everything, CSV
// only the messages.
int PrintVerdict(const Verdict& verdict, const Session& session) {
  const Listing messages = MessageListing(verdict.file, verdict.status, verdict.diagnostics);
  if (session.format == Format::kCsv) {
    PrintListing(messages, session, std::cout);
  } else {
    PrintJson({{"file", verdict.file},
               {"kind", verdict.kind},
               {"name", verdict.name},
               {"valid", verdict.status.ok()},
               {"digest", verdict.digest},
               {"messages", ListingJson(messages)}},
              std::cout);
  }
  return verdict.status.ok() ? kExitOk : kExitBadInput;
}

int ValidateNetwork(const std::string& path, const Session& session) {
  Diagnostics diagnostics;
  const absl::StatusOr<NetworkFile> file = ReadNetwork(path, &diagnostics);
  if (session.format != Format::kTable) {
    Verdict verdict{.file = path, .kind = "network", .status = file.status()};
    if (file.ok()) verdict.name = file->name();
    verdict.diagnostics = diagnostics;
    return PrintVerdict(verdict, session);
  }
  if (!file.ok()) return FailInput(file.status());
  if (!diagnostics.empty()) std::cerr << FormatDiagnostics(diagnostics) << '\n';
  const absl::StatusOr<Network> network = ResolveWithRecipe(*file);
  std::cout << fmt::format("{}: network '{}' is valid: {}\n", path, file->name(),
                           network.ok()
                               ? fmt::format("{} layers, {} parameters", network->layers.size(),
                                             WithSeparators(network->parameters))
                               : "its size depends on what a sweep chooses");
  return kExitOk;
}

// "3 replicates", "1 to 10 replicates".
std::string ReplicatesInWords(const SweepSpec& spec) {
  if (!spec.race) return Counted(spec.replicates, "replicate");
  return fmt::format("{} to {} replicates", spec.race->min, spec.replicates);
}

// "60 trials", "60 to 120 trials".
std::string TrialsInWords(const SweepSpec& spec, std::int64_t configurations) {
  const std::int64_t first = spec.FirstTrials(configurations);
  const std::int64_t most = spec.MostTrials(configurations);
  return most == first ? Counted(first, "trial") : fmt::format("{} to {} trials", first, most);
}

int Validate(const std::string& file, const Session& session) {
  if (IsNetworkFile(file)) return ValidateNetwork(file, session);
  Diagnostics diagnostics;
  const absl::StatusOr<SweepInput> input = ReadSweepFile(file, &diagnostics);
  if (session.format != Format::kTable) {
    Verdict verdict{.file = file, .kind = "sweep", .status = input.status()};
    if (input.ok()) verdict.name = input->spec.name;
    if (input.ok()) verdict.digest = input->spec.digest;
    verdict.diagnostics = diagnostics;
    return PrintVerdict(verdict, session);
  }
  if (!input.ok()) return FailInput(input.status());
  if (!diagnostics.empty()) std::cerr << FormatDiagnostics(diagnostics) << '\n';
  const SweepSpec& spec = input->spec;
  std::cout << fmt::format("{}: sweep '{}' is valid: {} × {}\n", Printable(file), spec.name,
                           Counted(spec.PlannedConfigurations(), "configuration"),
                           ReplicatesInWords(spec));
  return kExitOk;
}

// Distinguishes the networks of one file by the searched values that its layers refer to.
std::string NetworkLabel(const SweepSpec& spec, const Configuration& configuration) {
  std::string label = configuration.network.name;
  const auto model = configuration.resolved.find("model");
  if (model == configuration.resolved.end()) return label;
  const auto file = spec.networks.find(FormatValue(model->second));
  if (file == spec.networks.end()) return label;
  for (const std::string& name : file->second.references()) {
    const auto value = configuration.parameters.find(name);
    // Dropout changes no size.
    if (value == configuration.parameters.end() || name == "dropout") continue;
    label += fmt::format(" {}={}", name, FormatValue(value->second));
  }
  return label;
}

// One line per network that the sweep's first configurations use.
Listing NetworksOfSweep(const SweepSpec& spec, const std::vector<Configuration>& configurations) {
  Listing listing;
  listing.columns = {{"NETWORK", "network"},
                     {"PARAMS", "parameters", true},
                     {"FC LAYER", "fully_connected"},
                     {"FORWARD MFLOP", "forward_mflop", true},
                     {"TRAIN MFLOP", "train_mflop", true},
                     {"RECEPTIVE FIELD", "receptive_field", true}};
  std::vector<std::pair<std::string, std::int64_t>> seen;
  for (const Configuration& configuration : configurations) {
    const Network& network = configuration.network;
    if (network.layers.empty()) continue;  // a program without a network
    const std::string label = NetworkLabel(spec, configuration);
    const std::pair<std::string, std::int64_t> key(label, network.parameters);
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(key);
    listing.rows.push_back({{label, label},
                            Count(network.parameters),
                            {network.fully_connected ? "yes" : "no", network.fully_connected},
                            Mega(network.forward_flops),
                            Mega(network.train_flops),
                            Count(network.receptive_field)});
  }
  std::sort(listing.rows.begin(), listing.rows.end(), [](const auto& a, const auto& b) {
    return std::pair(a[1].value.template get<std::int64_t>(), a[0].text) <
           std::pair(b[1].value.template get<std::int64_t>(), b[0].text);
  });
  return listing;
}

constexpr double kUsualGflops = 55;  // of a core, when nothing better is known

std::int64_t TrainingImages(const SweepSpec& spec) {
  if (spec.dataset.name == "synthetic")
    return spec.dataset.train_size > 0 ? spec.dataset.train_size : 4096;
  const std::int64_t all = spec.dataset.train_size > 0 ? spec.dataset.train_size : 60'000;
  return all - spec.holdout;
}

// MNIST's number when the file does not tell.
std::int64_t TestImages(const SweepSpec& spec) {
  const std::int64_t known = EvaluationImages(spec);
  return known > 0 ? known : 10'000;
}

struct PreviewOptions {
  std::string file;
  int slots = 2;
  double gflops = 0;  // 0: measured
  std::string trainer;
};

// Enough configurations to know the networks and the mean cost, and the total number.
struct Sample {
  std::vector<Configuration> configurations;
  std::vector<SuggestionSource> sources;  // of each of them
  std::int64_t planned = 0;
  std::string end_reason;  // why there are fewer than the file asks for, where the search says it
};

absl::StatusOr<Sample> SampleOf(const SweepSpec& spec) {
  constexpr std::int64_t kSampled = 200;
  const std::unique_ptr<Search> search = Search::Make(&spec);
  Sample sample{.configurations = {},
                .sources = {},
                .planned = spec.PlannedConfigurations(),
                .end_reason = ""};
  const std::int64_t wanted = std::min(sample.planned, kSampled);
  for (std::int64_t number = 1; number <= wanted; ++number) {
    absl::StatusOr<std::optional<Suggestion>> next = search->Suggest(number);
    if (!next.ok() && number == 1) return next.status();
    if (!next.ok()) {  // as in a sweep, which ends with what it has
      sample.planned = number - 1;
      sample.end_reason = std::string(next.status().message());
      break;
    }
    if (!next->has_value()) {
      // Later segments of a population need results.
      if (!search->WhyNone().is_for_now) sample.planned = number - 1;
      break;
    }
    sample.sources.push_back((*next)->origin.source);
    sample.configurations.push_back((**std::move(next)).configuration);
  }
  return sample;
}

// Seconds per image through a network, linear in the cost of its training.
struct ImageTime {
  double fixed = 0;
  double per_flop = 0;
  double of(double flops) const { return std::max(0.0, fixed) + per_flop * flops; }
};

ImageTime Line(double flops_a, double seconds_a, double flops_b, double seconds_b) {
  const double slope = flops_b > flops_a ? (seconds_b - seconds_a) / (flops_b - flops_a) : 0;
  if (slope <= 0) return {.per_flop = seconds_b / flops_b};
  return {.fixed = seconds_a - slope * flops_a, .per_flop = slope};
}

// The time per image for training and evaluation on one slot.
struct Pace {
  ImageTime train, evaluate;
  std::string source;  // in words
  bool is_measured = false;
};

double TrainFlops(const Configuration& configuration) {
  return static_cast<double>(configuration.network.train_flops);
}

// A forward pass costs about a third of forward and both gradients.
Pace PaceOf(double gflops) {
  return {.train = {.per_flop = 1 / (gflops * 1e9)},
          .evaluate = {.per_flop = 1 / (3 * gflops * 1e9)},
          .source = fmt::format("at {:.4g} GFLOP/s per slot", gflops)};
}

// Trains the cheapest and the costliest network of the sample briefly.
absl::StatusOr<Pace> MeasurePace(const SweepSpec& spec, const Sample& sample,
                                 const PreviewOptions& options) {
  std::vector<std::string> wish;
  if (!options.trainer.empty()) wish = {options.trainer};
  const absl::StatusOr<std::vector<std::string>> command = FindTrainer(wish);
  if (!command.ok()) return command.status();
  const auto [cheap, costly] = std::minmax_element(
      sample.configurations.begin(), sample.configurations.end(),
      [](const auto& a, const auto& b) { return TrainFlops(a) < TrainFlops(b); });
  const absl::StatusOr<TrainingSpeed> fast = MeasureSpeed(*command, spec.MakeTrialSpec(*cheap, 0));
  if (!fast.ok()) return fast.status();
  const bool same = TrainFlops(*cheap) == TrainFlops(*costly);
  const absl::StatusOr<TrainingSpeed> slow =
      same ? fast : MeasureSpeed(*command, spec.MakeTrialSpec(*costly, 0));
  if (!slow.ok()) return slow.status();
  const double from = TrainFlops(*cheap), to = TrainFlops(*costly);
  Pace pace{
      .train = Line(from, 1 / fast->train_images_per_second, to, 1 / slow->train_images_per_second),
      .evaluate = {},
      .source = fmt::format("measured just now: {} images/s alone on this machine",
                            WithSeparators(std::llround(slow->train_images_per_second))),
      .is_measured = true};
  // A training that was cut short has not evaluated.
  const auto evaluated = [](const TrainingSpeed& speed) {
    return speed.evaluate_images_per_second > 0 ? speed.evaluate_images_per_second
                                                : 3 * speed.train_images_per_second;
  };
  pace.evaluate = Line(from, 1 / evaluated(*fast), to, 1 / evaluated(*slow));
  return pace;
}

// For the whole sweep on one slot; of a race with all runs that it may add.
double TotalSeconds(const SweepSpec& spec, const Sample& sample, const Pace& pace) {
  double seconds = 0;
  for (const Configuration& configuration : sample.configurations) {
    const double flops = TrainFlops(configuration);
    const double epoch = pace.train.of(flops) * static_cast<double>(TrainingImages(spec)) +
                         pace.evaluate.of(flops) * static_cast<double>(TestImages(spec));
    // A segment trains a part of the epochs.
    const int segments = spec.HasPopulation() ? spec.pbt.SegmentsOf(spec.epochs) : 1;
    seconds += epoch * spec.MakeTrialSpec(configuration, 0).epochs / segments;
  }
  const double sampled = std::max<double>(1, static_cast<double>(sample.configurations.size()));
  return seconds / sampled * static_cast<double>(spec.MostTrials(sample.planned));
}

// The first configurations, as the sweep would try them: of a method that learns all before its
// model is asked.
Listing FirstOf(const SweepSpec& spec, const Sample& sample) {
  const std::size_t shown = spec.method->learns ? kStartUpConfigurations : 5;
  Listing first;
  first.columns = {{"#", "configuration", true},
                   {"HYPERPARAMETERS", "parameters", false, true, true},
                   {"CHOSEN", "chosen_source"}};
  for (std::size_t i = 0; i < std::min(shown, sample.configurations.size()); ++i) {
    const Configuration& configuration = sample.configurations[i];
    std::string text;
    json values = json::object();
    for (const auto& [name, value] : configuration.parameters) {
      text += (text.empty() ? "" : " ") + name + "=" +
              (std::holds_alternative<double>(value) ? ShortNumber(std::get<double>(value))
                                                     : FormatValue(value));
      if (std::holds_alternative<ListValue>(value)) {
        values[name] = FormatValue(value);  // as wherever the client shows JSON
      } else {
        std::visit([&, key = name](const auto& v) { values[key] = v; }, value);
      }
    }
    first.rows.push_back({Count(configuration.number),
                          {text, values},
                          cells::Text(std::string(SuggestionSourceName(sample.sources[i])))});
  }
  return first;
}

// Who chooses after the first configurations; empty for a method that learns nothing.
std::string WhatComesAfter(const SweepSpec& spec, const Sample& sample) {
  // Those shown are all that there are.
  if (!spec.method->learns || sample.planned <= kStartUpConfigurations) return "";
  const bool has_start_up = std::ranges::count(sample.sources, SuggestionSource::kStartUp) > 0;
  if (!has_start_up || !spec.method->TakesOtherPoints()) {
    return "later ones follow from the results of those before them\n";
  }
  return fmt::format(
      "once {} configurations have ended{}, the model of {} chooses from all results; a slot\n"
      "that waits for it longer than a second gets one more start-up point\n",
      kStartUpConfigurations, spec.warm_start.empty() ? "" : ", with those taken from other sweeps",
      spec.method->word);
}

// Formats the estimate with its uncertainty: slots that train at once share caches and memory, and
// a busy machine is slower. An unmeasured pace is a rough guess.
std::string EstimatedTimeText(double seconds, const Pace& pace, int slots) {
  const double most = pace.is_measured ? (slots > 1 ? 2 : 1.5) : 6;
  return fmt::format("estimated time: {} to {} on {} ({})", HumanDuration(absl::Seconds(seconds)),
                     HumanDuration(absl::Seconds(seconds * most)), Counted(slots, "slot"),
                     pace.source);
}

void PrintPreview(const SweepSpec& spec, const Sample& sample, const std::optional<Pace>& pace,
                  int slots, const Session& session) {
  std::string rule = StopsInWords(spec.early_terminate, spec.stop_when);
  if (!rule.empty()) rule = fmt::format("trials are stopped early by {}\n", rule);
  std::string reason = spec.method_reason.empty() ? "" : ", by " + spec.method_reason;
  if (spec.HasPopulation()) {
    reason = fmt::format(": {} members in segments of {}", spec.pbt.population,
                         Counted(spec.pbt.segment_epochs, "epoch"));
  }
  std::cout << fmt::format("sweep '{}': {} × {} = {}\nseed {}{}\nmethod {}{}\n{}\n", spec.name,
                           Counted(sample.planned, "configuration"), ReplicatesInWords(spec),
                           TrialsInWords(spec, sample.planned), spec.seed,
                           spec.seed == SeedOfName(spec.name) ? ", drawn from the name" : "",
                           spec.method->word, reason, rule);
  const Listing networks = NetworksOfSweep(spec, sample.configurations);
  if (!networks.rows.empty()) {
    PrintListing(networks, session, std::cout);
    std::cout << '\n';
  }
  // Only the coordinator has the results of other sweeps.
  std::cout << (spec.warm_start.empty()
                    ? "first configurations:\n"
                    : fmt::format("first configurations, if nothing were known of {}:\n",
                                  fmt::join(spec.warm_start, ", ")));
  PrintListing(FirstOf(spec, sample), session, std::cout);
  std::cout << WhatComesAfter(spec, sample);
  if (!sample.end_reason.empty()) std::cout << "no more: " << sample.end_reason << '\n';
  std::cout << '\n'
            << (pace ? EstimatedTimeText(TotalSeconds(spec, sample, *pace) / slots, *pace, slots)
                     : "no estimated time: the sweep brings its own program")
            << '\n';
}

int Preview(const PreviewOptions& options, const Session& session) {
  absl::StatusOr<SweepInput> input = ReadSweepFile(options.file);
  if (!input.ok()) return FailInput(input.status());
  const SweepSpec& spec = input->spec;
  const absl::StatusOr<Sample> sample = SampleOf(spec);
  if (!sample.ok()) return Fail(sample.status());
  if (session.format == Format::kCsv) {
    PrintListing(FirstOf(spec, *sample), session, std::cout);
    return kExitOk;
  }
  // The time of a sweep's own program is unknown.
  std::optional<Pace> pace;
  if (!spec.HasOwnTrainer() && !sample->configurations.empty()) {
    absl::StatusOr<Pace> measured =
        options.gflops > 0 ? PaceOf(options.gflops) : MeasurePace(spec, *sample, options);
    pace = measured.ok() ? *std::move(measured) : PaceOf(kUsualGflops);
    if (!measured.ok()) pace->source += "; the trainer's speed could not be measured here";
  }
  if (session.format == Format::kJson) {
    PrintJson({{"name", spec.name},
               {"configurations", sample->planned},
               {"replicates", spec.replicates},
               {"seed", std::to_string(spec.seed)},
               {"trials", spec.FirstTrials(sample->planned)},
               {"most_trials", spec.MostTrials(sample->planned)},
               {"method", spec.method->word},
               {"method_reason", spec.method_reason},
               {"early_terminate", StopsInWords(spec.early_terminate, spec.stop_when)},
               {"estimated_seconds",
                pace ? json(TotalSeconds(spec, *sample, *pace) / options.slots) : json(nullptr)},
               {"networks", ListingJson(NetworksOfSweep(spec, sample->configurations))},
               {"first", ListingJson(FirstOf(spec, *sample))}},
              std::cout);
    return kExitOk;
  }
  PrintPreview(spec, *sample, pace, options.slots, session);
  return kExitOk;
}

}  // namespace

void AddFileCommands(CLI::App* app, Session* session) {
  CLI::App* validate = app->add_subcommand(
      "validate",
      "Check a file\n"
      "Names every error of a sweep file and its networks, or of a network "
      "file, at once: with file,\n"
      "line and the nearest right word. Nothing is submitted. With --format csv "
      "the messages are\nthe rows: file, line, message, severity.");
  validate->group("Files, workers, settings");
  validate->footer(
      "Examples:\n"
      "  sweep validate sweeps/mine.yaml\n"
      "  sweep validate nets/mine.yaml      a network file");
  auto file = std::make_shared<std::string>();
  validate->add_option("FILE", *file, "sweep file or network file")->required();
  validate->callback([=] { session->exit_code = Validate(*file, *session); });

  CLI::App* preview = app->add_subcommand("preview",
                                          "What a sweep would run\n"
                                          "The number of trials, the networks with their sizes and "
                                          "cost, the first configurations and an\n"
                                          "estimate of the time with evaluation, before anything "
                                          "runs. The networks are trained for a\n"
                                          "moment to know this machine's speed.");
  preview->group("Files, workers, settings");
  preview->footer(
      "Examples:\n"
      "  sweep preview sweeps/mine.yaml\n"
      "  sweep preview sweeps/mine.yaml --slots 12      on three machines of four cores");
  auto options = std::make_shared<PreviewOptions>();
  preview->add_option("FILE", options->file, "sweep file")->required();
  preview->add_option("--slots", options->slots, "trials at once")
      ->check(Positive())
      ->capture_default_str();
  preview
      ->add_option("--gflops", options->gflops,
                   "training speed of a slot; without it, it is measured here, in some seconds")
      ->check(Positive());
  preview
      ->add_option("--trainer", options->trainer,
                   "the program to measure; without it, sweep-trainer")
      ->envname("SWEEP_TRAINER")
      ->type_name("PROGRAM");
  preview->callback([=] { session->exit_code = Preview(*options, *session); });
}

}  // namespace sweep::cli
