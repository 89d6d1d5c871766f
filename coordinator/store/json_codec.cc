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

namespace sweep {
namespace {

using Json = nlohmann::json;

std::optional<Value> FromJson(const Json& json) {
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_number_integer()) return Value(json.get<std::int64_t>());
  if (json.is_number_float()) return Value(json.get<double>());
  if (json.is_string()) return Value(json.get<std::string>());
  if (json.is_null()) return Value(std::numeric_limits<double>::quiet_NaN());
  return std::nullopt;
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

Json Parse(std::string_view text) { return Json::parse(text, nullptr, /*allow_exceptions=*/false); }

// The member as a number. NaN, which is stored as null, when it is not a number.
double Number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
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

std::optional<double> MeasuredFromJson(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (json == "Infinity") return kInfinity;
  if (json == "-Infinity") return -kInfinity;
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

bool FromJson(const Json& json, Measurements* values) {
  if (!json.is_object()) return false;
  for (const auto& [name, member] : json.items()) {
    const std::optional<double> value = MeasuredFromJson(member);
    if (!value) return false;
    values->Set(name, *value);
  }
  return true;
}

// Reads an object of values without making a tree of it first: a page of trials has two objects for
// each.
class ParameterReader final : public nlohmann::json_sax<Json> {
 public:
  explicit ParameterReader(ParameterMap* values) : values_(*values) {}

  bool null() override { return Put(std::numeric_limits<double>::quiet_NaN()); }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(std::int64_t value) override { return Put(value); }
  bool number_unsigned(std::uint64_t value) override {
    return Put(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string&) override { return Put(value); }
  bool string(std::string& value) override { return Put(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return !std::exchange(is_inside_, true); }
  bool key(std::string& name) override {
    name_ = std::move(name);
    return true;
  }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool Put(Value value) {
    if (is_inside_) values_.insert_or_assign(std::move(name_), std::move(value));
    return is_inside_;
  }

  ParameterMap& values_;
  std::string name_;
  bool is_inside_ = false;
};

}  // namespace

std::string EncodeMeasurements(const Measurements& values) {
  return ObjectText(values, MeasuredText);
}

absl::StatusOr<Measurements> DecodeMeasurements(std::string_view text) {
  Measurements values;
  if (!FromJson(Parse(text), &values)) return Unreadable("measurements", text);
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
  const Json json = Parse(text);
  if (!json.is_array() || json.empty()) return Unreadable("objectives", text);
  std::vector<Objective> objectives;
  for (const Json& member : json) {
    if (!member.is_array() || member.size() != 2 || !member[0].is_string() ||
        !member[1].is_number_integer()) {
      return Unreadable("objectives", text);
    }
    objectives.push_back({.name = member[0].get<std::string>(), .maximize = member[1] == 1});
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
  const Json json = Parse(text);
  if (!json.is_object()) return Unreadable("measures", text);
  MeasureSummaries summaries;
  for (const auto& [name, member] : json.items()) {
    if (!member.is_array() || member.size() != 3) return Unreadable("measures", text);
    double numbers[3];
    for (std::size_t i = 0; i < 3; ++i) {
      const std::optional<double> number = MeasuredFromJson(member[i]);
      if (!number) return Unreadable("measures", text);
      numbers[i] = *number;
    }
    bool is_new = false;
    summaries.At(name, &is_new) = {.last = numbers[0], .low = numbers[1], .high = numbers[2]};
  }
  return summaries;
}

std::string EncodeStanding(const Standing& standing) {
  return fmt::format(R"({{"epoch":{},"tier":{},"values":{}}})", standing.epoch,
                     static_cast<int>(standing.tier), EncodeMeasurements(standing.values));
}

absl::StatusOr<Standing> DecodeStanding(std::string_view text) {
  const Json json = Parse(text);
  Standing standing;
  if (json.is_object() && json.empty()) return standing;
  const double tier = json.is_object() ? Number(json, "tier") : -1;
  const bool is_tier = tier >= 0 && tier <= static_cast<int>(Tier::kMeetsGates);
  if (!is_tier || !json.contains("values") || !FromJson(json["values"], &standing.values)) {
    return Unreadable("results", text);
  }
  standing.tier = static_cast<Tier>(tier);
  standing.epoch = static_cast<int>(Number(json, "epoch"));
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
  ParameterMap parameters;
  ParameterReader reader(&parameters);
  if (!Json::sax_parse(text, &reader)) return Unreadable("parameters", text);
  return parameters;
}

absl::StatusOr<std::string> EncodeLabels(const std::map<std::string, std::string>& labels) {
  Json json = Json::object();
  for (const auto& [name, label] : labels) json[name] = label;
  return Dump(json);
}

absl::StatusOr<std::map<std::string, std::string>> DecodeLabels(std::string_view text) {
  const Json json = Parse(text);
  std::map<std::string, std::string> labels;
  if (!json.is_object()) return Unreadable("labels", text);
  for (const auto& [name, member] : json.items()) {
    if (!member.is_string()) return Unreadable("labels", text);
    labels.emplace(name, member.get<std::string>());
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
  const Json json = Parse(text);
  if (!json.is_array()) return Unreadable("gates", text);
  std::vector<GateOutcome> gates;
  for (const Json& member : json) {
    if (!member.is_object() || !member.contains("gate") || !member["gate"].is_string() ||
        !member.contains("met") || !member["met"].is_boolean() || !member.contains("value")) {
      return Unreadable("gates", text);
    }
    std::optional<Value> value = FromJson(member["value"]);
    if (!value) return Unreadable("gates", text);
    if (*value == Value("unknown")) value.reset();
    const double missed_by = Number(member, "missed_by");
    gates.push_back({.gate = member["gate"].get<std::string>(),
                     .met = member["met"].get<bool>(),
                     .value = std::move(value),
                     .missed_by = std::isnan(missed_by) ? 0 : missed_by});
  }
  return gates;
}

}  // namespace sweep
