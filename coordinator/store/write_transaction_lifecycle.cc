// Deleting, renaming and archiving sweeps.
//
// A deletion renames the sweep at once, so that nobody can find it. Its rows are removed afterwards
// in short transactions, so that reports of other sweeps do not wait long. A trial and its epochs
// are removed together, so the database is consistent at any time.

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "coordinator/store/deleted_sweeps.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/write_transaction.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// The limit for one transaction, for a slow disk or scattered rows: other writes wait for it.
constexpr absl::Duration kTimePerPurge = absl::Milliseconds(10);
// Per statement. Log lines may be long.
constexpr std::int64_t kRowsPerDelete = 200;
constexpr int kRowsPerSelect = 100;

absl::Status StillRuns(const SweepRow& sweep, std::string_view advice) {
  return absl::FailedPreconditionError(fmt::format(
      "{} trial{} of sweep '{}' {}; {}", sweep.counts.running, sweep.counts.running == 1 ? "" : "s",
      sweep.name, sweep.counts.running == 1 ? "runs" : "run", advice));
}

absl::StatusOr<std::vector<std::int64_t>> Ids(Statement& statement) {
  return CollectRows<std::int64_t>(
      statement, [](const Statement& row) -> absl::StatusOr<std::int64_t> { return row.Int(0); });
}

}  // namespace

absl::StatusOr<SweepRow> WriteTransaction::DeleteSweep(const std::string& name) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    STORE_ASSIGN_OR_RETURN(SweepRow sweep, FindSweep(database_, name));
    if (sweep.counts.running > 0) {
      return StillRuns(sweep, "cancel it first");
    }
    // This event tells watchers about the deletion.
    STORE_RETURN_IF_ERROR(HasEnded(sweep.state)
                              ? AddEvent(TrialRow{.sweep_id = sweep.id}, "sweep", 0)
                              : SetSweepState(sweep.id, SweepState::kCancelled));
    STORE_RETURN_IF_ERROR(
        database_.Run("UPDATE sweeps SET name = ? WHERE id = ?", DeletedName(sweep.id), sweep.id));
    return sweep;
  });
}

absl::StatusOr<bool> WriteTransaction::PurgeDeleted(std::int64_t rows) {
  return Guard([&]() -> absl::StatusOr<bool> {
    std::int64_t budget = rows;
    purge_until_ = RealClock()->Monotonic() + kTimePerPurge;
    while (budget > 0) {
      Statement next = database_.Prepare(
          "SELECT id FROM sweeps WHERE name >= ':' AND name < ';' ORDER BY name LIMIT 1");
      STORE_ASSIGN_OR_RETURN(const std::optional<std::int64_t> id, FirstInt(next));
      if (!id) return false;
      for (const auto purge :
           {&WriteTransaction::PurgeTrials, &WriteTransaction::PurgeConfigurations,
            &WriteTransaction::PurgeWarmPoints, &WriteTransaction::PurgeEvents}) {
        STORE_ASSIGN_OR_RETURN(const bool done, (this->*purge)(*id, &budget));
        if (!done) return true;
      }
      STORE_RETURN_IF_ERROR(database_.Run("DELETE FROM measure_names WHERE sweep_id = ?", *id));
      STORE_RETURN_IF_ERROR(database_.Run("DELETE FROM warm_starts WHERE sweep_id = ?", *id));
      STORE_RETURN_IF_ERROR(database_.Run("DELETE FROM replaced_files WHERE sweep_id = ?", *id));
      STORE_RETURN_IF_ERROR(database_.Run("DELETE FROM sweep_files WHERE sweep_id = ?", *id));
      STORE_RETURN_IF_ERROR(database_.Run("DELETE FROM sweep_data WHERE sweep_id = ?", *id));
      STORE_RETURN_IF_ERROR(database_.Run("DELETE FROM sweeps WHERE id = ?", *id));
      --budget;
    }
    return true;
  });
}

void WriteTransaction::Spend(std::int64_t rows, std::int64_t* budget) const {
  *budget = RealClock()->Monotonic() < purge_until_ ? *budget - rows : 0;
}

absl::StatusOr<bool> WriteTransaction::PurgeTrials(std::int64_t sweep_id, std::int64_t* budget) {
  while (*budget > 0) {
    Statement statement =
        database_.Prepare("SELECT id FROM trials WHERE sweep_id = ? ORDER BY number LIMIT ?");
    STORE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> trials,
                           Ids(statement.Bind(sweep_id, kRowsPerSelect)));
    if (trials.empty()) return true;
    for (std::size_t i = 0; i < trials.size() && *budget > 0;) {
      STORE_ASSIGN_OR_RETURN(const bool done, PurgeTrial(trials[i], budget));
      if (done) ++i;
    }
  }
  return false;
}

