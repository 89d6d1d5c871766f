#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/base/value.h"
#include "nlohmann/json.hpp"

namespace sweep {

// How values stand in the documents of coordinator/views. Pure.

using Json = nlohmann::json;

// Null unless finite: JSON has no other numbers.
Json NumberJson(double value);
// NumberJson to six significant digits, for answers with thousands of numbers.
Json RoundedJson(double value);
Json ValueJson(const Value& value);
// With numbers as RoundedJson.
Json RoundedValueJson(const Value& value);
Json ParametersJson(const ParameterMap& parameters);
// ISO 8601 in UTC with milliseconds: "2024-05-01T10:00:00.250Z".
Json TimeJson(absl::Time time);
Json TimeJson(const std::optional<absl::Time>& time);
// Text of at most `limit` bytes, with "…" in place of what is cut.
std::string Shortened(std::string_view text, std::size_t limit);

// The document as it is sent; text that is not UTF-8 is mended.
std::string DumpJson(const Json& json);

}  // namespace sweep
