#include "common/spec/sweep_spec.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/philox.h"
#include "common/protocol/uploaded_data.h"
#include "common/spec/point_completer.h"
#include "common/spec/search_space.h"

namespace sweep {
namespace {

constexpr std::int64_t kMnistTestImages = 10'000;
// Evaluation images of `dataset: synthetic` when the file does not set them.
constexpr std::int64_t kSyntheticTestImages = 1'000;

// The origin of a hyperparameter's value, for messages; "" when the search chose it.
std::string Origin(const SweepSpec& spec, const ResolvedPoint& point, const std::string& name) {
  if (point.parameters.contains(name)) return "";
  const NetworkFile* network = FindNetwork(spec, point.model);
  const Recipe* recipe = network == nullptr ? nullptr : network->FindRecipe(spec.recipe);
  if (recipe == nullptr || !recipe->Merged().contains(name)) return "";
  return absl::StrCat("recipe '", spec.recipe, "' of ", point.model, ": ");
}

absl::Status CheckValues(const SweepSpec& spec, const ResolvedPoint& point) {
  for (const auto& [name, value] : point.resolved) {
    if (spec.LeavesDefaultsToProgram() && name != "epochs") continue;  // only the program knows
    if (absl::Status status = CheckParameterValue(name, value); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(Origin(spec, point, name), status.message()));
    }
  }
  if (spec.LeavesDefaultsToProgram()) return absl::OkStatus();
  if (SameValue(point.resolved.at("nesterov"), true) &&
      AsDouble(point.resolved.at("momentum")) == 0) {
    return absl::InvalidArgumentError(
        "'nesterov' is true but 'momentum' is 0; it needs a momentum");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Configuration> BuildConfiguration(const SweepSpec& spec, std::int64_t number,
                                                 ResolvedPoint point) {
  if (absl::Status status = CheckValues(spec, point); !status.ok()) return status;
  absl::StatusOr<Network> network = Network();
  if (const NetworkFile* file = FindNetwork(spec, point.model)) {
    network = file->Resolve(point.resolved);
    if (!network.ok()) return network.status();
  }
  return Configuration{.number = number,
                       .parameters = std::move(point.parameters),
                       .resolved = std::move(point.resolved),
                       .network = *std::move(network)};
}

absl::StatusOr<Configuration> SweepSpec::Complete(std::int64_t number,
                                                  const ParameterMap& chosen) const {
  absl::StatusOr<ResolvedPoint> point = ResolvePoint(*this, chosen);
  if (!point.ok()) return point.status();
  return BuildConfiguration(*this, number, *std::move(point));
}

absl::StatusOr<std::optional<Configuration>> SweepSpec::CompleteIfAllowed(
    std::int64_t number, const ParameterMap& chosen) const {
  return std::move(PointCompleter(this).Complete(number, {&chosen, 1}).front());
}

TrialSpec SweepSpec::MakeTrialSpec(const Configuration& configuration, int replicate) const {
  TrialSpec trial;
  std::uint64_t key = DeriveKey(seed, "replicate");
  if (repeat_points) key = DeriveKey(key, absl::StrCat("configuration/", configuration.number));
  // 63 bits, because SQLite's integers are signed.
  trial.seed = Mix64(key + static_cast<std::uint64_t>(replicate)) >> 1;
  for (const auto& [parameter, value] : configuration.resolved) {
    // A program's parameter may have a value that the trainer's of the same name cannot have.
    if (LeavesDefaultsToProgram() && !CheckTrialParameter(parameter, value).empty()) continue;
    // Returns false for names that are no field of a trial: the layers contain the network's own
    // parameters.
    SetTrialParameter(parameter, value, &trial);
  }
  if (LeavesDefaultsToProgram() && trial.momentum == 0) trial.nesterov = false;
  trial.epochs = static_cast<int>(std::get<std::int64_t>(configuration.resolved.at("epochs")));
  if (const auto model = configuration.resolved.find("model");
      model != configuration.resolved.end() && !models.empty()) {
    const NetworkFile& file = networks.at(std::get<std::string>(model->second));
    trial.loss = file.loss();
    trial.evaluate_with = file.evaluate_with();
    trial.normalize_mean = file.normalize_mean();
    trial.normalize_stddev = file.normalize_stddev();
  }
  if (HasOwnTrainer()) {
    trial.parameters = configuration.resolved;
    trial.only_parameters = LeavesDefaultsToProgram();
  }
  trial.network = configuration.network;
  trial.dataset = dataset;
  trial.holdout = holdout;
  return trial;
}

std::vector<Objective> SweepSpec::Goals() const {
  std::vector<Objective> goals = objectives;
  for (const DeclaredMeasure& measure : measures) {
    if (measure.maximize) goals.push_back({.name = measure.name, .maximize = *measure.maximize});
  }
  return goals;
}

std::vector<std::string> SweepSpec::JudgedMeasures() const {
  std::vector<std::string> names;
  const auto add = [&](std::string_view name) {
    name = CanonicalMeasure(name);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  };
  for (const Objective& one : objectives) add(one.name);
  for (const Gate& gate : require) {
    if (IsMeasureGate(gate)) add(gate.name);
  }
  return names;
}

std::string GateText(const SweepSpec& spec, const Gate& gate) {
  std::string text = absl::StrCat(gate.name, " ", gate.ToString());
  if (spec.confidence > 0 && IsMeasureGate(gate)) {
    absl::StrAppend(&text, " at ", 100 * spec.confidence, " % confidence");
  }
  return text;
}

bool IsMeasureGate(const Gate& gate) {
  const std::vector<std::string>& facts = NetworkFactNames();
  return gate.name != "epochs" && std::find(facts.begin(), facts.end(), gate.name) == facts.end();
}

std::string ReplicatesText(const SweepSpec& spec) {
  if (!spec.race) return absl::StrCat(spec.replicates);
  std::string text = absl::StrCat("{min: ", spec.race->min, ", max: ", spec.replicates);
  if (spec.race->extra > 0) absl::StrAppend(&text, ", extra: ", spec.race->extra);
  if (spec.race->within > 0) absl::StrAppend(&text, ", within: ", FormatDouble(spec.race->within));
  return text + "}";
}

std::int64_t SweepSpec::PlannedConfigurations() const {
  if (HasPopulation()) {
    const std::int64_t all = pbt.Planned(epochs);
    return run_cap == 0 ? all : std::min(run_cap, all);
  }
  if (!points || repeat_points) return run_cap;
  return run_cap == 0 ? *points : std::min(run_cap, *points);
}

void PlaceDataset(std::string_view file, SweepSpec* spec) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  const std::filesystem::path path = spec->dataset.path;
  if (spec->dataset.name != "idx" || !folder.is_absolute() || path.is_absolute() ||
      IsUploaded(spec->dataset)) {
    return;
  }
  spec->dataset.path = (folder / path).lexically_normal().string();
}

absl::StatusOr<SweepSpec> SweepSpec::ParseStored(SweepSource source, std::string_view digest,
                                                 Diagnostics* diagnostics) {
  Diagnostics found;
  source.edition = kSweepEdition;
  absl::StatusOr<SweepSpec> newest = Parse(source, &found);
  absl::StatusOr<SweepSpec> spec = newest;
  while (!(spec.ok() && spec->IsStoredAs(digest)) && --source.edition > 0) {
    Diagnostics ignored;
    spec = Parse(source, &ignored);
    if (!newest.ok() && spec.ok()) newest = spec;
  }
  if (spec.ok() && spec->IsStoredAs(digest)) {
    spec->digest = digest;
    return spec;
  }
  if (!newest.ok()) *diagnostics = found;
  return newest;
}

const std::vector<std::string>& NetworkFactNames() {
  static const auto& names = *new std::vector<std::string>{
      "parameters", "fully_connected", "train_mflop", "forward_mflop", "receptive_field", "layers"};
  return names;
}

std::optional<Value> LookUpConfiguration(const Configuration& configuration,
                                         std::string_view name) {
  const Network& network = configuration.network;
  if (!network.layers.empty() && !name.starts_with(kParametersPrefix)) {
    if (name == "parameters") return network.parameters;
    if (name == "fully_connected") return network.fully_connected;
    if (name == "train_mflop") return static_cast<double>(network.train_flops) / 1e6;
    if (name == "forward_mflop") return static_cast<double>(network.forward_flops) / 1e6;
    if (name == "receptive_field") return std::int64_t{network.receptive_field};
    if (name == "layers") return static_cast<std::int64_t>(network.layers.size());
  }
  const auto it = configuration.resolved.find(std::string(WithoutParametersPrefix(name)));
  if (it == configuration.resolved.end()) return std::nullopt;
  return it->second;
}

std::int64_t EvaluationImages(const SweepSpec& spec) {
  if (spec.holdout > 0) return spec.holdout;
  if (spec.dataset.test_size > 0) return spec.dataset.test_size;
  // A program without one of our networks has its own data.
  if (spec.HasOwnTrainer() && spec.models.empty()) return 0;
  if (spec.dataset.name == "mnist") return kMnistTestImages;
  return spec.dataset.name == "synthetic" ? kSyntheticTestImages : 0;
}

}  // namespace sweep
