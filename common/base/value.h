#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace sweep {

// One value of a hyperparameter, of an expression or of a gate.
using Value = std::variant<bool, std::int64_t, double, std::string>;

// Hyperparameters by name, ordered, so that printing and hashing are stable.
using ParameterMap = std::map<std::string, Value>;

// Shortest text that parses back to the same value: "0.01", "32", "true", "cosine".
std::string FormatValue(const Value& value);

// Shortest decimal text that parses back to the same double ("0.1", not "0.10000000000000001").
std::string FormatDouble(double value);

// True when both are numbers of equal value (1 == 1.0) or of the same type and equal.
bool SameValue(const Value& a, const Value& b);

// True for int64 and double; bool and string are not numbers.
bool IsNumber(const Value& value);

// The value as double. Requires IsNumber(value) (a bool gives 0 or 1; a string gives NaN).
double AsDouble(const Value& value);

// "boolean", "integer", "number" or "string", for messages.
std::string_view TypeName(const Value& value);

}  // namespace sweep
