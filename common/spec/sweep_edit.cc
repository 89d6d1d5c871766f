#include "common/spec/sweep_edit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/spec/parameters_parser.h"

namespace sweep {
namespace {

constexpr char kOtherTraining[] = "earlier trials were trained otherwise";
constexpr char kOtherJudgement[] = "earlier trials were judged otherwise";

std::string OrNothing(const std::string& text) { return text.empty() ? "nothing" : text; }

std::string DatasetText(const DatasetSpec& dataset) {
  std::string text = dataset.name;
  if (!dataset.path.empty()) absl::StrAppend(&text, " ", dataset.path);
  if (dataset.train_size > 0) absl::StrAppend(&text, ", train ", dataset.train_size);
  if (dataset.test_size > 0) absl::StrAppend(&text, ", test ", dataset.test_size);
  return text;
}

std::string EvaluateText(const SweepSpec& spec) {
  return spec.holdout == 0 ? "test" : absl::StrCat("{holdout: ", spec.holdout, "}");
}

std::string MetricText(const SweepSpec& spec) {
  std::vector<std::string> texts;
  for (const Objective& one : spec.objectives) {
    texts.push_back(absl::StrCat(one.maximize ? "the highest " : "the lowest ", one.name));
  }
  return absl::StrJoin(texts, " and ");
}

// Without units, which are for people.
std::string MeasuresText(const SweepSpec& spec) {
  std::vector<std::string> texts;
  for (const DeclaredMeasure& one : spec.measures) {
    std::string text = one.name;
    if (one.maximize) absl::StrAppend(&text, *one.maximize ? " maximize" : " minimize");
    if (one.min) absl::StrAppend(&text, " from ", FormatDouble(*one.min));
    if (one.max) absl::StrAppend(&text, " to ", FormatDouble(*one.max));
    texts.push_back(std::move(text));
  }
  std::sort(texts.begin(), texts.end());
  return absl::StrJoin(texts, ", ");
}

std::string RequireText(const SweepSpec& spec) {
  std::vector<std::string> texts;
  for (const Gate& gate : spec.require) texts.push_back(gate.name + " " + gate.ToString());
  if (spec.confidence > 0)
    texts.push_back(absl::StrCat("confidence ", FormatDouble(spec.confidence)));
  std::sort(texts.begin(), texts.end());
  return absl::StrJoin(texts, ", ");
}

std::string GateOnText(const SweepSpec& spec) {
  switch (spec.gate_on) {
    case GateOn::kBest:
      return "best";
    case GateOn::kLast:
      return "last";
    case GateOn::kMean:
      return "mean";
    case GateOn::kLastK:
      return absl::StrCat("last_k of ", spec.gate_epochs);
  }
  return "";
}

// Of a program, a recipe that the file does not write gives only what the network needs.
std::string RecipeText(const SweepSpec& spec) {
  return spec.LeavesDefaultsToProgram() && !spec.recipe_is_written ? "" : spec.recipe;
}

std::string EpochsText(const SweepSpec& spec) {
  if (FindParameter(spec, "epochs") != nullptr) return "a parameter";
  return spec.epochs_by_recipe ? absl::StrCat(spec.epochs, " by the recipe")
                               : absl::StrCat(spec.epochs);
}

std::string WhenText(const Parameter& parameter) {
  return parameter.when ? parameter.when->text() : "";
}

std::string TrainedByText(const SweepSpec& spec) { return std::string(spec.TrainedBy()); }

// Collects the refusals.
class Comparison {
 public:
  enum class Kind { kEdit, kOtherSweep };
  Comparison(const SweepSpec& before, const SweepSpec& after, Kind kind)
      : before_(before), after_(after), kind_(kind) {}

  void Compare(const std::string& key, const std::string& before, const std::string& after,
               const char* reason) {
    if (before == after) return;
    if (kind_ == Kind::kOtherSweep) {
      refusals_.push_back(
          absl::StrCat(key, ": ", OrNothing(before), " there, ", OrNothing(after), " here"));
      return;
    }
    refusals_.push_back(absl::StrCat(key, ": ", OrNothing(before), " cannot become ",
                                     OrNothing(after), "; ", reason));
  }
  void Compare(const std::string& key, std::string (*text)(const SweepSpec&), const char* reason) {
    Compare(key, text(before_), text(after_), reason);
  }

  // Of the networks that both have.
  void CompareNetworks() {
    for (const auto& [model, network] : before_.networks) {
      const auto other = after_.networks.find(model);
      if (other == after_.networks.end() || network.canonical() == other->second.canonical()) {
        continue;
      }
      refusals_.push_back(absl::StrCat("model: the network ", model, " has changed",
                                       kind_ == Kind::kEdit ? "; " : "",
                                       kind_ == Kind::kEdit ? kOtherTraining : ""));
    }
  }

