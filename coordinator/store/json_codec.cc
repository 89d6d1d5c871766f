#include "coordinator/store/json_codec.h"

#include <cstdint>
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

Json ToJson(const Value& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

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

// The member as a number; NaN, which is written as null, when it is none.
double Number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

absl::StatusOr<std::string> EncodeParameters(const ParameterMap& parameters) {
  Json json = Json::object();
  for (const auto& [name, value] : parameters) json[name] = ToJson(value);
  return Dump(json);
}

absl::StatusOr<ParameterMap> DecodeParameters(std::string_view text) {
  const Json json = Parse(text);
  if (!json.is_object()) return Unreadable("parameters", text);
  ParameterMap parameters;
  for (const auto& [name, member] : json.items()) {
    std::optional<Value> value = FromJson(member);
    if (!value) return Unreadable("parameters", text);
    parameters.emplace(name, *std::move(value));
  }
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
  Json json = Json::array();
  for (const GateOutcome& gate : gates) {
    json.push_back({{"gate", gate.gate},
                    {"met", gate.met},
                    {"value", ToJson(gate.value)},
                    {"missed_by", gate.missed_by}});
  }
  return Dump(json);
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
    gates.push_back({.gate = member["gate"].get<std::string>(),
                     .met = member["met"].get<bool>(),
                     .value = *std::move(value),
                     .missed_by = Number(member, "missed_by")});
  }
  return gates;
}

}  // namespace sweep
