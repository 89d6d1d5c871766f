#include "cli/present/optuna_journal.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "cli/present/cells.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "common/spec/dimensions.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

// optuna.storages.journal._storage.JournalOperation
constexpr int kCreateStudy = 0;
constexpr int kSetStudyUserAttr = 2;
constexpr int kSetStudySystemAttr = 3;
constexpr int kCreateTrial = 4;
// optuna.study.StudyDirection
constexpr int kMinimize = 1;
constexpr int kMaximize = 2;
// optuna.trial.TrialState
constexpr int kRunning = 0;
constexpr int kComplete = 1;
constexpr int kPruned = 2;
constexpr int kFail = 3;
constexpr int kWaiting = 4;

int StateOf(const v1::Trial& trial, bool has_value) {
  switch (trial.state()) {
    case v1::TRIAL_STATE_PENDING:
      return kWaiting;
    case v1::TRIAL_STATE_LEASED:
    case v1::TRIAL_STATE_RUNNING:
    case v1::TRIAL_STATE_ON_HOLD:  // Optuna lacks this state
      return kRunning;
    case v1::TRIAL_STATE_COMPLETED:
      return has_value ? kComplete : kFail;  // Optuna requires a value for a complete trial
    case v1::TRIAL_STATE_STOPPED:
      return kPruned;
    default:
      return kFail;
  }
}

// The format of Optuna 5.0.0. Older versions write local time without a zone, and would read a
// zoneless time as local, but they read a zone if there is one (4.9.0).
std::string TimeText(const google::protobuf::Timestamp& time) {
  const absl::Time moment = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6S+00:00", moment, absl::UTCTimeZone());
}

// A list as its text: Optuna's choices have no lists.
Json ToJson(const Value& value) {
  if (const auto* const list = std::get_if<ListValue>(&value)) return list->json;
  return std::visit([](const auto& held) { return Json(held); }, value);
}

std::optional<Value> ValueOf(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return Value(value.bool_value());
    case v1::Value::kIntValue:
      return Value(std::int64_t{value.int_value()});
    case v1::Value::kDoubleValue:
      return Value(value.double_value());
    case v1::Value::kStringValue:
      return Value(value.string_value());
    case v1::Value::kListValue:
      return ParseList(value.list_value());
    default:
      return std::nullopt;
  }
}

// A distribution and the value in Optuna's representation.
struct Placed {
  std::string distribution;  // JSON
  Json value;
};

Placed Categorical(const Parameter& parameter, std::size_t index) {
  Json choices = Json::array();
  for (const Value& value : parameter.values) choices.push_back(ToJson(value));
  return {.distribution = cells::Dump(
              {{"name", "CategoricalDistribution"}, {"attributes", {{"choices", choices}}}}),
          .value = index};
}

// True when Optuna, which counts steps in decimal, and the search space, which rounds to 15 digits,
// agree on the number.
bool IsDecimal(double value) {
  if (value == std::round(value)) return std::abs(value) < 9e15;
  return std::abs(value) < 1e5 && std::abs(value * 1e9 - std::round(value * 1e9)) < 1e-3 &&
         value == std::round(value * 1e9) / 1e9;
}

struct Range {
  double low, high;
  std::optional<double> step;
};

// The steps from the first multiple to the last; nullopt when there are none, when Optuna allows
// none (on a logarithmic scale), or when the value lies on no step.
std::optional<Range> StepsOf(const Parameter& parameter, double value) {
  if (parameter.distribution != Distribution::kQUniform) return std::nullopt;
  const std::int64_t count = parameter.GridSize();
  if (count < 1) return std::nullopt;
  const Range range{.low = AsDouble(parameter.GridValue(0)),
                    .high = AsDouble(parameter.GridValue(count - 1)),
                    .step = parameter.q};
  for (const double number : {range.low, range.high, parameter.q, value}) {
    if (!IsDecimal(number)) return std::nullopt;
  }
  const double place = (value - range.low) / parameter.q;
  const bool within = value >= range.low && value <= range.high;
  if (!within || std::abs(place - std::round(place)) > 1e-9) return std::nullopt;
  return range;
}

// True when Optuna's search space can represent the parameter's steps.
bool KeepsSteps(const Parameter& parameter) {
  return parameter.distribution == Distribution::kQUniform &&
         StepsOf(parameter, AsDouble(parameter.GridValue(0))).has_value();
}

