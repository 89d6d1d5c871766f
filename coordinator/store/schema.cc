#include "coordinator/store/schema.h"

#include <cstddef>
#include <string>

#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {

absl::Status CheckIdentity(Database& database, std::span<const std::string_view> migrations) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t application,
                         database.QueryInt("PRAGMA application_id"));
  STORE_ASSIGN_OR_RETURN(const std::int64_t version, database.QueryInt("PRAGMA user_version"));
  if (application != kApplicationId) {
    STORE_ASSIGN_OR_RETURN(const std::int64_t objects,
                           database.QueryInt("SELECT count(*) FROM sqlite_schema"));
    if (application != 0 || version != 0 || objects != 0) {
      return absl::FailedPreconditionError(fmt::format(
          "database '{}' belongs to another application (application_id {:#x}, user_version {}, "
          "{} tables and views); it was left untouched",
          database.name(), application, version, objects));
    }
  }
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (version < 0 || version > known) {
    return absl::FailedPreconditionError(
        fmt::format("database '{}' has schema version {}, this build knows versions up to {}; use "
                    "the newer build that wrote it",
                    database.name(), version, known));
  }
  return absl::OkStatus();
}

absl::Status Migrate(Database& database, std::span<const std::string_view> migrations) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t version, database.QueryInt("PRAGMA user_version"));
  for (std::size_t next = static_cast<std::size_t>(version); next < migrations.size(); ++next) {
    // One script, so that the version changes together with the tables.
    const absl::Status migrated = database.Execute(
        fmt::format("BEGIN IMMEDIATE;\n{}\nPRAGMA application_id = {};\nPRAGMA user_version = {};\n"
                    "COMMIT;",
                    migrations[next], kApplicationId, next + 1));
    if (!migrated.ok()) {
      if (database.InTransaction()) database.Execute("ROLLBACK").IgnoreError();
      return absl::Status(migrated.code(), fmt::format("migrating to schema version {}: {}",
                                                       next + 1, std::string(migrated.message())));
    }
  }
  return absl::OkStatus();
}

}  // namespace sweep
