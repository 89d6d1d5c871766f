// Pausing, retrying and extending sweeps.

#include <utility>

#include "common/base/sha256.h"
#include "coordinator/store/json_codec.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/write_transaction.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// Clients repeat a call within seconds; this many requests take hours of busy use.
constexpr std::int64_t kMaxRequests = 10'000;

}  // namespace

absl::Status SweepHasEnded(const SweepRow& sweep) {
  return absl::FailedPreconditionError(
      fmt::format("sweep '{}' has ended ({})", sweep.name, SweepStateName(sweep.state)));
}

absl::Status CheckReplaced(const SweepRow& sweep, const std::string& sha256) {
  if (sha256.empty() || Sha256Hex(sweep.source.text) == sha256) return absl::OkStatus();
  return absl::AbortedError(fmt::format(
      "the file of sweep '{}' was changed meanwhile; look at the difference again", sweep.name));
}

absl::StatusOr<SweepRow> WriteTransaction::GetSweep(const std::string& name) {
  return FindSweep(database_, name);
}

absl::StatusOr<TrialRow> WriteTransaction::GetTrial(const std::string& sweep, std::int64_t number) {
  return FindTrial(database_, sweep, number);
}

absl::StatusOr<SweepRow> WriteTransaction::PauseSweep(const std::string& name, bool give_back) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    STORE_ASSIGN_OR_RETURN(SweepRow sweep, FindSweep(database_, name));
    if (HasEnded(sweep.state)) return SweepHasEnded(sweep);
    give_back = give_back || sweep.give_back;
    if (sweep.state == SweepState::kPaused && give_back == sweep.give_back) return sweep;
    STORE_RETURN_IF_ERROR(
        database_.Run("UPDATE sweeps SET give_back = ? WHERE id = ?", give_back, sweep.id));
    STORE_RETURN_IF_ERROR(SetSweepState(sweep.id, SweepState::kPaused));
    return FindSweep(database_, name);
  });
}

absl::StatusOr<SweepRow> WriteTransaction::PauseForReason(std::int64_t sweep_id,
                                                          const std::string& reason) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweepById(database_, sweep_id));
    if (sweep.state != SweepState::kActive) return sweep;
    STORE_RETURN_IF_ERROR(
        database_.Run("UPDATE sweeps SET pause_reason = ? WHERE id = ?", reason, sweep_id));
    STORE_RETURN_IF_ERROR(SetSweepState(sweep_id, SweepState::kPaused));
    return FindSweepById(database_, sweep_id);
  });
}

absl::Status WriteTransaction::KeepGoing(std::int64_t sweep_id) {
  return database_.Run("UPDATE sweeps SET keep_going = 1 WHERE id = ?", sweep_id);
}

absl::StatusOr<EarlyFailures> WriteTransaction::FindEarlyFailures(std::int64_t sweep_id) {
  // The index contains only trials that have reported the metric, so the search is quick.
  Statement statement = database_.Prepare(
      "SELECT state = 'active' AND keep_going = 0 AND NOT EXISTS (SELECT 1 FROM trials INDEXED BY "
      "trials_by_best WHERE sweep_id = ?1 AND epoch > 0 AND best IS NOT NULL), failures_alike FROM "
      "sweeps "
      "WHERE id = ?1");
  STORE_ASSIGN_OR_RETURN(const bool found, statement.Bind(sweep_id).Step());
  if (!found) return absl::NotFoundError(fmt::format("sweep with id {} does not exist", sweep_id));
  return EarlyFailures{.matter = statement.Int(0) != 0, .note = statement.Text(1)};
}

absl::Status WriteTransaction::SetFailureNote(std::int64_t sweep_id, const std::string& note) {
  return database_.Run(
      "UPDATE sweeps SET failures_alike = ?1 WHERE id = ?2 AND failures_alike <> "
      "?1",
      note, sweep_id);
}