  void CompareProgram() {
    Compare("trained_by", TrainedByText, kOtherTraining);
    Compare("program", absl::StrJoin(before_.program, " "), absl::StrJoin(after_.program, " "),
            kOtherTraining);
    if (before_.program_digest != after_.program_digest) {
      refusals_.push_back("files: the program's files have changed");
    }
    if (before_.program == after_.program &&
        before_.LeavesDefaultsToProgram() != after_.LeavesDefaultsToProgram()) {
      refusals_.push_back(
          "program: an earlier version of Sweep stored the file, and gave the program the "
          "defaults of the workers' trainer");
    }
  }

  // Stored configurations must keep their meaning.
  void CompareParameters() {
    for (const Parameter& parameter : before_.parameters) {
      if (parameter.name == "model") continue;  // compared as models
      const std::string key = absl::StrCat("parameters.", parameter.name);
      const Parameter* const kept = FindParameter(after_, parameter.name);
      if (kept == nullptr) {
        refusals_.push_back(absl::StrCat(
            key,
            ": it cannot be left out, since earlier trials have values of it; to vary it no "
            "more, give it one 'value'"));
        continue;
      }
      Compare(key + ".when", WhenText(parameter), WhenText(*kept),
              "earlier trials have it where that condition says");
    }
  }

  std::vector<std::string> Take() { return std::move(refusals_); }

 private:
  const SweepSpec& before_;
  const SweepSpec& after_;
  const Kind kind_;
  std::vector<std::string> refusals_;
};

}  // namespace

std::vector<std::string> EditRefusals(const SweepSpec& before, const SweepSpec& after) {
  Comparison comparison(before, after, Comparison::Kind::kEdit);
  comparison.Compare("name", before.name, after.name, "rename the sweep with: sweep rename");
  comparison.Compare("model", absl::StrJoin(before.models, ", "), absl::StrJoin(after.models, ", "),
                     kOtherTraining);
  comparison.CompareNetworks();
  comparison.Compare("recipe", RecipeText, kOtherTraining);
  comparison.CompareProgram();
  comparison.Compare("dataset", DatasetText(before.dataset), DatasetText(after.dataset),
                     kOtherTraining);
  comparison.Compare("evaluate", EvaluateText, kOtherJudgement);
  comparison.Compare("metric", MetricText, kOtherJudgement);
  comparison.Compare("measures", MeasuresText, kOtherJudgement);
  comparison.Compare("require", RequireText, kOtherJudgement);
  comparison.Compare("gate_on", GateOnText, kOtherJudgement);
  comparison.Compare("epochs", EpochsText, kOtherTraining);
  comparison.Compare("replicates", ReplicatesText(before), ReplicatesText(after),
                     "earlier configurations have that many trials");
  comparison.Compare("seed", absl::StrCat(before.seed), absl::StrCat(after.seed), kOtherTraining);
  comparison.Compare("warm_start", absl::StrJoin(before.warm_start, ", "),
                     absl::StrJoin(after.warm_start, ", "),
                     "earlier results are taken when a sweep is submitted");
  comparison.CompareParameters();
  std::vector<std::string> refusals = comparison.Take();
  const bool has_population = before.HasPopulation() || after.HasPopulation();
  if (has_population && refusals.empty() && before.digest != after.digest) {
    refusals.push_back(
        "method: a population goes on with the file that it began with, of which only description, "
        "labels, requires, priority, share, keep_going and comments can change");
  }
  return refusals;
}

std::vector<std::string> Incomparable(const SweepSpec& earlier, const SweepSpec& here) {
  Comparison comparison(earlier, here, Comparison::Kind::kOtherSweep);
  const bool shares_a_model =
      std::any_of(earlier.models.begin(), earlier.models.end(), [&](const std::string& model) {
        return std::find(here.models.begin(), here.models.end(), model) != here.models.end();
      });
  // Configurations of other models are left out one by one.
  if (!shares_a_model) {
    comparison.Compare("model", absl::StrJoin(earlier.models, ", "),
                       absl::StrJoin(here.models, ", "), "");
  }
  comparison.CompareNetworks();
  comparison.CompareProgram();
  comparison.Compare("dataset", DatasetText(earlier.dataset), DatasetText(here.dataset), "");
  comparison.Compare("evaluate", EvaluateText, "");
  comparison.Compare("metric", MetricText, "");
  return comparison.Take();
}

}  // namespace sweep
