#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sweep {

// The name of a deleted sweep until all its rows are removed. No sweep of a user can have such a
// name. The rows are found by it in databases of every schema version.
inline std::string DeletedName(std::int64_t sweep_id) {
  return ":deleted:" + std::to_string(sweep_id);
}
// Rows removed in one transaction, so that the write-ahead log stays short.
inline constexpr std::int64_t kRowsPerPurge = 2000;
inline bool IsDeletedName(std::string_view name) { return name.starts_with(':'); }

}  // namespace sweep