absl::StatusOr<SweepRow> WriteTransaction::ResumeSweep(const std::string& name) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    STORE_ASSIGN_OR_RETURN(SweepRow sweep, FindSweep(database_, name));
    if (HasEnded(sweep.state)) return SweepHasEnded(sweep);
    if (sweep.state == SweepState::kActive) return sweep;
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE sweeps SET give_back = 0, keep_going = 1, pause_reason = '', failures_alike = '' "
        "WHERE id = ?",
        sweep.id));
    STORE_RETURN_IF_ERROR(SetSweepState(sweep.id, SweepState::kActive));
    return FindSweep(database_, name);
  });
}

absl::StatusOr<RetriedSweep> WriteTransaction::RetrySweep(const SweepSpec& spec,
                                                          const RetrySelection& selection) {
  return Guard([&]() -> absl::StatusOr<RetriedSweep> {
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweep(database_, spec.name));
    if (sweep.state == SweepState::kCancelled && !selection.cancelled) {
      return absl::FailedPreconditionError(
          fmt::format("sweep '{}' was cancelled; only a retry of its cancelled trials continues it",
                      sweep.name));
    }
    RetriedSweep retried;
    const std::pair<TrialState, bool> kinds[] = {{TrialState::kFailed, selection.failed},
                                                 {TrialState::kDiverged, selection.diverged},
                                                 {TrialState::kCancelled, selection.cancelled}};
    for (const auto& [state, wanted] : kinds) {
      if (!wanted) continue;
      STORE_ASSIGN_OR_RETURN(std::vector<TrialRow> trials,
                             SelectTrialsInState(database_, sweep.id, state, kAllRows));
      for (TrialRow& trial : trials) {
        STORE_RETURN_IF_ERROR(MakePendingAgain(spec, &trial));
        retried.trials.push_back(std::move(trial));
      }
    }
    // A completed sweep without such trials stays completed. A cancelled one may have
    // configurations left to create.
    if (!retried.trials.empty() || sweep.state == SweepState::kCancelled) {
      STORE_RETURN_IF_ERROR(Reopen(sweep));
      STORE_RETURN_IF_ERROR(CompleteSweepIfDone(sweep.id));
    }
    retried.count = static_cast<std::int64_t>(retried.trials.size());
    STORE_ASSIGN_OR_RETURN(retried.sweep, FindSweepById(database_, sweep.id));
    return retried;
  });
}

absl::StatusOr<RetriedSweep> WriteTransaction::RetryTrial(const SweepSpec& spec,
                                                          std::int64_t number, bool force) {
  return Guard([&]() -> absl::StatusOr<RetriedSweep> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored, FindStoredTrial(database_, spec.name, number));
    if (stored.row.state == TrialState::kDiverged && !force) {
      return absl::FailedPreconditionError(fmt::format(
          "trial {} diverged: the same seed and values would diverge again, so it is retried only "
          "when that is forced",
          stored.row.short_name()));
    }
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweepById(database_, stored.row.sweep_id));
    STORE_RETURN_IF_ERROR(MakePendingAgain(spec, &stored.row));
    STORE_RETURN_IF_ERROR(Reopen(sweep));
    STORE_ASSIGN_OR_RETURN(stored.row.artifacts, SelectArtifacts(database_, stored.row.id));
    RetriedSweep retried;
    retried.trials.push_back(std::move(stored.row));
    retried.count = static_cast<std::int64_t>(retried.trials.size());
    STORE_ASSIGN_OR_RETURN(retried.sweep, FindSweepById(database_, sweep.id));
    return retried;
  });
}

