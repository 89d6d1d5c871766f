#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "coordinator/store/sqlite.h"

namespace sweep {

// "SWEP": marks a database file as ours (PRAGMA application_id).
inline constexpr std::int64_t kApplicationId = 0x53574550;

// Migration scripts: element i leads from schema version i to i + 1. CMake makes this function from
// migrations/version_*.sql. Times are microseconds since 1970 UTC. SQLite has no NaN: it becomes
// NULL.
std::span<const std::string_view> Migrations();

// Checks whether this build may use the file. FailedPrecondition when it belongs to another
// application or has a schema version newer than `migrations`. Changes nothing.
absl::Status CheckIdentity(Database& database, std::span<const std::string_view> migrations);

// Migrates to the newest schema, each step in its own transaction. Call CheckIdentity before.
absl::Status Migrate(Database& database, std::span<const std::string_view> migrations);

}  // namespace sweep
