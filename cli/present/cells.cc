#include "cli/present/cells.h"

#include <fmt/format.h>

#include "absl/time/clock.h"
#include "cli/present/text.h"

namespace sweep::cli::cells {

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
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
  return {absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(time), absl::LocalTimeZone())};
}

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Cell AgoCell(bool set, const google::protobuf::Timestamp& time) {
  if (!set) return Missing();
  return {HumanAgo(ToTime(time), absl::Now())};
}

}  // namespace sweep::cli::cells
