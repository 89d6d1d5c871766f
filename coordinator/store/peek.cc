#include "coordinator/store/peek.h"

#include "coordinator/store/database_file.h"
#include "coordinator/store/lock_file.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"

namespace sweep {

absl::StatusOr<std::vector<PeekedSweep>> PeekSweeps(const std::string& path) {
  constexpr int kBusyTimeoutMs = 100;
  STORE_ASSIGN_OR_RETURN(const DatabaseFile file, DatabaseFile::Resolve(path));
  STORE_RETURN_IF_ERROR(LockFile::MayRead(file));
  STORE_ASSIGN_OR_RETURN(
      const std::unique_ptr<Database> database,
      Database::Open(file.path(), Database::Mode::kReadOnly, {.name = file.name()}));
  database->SetBusyTimeout(kBusyTimeoutMs);
  Statement query = database->Prepare(
      "SELECT name, (SELECT max(number) FROM trials WHERE sweep_id = sweeps.id) FROM sweeps "
      "ORDER BY id DESC LIMIT 1000");
  std::vector<PeekedSweep> sweeps;
  while (true) {
    STORE_ASSIGN_OR_RETURN(const bool more, query.Step());
    if (!more) return sweeps;
    sweeps.push_back({query.Text(0), query.OptionalInt(1).value_or(0)});
  }
}

}  // namespace sweep
