// The commands that repeat a trial's training.

#include <algorithm>
#include <array>

#include "common/base/shell_quote.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// The hyperparameters with flags of their own in `sweep train`. The others use --set.
constexpr std::array<std::string_view, 7> kFlags = {"lr",     "momentum", "batch_size",  "dropout",
                                                    "epochs", "schedule", "augmentation"};

// The defaults of `sweep train`; see cli/training/train_plan.cc.
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
    return " --set " + ShellQuote(fmt::format("{}={}", name, FormatValue(value)));
  }
  std::string flag = name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return fmt::format(" --{} {}", flag, ShellQuote(FormatValue(value)));
}

std::string DatasetFlags(const DatasetSpec& dataset) {
  std::string flags;
  if (dataset.name == "synthetic") flags = " --dataset synthetic";
  if (dataset.name == "idx") flags = " --dataset " + ShellQuote(dataset.path);
  if (dataset.train_size > 0) flags += fmt::format(" --train-images {}", dataset.train_size);
  if (dataset.test_size > 0) flags += fmt::format(" --test-images {}", dataset.test_size);
  return flags;
}

// The trial's network, and its name in the sweep file: "cnn-18718", "nets/mine.yaml". Nullptr when
// no network has the model's name.
const NetworkFile* FindNetwork(const SweepSpec& spec, const TrialRow& trial,
                               const Configuration& configuration, std::string* name) {
  const auto chosen = configuration.resolved.find("model");
  const std::string model =
      chosen == configuration.resolved.end() ? trial.model : FormatValue(chosen->second);
  for (const auto& [written, file] : spec.networks) {
    if (written != model && file.name() != model && file.name() != trial.model) continue;
    *name = written;
    return &file;
  }
  return nullptr;
}

std::string WhereToRun(const std::string& files) {
  return "In the folder of the sweep file, where " + files + ".";
}

Replay ProgramReplay(const SweepSpec& spec, const std::string& line) {
  if (line.empty()) return {.note = "What the program was told cannot be made again."};
  // Not `echo`: in some shells it replaces "\n" by a line break.
  std::string command = "printf '%s\\n' " + ShellQuote(line) + " |";
  for (const std::string& word : spec.program) command += " " + ShellQuote(word);
  return {.commands = {command},
          .note = WhereToRun("the program and its files are") +
                  " The program reads this one line, as it did from its worker; it writes its "
                  "epochs to the standard output and its files where it is run."};
}

}  // namespace

Replay ReplayOf(const SweepSpec& spec, const SweepSource& source, const TrialRow& trial,
                const Configuration& configuration, const std::string& line) {
  if (spec.trained_by_callers) {
    return {.note = "The program that asked for this trial trains it in its own way."};
  }
  if (!spec.program.empty()) return ProgramReplay(spec, line);
  if (trial.start_epoch > 0) {
    return {.commands = {fmt::format("sweep replay {}", trial.short_name())},
            .note = fmt::format("It goes on after epoch {} of trial {}/{}: the client fetches that "
                                "checkpoint, and compares what is trained with what is stored.",
                                trial.start_epoch, trial.sweep, trial.parent)};
  }
  if (spec.holdout > 0) {
    return {.note = fmt::format("sweep train cannot keep {} training images back, as this sweep "
                                "does; train it again in a sweep of one configuration.",
                                spec.holdout)};
  }
  std::string name;
  const NetworkFile* const network = FindNetwork(spec, trial, configuration, &name);
  if (network == nullptr) return {.note = "Its network is not in the sweep any more."};
  std::string command = "sweep train " + ShellQuote(name);
  ParameterMap defaults = TrainDefaults(*network);
  for (const auto& [parameter, value] : configuration.resolved) {
    if (parameter == "model") continue;
    const auto found = defaults.find(parameter);
    if (found == defaults.end() || !SameValue(found->second, value)) {
      command += Flag(parameter, value);
    }
  }
  command += fmt::format(" --seed {}", trial.seed);
  const bool is_own = source.network_files.contains(name);
  return {.commands = {command + DatasetFlags(spec.dataset)},
          .note = is_own ? WhereToRun(name + " is") : ""};
}

}  // namespace sweep