absl::Status WriteTransaction::MakePendingAgain(const SweepSpec& spec, TrialRow* trial) {
  trial->failures = 0;
  trial->reason.clear();
  trial->ended.reset();
  STORE_RETURN_IF_ERROR(Apply(TrialEvent::kRetry, trial));
  STORE_RETURN_IF_ERROR(SetFailureNote(trial->sweep_id, ""));
  // A retry of a trial that reached its target asks for a full run.
  if (trial->ends_early()) trial->target_epoch = 0;
  if (trial->is_segment()) {
    trial->target_epoch = spec.pbt.EndOf(trial->start_epoch, trial->epochs);
    if (trial->target_epoch == trial->epochs) trial->target_epoch = 0;
  }
  trial->stopping = false;
  // Without a secret, a worker that still runs an old attempt cannot revive its lease.
  STORE_RETURN_IF_ERROR(
      database_.Run("UPDATE trials SET secret = '', stopping = 0, target_epoch = ? WHERE id = ?",
                    trial->target_epoch, trial->id));
  // What it comes to may decide a race, also one that was over, and others of a population may go
  // on from it.
  if (spec.race || spec.HasPopulation()) {
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE sweeps SET exhausted = 0, search_reason = '' WHERE id = ?", trial->sweep_id));
  }
  return Rescore(spec, *trial);
}

absl::Status WriteTransaction::Reopen(const SweepRow& sweep) {
  return HasEnded(sweep.state) ? SetSweepState(sweep.id, SweepState::kActive) : absl::OkStatus();
}

absl::StatusOr<SweepRow> WriteTransaction::ExtendSweep(const std::string& name,
                                                       std::int64_t planned_configurations) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweep(database_, name));
    if (sweep.state == SweepState::kCancelled) return SweepHasEnded(sweep);
    if (planned_configurations <= sweep.planned_configurations) {
      return absl::InvalidArgumentError(
          fmt::format("sweep '{}' makes {} configurations already; {} is not more", name,
                      sweep.planned_configurations, planned_configurations));
    }
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE sweeps SET planned_configurations = ?, exhausted = 0, search_reason = '' WHERE id "
        "= ?",
        planned_configurations, sweep.id));
    const bool stays_paused = sweep.state == SweepState::kPaused;
    STORE_RETURN_IF_ERROR(
        SetSweepState(sweep.id, stays_paused ? SweepState::kPaused : SweepState::kActive));
    return FindSweep(database_, name);
  });
}

absl::StatusOr<SweepRow> WriteTransaction::EditSweep(const Edit& edit) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    const SweepSpec& spec = *edit.spec;
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweep(database_, spec.name));
    STORE_RETURN_IF_ERROR(CheckReplaced(sweep, edit.replaces_sha256));
    STORE_ASSIGN_OR_RETURN(const std::string labels, EncodeLabels(spec.labels));
    STORE_RETURN_IF_ERROR(
        database_.Run("UPDATE sweeps SET labels = ?, keep_going = coalesce(?, keep_going), "
                      "updated_us = ? WHERE id = ?",
                      labels, edit.keep_going, ToMicros(now_), sweep.id));
    const bool is_new = spec.digest != sweep.digest;
    if (is_new) STORE_RETURN_IF_ERROR(KeepReplacedFile(sweep));
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE sweep_files SET name = ?, text = ? WHERE sweep_id = ? AND role = 'sweep'",
        edit.source->file, edit.source->text, sweep.id));
    for (const auto& [name, text] : edit.source->network_files) {  // perhaps other comments
      STORE_RETURN_IF_ERROR(database_.Run(
          "UPDATE sweep_files SET text = ? WHERE sweep_id = ? AND role = 'network' AND name = ?",
          text, sweep.id, name));
    }
    if (!is_new) {
      STORE_RETURN_IF_ERROR(AddEvent(TrialRow{.sweep_id = sweep.id}, "sweep", 0));
      return FindSweepById(database_, sweep.id);
    }
    const bool is_over = sweep.configurations >= edit.planned_configurations;
    // Of a race only the driver knows whether it is over.
    const bool is_exhausted = is_over && (!spec.race || HasEnded(sweep.state));
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE sweeps SET digest = ?, revision = revision + 1, first_configuration = "
        "configurations + 1, planned_configurations = ?, exhausted = ?, search_reason = '', "
        "disk_bytes = disk_bytes + ? WHERE id = ?",
        spec.digest, edit.planned_configurations, is_exhausted,
        static_cast<std::int64_t>(edit.source->text.size()), sweep.id));
    const bool goes_on = sweep.state == SweepState::kCompleted && !is_over;
    // The event tells the watchers of a sweep that stays as it is, too.
    STORE_RETURN_IF_ERROR(goes_on ? SetSweepState(sweep.id, SweepState::kActive)
                                  : AddEvent(TrialRow{.sweep_id = sweep.id}, "sweep", 0));
    STORE_RETURN_IF_ERROR(CompleteSweepIfDone(sweep.id));
    return FindSweepById(database_, sweep.id);
  });
}

