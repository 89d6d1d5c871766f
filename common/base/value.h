#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sweep {

// A list as the value of a hyperparameter, such as [64, 32]: JSON without spaces, as MakeList and
// ParseList write it, so that equal lists have equal texts. Its items are booleans, numbers, texts
// and lists.
struct ListValue {
  explicit ListValue(std::string text) : json(std::move(text)) {}
  auto operator<=>(const ListValue&) const = default;
  std::string json;
};

// For nlohmann's JSON: a list becomes an array.
template <typename Json>
void to_json(Json& json, const ListValue& list) {
  json = Json::parse(list.json);
}

// One value of a hyperparameter, of an expression or of a gate. Only a program's hyperparameter is
// a list.
using Value = std::variant<bool, std::int64_t, double, std::string, ListValue>;

// Hyperparameters by name, ordered, so that printing and hashing are stable.
using ParameterMap = std::map<std::string, Value>;

// The limits on a list: items of it and of the lists in it, together, and their depth.
inline constexpr int kMostListItems = 256;
inline constexpr int kMostListLevels = 4;
// Ignores the limits.
ListValue MakeList(const std::vector<Value>& items);
// nullopt when the text is no JSON, no list within the limits, or has null or an object in it.
std::optional<ListValue> ParseList(std::string_view json);

// Shortest text that parses back to the same value: "0.01", "32", "true", "cosine", "[64,32]".
std::string FormatValue(const Value& value);

// Shortest decimal text that parses back to the same double ("0.1", not "0.10000000000000001").
std::string FormatDouble(double value);

// As FormatValue, but lists that are the same by SameValue have equal texts: "[64.0]" is "[64]".
std::string CanonicalText(const Value& value);

// True when both are numbers of equal value (1 == 1.0), lists of such, or of the same type and
// equal.
bool SameValue(const Value& a, const Value& b);

// True for int64 and double; bool and string are not numbers.
bool IsNumber(const Value& value);

// The value as double. Requires IsNumber(value) (a bool gives 0 or 1; a string or list gives NaN).
double AsDouble(const Value& value);

// "boolean", "integer", "number", "string" or "list", for messages.
std::string_view TypeName(const Value& value);

}  // namespace sweep
