#include "coordinator/views/json.h"

#include <cmath>
#include <cstdlib>
#include <type_traits>
#include <variant>

#include "common/base/utf8.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::int64_t kMostExact = std::int64_t{1} << 53;

double Rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double magnitude = std::floor(std::log10(std::fabs(value)));
  // Beyond these the power of ten is no double.
  if (magnitude < -300 || magnitude > 300) return value;
  // By the power of ten that is exact, so that the shortest decimal text stays short.
  if (magnitude <= 5) {
    const double scale = std::pow(10, 5 - magnitude);
    return std::round(value * scale) / scale;
  }
  const double scale = std::pow(10, magnitude - 5);
  return std::round(value / scale) * scale;
}

}  // namespace

Json NumberJson(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json RoundedJson(double value) { return NumberJson(Rounded(value)); }

Json ValueJson(const Value& value) {
  return std::visit(
      [](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, double>) return NumberJson(held);
        if constexpr (std::is_same_v<Held, std::int64_t>) {
          // Readers that keep numbers as doubles, such as browsers, would round it.
          if (held > kMostExact || held < -kMostExact) return Json(std::to_string(held));
        }
        return Json(held);
      },
      value);
}

Json RoundedValueJson(const Value& value) {
  if (const double* number = std::get_if<double>(&value)) return RoundedJson(*number);
  return ValueJson(value);
}

Json ParametersJson(const ParameterMap& parameters) {
  Json object = Json::object();
  for (const auto& [name, value] : parameters) object[name] = ValueJson(value);
  return object;
}

Json TimeJson(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

Json TimeJson(const std::optional<absl::Time>& time) {
  return time ? TimeJson(*time) : Json(nullptr);
}

std::string Shortened(std::string_view text, std::size_t limit) {
  constexpr std::string_view kMark = "…";
  if (text.size() <= limit) return std::string(text);
  return fmt::format("{}{}", CutUtf8(text, limit - kMark.size()), kMark);
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sweep