// The range without steps; its ends are values that a trial may have.
Range EndsOf(const Parameter& parameter, double value) {
  const Parameter::Range shown = parameter.ShownRange();
  Range range{.low = shown.low, .high = shown.high, .step = std::nullopt};
  if (parameter.q > 0) {
    range.low = AsDouble(parameter.Quantile(0));
    range.high = AsDouble(parameter.Quantile(1));
  }
  return {.low = std::min(range.low, value), .high = std::max(range.high, value), .step = {}};
}

std::optional<Placed> Numeric(const Parameter& parameter, double value) {
  const Dimension dimension = DimensionOf(parameter);
  const bool log = dimension.scale == Dimension::Scale::kLog;
  if (!std::isfinite(value) || (log && !(value > 0))) return std::nullopt;
  const Range range = StepsOf(parameter, value).value_or(EndsOf(parameter, value));
  const bool whole = dimension.whole && value == std::round(value);
  if (!whole) {
    const Json step = range.step ? Json(*range.step) : Json(nullptr);
    return Placed{.distribution = cells::Dump(
                      {{"name", "FloatDistribution"},
                       {"attributes",
                        {{"step", step}, {"low", range.low}, {"high", range.high}, {"log", log}}}}),
                  .value = value};
  }
  return Placed{.distribution =
                    cells::Dump({{"name", "IntDistribution"},
                                 {"attributes",
                                  {{"log", log},
                                   {"step", static_cast<std::int64_t>(range.step.value_or(1))},
                                   {"low", static_cast<std::int64_t>(std::ceil(range.low))},
                                   {"high", static_cast<std::int64_t>(std::floor(range.high))}}}}),
                .value = static_cast<std::int64_t>(value)};
}

// nullopt for parameters that Optuna does not search and values that it cannot represent.
std::optional<Placed> Place(const Parameter& parameter, const Value& value) {
  if (parameter.distribution == Distribution::kConstant) return std::nullopt;
  if (parameter.distribution != Distribution::kCategorical) {
    return IsNumber(value) ? Numeric(parameter, AsDouble(value)) : std::nullopt;
  }
  const auto found = std::find_if(parameter.values.begin(), parameter.values.end(),
                                  [&](const Value& choice) { return SameValue(choice, value); });
  if (found == parameter.values.end()) return std::nullopt;
  return Categorical(parameter, static_cast<std::size_t>(found - parameter.values.begin()));
}

Json UserAttributes(const v1::Trial& trial) {
  Json attributes = {{"trial", ShortName(trial.name())},
                     {"state", StateName(trial.state())},
                     {"configuration", trial.configuration()},
                     {"replicate", trial.replicate()},
                     // A string: a browser would round the number.
                     {"seed", std::to_string(trial.seed())},
                     {"failures", trial.failures()}};
  if (trial.network_parameters() > 0) {  // a program's own network is unknown
    attributes["model"] = trial.model();
    attributes["network_parameters"] = trial.network_parameters();
    attributes["fully_connected"] = trial.fully_connected();
  }
  if (trial.attempt() > 0) {
    // The time between start and end would include pauses.
    attributes["attempt_seconds"] = static_cast<double>(trial.attempt_duration().seconds()) +
                                    trial.attempt_duration().nanos() * 1e-9;
  }
  const std::map<std::string, v1::Value> defaults(trial.defaults().begin(), trial.defaults().end());
  for (const auto& [name, held] : defaults) {
    const std::optional<Value> value = ValueOf(held);
    if (value) attributes["defaults"][name] = ToJson(*value);
  }
  if (trial.best_epoch() > 0) attributes["best_epoch"] = trial.best_epoch();
  if (trial.epochs_to_target() > 0) attributes["epochs_to_target"] = trial.epochs_to_target();
  if (!trial.worker().empty()) attributes["worker"] = ShortName(trial.worker());
  if (!trial.reason().empty()) attributes["reason"] = trial.reason();
  return attributes;
}

}  // namespace

