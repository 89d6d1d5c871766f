#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// A page token is a position and a checksum of its query, so that a token of another query is
// refused instead of selecting an arbitrary page.
std::string EncodePageToken(std::int64_t position, std::string_view query);
// 0 for an empty token. InvalidArgument for a token that is not of this query.
absl::StatusOr<std::int64_t> DecodePageToken(std::string_view token, std::string_view query);

// Rows in one answer to a list call.
constexpr int kMaxPageSize = 1000;

// The page size for a list call: `requested`, or `preset` for 0, at most `most`. InvalidArgument
// for a negative size.
absl::StatusOr<int> PageSize(int requested, int preset, int most);

}  // namespace sweep
