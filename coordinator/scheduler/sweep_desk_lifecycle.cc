// How the sweep desk deletes, renames and archives sweeps.

#include <cstdint>
#include <optional>
#include <utility>

#include "coordinator/scheduler/once.h"
#include "coordinator/scheduler/sweep_desk.h"
#include "coordinator/store/deleted_sweeps.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// The first time that a request is carried out.
absl::Status Rename(WriteTransaction& transaction, const RenameRequest& request) {
  if (request.spec == nullptr) {
    const absl::Status missing = transaction.GetSweep(request.name).status();
    if (!missing.ok()) return missing;
    return absl::AbortedError(fmt::format("sweep '{}' was made just now; try again", request.name));
  }
  return transaction
      .RenameSweep({.name = request.name,
                    .new_name = request.new_name,
                    .digest = request.spec->digest,
                    .text = request.text})
      .status();
}

}  // namespace

void SweepDesk::DeleteSweep(const std::string& name, const std::string& request_id,
                            DeleteCallback callback) {
  struct Result {
    std::int64_t trials = 0;
    std::optional<SweepRow> deleted;
  };
  auto result = std::make_shared<Result>();  // shared by the write and its completion
  state_.effects.Write(
      [=](WriteTransaction& transaction) -> absl::Status {
        *result = {};  // of an earlier run
        const absl::StatusOr<std::int64_t> trials =
            Once(transaction, "delete", name, request_id, [&]() -> absl::StatusOr<std::int64_t> {
              absl::StatusOr<SweepRow> row = transaction.DeleteSweep(name);
              if (!row.ok()) return row.status();
              result->deleted = *std::move(row);
              return result->deleted->counts.total();
            });
        result->trials = trials.value_or(0);
        return trials.status();
      },
      [this, result, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        if (result->deleted.has_value()) OnDeleted(*result->deleted, result->trials);
        callback(result->trials);
      });
}

void SweepDesk::OnDeleted(const SweepRow& row, std::int64_t trials) {
  spdlog::info("sweep deleted sweep={} trials={}", row.name, trials);
  MutexLock lock(&state_.effects.mutex);
  state_.table.RemoveSweep(row.id);
  state_.options.specs->Drop(row.id);
  state_.table.RenameForWorkers(row.id, row.name, DeletedName(row.id));
  state_.ended.Forget(row.name);
  state_.SignalEvents(row.id);
  purge_wanted_ = true;
  Purge();
  leases_.React();
}

void SweepDesk::Purge() {
  state_.effects.mutex.AssertHeld();
  if (!purge_wanted_ || purging_ || state_.effects.is_stopping()) return;
  purging_ = true;
  auto more = std::make_shared<bool>(false);  // shared by the write and its completion
  state_.effects.DeferWrite(
      [more](WriteTransaction& transaction) {
        const absl::StatusOr<bool> purged = transaction.PurgeDeleted(kRowsPerPurge);
        *more = purged.value_or(false);
        return purged.status();
      },
      [this, more](const absl::Status& status) {
        MutexLock lock(&state_.effects.mutex);
        purging_ = false;
        if (!status.ok()) return;  // the next tick tries again
        purge_wanted_ = *more;
        Purge();
      });
}

void SweepDesk::RenameSweep(const RenameRequest& request, SweepCallback callback) {
  auto result = std::make_shared<SweepRow>();  // shared by the write and its completion
  state_.effects.Write(
      [=](WriteTransaction& transaction) -> absl::Status {
        const std::string object = fmt::format("{} {}", request.name, request.new_name);
        const absl::Status status =
            Once(transaction, "rename", object, request.request_id,
                 [&]() -> absl::StatusOr<std::int64_t> {
                   if (absl::Status renamed = Rename(transaction, request); !renamed.ok()) {
                     return renamed;
                   }
                   return 0;
                 })
                .status();
        if (!status.ok()) return status;
        absl::StatusOr<SweepRow> row = transaction.GetSweep(request.new_name);
        if (row.ok()) *result = *std::move(row);
        return row.status();
      },
      [this, result, request, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        OnRenamed(request, *result);
        callback(*result);
      });
}

void SweepDesk::OnRenamed(const RenameRequest& request, const SweepRow& row) {
  spdlog::info("sweep renamed sweep={} to={}", request.name, request.new_name);
  MutexLock lock(&state_.effects.mutex);
  const SweepEntry* const sweep = state_.table.FindSweep(row.id);
  const bool is_renamed = request.spec != nullptr && row.name == request.new_name;
  if (is_renamed) state_.options.specs->Drop(row.id);
  if (is_renamed && sweep != nullptr && sweep->name == request.name) {
    state_.table.RenameSweep(row.id, request.spec);
  }
  if (is_renamed && sweep != nullptr) state_.options.specs->Keep(row, {.spec = sweep->spec});
  state_.table.RenameForWorkers(row.id, request.name, request.new_name);
  state_.ended.Forget(request.name);
  state_.SignalEvents(row.id);
  leases_.React();
}

void SweepDesk::ArchiveSweep(const std::string& name, bool archived, const std::string& request_id,
                             SweepCallback callback) {
  ChangeSweep(
      archived ? "archive" : "show", name, request_id,
      [=](WriteTransaction& transaction) { return transaction.ArchiveSweep(name, archived); },
      [this](const SweepRow& row) {
        spdlog::info("sweep archived sweep={} archived={}", row.name, row.archived);
        OnSweepChanged(row, nullptr);
      },
      std::move(callback));
}

}  // namespace sweep
