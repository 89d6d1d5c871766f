#include "common/spec/sweep_digest.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "common/spec/search_space.h"

namespace sweep {
namespace {

// Puts the length first, so that no text can pass for two.
std::string Framed(const std::string& text) { return absl::StrCat(text.size(), ":", text); }

// 1 and 1.0 are equal, also in a list; 1 and "1" are not.
std::string Canonical(const Value& value) {
  return absl::StrCat(std::string(IsNumber(value) ? "number" : TypeName(value)), " ",
                      Framed(CanonicalText(value)));
}

std::string Canonical(const Parameter& parameter) {
  std::string text =
      absl::StrCat(Framed(parameter.name), " ", DistributionName(parameter.distribution));
  for (const Value& value : parameter.values) absl::StrAppend(&text, " ", Canonical(value));
  absl::StrAppend(&text, " ", FormatDouble(parameter.min), " ", FormatDouble(parameter.max), " ",
                  FormatDouble(parameter.q));
  if (IsNormal(parameter.distribution)) {
    absl::StrAppend(&text, " mu ", FormatDouble(parameter.mu), " sigma ",
                    FormatDouble(parameter.sigma));
  }
  for (std::size_t i = 0; i < parameter.probabilities.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? " probabilities " : " ",
                    FormatDouble(parameter.probabilities[i]));
  }
  if (parameter.ordered) absl::StrAppend(&text, *parameter.ordered ? " ordered" : " unordered");
  if (parameter.when) absl::StrAppend(&text, " when ", Framed(parameter.when->text()));
  return text;
}

std::string Canonical(const DatasetSpec& dataset) {
  return absl::StrCat(dataset.name, " ", Framed(dataset.path), " ", dataset.train_size, " ",
                      dataset.test_size);
}

void AppendSorted(const char* key, std::vector<std::string> lines, std::string* text) {
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) absl::StrAppend(text, key, " ", line, "\n");
}

// Omits a measure's unit, which is for people only.
std::vector<std::string> CanonicalMeasures(const SweepSpec& spec) {
  std::vector<std::string> lines;
  for (const DeclaredMeasure& measure : spec.measures) {
    if (!measure.min) continue;
    lines.push_back(absl::StrCat(measure.name, " ", FormatDouble(*measure.min), " ",
                                 FormatDouble(*measure.max)));
  }
  return lines;
}

// The text for each choice of the sweep file, by version of the digest.
struct Wording {
  std::string version;
  std::string method;
  std::string gate_on;
  std::string (*gate)(const Gate& gate);
};

// True for a parameter that builds which wrote version "sweep 1" could not read.
bool IsNewer(const Parameter& parameter) {
  const auto is_list = [](const Value& value) { return std::holds_alternative<ListValue>(value); };
  return !parameter.probabilities.empty() || IsNormal(parameter.distribution) ||
         parameter.ordered || parameter.name.find('.') != std::string::npos ||
         std::any_of(parameter.values.begin(), parameter.values.end(), is_list);
}

// Version "sweep 1" wrote choices as the numbers of their enums.
std::optional<Wording> WordingOfSweep1(const SweepSpec& spec) {
  const std::vector<std::string> methods = {"grid", "random"};
  const auto method = std::find(methods.begin(), methods.end(), spec.method->word);
  if (method == methods.end() || spec.early_terminate || spec.stop_when ||
      !spec.try_first.empty() || !spec.warm_start.empty() || spec.confidence > 0 || spec.race ||
      spec.repeat_points) {
    return std::nullopt;
  }
  if (std::any_of(spec.parameters.begin(), spec.parameters.end(), IsNewer)) return std::nullopt;
  return Wording{.version = "sweep 1",
                 .method = absl::StrCat(method - methods.begin()),
                 .gate_on = absl::StrCat(static_cast<int>(spec.gate_on)),
                 .gate = [](const Gate& gate) {
                   return absl::StrCat(gate.name, " ", static_cast<int>(gate.op), " ",
                                       Canonical(gate.bound));
                 }};
}

std::string GateOnWord(GateOn gate_on) {
  switch (gate_on) {
    case GateOn::kBest:
      return "best";
    case GateOn::kLast:
      return "last";
    case GateOn::kMean:
      return "mean";
    case GateOn::kLastK:
      return "last_k";
  }
  return "";
}

Wording WordingOfSweep2(const SweepSpec& spec) {
  return {.version = "sweep 2",
          .method = std::string(spec.method->word),
          .gate_on = GateOnWord(spec.gate_on),
          .gate = [](const Gate& gate) {
            return absl::StrCat(gate.name, " ", Framed(gate.ToString()));
          }};
}

