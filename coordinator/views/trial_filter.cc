#include "coordinator/views/trial_filter.h"

#include <algorithm>
#include <map>

#include "common/base/nearest.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// What is known of every trial, by name. Nullopt: not reached yet.
using TrialField = std::optional<Value> (*)(const TrialRow&);

template <auto member>
std::optional<Value> Measured(const TrialRow& trial) {
  if (trial.result.epoch == 0) return std::nullopt;
  return Value(trial.result.*member);
}

const std::map<std::string_view, TrialField>& TrialFields() {
  static const auto& fields = *new std::map<std::string_view, TrialField>{
      {"number", [](const TrialRow& t) { return std::optional<Value>(t.number); }},
      {"configuration", [](const TrialRow& t) { return std::optional<Value>(t.configuration); }},
      {"replicate",
       [](const TrialRow& t) { return std::optional<Value>(std::int64_t{t.replicate}); }},
      {"attempt", [](const TrialRow& t) { return std::optional<Value>(std::int64_t{t.attempt}); }},
      {"failures",
       [](const TrialRow& t) { return std::optional<Value>(std::int64_t{t.failures}); }},
      {"epochs", [](const TrialRow& t) { return std::optional<Value>(std::int64_t{t.epochs}); }},
      {"epoch",
       [](const TrialRow& t) { return std::optional<Value>(std::int64_t{t.result.epoch}); }},
      {"state",
       [](const TrialRow& t) {
         return std::optional<Value>(std::string(TrialStateName(t.state)));
       }},
      {"worker", [](const TrialRow& t) { return std::optional<Value>(t.worker); }},
      {"model", [](const TrialRow& t) { return std::optional<Value>(t.model); }},
      {"parameters", [](const TrialRow& t) { return std::optional<Value>(t.network_parameters); }},
      {"fully_connected",
       [](const TrialRow& t) { return std::optional<Value>(t.fully_connected); }},
      {"best_accuracy", Measured<&TrialResult::best_accuracy>},
      {"last_accuracy", Measured<&TrialResult::last_accuracy>},
      {"best_loss", Measured<&TrialResult::best_loss>},
      {"last_loss", Measured<&TrialResult::last_loss>},
      {"best_epoch",
       [](const TrialRow& t) {
         return t.result.epoch == 0 ? std::nullopt
                                    : std::optional<Value>(std::int64_t{t.result.best_epoch});
       }},
      {"epochs_to_target",
       [](const TrialRow& t) {
         return t.result.epochs_to_target == 0
                    ? std::nullopt
                    : std::optional<Value>(std::int64_t{t.result.epochs_to_target});
       }},
  };
  return fields;
}

}  // namespace

std::vector<std::string> KnownTrialNames(const SweepSpec& spec) {
  std::vector<std::string> names = NetworkFactNames();
  for (const auto& [name, field] : TrialFields()) names.emplace_back(name);
  for (const KnownParameter& parameter : KnownParameters()) names.emplace_back(parameter.name);
  for (const Parameter& parameter : spec.parameters) names.push_back(parameter.name);
  for (const auto& [model, network] : spec.networks) {
    for (const std::string& name : network.references()) names.push_back(name);
    for (const auto& [name, value] : network.defaults()) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

absl::StatusOr<TrialFilter> TrialFilter::Parse(std::string_view text,
                                               std::shared_ptr<const SweepSpec> spec) {
  absl::StatusOr<Expression> expression = Expression::Parse(text);
  if (!expression.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("filter '{}': {}", text, std::string(expression.status().message())));
  }
  const std::vector<std::string> known = KnownTrialNames(*spec);
  for (const std::string& name : expression->names()) {
    if (std::binary_search(known.begin(), known.end(), name)) continue;
    return absl::InvalidArgumentError(
        fmt::format("filter '{}': there is no '{}'{}", text, name, DidYouMean(name, known)));
  }
  return TrialFilter(*std::move(expression), std::move(spec));
}

absl::StatusOr<bool> TrialFilter::Matches(const TrialRow& trial) const {
  std::vector<Value> values;
  std::optional<Configuration> configuration;  // resolved only when something of it is asked for
  for (const std::string& name : expression_.names()) {
    std::optional<Value> value;
    if (const auto field = TrialFields().find(name); field != TrialFields().end()) {
      value = field->second(trial);
    } else if (const auto chosen = trial.parameters.find(name); chosen != trial.parameters.end()) {
      value = chosen->second;
    } else {
      if (!configuration.has_value()) {
        absl::StatusOr<Configuration> resolved =
            spec_->Complete(trial.configuration, trial.parameters);
        if (!resolved.ok()) return resolved.status();
        configuration = *std::move(resolved);
      }
      value = LookUpConfiguration(*configuration, name);
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
  return absl::InvalidArgumentError(fmt::format("filter '{}': trial {}: {}", expression_.text(),
                                                trial, std::string(matches.status().message())));
}

}  // namespace sweep