absl::StatusOr<bool> WriteTransaction::PurgeTrial(std::int64_t trial_id, std::int64_t* budget) {
  const std::int64_t before = database_.total_changes();
  const std::int64_t most = std::min(*budget, kRowsPerDelete);
  // There may be many lines, and no other row depends on them.
  STORE_RETURN_IF_ERROR(database_.Run(
      "DELETE FROM log_lines WHERE (trial_id, attempt, line) IN (SELECT trial_id, attempt, line "
      "FROM log_lines WHERE trial_id = ? ORDER BY attempt, line LIMIT ?)",
      trial_id, most));
  const std::int64_t lines = database_.total_changes() - before;
  if (lines < most) {
    static constexpr std::string_view kDeletes[] = {
        kDeleteTrialValues,
        "DELETE FROM epoch_reports WHERE trial_id = ?",
        "DELETE FROM divergences WHERE trial_id = ?",
        "DELETE FROM artifacts WHERE trial_id = ?",
        "DELETE FROM attempts WHERE trial_id = ?",
        "UPDATE configurations SET best_trial_id = NULL WHERE best_trial_id = ?",
        "DELETE FROM trials WHERE id = ?"};
    for (const std::string_view sql : kDeletes) {
      STORE_RETURN_IF_ERROR(database_.Run(sql, trial_id));
    }
  }
  Spend(database_.total_changes() - before, budget);
  return lines < most;
}

absl::StatusOr<bool> WriteTransaction::PurgeConfigurations(std::int64_t sweep_id,
                                                           std::int64_t* budget) {
  while (*budget > 0) {
    Statement statement = database_.Prepare(
        "SELECT id FROM configurations WHERE sweep_id = ? ORDER BY number LIMIT ?");
    STORE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> configurations,
                           Ids(statement.Bind(sweep_id, kRowsPerSelect)));
    if (configurations.empty()) return true;
    for (std::size_t i = 0; i < configurations.size() && *budget > 0; ++i) {
      const std::int64_t before = database_.total_changes();
      STORE_RETURN_IF_ERROR(database_.Run("DELETE FROM parameter_values WHERE configuration_id = ?",
                                          configurations[i]));
      STORE_RETURN_IF_ERROR(
          database_.Run("DELETE FROM configurations WHERE id = ?", configurations[i]));
      Spend(database_.total_changes() - before, budget);
    }
  }
  return false;
}

absl::StatusOr<bool> WriteTransaction::PurgeEvents(std::int64_t sweep_id, std::int64_t* budget) {
  while (*budget > 0) {
    const std::int64_t before = database_.total_changes();
    STORE_RETURN_IF_ERROR(database_.Run(
        "DELETE FROM events WHERE sequence IN (SELECT sequence FROM events INDEXED BY "
        "events_by_sweep WHERE sweep_id = ? ORDER BY sequence LIMIT ?)",
        sweep_id, std::min(*budget, kRowsPerDelete)));
    const std::int64_t removed = database_.total_changes() - before;
    if (removed == 0) return true;
    Spend(removed, budget);
  }
  return false;
}

absl::StatusOr<bool> WriteTransaction::PurgeWarmPoints(std::int64_t sweep_id,
                                                       std::int64_t* budget) {
  while (*budget > 0) {
    const std::int64_t before = database_.total_changes();
    STORE_RETURN_IF_ERROR(database_.Run(
        "DELETE FROM warm_points WHERE sweep_id = ?1 AND position IN (SELECT position FROM "
        "warm_points WHERE sweep_id = ?1 ORDER BY position LIMIT ?2)",
        sweep_id, std::min(*budget, kRowsPerDelete)));
    const std::int64_t removed = database_.total_changes() - before;
    if (removed == 0) return true;
    Spend(removed, budget);
  }
  return false;
}

absl::StatusOr<SweepRow> WriteTransaction::RenameSweep(const Renaming& renaming) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweep(database_, renaming.name));
    if (!IsValidName(renaming.new_name)) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is not a valid name for a sweep: 1 to 63 letters, digits, '.', '_' or "
                      "'-', starting with a letter or digit",
                      renaming.new_name));
    }
    if (sweep.name == renaming.new_name) return sweep;
    if (const auto other = FindSweepId(database_, renaming.new_name); other.ok()) {
      return absl::AlreadyExistsError(
          fmt::format("there is a sweep '{}' already; choose another name", renaming.new_name));
    }
    if (sweep.digest != renaming.digest) {
      return absl::AbortedError(
          fmt::format("sweep '{}' was replaced by another one meanwhile; try again", sweep.name));
    }
    if (sweep.counts.running > 0) {
      return StillRuns(sweep, "pause it first, and wait for its checkpoints");
    }
    STORE_RETURN_IF_ERROR(database_.Run("UPDATE sweeps SET name = ?, updated_us = ? WHERE id = ?",
                                        renaming.new_name, ToMicros(now_), sweep.id));
    STORE_RETURN_IF_ERROR(
        database_.Run("UPDATE sweep_files SET text = ? WHERE sweep_id = ? AND role = 'sweep'",
                      renaming.text, sweep.id));
    STORE_RETURN_IF_ERROR(AddEvent(TrialRow{.sweep_id = sweep.id}, "sweep", 0));
    return FindSweepById(database_, sweep.id);
  });
}

absl::StatusOr<SweepRow> WriteTransaction::ArchiveSweep(const std::string& name, bool archived) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweep(database_, name));
    if (sweep.archived == archived) return sweep;
    if (archived && sweep.state == SweepState::kActive) {
      return absl::FailedPreconditionError(
          fmt::format("sweep '{}' is active; pause it or cancel it first", name));
    }
    STORE_RETURN_IF_ERROR(
        database_.Run("UPDATE sweeps SET archived = ?, updated_us = ? WHERE id = ?", archived,
                      ToMicros(now_), sweep.id));
    STORE_RETURN_IF_ERROR(AddEvent(TrialRow{.sweep_id = sweep.id}, "sweep", 0));
    return FindSweepById(database_, sweep.id);
  });
}

}  // namespace sweep
