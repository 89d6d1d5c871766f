#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// Page tokens: a position, and a checksum of the query that it belongs to, so that a token of
// another query is refused instead of giving a page out of nowhere.
std::string EncodePageToken(std::int64_t position, std::string_view query);
// 0 for an empty token. InvalidArgument for one that EncodePageToken did not make for this query.
absl::StatusOr<std::int64_t> DecodePageToken(std::string_view token, std::string_view query);

// Of one answer to a list call.
constexpr int kMaxPageSize = 1000;

// What a list call works with: `requested`, or `preset` for 0, and `most` at the most.
// InvalidArgument for a negative size.
absl::StatusOr<int> PageSize(int requested, int preset, int most);

}  // namespace sweep
