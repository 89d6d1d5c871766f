// Expressions: an expression that parses evaluates to a value or an error, for any values of its
// names.

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "common/expr/expression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)sweep::Gate::Parse("accuracy", text).ok();
  const auto expression = sweep::Expression::Parse(text);
  if (!expression.ok()) return 0;
  const sweep::Value values[] = {sweep::Value(0.1),
                                 sweep::Value(std::int64_t{7}),
                                 sweep::Value(std::numeric_limits<double>::quiet_NaN()),
                                 sweep::Value(std::numeric_limits<std::int64_t>::min()),
                                 sweep::Value(true),
                                 sweep::Value(std::string("adam"))};
  for (const sweep::Value& value : values) {
    (void)expression->Evaluate([&](std::string_view) { return std::optional(value); }).ok();
  }
  (void)expression->Test([](std::string_view) { return std::nullopt; }).ok();
  return 0;
}
