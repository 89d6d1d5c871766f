#include "coordinator/store/json_codec.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "coordinator/store/status_macros.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "simdjson.h"

namespace sweep {
namespace {

using Json = nlohmann::json;    // writes
namespace dom = simdjson::dom;  // reads: a page of trials has several objects for each
using Element = dom::element;

std::optional<Value> FromJson(const Element& element) {
  switch (element.type()) {
    case dom::element_type::BOOL:
      return Value(element.get_bool().value_unsafe());
    case dom::element_type::INT64:
      return Value(element.get_int64().value_unsafe());
    case dom::element_type::UINT64:
      return Value(static_cast<std::int64_t>(element.get_uint64().value_unsafe()));
    case dom::element_type::DOUBLE:
      return Value(element.get_double().value_unsafe());
    case dom::element_type::STRING:
      return Value(std::string(element.get_string().value_unsafe()));
    case dom::element_type::NULL_VALUE:
      return Value(std::numeric_limits<double>::quiet_NaN());
    case dom::element_type::ARRAY:
      if (std::optional<ListValue> list = ParseList(simdjson::minify(element))) {
        return *std::move(list);
      }
      break;
    case dom::element_type::OBJECT:
      break;
  }
  return std::nullopt;
}

// False when the text is not a T. It is valid until this thread reads the next text.
template <typename T>
bool Parse(std::string_view text, T* value) {
  thread_local dom::parser parser;
  return parser.parse(text.data(), text.size()).get(*value) == simdjson::SUCCESS;
}

absl::StatusOr<std::string> Dump(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(fmt::format("cannot be stored as JSON: {}", error.what()));
  }
}

absl::Status Unreadable(std::string_view what, std::string_view json) {
  return absl::DataLossError(fmt::format("stored {} are not what was written: {}", what, json));
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// As JSON, so that it is read back to the last bit.
std::string MeasuredText(double value) {
  if (std::isnan(value)) return "null";
  if (!std::isfinite(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  std::string text = fmt::format("{}", value);
  // Without a point it would be an integer, for SQLite's JSON functions, too.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// The JSON library makes a tree of everything, which is slow for what each report stores.
absl::StatusOr<std::string> TextJson(const std::string& text) {
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  return is_plain ? '"' + text + '"' : Dump(text);
}

absl::StatusOr<std::string> ValueJson(const Value& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) return TextJson(*text);
  if (const auto* const number = std::get_if<double>(&value)) {
    return std::isfinite(*number) ? MeasuredText(*number) : "null";
  }
  return FormatValue(value);
}

std::optional<double> MeasuredFromJson(const Element& element) {
  double number = std::numeric_limits<double>::quiet_NaN();
  if (element.is_null() || element.get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (element.get(text) != simdjson::SUCCESS) return std::nullopt;
  if (text == "Infinity") return kInfinity;
  if (text == "-Infinity") return -kInfinity;
  return std::nullopt;
}

// An object of what `text` gives for each value. The names of measures need no escapes.
template <typename Value, typename Text>
std::string ObjectText(const ByMeasure<Value>& values, Text text) {
  std::string json = "{";
  for (const auto& [name, value] : values) {
    fmt::format_to(std::back_inserter(json), "{}\"{}\":{}", json.size() > 1 ? "," : "", name,
                   text(value));
  }
  return json + "}";
}

bool Read(const Element& element, Measurements* values) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return false;
  for (const auto& [name, member] : object) {
    const std::optional<double> value = MeasuredFromJson(member);
    if (!value) return false;
    values->Set(name, *value);
  }
  return true;
}

}  // namespace

std::string EncodeMeasurements(const Measurements& values) {
  return ObjectText(values, MeasuredText);
}

absl::StatusOr<Measurements> DecodeMeasurements(std::string_view text) {
  Measurements values;
  Element json;
  if (!Parse(text, &json) || !Read(json, &values)) return Unreadable("measurements", text);
  return values;
}

std::string EncodeObjectives(const std::vector<Objective>& objectives) {
  Json json = Json::array();
  for (const Objective& objective : objectives) {
    json.push_back(Json::array({objective.name, objective.maximize ? 1 : 0}));
  }
  return json.dump();
}

absl::StatusOr<std::vector<Objective>> DecodeObjectives(std::string_view text) {
  dom::array json;
  if (!Parse(text, &json) || json.size() == 0) return Unreadable("objectives", text);
  std::vector<Objective> objectives;
  for (const Element& member : json) {
    dom::array pair;
    std::string_view name;
    std::int64_t maximize = 0;
    if (member.get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
        pair.at(0).get(name) != simdjson::SUCCESS ||
        pair.at(1).get(maximize) != simdjson::SUCCESS) {
      return Unreadable("objectives", text);
    }
    objectives.push_back({.name = std::string(name), .maximize = maximize == 1});
  }
  return objectives;
}

std::string EncodeSummaries(const MeasureSummaries& summaries) {
  return ObjectText(summaries, [](const MeasureSummary& summary) {
    return fmt::format("[{},{},{}]", MeasuredText(summary.last), MeasuredText(summary.low),
                       MeasuredText(summary.high));
  });
}

absl::StatusOr<MeasureSummaries> DecodeSummaries(std::string_view text) {
  dom::object json;
  if (!Parse(text, &json)) return Unreadable("measures", text);
  MeasureSummaries summaries;
  for (const auto& [name, member] : json) {
    dom::array list;
    if (member.get(list) != simdjson::SUCCESS || list.size() != 3) {
      return Unreadable("measures", text);
    }
    double numbers[3];
    double* next = numbers;
    for (const Element& one : list) {
      const std::optional<double> number = MeasuredFromJson(one);
      if (!number) return Unreadable("measures", text);
      *next++ = *number;
    }
    bool is_new = false;
    summaries.At(name, &is_new) = {.last = numbers[0], .low = numbers[1], .high = numbers[2]};
  }
  return summaries;
}

std::string EncodeReplicates(const std::vector<EndedPoint::Replicate>& replicates) {
  std::string json = "[";
  for (const EndedPoint::Replicate& one : replicates) {
    fmt::format_to(std::back_inserter(json), "{}[\"{}\",{},{}]", json.size() > 1 ? "," : "",
                   TrialStateName(one.state), one.epoch, MeasuredText(one.best));
  }
  return json + "]";
}

absl::StatusOr<std::vector<EndedPoint::Replicate>> DecodeReplicates(std::string_view text) {
  dom::array json;
  if (!Parse(text, &json)) return Unreadable("replicates", text);
  std::vector<EndedPoint::Replicate> replicates;
  for (const Element& member : json) {
    dom::array list;
    std::string_view state;
    std::int64_t epoch = 0;
    if (member.get(list) != simdjson::SUCCESS || list.size() != 3 ||
        list.at(0).get(state) != simdjson::SUCCESS || list.at(1).get(epoch) != simdjson::SUCCESS) {
      return Unreadable("replicates", text);
    }
    const absl::StatusOr<TrialState> known = ParseTrialState(state);
    const std::optional<double> best = MeasuredFromJson(list.at(2).value_unsafe());
    if (!known.ok() || !best) return Unreadable("replicates", text);
    replicates.push_back({.state = *known, .epoch = static_cast<int>(epoch), .best = *best});
  }
  return replicates;
}

std::string EncodeStanding(const Standing& standing) {
  return fmt::format(R"({{"epoch":{},"tier":{},"values":{}}})", standing.epoch,
                     static_cast<int>(standing.tier), EncodeMeasurements(standing.values));
}

absl::StatusOr<Standing> DecodeStanding(std::string_view text) {
  dom::object json;
  if (!Parse(text, &json)) return Unreadable("results", text);
  Standing standing;
  if (json.size() == 0) return standing;
  std::int64_t tier = 0;
  std::int64_t epoch = 0;
  Element values;
  if (json["tier"].get(tier) != simdjson::SUCCESS || tier < 0 ||
      tier > static_cast<int>(Tier::kMeetsGates) || json["epoch"].get(epoch) != simdjson::SUCCESS ||
      json["values"].get(values) != simdjson::SUCCESS || !Read(values, &standing.values)) {
    return Unreadable("results", text);
  }
  standing.tier = static_cast<Tier>(tier);
  standing.epoch = static_cast<int>(epoch);
  return standing;
}

absl::StatusOr<std::string> EncodeParameters(const ParameterMap& parameters) {
  std::string json = "{";
  for (const auto& [name, value] : parameters) {
    STORE_ASSIGN_OR_RETURN(const std::string key, TextJson(name));
    STORE_ASSIGN_OR_RETURN(const std::string text, ValueJson(value));
    fmt::format_to(std::back_inserter(json), "{}{}:{}", json.size() > 1 ? "," : "", key, text);
  }
  return json + "}";
}

absl::StatusOr<ParameterMap> DecodeParameters(std::string_view text) {
  dom::object json;
  if (!Parse(text, &json)) return Unreadable("parameters", text);
  ParameterMap parameters;
  for (const auto& [name, member] : json) {
    std::optional<Value> value = FromJson(member);
    if (!value) return Unreadable("parameters", text);
    parameters.insert_or_assign(parameters.end(), std::string(name), *std::move(value));
  }
  return parameters;
}

absl::StatusOr<std::string> EncodeLabels(const std::map<std::string, std::string>& labels) {
  Json json = Json::object();
  for (const auto& [name, label] : labels) json[name] = label;
  return Dump(json);
}

absl::StatusOr<std::map<std::string, std::string>> DecodeLabels(std::string_view text) {
  dom::object json;
  if (!Parse(text, &json)) return Unreadable("labels", text);
  std::map<std::string, std::string> labels;
  for (const auto& [name, member] : json) {
    std::string_view label;
    if (member.get(label) != simdjson::SUCCESS) return Unreadable("labels", text);
    labels.emplace(name, label);
  }
  return labels;
}

absl::StatusOr<std::string> EncodeGates(const std::vector<GateOutcome>& gates) {
  std::string json = "[";
  for (const GateOutcome& gate : gates) {
    STORE_ASSIGN_OR_RETURN(const std::string name, TextJson(gate.gate));
    STORE_ASSIGN_OR_RETURN(const std::string value,
                           ValueJson(gate.value.value_or(std::string("unknown"))));
    fmt::format_to(std::back_inserter(json),
                   R"({}{{"gate":{},"met":{},"missed_by":{},"value":{}}})",
                   json.size() > 1 ? "," : "", name, gate.met,
                   std::isfinite(gate.missed_by) ? MeasuredText(gate.missed_by) : "null", value);
  }
  return json + "]";
}

absl::StatusOr<std::vector<GateOutcome>> DecodeGates(std::string_view text) {
  dom::array json;
  if (!Parse(text, &json)) return Unreadable("gates", text);
  std::vector<GateOutcome> gates;
  for (const Element& member : json) {
    std::string_view name;
    bool met = false;
    Element stored;
    if (member["gate"].get(name) != simdjson::SUCCESS ||
        member["met"].get(met) != simdjson::SUCCESS ||
        member["value"].get(stored) != simdjson::SUCCESS) {
      return Unreadable("gates", text);
    }
    std::optional<Value> value = FromJson(stored);
    if (!value) return Unreadable("gates", text);
    if (*value == Value("unknown")) value.reset();
    double missed_by = 0;
    if (member["missed_by"].get(missed_by) != simdjson::SUCCESS) missed_by = 0;  // null: NaN
    gates.push_back(
        {.gate = std::string(name), .met = met, .value = std::move(value), .missed_by = missed_by});
  }
  return gates;
}

}  // namespace sweep
