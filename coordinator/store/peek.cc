#include "coordinator/store/peek.h"

#include <filesystem>
#include <system_error>

#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"

namespace sweep {

absl::StatusOr<std::vector<PeekedSweep>> PeekSweeps(const std::string& path) {
  constexpr int kBusyTimeoutMs = 100;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::NotFoundError("there is no database '" + path + "'");
  }
  STORE_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                         Database::Open(path, Database::Mode::kReadOnly));
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