OptunaJournal::OptunaJournal(const SweepSpec& spec, const v1::Sweep& sweep, std::ostream* out)
    : objectives_(spec.objectives), parameters_(spec.parameters), out_(out) {
  Json directions = Json::array();
  Json names = Json::array();
  for (const Objective& objective : objectives_) {
    directions.push_back(objective.maximize ? kMaximize : kMinimize);
    names.push_back(objective.name);
  }
  WriteOperation(kCreateStudy,
                 {{"study_name", ShortName(sweep.name())}, {"directions", std::move(directions)}});
  const auto add = [&](int code, const char* field, const std::string& key, Json value) {
    WriteOperation(code, {{"study_id", 0}, {field, {{key, std::move(value)}}}});
  };
  // The names as the dashboard shows them.
  add(kSetStudySystemAttr, "system_attr", "study:metric_names", std::move(names));
  add(kSetStudyUserAttr, "user_attr", "method", sweep.method());
  add(kSetStudyUserAttr, "user_attr", "epochs", sweep.epochs());
  if (!spec.description.empty()) {
    add(kSetStudyUserAttr, "user_attr", "description", spec.description);
  }
  Json gates = Json::array();
  for (const std::string& gate : sweep.gates()) gates.push_back(gate);
  if (!gates.empty()) add(kSetStudyUserAttr, "user_attr", "require", gates);
  Json fixed = Json::object();
  for (const Parameter& parameter : parameters_) {
    if (parameter.distribution != Distribution::kConstant || parameter.values.empty()) continue;
    fixed[parameter.name] = ToJson(parameter.values.front());
  }
  Json steps = Json::object();
  for (const Parameter& parameter : parameters_) {
    if (parameter.q > 0 && !KeepsSteps(parameter)) steps[parameter.name] = parameter.q;
  }
  if (!steps.empty()) add(kSetStudyUserAttr, "user_attr", "multiples_of", steps);
  if (!fixed.empty()) add(kSetStudyUserAttr, "user_attr", "fixed_parameters", fixed);
}

void OptunaJournal::WriteOperation(int code, Json fields) {
  Json operation = {{"op_code", code}, {"worker_id", "sweep-export"}};
  operation.update(fields);
  *out_ << cells::Dump(operation) << "\n";
}

void OptunaJournal::AddParameters(const v1::Trial& trial, Json* record) const {
  Json distributions = Json::object();
  Json params = Json::object();
  for (const Parameter& parameter : parameters_) {
    const auto chosen = trial.parameters().find(parameter.name);
    if (chosen == trial.parameters().end()) continue;
    const std::optional<Value> value = ValueOf(chosen->second);
    if (!value) continue;
    std::optional<Placed> placed = Place(parameter, *value);
    if (!placed) continue;
    distributions[parameter.name] = std::move(placed->distribution);
    params[parameter.name] = std::move(placed->value);
  }
  (*record)["distributions"] = std::move(distributions);
  (*record)["params"] = std::move(params);
}

// Adds the state, the trial's values, and the metric after each epoch.
void OptunaJournal::AddValues(const v1::Trial& trial, const std::vector<v1::Epoch>& epochs,
                              Json* record) const {
  Json intermediate = Json::object();
  Json last;
  Measurements ranked;  // in the epoch that the ranking uses
  for (const v1::Epoch& epoch : epochs) {
    const EpochMetrics metrics = FromProto(epoch);
    if (metrics.epoch == trial.value_epoch()) ranked = metrics.values;
    const double value = metrics.Get(objectives_.front().name);
    if (objectives_.size() > 1 || !std::isfinite(value)) continue;
    last = value;
    intermediate[std::to_string(metrics.epoch)] = value;
  }
  Json values = Json::array();
  for (const Objective& objective : objectives_) {
    std::optional<double> value = BestOf(trial, objective);
    if (objectives_.size() > 1 && ranked.Get(objective.name)) value = ranked.Get(objective.name);
    if (value && std::isfinite(*value)) values.push_back(*value);
  }
  const bool has_values = values.size() == objectives_.size();
  const int state = StateOf(trial, has_values);
  (*record)["state"] = state;
  (*record)["value"] = nullptr;
  (*record)["values"] = nullptr;
  if (state == kComplete && objectives_.size() == 1) (*record)["value"] = values.front();
  if (state == kComplete && objectives_.size() > 1) (*record)["values"] = std::move(values);
  if (state == kPruned) (*record)["value"] = std::move(last);  // as Optuna does
  (*record)["intermediate_values"] = std::move(intermediate);
}

void OptunaJournal::Write(const v1::Trial& trial, const std::vector<v1::Epoch>& epochs) {
  Json record = {{"study_id", 0}};
  AddValues(trial, epochs, &record);
  const int state = record["state"];
  record["datetime_start"] = nullptr;
  if (state != kWaiting) {
    record["datetime_start"] =
        TimeText(trial.has_start_time() ? trial.start_time() : trial.create_time());
  }
  if (state != kWaiting && state != kRunning) {
    record["datetime_complete"] =
        TimeText(trial.has_end_time() ? trial.end_time() : trial.create_time());
  }
  AddParameters(trial, &record);
  record["user_attrs"] = UserAttributes(trial);
  record["system_attrs"] = Json::object();
  WriteOperation(kCreateTrial, std::move(record));
}

}  // namespace sweep::cli
