#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/map.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "cli/present/listing.h"
#include "sweep/v1/resources.pb.h"

// Values of the coordinator as cells of a listing: text for people, and where no document says it a
// value for programs.
namespace sweep::cli::cells {

absl::Time ToTime(const google::protobuf::Timestamp& time);
absl::Duration ToDuration(const google::protobuf::Duration& duration);
Cell Text(const std::string& text);
Cell Count(std::int64_t value);
// Millions, with two digits behind the point.
Cell Mega(std::int64_t value);
// Missing for 0, which means unknown here.
Cell KnownCount(std::int64_t value);
// An unknown value: null.
Cell Missing();
// "2026-11-21 08:00:00" in local time. Missing when not `set`.
Cell TimeCell(bool set, const google::protobuf::Timestamp& time);
// "3 min ago".
Cell AgoCell(bool set, const google::protobuf::Timestamp& time);
// JSON on one line; replaces bytes that are not UTF-8.
std::string Dump(const Json& value);

}  // namespace sweep::cli::cells
