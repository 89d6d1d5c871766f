#include "coordinator/views/trial_filter.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "common/base/nearest.h"
#include "coordinator/store/trial_facts.h"
#include "fmt/format.h"

namespace sweep {
std::vector<std::string> KnownTrialNames(const SweepSpec& spec) {
  std::vector<std::string> hyperparameters;
  for (const KnownParameter& parameter : KnownParameters()) {
    // A program has its own defaults, so hyperparameters that the file omits are unknown.
    if (!spec.LeavesDefaultsToProgram() || parameter.name == "epochs") {
      hyperparameters.emplace_back(parameter.name);
    }
  }
  for (const Parameter& parameter : spec.parameters) hyperparameters.push_back(parameter.name);
  for (const auto& [model, network] : spec.networks) {
    for (const std::string& name : network.references()) hyperparameters.push_back(name);
    for (const auto& [name, value] : network.defaults()) hyperparameters.push_back(name);
  }
  std::vector<std::string> names = NetworkFactNames();
  for (const TrialFact& fact : TrialFacts()) {
    names.emplace_back(fact.name);
    names.push_back(fmt::format("{}{}", kTrialPrefix, fact.name));
  }
  for (const std::string& name : hyperparameters) {
    names.push_back(name);
    names.push_back(fmt::format("{}{}", kParametersPrefix, name));
  }
  std::vector<std::string> measured = PredefinedMeasureFields();
  measured.emplace_back("best");
  for (const Objective& goal : spec.Goals()) {
    if (FindMeasure(goal.name) == nullptr) measured.push_back("best." + goal.name);
  }
  for (const std::string& name : measured) {
    names.push_back(name);
    names.push_back(fmt::format("{}{}", kTrialPrefix, name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::optional<MeasureField> FindMeasureField(const SweepSpec& spec, std::string_view name) {
  if (name == "best") {
    const Objective& objective = spec.objective();
    return MeasureField{
        .measure = std::string(CanonicalMeasure(objective.name)),
        .part = objective.maximize ? MeasureField::Part::kHigh : MeasureField::Part::kLow};
  }
  std::optional<MeasureField> field = ParseMeasureField(name, spec.Goals());
  // The workers' own trainer reports predefined measures only; a program may report any.
  if (field && !spec.HasOwnTrainer() && FindMeasure(field->measure) == nullptr) return std::nullopt;
  return field;
}

TrialName ResolveTrialName(const SweepSpec& spec, std::string_view written) {
  if (written.starts_with(kParametersPrefix)) {
    return {TrialName::Of::kParameters, std::string(WithoutParametersPrefix(written))};
  }
  if (written.starts_with(kTrialPrefix)) {
    return {TrialName::Of::kTrial, std::string(written.substr(kTrialPrefix.size()))};
  }
  // Without networks a trial has no model, so the name means the hyperparameter.
  const bool own_model = written == "model" && spec.models.empty();
  return {own_model ? TrialName::Of::kParameters : TrialName::Of::kEither, std::string(written)};
}

absl::Status CheckTrialName(const SweepSpec& spec, const std::string& written) {
  const std::vector<std::string> known = KnownTrialNames(spec);
  const auto [of, name] = ResolveTrialName(spec, written);
  const bool is_measure =
      of != TrialName::Of::kParameters && FindMeasureField(spec, name).has_value();
  if (!is_measure && !std::binary_search(known.begin(), known.end(), written)) {
    return absl::InvalidArgumentError(
        fmt::format("there is no '{}'{}", written, DidYouMean(written, known)));
  }
  const bool is_parameter =
      std::any_of(spec.parameters.begin(), spec.parameters.end(),
                  [&](const Parameter& parameter) { return parameter.name == written; });
  // These names mean the same for a trial and for its configuration.
  const bool agree = written == "epochs" || written == "model";
  if (!is_parameter || agree || (!is_measure && FindTrialFact(written) == nullptr)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      fmt::format("'{0}' is a field of every trial and a hyperparameter of this sweep; write "
                  "{1}{0} for the hyperparameter, {2}{0} for the trial's own",
                  written, kParametersPrefix, kTrialPrefix));
}

namespace {

// A hint for a filter that cannot be parsed or tested: a hyperparameter may have a keyword of the
// language as its name.
std::string WordHint(const SweepSpec& spec) {
  for (const Parameter& parameter : spec.parameters) {
    if (!IsExpressionWord(parameter.name)) continue;
    return fmt::format(" (the hyperparameter '{0}' is written {1}{0})", parameter.name,
                       kParametersPrefix);
  }
  return "";
}

// The unquoted name of a measure around the word `name` in a filter: "val/f1".
std::string_view WordsAround(std::string_view text, std::string_view name) {
  const auto is_part = [](char letter) {
    return absl::ascii_isalnum(static_cast<unsigned char>(letter)) || letter == '_' ||
           letter == '.' || letter == '/';
  };
  std::size_t begin = text.find(name);
  if (begin == std::string_view::npos) return name;
  std::size_t end = begin + name.size();
  while (begin > 0 && is_part(text[begin - 1])) --begin;
  while (end < text.size() && is_part(text[end])) ++end;
  return text.substr(begin, end - begin);
}

// A hint for an unknown name that is part of a measure's name: val/f1 is parsed as a division.
std::string MeasureHint(const SweepSpec& spec, std::string_view text, std::string_view name) {
  std::string_view measure = WordsAround(text, name);
  if (measure.find('/') == std::string_view::npos) return "";
  std::string_view part;
  for (const std::string_view known : {"best.", "last.", "low.", "high."}) {
    if (measure.starts_with(known)) part = known;
  }
  measure.remove_prefix(part.size());
  if (measure.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(measure[0]))) return "";
  // Undeclared measures have a last value but no best one.
  for (const std::string_view tried :
       {part, std::string_view("best."), std::string_view("last.")}) {
    if (tried.empty() || !FindMeasureField(spec, fmt::format("{}{}", tried, measure))) continue;
    return fmt::format(" (a measure '{1}' is written {0}\"{1}\")", tried, measure);
  }
  return "";
}

}  // namespace

absl::StatusOr<TrialFilter> TrialFilter::Parse(std::string_view text,
                                               std::shared_ptr<const SweepSpec> spec) {
  absl::StatusOr<Expression> expression = Expression::Parse(text);
  if (!expression.ok()) {
    return absl::InvalidArgumentError(fmt::format(
        "filter '{}': {}{}", text, std::string(expression.status().message()), WordHint(*spec)));
  }
  for (const std::string& name : expression->names()) {
    const absl::Status status = CheckTrialName(*spec, name);
    if (status.ok()) continue;
    return absl::InvalidArgumentError(fmt::format(
        "filter '{}': {}{}", text, std::string(status.message()), MeasureHint(*spec, text, name)));
  }
  return TrialFilter(*std::move(expression), std::move(spec));
}

absl::StatusOr<bool> TrialFilter::Matches(const TrialRow& trial) const {
  std::vector<Value> values;
  std::optional<Configuration> configuration;  // resolved only when it is needed
  for (const std::string& written : expression_.names()) {
    const auto [of, name] = ResolveTrialName(*spec_, written);
    std::optional<Value> value;
    const TrialFact* const fact = FindTrialFact(name);
    const auto chosen = trial.parameters.values().find(name);
    const auto measure = FindMeasureField(*spec_, name);
    if (measure && of != TrialName::Of::kParameters) {
      const std::optional<double> number = measure->Of(trial.result.measures);
      if (number && !std::isnan(*number)) value = *number;
    } else if (fact != nullptr && of != TrialName::Of::kParameters) {
      value = fact->value(trial);
    } else if (chosen != trial.parameters.end()) {
      value = chosen->second;
    } else {
      if (!configuration.has_value()) {
        absl::StatusOr<Configuration> resolved =
            spec_->Complete(trial.configuration, trial.parameters);
        if (!resolved.ok()) return resolved.status();
        configuration = *std::move(resolved);
      }
      value =
          LookUpConfiguration(*configuration, of == TrialName::Of::kParameters ? written : name);
    }
    if (!value.has_value()) return false;
    values.push_back(*std::move(value));
  }
  return Test(values, trial.short_name());
}

absl::StatusOr<bool> TrialFilter::Test(const std::vector<Value>& values,
                                       std::string_view trial) const {
  const std::vector<std::string>& names = expression_.names();
  const absl::StatusOr<bool> matches =
      expression_.Test([&](std::string_view name) -> std::optional<Value> {
        const auto found = std::lower_bound(names.begin(), names.end(), name);
        if (found == names.end() || *found != name) return std::nullopt;
        return values[static_cast<std::size_t>(found - names.begin())];
      });
  if (matches.ok()) return matches;
  return absl::InvalidArgumentError(fmt::format("filter '{}': trial {}: {}{}", expression_.text(),
                                                trial, std::string(matches.status().message()),
                                                WordHint(*spec_)));
}

}  // namespace sweep
