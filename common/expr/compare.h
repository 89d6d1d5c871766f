#pragma once

#include <compare>

#include "common/base/value.h"

namespace sweep {

// True for two numbers, two booleans or two strings.
bool SameKind(const Value& a, const Value& b);

// Order of two numbers, exact even if no double holds the int64 (2^53 + 1 is above 2^53); unordered
// with NaN. Requires IsNumber of both.
std::partial_ordering CompareNumbers(const Value& a, const Value& b);

// "number 0.1", "string 'cosine'": a value in a message.
std::string DescribeValue(const Value& value);

}  // namespace sweep
