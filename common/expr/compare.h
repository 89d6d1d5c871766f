#pragma once

#include <compare>

#include "common/base/value.h"

namespace sweep {

// Both are numbers, both booleans or both strings.
bool SameKind(const Value& a, const Value& b);

// Order of two numbers, exact even where an int64 is no double (2^53 + 1 is above 2^53); unordered
// with NaN. Requires IsNumber of both.
std::partial_ordering CompareNumbers(const Value& a, const Value& b);

// "number 0.1", "string 'cosine'": a value in a message.
std::string DescribeValue(const Value& value);

}  // namespace sweep
