// The commands that train a trial again.

#include <algorithm>
#include <array>
#include <cctype>

#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// What `sweep train` has flags of their own for; all else goes with --set.
constexpr std::array<std::string_view, 7> kFlags = {
    "lr", "momentum", "batch_size", "dropout", "epochs", "schedule", "augmentation"};

// As a word of a POSIX shell.
std::string Quoted(const std::string& text) {
  const bool is_plain =
      !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || std::string_view("_-./=:+,@").find(static_cast<char>(c)) !=
                                           std::string_view::npos;
      });
  if (is_plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// What `sweep train` takes where no flag says otherwise; see cli/training/train_plan.cc.
ParameterMap TrainDefaults(const NetworkFile& file) {
  ParameterMap values;
  for (const KnownParameter& known : KnownParameters()) {
    values[std::string(known.name)] = known.default_value;
  }
  for (const auto& [name, value] : file.defaults()) values[name] = value;
  const Recipe* recipe = file.FindRecipe("seed");
  if (recipe == nullptr && !file.recipes().empty()) recipe = &file.recipes().front();
  if (recipe == nullptr) return values;
  for (const auto& [name, value] : recipe->Merged()) values[name] = value;
  return values;
}

std::string Flag(const std::string& name, const Value& value) {
  if (std::find(kFlags.begin(), kFlags.end(), name) == kFlags.end()) {
    return " --set " + Quoted(fmt::format("{}={}", name, FormatValue(value)));
  }
  std::string flag = name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return fmt::format(" --{} {}", flag, Quoted(FormatValue(value)));
}

std::string DatasetFlags(const DatasetSpec& dataset) {
  std::string flags;
  if (dataset.name == "synthetic") flags = " --dataset synthetic";
  if (dataset.name == "idx") flags = " --dataset " + Quoted(dataset.path);
  if (dataset.train_size > 0) flags += fmt::format(" --train-images {}", dataset.train_size);
  if (dataset.test_size > 0) flags += fmt::format(" --test-images {}", dataset.test_size);
  return flags;
}

}  // namespace

std::vector<std::string> ReplayCommands(const SweepSpec& spec, const TrialRow& trial,
                                        const Configuration& configuration) {
  // `sweep train` knows neither programs nor a part of the training images kept back.
  if (!spec.program.empty() || spec.holdout > 0) return {};
  const auto network = spec.networks.find(trial.model);
  if (network == spec.networks.end()) return {};
  std::string command = "sweep train " + Quoted(trial.model);
  ParameterMap defaults = TrainDefaults(network->second);
  for (const auto& [name, value] : configuration.resolved) {
    if (name == "model") continue;
    const auto found = defaults.find(name);
    if (found == defaults.end() || !SameValue(found->second, value)) command += Flag(name, value);
  }
  command += fmt::format(" --seed {}", trial.seed);
  return {command + DatasetFlags(spec.dataset)};
}

}  // namespace sweep
