#include "cli/present/cells.h"

#include <fmt/format.h>

#include <cmath>

#include "absl/time/clock.h"
#include "cli/present/text.h"
#include "common/base/value.h"

namespace sweep::cli::cells {
namespace {

constexpr std::int64_t kMostExact = std::int64_t{1} << 53;

}  // namespace

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

Cell Text(const std::string& text) { return {text, text}; }
Cell Count(std::int64_t value) { return {WithSeparators(value), value}; }
Cell Mega(std::int64_t value) {
  const double mega = static_cast<double>(value) / 1e6;
  return {fmt::format("{:.2f}", mega), mega};
}

Cell KnownCount(std::int64_t value) { return value > 0 ? Count(value) : Missing(); }
Cell Missing() { return {"–", nullptr}; }

Cell TimeCell(bool set, const google::protobuf::Timestamp& time) {
  if (!set) return Missing();
  const absl::Time moment = ToTime(time);
  return {absl::FormatTime("%Y-%m-%d %H:%M:%S", moment, absl::LocalTimeZone()),
          absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", moment, absl::UTCTimeZone())};
}

std::string Dump(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

nlohmann::json ValueJson(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolValue:
      return value.bool_value();
    case v1::Value::kIntValue:
      // Readers that hold numbers as doubles, such as jq, would round it.
      if (value.int_value() > kMostExact || value.int_value() < -kMostExact) {
        return std::to_string(value.int_value());
      }
      return value.int_value();
    case v1::Value::kDoubleValue:
      return value.double_value();
    case v1::Value::kStringValue:
      return value.string_value();
    default:
      return nullptr;
  }
}

nlohmann::json ValuesJson(const google::protobuf::Map<std::string, v1::Value>& values) {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [name, value] : values) object[name] = ValueJson(value);
  return object;
}

nlohmann::json ParametersJson(const v1::Trial& trial) { return ValuesJson(trial.parameters()); }

Cell AgoCell(bool set, const google::protobuf::Timestamp& time) {
  Cell cell = TimeCell(set, time);
  if (set) cell.text = HumanAgo(ToTime(time), absl::Now());
  return cell;
}

}  // namespace sweep::cli::cells
