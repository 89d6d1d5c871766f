#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sweep {

// A deleted sweep whose rows are not all removed yet has this name: no sweep that a person makes
// can have one like it. Such rows are found by their name, in databases of every schema version.
inline std::string DeletedName(std::int64_t sweep_id) {
  return ":deleted:" + std::to_string(sweep_id);
}
// How many of its rows go in one transaction: the log of the database stays short.
inline constexpr std::int64_t kRowsPerPurge = 2000;
inline bool IsDeletedName(std::string_view name) { return name.starts_with(':'); }

}  // namespace sweep
