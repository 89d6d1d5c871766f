#include "common/base/value.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace sweep {
namespace {

using nlohmann::json;

json ToJson(const Value& value) {
  if (const bool* b = std::get_if<bool>(&value)) return *b;
  if (const std::int64_t* i = std::get_if<std::int64_t>(&value)) return *i;
  if (const double* d = std::get_if<double>(&value)) return *d;
  if (const std::string* s = std::get_if<std::string>(&value)) return *s;
  return json::parse(std::get<ListValue>(value).json);
}

ListValue Written(const json& list) {
  return ListValue(list.dump(-1, ' ', false, json::error_handler_t::replace));
}

// Counts the items down from `items`.
bool IsWithinLimits(const json& list, int levels, int* items) {
  for (const json& item : list) {
    if (--*items < 0 || item.is_null() || item.is_object()) return false;
    if (item.is_array() && (levels == 1 || !IsWithinLimits(item, levels - 1, items))) return false;
  }
  return true;
}

// Writes whole numbers as integers.
void MakeCanonical(json* list) {
  constexpr double kBeyondIntegers = 9223372036854775808.0;  // 2^63
  for (json& item : *list) {
    if (item.is_array()) MakeCanonical(&item);
    if (!item.is_number_float()) continue;
    const double number = item.get<double>();
    if (std::abs(number) < kBeyondIntegers && number == std::trunc(number)) {
      item = static_cast<std::int64_t>(number);
    }
  }
}

}  // namespace

ListValue MakeList(const std::vector<Value>& items) {
  json list = json::array();
  for (const Value& item : items) list.push_back(ToJson(item));
  return Written(list);
}

std::optional<ListValue> ParseList(std::string_view text) {
  json list;
  try {
    list = json::parse(text);
  } catch (const json::exception&) {  // also a number beyond all doubles
    return std::nullopt;
  }
  int items = kMostListItems;
  if (!list.is_array() || !IsWithinLimits(list, kMostListLevels, &items)) return std::nullopt;
  return Written(list);
}

std::string FormatDouble(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, result.ptr);
}

std::string FormatValue(const Value& value) {
  if (const bool* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const std::int64_t* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
  if (const double* d = std::get_if<double>(&value)) return FormatDouble(*d);
  if (const ListValue* list = std::get_if<ListValue>(&value)) return list->json;
  return std::get<std::string>(value);
}

std::string CanonicalText(const Value& value) {
  const ListValue* const list = std::get_if<ListValue>(&value);
  if (list == nullptr) return FormatValue(value);
  json items = json::parse(list->json);
  MakeCanonical(&items);
  return Written(items).json;
}

bool IsNumber(const Value& value) {
  return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

double AsDouble(const Value& value) {
  if (const bool* b = std::get_if<bool>(&value)) return *b ? 1 : 0;
  if (const std::int64_t* i = std::get_if<std::int64_t>(&value)) return static_cast<double>(*i);
  if (const double* d = std::get_if<double>(&value)) return *d;
  return std::numeric_limits<double>::quiet_NaN();
}

bool SameValue(const Value& a, const Value& b) {
  if (IsNumber(a) && IsNumber(b)) return AsDouble(a) == AsDouble(b);
  const auto* const a_list = std::get_if<ListValue>(&a);
  const auto* const b_list = std::get_if<ListValue>(&b);
  if (a_list == nullptr || b_list == nullptr) return a == b;
  return *a_list == *b_list || json::parse(a_list->json) == json::parse(b_list->json);
}

std::string_view TypeName(const Value& value) {
  static constexpr std::string_view kNames[] = {"boolean", "integer", "number", "string", "list"};
  return kNames[value.index()];
}

}  // namespace sweep