// Everything but the parameters.
std::string CanonicalFrame(const SweepSpec& spec, const Wording& wording) {
  std::string text = wording.version + "\n";
  for (const std::string& model : spec.models)
    absl::StrAppend(&text, "model ", Framed(model), "\n");
  for (const auto& [model, network] : spec.networks) {
    absl::StrAppend(&text, "network ", Framed(model), " ", network.canonical(), "\n");
  }
  absl::StrAppend(&text, "recipe ", Framed(spec.recipe), "\ndataset ", Canonical(spec.dataset),
                  "\nholdout ", spec.holdout, "\nmethod ", wording.method, "\nmetric ",
                  spec.objective().name, " ", spec.objective().maximize, "\nepochs ",
                  spec.epochs_by_recipe ? "by recipe" : absl::StrCat(spec.epochs), "\ngate_on ",
                  wording.gate_on, "\nrun_cap ", spec.run_cap, "\nreplicates ", spec.replicates,
                  "\nseed ", spec.seed, "\nmax_failures ", spec.max_failures, "\n");
  // Tells stored sweeps of edition 5 from earlier ones.
  if (TriesNoPointTwice(spec) && !HasFiniteSpace(spec)) absl::StrAppend(&text, "distinct\n");
  std::vector<std::string> gates, constraints;
  for (const Gate& gate : spec.require) gates.push_back(wording.gate(gate));
  for (const Expression& constraint : spec.constraints) {
    constraints.push_back(Framed(constraint.text()));
  }
  for (std::size_t i = 1; i < spec.objectives.size(); ++i) {
    absl::StrAppend(&text, "metric ", spec.objectives[i].name, " ", spec.objectives[i].maximize,
                    "\n");
  }
  if (spec.gate_on == GateOn::kLastK) absl::StrAppend(&text, "k ", spec.gate_epochs, "\n");
  if (spec.race) {
    absl::StrAppend(&text, "race ", spec.race->min, " ", spec.race->extra, " ",
                    Canonical(spec.race->within), "\n");
  }
  if (spec.confidence > 0) absl::StrAppend(&text, "confidence ", Canonical(spec.confidence), "\n");
  AppendSorted("measure", CanonicalMeasures(spec), &text);
  for (const std::string& word : spec.program) {
    absl::StrAppend(&text, "program ", Framed(word), "\n");
  }
  if (spec.trained_by_callers) absl::StrAppend(&text, "trained_by callers\n");
  // Edition 1 filled in the trainer's defaults; here the program has its own.
  if (spec.LeavesDefaultsToProgram()) {
    absl::StrAppend(&text, "defaults by program", spec.recipe_is_written ? " and recipe\n" : "\n");
  }
  if (!spec.program_digest.empty()) absl::StrAppend(&text, "files ", spec.program_digest, "\n");
  if (spec.early_terminate) {
    absl::StrAppend(&text, "early_terminate ", spec.early_terminate->Canonical(), "\n");
  }
  if (spec.stop_when) {
    absl::StrAppend(&text, "stop_when ", spec.stop_when->qualifying,
                    spec.stop_when->trial_qualifies ? " trials\n" : "\n");
  }
  for (const ParameterMap& point : spec.try_first) {
    absl::StrAppend(&text, "try_first");
    for (const auto& [name, value] : point) {
      absl::StrAppend(&text, " ", Framed(name), " ", Canonical(value));
    }
    absl::StrAppend(&text, "\n");
  }
  if (spec.repeat_points) absl::StrAppend(&text, "repeat_points\n");
  for (const std::string& name : spec.warm_start) {
    absl::StrAppend(&text, "warm_start ", Framed(name), "\n");
  }
  if (spec.HasPopulation()) absl::StrAppend(&text, "pbt ", spec.pbt.Canonical(), "\n");
  AppendSorted("require", std::move(gates), &text);
  AppendSorted("constraint", std::move(constraints), &text);
  return text;
}

std::string DigestWith(const SweepSpec& spec, const Wording& wording) {
  std::string text = CanonicalFrame(spec, wording);
  std::vector<std::string> parameters;
  for (const Parameter& parameter : spec.parameters) parameters.push_back(Canonical(parameter));
  // The order of keys matters only for a grid that run_cap cuts off.
  const bool cut_grid =
      spec.method->finite && spec.run_cap > 0 && spec.points && spec.run_cap < *spec.points;
  if (cut_grid) {
    for (const std::string& line : parameters) absl::StrAppend(&text, "parameter ", line, "\n");
  } else {
    AppendSorted("parameter", std::move(parameters), &text);
  }
  return Sha256Hex(text);
}

}  // namespace

std::string DigestOf(const SweepSpec& spec) { return DigestWith(spec, WordingOfSweep2(spec)); }

std::string EarlierDigestOf(const SweepSpec& spec) {
  const std::optional<Wording> wording = WordingOfSweep1(spec);
  return wording ? DigestWith(spec, *wording) : "";
}

}  // namespace sweep
