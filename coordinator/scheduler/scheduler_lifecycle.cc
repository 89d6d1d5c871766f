// The part of the scheduler that deletes, renames and archives sweeps.

#include <algorithm>
#include <utility>

#include "coordinator/scheduler/scheduler_impl.h"
#include "coordinator/scheduler/scheduler_once.h"
#include "coordinator/store/deleted_sweeps.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {

// Nobody who repeats a report about the sweep that had this name is to be taken for one of another
// sweep that gets it now.
void SchedulerImpl::Forget(const std::string& ended_sweep) {
  std::erase_if(ended_, [&](const EndedSweep& sweep) { return sweep.name == ended_sweep; });
}

void SchedulerImpl::DeleteSweep(const std::string& name, const std::string& request_id,
                                DeleteCallback callback) {
  struct Result {
    std::int64_t trials = 0;
    std::optional<SweepRow> deleted;
  };
  auto result = std::make_shared<Result>();  // shared by the write and its completion
  WriteFor(
      [=](WriteTransaction& transaction) -> absl::Status {
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
        if (result->deleted.has_value()) {
          spdlog::info("sweep deleted sweep={} trials={}", result->deleted->name, result->trials);
          MutexLock lock(&mutex_);
          table_.RemoveSweep(result->deleted->id);
          options_.specs->Drop(result->deleted->id);
          table_.RenameForWorkers(result->deleted->id, result->deleted->name,
                                  DeletedName(result->deleted->id));
          Forget(result->deleted->name);
          DeferSignal(result->deleted->id, EventBus::Signal::kEvents);
          purge_wanted_ = true;
          Purge();
          React();
        }
        callback(result->trials);
      });
}

void SchedulerImpl::Purge() {
  if (!purge_wanted_ || purging_ || stopping_) return;
  purging_ = true;
  auto more = std::make_shared<bool>(false);  // shared by the write and its completion
  DeferWrite(
      [more](WriteTransaction& transaction) {
        const absl::StatusOr<bool> purged = transaction.PurgeDeleted(kRowsPerPurge);
        *more = purged.value_or(false);
        return purged.status();
      },
      [this, more](const absl::Status& status) {
        MutexLock lock(&mutex_);
        purging_ = false;
        if (!status.ok()) return;  // the next tick tries again
        purge_wanted_ = *more;
        Purge();
      });
}

void SchedulerImpl::RenameSweep(const Renaming& renaming, SweepCallback callback) {
  auto result = std::make_shared<SweepRow>();  // shared by the write and its completion
  WriteFor(
      [=](WriteTransaction& transaction) -> absl::Status {
        const std::string object = fmt::format("{} {}", renaming.name, renaming.new_name);
        const absl::Status status =
            Once(transaction, "rename", object, renaming.request_id,
                 [&]() -> absl::StatusOr<std::int64_t> {
                   if (renaming.spec == nullptr) {
                     const absl::Status missing = transaction.GetSweep(renaming.name).status();
                     return missing.ok()
                                ? absl::AbortedError(fmt::format(
                                      "sweep '{}' was made just now; try again", renaming.name))
                                : missing;
                   }
                   const absl::Status renamed = transaction
                                                    .RenameSweep({.name = renaming.name,
                                                                  .new_name = renaming.new_name,
                                                                  .digest = renaming.spec->digest,
                                                                  .text = renaming.text})
                                                    .status();
                   if (!renamed.ok()) return renamed;
                   return 0;
                 })
                .status();
        if (!status.ok()) return status;
        absl::StatusOr<SweepRow> row = transaction.GetSweep(renaming.new_name);
        if (row.ok()) *result = *std::move(row);
        return row.status();
      },
      [this, result, renaming, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        spdlog::info("sweep renamed sweep={} to={}", renaming.name, renaming.new_name);
        {
          MutexLock lock(&mutex_);
          const SweepEntry* const sweep = table_.FindSweep(result->id);
          const bool is_renamed = renaming.spec != nullptr && result->name == renaming.new_name;
          if (is_renamed) options_.specs->Drop(result->id);
          if (is_renamed && sweep != nullptr && sweep->name == renaming.name) {
            table_.RenameSweep(result->id, renaming.spec);
          }
          if (is_renamed && sweep != nullptr) {
            options_.specs->Keep(*result, {.spec = sweep->spec});
          }
          table_.RenameForWorkers(result->id, renaming.name, renaming.new_name);
          Forget(renaming.name);
          DeferSignal(result->id, EventBus::Signal::kEvents);
          React();
        }
        callback(*result);
      });
}

void SchedulerImpl::ArchiveSweep(const std::string& name, bool archived,
                                 const std::string& request_id, SweepCallback callback) {
  auto result = std::make_shared<SweepRow>();  // shared by the write and its completion
  WriteFor(
      [=](WriteTransaction& transaction) {
        return ChangeSweep(transaction, archived ? "archive" : "show", name, request_id,
                           result.get(), [&] { return transaction.ArchiveSweep(name, archived); });
      },
      [this, result, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        spdlog::info("sweep archived sweep={} archived={}", result->name, result->archived);
        OnSweepChanged(*result, nullptr);
        callback(*result);
      });
}

}  // namespace sweep
