#include "common/expr/compare.h"

#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace sweep {
namespace {

std::partial_ordering CompareIntToDouble(std::int64_t a, double b) {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= 0x1p63) return std::partial_ordering::less;
  if (b < -0x1p63) return std::partial_ordering::greater;
  const double whole = std::trunc(b);
  const auto truncated = static_cast<std::int64_t>(whole);
  if (a != truncated) return a <=> truncated;
  return 0.0 <=> b - whole;
}

}  // namespace

bool SameKind(const Value& a, const Value& b) {
  return a.index() == b.index() || (IsNumber(a) && IsNumber(b));
}

std::partial_ordering CompareNumbers(const Value& a, const Value& b) {
  const std::int64_t* a_integer = std::get_if<std::int64_t>(&a);
  const std::int64_t* b_integer = std::get_if<std::int64_t>(&b);
  if (a_integer != nullptr && b_integer != nullptr) return *a_integer <=> *b_integer;
  if (a_integer != nullptr) return CompareIntToDouble(*a_integer, std::get<double>(b));
  if (b_integer != nullptr) return 0 <=> CompareIntToDouble(*b_integer, std::get<double>(a));
  return std::get<double>(a) <=> std::get<double>(b);
}

std::string DescribeValue(const Value& value) {
  const bool is_string = std::holds_alternative<std::string>(value);
  const char* quote = is_string ? "'" : "";
  return absl::StrCat(std::string(TypeName(value)), " ", quote, FormatValue(value), quote);
}

}  // namespace sweep
