#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <sstream>

#include "cli/options.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "cli/spec_input.h"
#include "common/base/input_file.h"
#include "common/network/network_file.h"
#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"
#include "coordinator/search/search.h"

namespace sweep::cli {
namespace {

using nlohmann::json;

Cell Count(std::int64_t value) { return {WithSeparators(value), value}; }

Cell Mega(std::int64_t flops) {
  const double mega = static_cast<double>(flops) / 1e6;
  return {fmt::format("{:.2f}", mega), mega};
}

// Whether a file has the layers of a network file and not the model of a sweep file. One that
// cannot be read is neither.
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

// What `validate` found, for programs: also where the file is wrong.
int PrintVerdict(const std::string& file, const char* kind, const absl::Status& status,
                 const json& name, const json& digest, const Diagnostics& diagnostics) {
  json messages = json::array();
  for (const Diagnostic& one : diagnostics) {
    const bool warns = one.severity == Diagnostic::Severity::kWarning;
    messages.push_back({{"file", one.file},
                        {"line", one.line == 0 ? json(nullptr) : json(one.line)},
                        {"message", one.message},
                        {"severity", warns ? "warning" : "error"}});
  }
  if (!status.ok() && CountErrors(diagnostics) == 0) {
    messages.push_back({{"file", file},
                        {"line", nullptr},
                        {"message", std::string(status.message())},
                        {"severity", "error"}});
  }
  PrintJson({{"file", file},
             {"kind", kind},
             {"name", name},
             {"valid", status.ok()},
             {"digest", digest},
             {"messages", messages}},
            std::cout);
  return status.ok() ? kExitOk : kExitBadInput;
}

int ValidateNetwork(const std::string& path, const Session& session) {
  Diagnostics diagnostics;
  const absl::StatusOr<NetworkFile> file = ReadNetwork(path, &diagnostics);
  if (session.format == Format::kJson) {
    return PrintVerdict(path, "network", file.status(), file.ok() ? json(file->name()) : json(),
                        nullptr, diagnostics);
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

int Validate(const std::string& file, const Session& session) {
  if (IsNetworkFile(file)) return ValidateNetwork(file, session);
  Diagnostics diagnostics;
  const absl::StatusOr<SweepInput> input = ReadSweepFile(file, &diagnostics);
  if (session.format == Format::kJson) {
    return PrintVerdict(file, "sweep", input.status(),
                        input.ok() ? json(input->spec.name) : json(),
                        input.ok() ? json(input->spec.digest) : json(), diagnostics);
  }
  if (!input.ok()) return FailInput(input.status());
  if (!diagnostics.empty()) std::cerr << FormatDiagnostics(diagnostics) << '\n';
  const SweepSpec& spec = input->spec;
  std::cout << fmt::format("{}: sweep '{}' is valid: {} configurations × {} replicate{}\n", file,
                           spec.name, spec.PlannedConfigurations(), spec.replicates,
                           spec.replicates == 1 ? "" : "s");
  return kExitOk;
}

// What tells the networks of one file apart: the values that its layers refer to, of those that the
// search chose.
std::string NetworkLabel(const SweepSpec& spec, const Configuration& configuration) {
  std::string label = configuration.network.name;
  const auto model = configuration.resolved.find("model");
  if (model == configuration.resolved.end()) return label;
  const auto file = spec.networks.find(FormatValue(model->second));
  if (file == spec.networks.end()) return label;
  for (const std::string& name : file->second.references()) {
    const auto value = configuration.parameters.find(name);
    // Dropping changes no size.
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
    if (network.layers.empty()) continue;  // of a program that needs none
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

std::int64_t TrainingImages(const SweepSpec& spec) {
  if (spec.dataset.name == "synthetic")
    return spec.dataset.train_size > 0 ? spec.dataset.train_size : 4096;
  const std::int64_t all = spec.dataset.train_size > 0 ? spec.dataset.train_size : 60'000;
  return all - spec.holdout;
}

struct PreviewOptions {
  std::string file;
  int slots = 2;
  double gflops = 55;
};

// Training cost of `configuration` over all its epochs, in floating point operations.
double TrainingFlops(const SweepSpec& spec, const Configuration& configuration) {
  const TrialSpec trial = spec.MakeTrialSpec(configuration, 0);
  return static_cast<double>(configuration.network.train_flops) *
         static_cast<double>(TrainingImages(spec)) * trial.epochs;
}

int Preview(const PreviewOptions& options, const Session& session) {
  absl::StatusOr<SweepInput> input = ReadSweepFile(options.file);
  if (!input.ok()) return FailInput(input.status());
  const SweepSpec& spec = input->spec;
  const std::unique_ptr<Search> search = Search::Make(&spec);
  std::vector<Configuration> configurations;
  constexpr std::int64_t kSampled = 200;  // enough to know the networks and the mean cost
  double flops = 0;
  while (static_cast<std::int64_t>(configurations.size()) <
         std::min(spec.PlannedConfigurations(), kSampled)) {
    absl::StatusOr<std::optional<Configuration>> next =
        search->Suggest(static_cast<std::int64_t>(configurations.size()) + 1);
    if (!next.ok()) return Fail(next.status());
    if (!next->has_value()) break;
    flops += TrainingFlops(spec, **next);
    configurations.push_back(**std::move(next));
  }
  const std::int64_t planned = static_cast<std::int64_t>(configurations.size()) < kSampled
                                   ? static_cast<std::int64_t>(configurations.size())
                                   : spec.PlannedConfigurations();
  const std::int64_t trials = planned * spec.replicates;
  const double mean_flops =
      configurations.empty() ? 0 : flops / static_cast<double>(configurations.size());
  const double seconds =
      mean_flops * static_cast<double>(trials) / (options.gflops * 1e9 * options.slots);
  const Listing networks = NetworksOfSweep(spec, configurations);

  Listing first;
  first.columns = {{"#", "configuration", true}, {"PARAMETERS", "parameters", false, true, true}};
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < std::min(kShown, configurations.size()); ++i) {
    std::string text;
    json values = json::object();
    for (const auto& [name, value] : configurations[i].parameters) {
      text += (text.empty() ? "" : " ") + name + "=" +
              (std::holds_alternative<double>(value) ? ShortNumber(std::get<double>(value))
                                                     : FormatValue(value));
      std::visit([&, key = name](const auto& v) { values[key] = v; }, value);
    }
    first.rows.push_back({Count(configurations[i].number), {text, values}});
  }

  if (session.format == Format::kJson) {
    const json document = {
        {"name", spec.name},
        {"configurations", planned},
        {"replicates", spec.replicates},
        {"trials", trials},
        // Nobody knows how long a sweep's own program takes.
        {"estimated_seconds", spec.program.empty() ? json(seconds) : json(nullptr)},
        {"networks", ListingJson(networks)},
        {"first", ListingJson(first)}};
    PrintJson(document, std::cout);
    return kExitOk;
  }
  if (session.format == Format::kCsv) {
    PrintListing(first, session.format, session.width, std::cout);
    return kExitOk;
  }
  std::cout << fmt::format("sweep '{}': {} configurations × {} replicate{} = {} trials\n\n",
                           spec.name, planned, spec.replicates, spec.replicates == 1 ? "" : "s",
                           trials);
  if (!networks.rows.empty()) {
    PrintListing(networks, session.format, session.width, std::cout);
    std::cout << '\n';
  }
  std::cout << "first configurations:\n";
  PrintListing(first, session.format, session.width, std::cout);
  if (!spec.program.empty()) {
    std::cout << "\nno estimated time: the sweep brings its own program\n";
    return kExitOk;
  }
  std::cout << fmt::format(
      "\nestimated time: {} on {} slots at {:.4g} GFLOP/s each (--slots, --gflops), without "
      "evaluation\n",
      HumanDuration(absl::Seconds(seconds)), options.slots, options.gflops);
  return kExitOk;
}

}  // namespace

void AddFileCommands(CLI::App* app, Session* session) {
  CLI::App* validate =
      app->add_subcommand("validate",
                          "Check a file\n"
                          "Names every error of a sweep file and its networks, or of a network "
                          "file, at once: with file,\n"
                          "line and the nearest right word. Nothing is submitted.");
  validate->group("Files");
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
                                          "estimate of the time, before anything runs.");
  preview->group("Files");
  preview->footer(
      "Examples:\n"
      "  sweep preview sweeps/mine.yaml\n"
      "  sweep preview sweeps/mine.yaml --slots 12      on three machines of four cores");
  auto options = std::make_shared<PreviewOptions>();
  preview->add_option("FILE", options->file, "sweep file")->required();
  preview->add_option("--slots", options->slots, "trials at once")
      ->check(Positive())
      ->capture_default_str();
  preview->add_option("--gflops", options->gflops, "training speed of a slot")
      ->check(Positive())
      ->capture_default_str();
  preview->callback([=] { session->exit_code = Preview(*options, *session); });
}

}  // namespace sweep::cli
