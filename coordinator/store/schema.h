#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "coordinator/store/sqlite.h"

namespace sweep {

// "SWEP": marks a database file as ours (PRAGMA application_id).
inline constexpr std::int64_t kApplicationId = 0x53574550;

// The scripts that lead from each schema version to the next: element i from i to i + 1.
std::span<const std::string_view> Migrations();

// Whether this build may use the file. FailedPrecondition when it belongs to another application or
// its schema is newer than `migrations` know. Changes nothing.
absl::Status CheckIdentity(Database& database, std::span<const std::string_view> migrations);

// Brings the schema up to date, each step in a transaction of its own. Run CheckIdentity before.
absl::Status Migrate(Database& database, std::span<const std::string_view> migrations);

}  // namespace sweep