absl::Status WriteTransaction::AddWarmStart(std::int64_t sweep_id,
                                            const std::vector<WarmStartRow>& starts,
                                            const std::vector<EndedPoint>& points) {
  return Guard([&]() -> absl::Status {
    std::int64_t position = 0, bytes = 0;
    for (const WarmStartRow& start : starts) {
      STORE_RETURN_IF_ERROR(database_.Run(
          "INSERT INTO warm_starts (sweep_id, position, source, taken, left_out, "
          "reason) VALUES (?, ?, ?, ?, ?, ?)",
          sweep_id, ++position, start.source, start.taken, start.left_out, start.reason));
    }
    position = 0;
    for (const EndedPoint& point : points) {
      STORE_ASSIGN_OR_RETURN(const std::string chosen, EncodeParameters(point.point.chosen));
      STORE_ASSIGN_OR_RETURN(const std::string trained, EncodeParameters(point.point.trained));
      const std::string results = EncodeReplicates(point.replicates);
      bytes += static_cast<std::int64_t>(chosen.size() + trained.size() + results.size());
      STORE_RETURN_IF_ERROR(
          database_.Run("INSERT INTO warm_points (sweep_id, position, parameters, resolved, "
                        "results) VALUES (?, ?, ?, ?, ?)",
                        sweep_id, ++position, chosen, trained, results));
    }
    return AddDiskBytes(sweep_id, bytes);
  });
}

absl::Status WriteTransaction::KeepReplacedFile(const SweepRow& sweep) {
  return database_.Run(
      "INSERT INTO replaced_files (sweep_id, revision, first_configuration, digest, text, "
      "replaced_us) VALUES (?, ?, ?, ?, ?, ?)",
      sweep.id, sweep.revision, sweep.first_configuration, sweep.digest, sweep.source.text,
      ToMicros(now_));
}

absl::Status WriteTransaction::CheckRevision(std::int64_t sweep_id, std::int64_t revision) {
  Statement statement = database_.Prepare("SELECT revision FROM sweeps WHERE id = ?");
  STORE_ASSIGN_OR_RETURN(const std::optional<std::int64_t> present,
                         FirstInt(statement.Bind(sweep_id)));
  if (present == revision) return absl::OkStatus();
  STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweepById(database_, sweep_id));
  return absl::AbortedError(
      fmt::format("the file of sweep '{}' was changed meanwhile", sweep.name));
}

absl::StatusOr<std::vector<MadePoint>> WriteTransaction::GetMadePoints(std::int64_t sweep_id,
                                                                       std::int64_t first,
                                                                       std::int64_t last) {
  return SelectMadePoints(database_, sweep_id, first, last);
}

absl::StatusOr<std::optional<std::int64_t>> WriteTransaction::FindRequest(
    const std::string& request) {
  Statement statement = database_.Prepare("SELECT result FROM requests WHERE name = ?");
  return FirstInt(statement.Bind(request));
}

absl::Status WriteTransaction::RememberRequest(const std::string& request, std::int64_t result) {
  return Guard([&]() -> absl::Status {
    STORE_RETURN_IF_ERROR(
        database_.Run("INSERT INTO requests (name, result, time_us) VALUES (?, ?, ?)", request,
                      result, ToMicros(now_)));
    return database_.Run("DELETE FROM requests WHERE id <= ?",
                         database_.last_insert_id() - kMaxRequests);
  });
}

}  // namespace sweep
