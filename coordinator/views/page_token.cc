#include "coordinator/views/page_token.h"

#include <algorithm>
#include <charconv>

#include "common/base/sha256.h"
#include "fmt/format.h"

namespace sweep {

std::string EncodePageToken(std::int64_t position, std::string_view query) {
  return fmt::format("{}.{}", position, Sha256Hex(query).substr(0, 8));
}

absl::StatusOr<std::int64_t> DecodePageToken(std::string_view token, std::string_view query) {
  if (token.empty()) return 0;
  std::int64_t position = 0;
  const auto [stop, error] = std::from_chars(token.data(), token.data() + token.size(), position);
  if (error != std::errc() || position < 0 || token != EncodePageToken(position, query)) {
    return absl::InvalidArgumentError(
        fmt::format("page_token '{}' does not belong to this list; start again without it",
                    token.substr(0, 64)));
  }
  return position;
}

absl::StatusOr<int> PageSize(int requested, int preset, int most) {
  if (requested < 0) {
    return absl::InvalidArgumentError(
        fmt::format("page size {}; it cannot be negative", requested));
  }
  return requested == 0 ? preset : std::min(requested, most);
}

}  // namespace sweep
