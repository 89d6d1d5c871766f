#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "common/base/counted.h"
#include "common/base/ids.h"
#include "coordinator/store/disk_use.h"
#include "coordinator/store/json_codec.h"
#include "coordinator/store/measure_columns.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/write_transaction.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxEpochsPerReport = 16;

absl::Status Refuse(absl::StatusCode code, const TrialRow& trial, const std::string& why) {
  return absl::Status(code, fmt::format("trial {}: {}", trial.short_name(), why));
}

absl::Status Over(const TrialRow& trial, int attempt, const std::string& why) {
  return Refuse(absl::StatusCode::kFailedPrecondition, trial,
                fmt::format("attempt {} is over ({})", attempt, why));
}

bool IsEarly(LeaseOutcome outcome) {
  return outcome == LeaseOutcome::kStopped || outcome == LeaseOutcome::kHeld;
}

// A worker that has trained a segment to its target says that the trial rests there.
LeaseOutcome OutcomeOf(const TrialRow& trial, LeaseOutcome told) {
  const bool is_done = trial.is_segment() && !trial.stopping && told == LeaseOutcome::kHeld;
  return is_done ? LeaseOutcome::kCompleted : told;
}

// True when others cannot go on from a segment that is said to be complete.
bool LacksCheckpoint(const TrialRow& trial) {
  const int last = trial.last_epoch();
  return trial.is_segment() && last < trial.epochs && trial.checkpoint_epoch != last;
}

// The event for the end of an attempt. It differs from `event` when the stopping rule has ended the
// trial or the trial has reached its target epoch.
TrialEvent UnlessEarly(const TrialRow& trial, TrialEvent event) {
  const bool is_final = event == TrialEvent::kComplete || event == TrialEvent::kDiverge;
  if (is_final || !trial.ends_early()) return event;
  return trial.stopping ? TrialEvent::kStop : TrialEvent::kHold;
}

const DeclaredMeasure* FindDeclared(const SweepSpec& spec, std::string_view name) {
  for (const DeclaredMeasure& measure : spec.measures) {
    if (measure.name == name) return &measure;
  }
  return nullptr;
}

bool IsWithin(const DeclaredMeasure* measure, double value) {
  if (measure == nullptr || !measure->min || std::isnan(value)) return true;
  return value >= *measure->min && value <= *measure->max;
}

// The epoch must be later than `after`: the epochs of a report rise.
absl::Status CheckEpoch(const TrialRow& trial, const SweepSpec& spec, const EpochMetrics& metrics,
                        int after) {
  const auto refuse = [&](const std::string& why) {
    return Refuse(absl::StatusCode::kInvalidArgument, trial,
                  fmt::format("epoch {}: {}", metrics.epoch, why));
  };
  if (metrics.epoch < 1 || metrics.epoch > trial.epochs) {
    return refuse(fmt::format("not within 1..{}", trial.epochs));
  }
  if (trial.is_segment() && metrics.epoch <= trial.start_epoch) {
    return refuse(fmt::format("its segment goes on after epoch {} of trial {}/{}",
                              trial.start_epoch, trial.sweep, trial.parent));
  }
  if (trial.is_segment() && !trial.stopping && metrics.epoch > trial.last_epoch()) {
    return refuse(fmt::format("its segment ends with epoch {}", trial.last_epoch()));
  }
  if (metrics.epoch <= after) return refuse(fmt::format("epoch {} came before it", after));
  if (metrics.values.size() > kMaxMeasuresPerEpoch) {
    return refuse(fmt::format("{} metrics; at most {} are possible", metrics.values.size(),
                              kMaxMeasuresPerEpoch));
  }
  for (const auto& [name, value] : metrics.values) {
    if (!IsMeasureName(name)) return refuse(fmt::format("'{}' is not the name of a metric", name));
    const Measure* const predefined = FindMeasure(name);
    if ((predefined != nullptr && !predefined->Allows(value)) ||
        !IsWithin(FindDeclared(spec, name), value)) {
      return refuse(fmt::format("{} cannot be {}", name, value));
    }
  }
  return absl::OkStatus();
}

// The index of a measure's column in kMeasureColumns followed by kSlotColumns. Assigns a slot to a
// program's own measure; nullopt when none is left.
absl::StatusOr<std::optional<std::size_t>> ColumnOf(Database& database, const std::string& name,
                                                    MeasureNames* names) {
  const auto column = std::find(kMeasureColumns.begin(), kMeasureColumns.end(), name);
  const auto place = static_cast<std::size_t>(column - kMeasureColumns.begin());
  if (column != kMeasureColumns.end()) return std::optional(place);
  STORE_ASSIGN_OR_RETURN(const MeasureNames::Entry* const entry, names->FindOrAdd(database, name));
  if (entry == nullptr || entry->slot == 0) return std::optional<std::size_t>();
  return std::optional(place + static_cast<std::size_t>(entry->slot) - 1);
}

// The values of an epoch as the columns of its row.
struct ReportColumns {
  std::array<double, kMeasureColumns.size() + kSlotColumns.size()> numbers;
  // JSON of the measures without a column, and of NaN values, which a REAL column cannot store. ""
  // when there is nothing.
  std::string more;
};
absl::StatusOr<ReportColumns> ColumnsOf(Database& database, const Measurements& values,
                                        MeasureNames* names) {
  ReportColumns columns;
  columns.numbers.fill(std::nan(""));  // becomes NULL; so does what was not reported
  Measurements more;
  for (const auto& [name, value] : values) {
    STORE_ASSIGN_OR_RETURN(const std::optional<std::size_t> column,
                           ColumnOf(database, name, names));
    if (column) columns.numbers[*column] = value;
    if (!column || std::isnan(value)) more.Set(name, value);
  }
  if (!more.empty()) columns.more = EncodeMeasurements(more);
  return columns;
}

struct Ending {
  LeaseOutcome outcome = LeaseOutcome::kCompleted;
  std::string reason;
};

std::string NamesOf(const MeasureSummaries& measures) {
  std::vector<std::string_view> names;
  for (const auto& [name, summary] : measures) names.push_back(name);
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

// Adjusts the end of a training by what it has reported of the metric. If the last value is NaN, it
// diverged. If it completed without ever reporting the metric, it failed for good, since it would
// end so again.
Ending Judge(const SweepSpec& spec, const TrialRow& trial, const Ending& told) {
  const TrialResult& result = trial.result;
  if (told.outcome != LeaseOutcome::kCompleted && told.outcome != LeaseOutcome::kFailed) {
    return told;
  }
  const std::string& metric = spec.objective().name;
  if (result.Has(metric) && std::isnan(result.Last(metric))) {
    return {LeaseOutcome::kDiverged,
            fmt::format("diverged: {} is NaN at epoch {}{}", metric, result.epoch,
                        told.reason.empty() ? "" : "; " + told.reason)};
  }
  if (told.outcome == LeaseOutcome::kCompleted && LacksCheckpoint(trial)) {
    return {spec.HasOwnTrainer() ? LeaseOutcome::kFailedForGood : LeaseOutcome::kFailed,
            fmt::format("it left no checkpoint of epoch {}, the end of its segment, from which "
                        "others could go on",
                        trial.last_epoch())};
  }
  if (told.outcome == LeaseOutcome::kFailed || result.Has(metric)) return told;
  return {LeaseOutcome::kFailedForGood,
          fmt::format("the program never reported the sweep's metric '{}'; it reported {}", metric,
                      NamesOf(result.measures))};
}

}  // namespace

absl::StatusOr<LeaseRow> WriteTransaction::Grant(std::int64_t trial_id, const std::string& worker,
                                                 const std::string& secret, bool embedded) {
  return Guard([&]() -> absl::StatusOr<LeaseRow> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored, FindStoredTrialById(database_, trial_id));
    TrialRow& trial = stored.row;
    STORE_RETURN_IF_ERROR(NextTrialState(trial.state, TrialEvent::kGrant).status());
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweepById(database_, trial.sweep_id));
    if (sweep.state != SweepState::kActive) {
      return Refuse(absl::StatusCode::kFailedPrecondition, trial,
                    fmt::format("its sweep is {}", SweepStateName(sweep.state)));
    }
    ++trial.attempt;
    trial.worker = worker;
    if (!trial.started) trial.started = now_;
    STORE_RETURN_IF_ERROR(
        database_.Run("UPDATE trials SET attempt = ?, secret = ?, started_us = ? WHERE id = ?",
                      trial.attempt, secret, ToMicros(*trial.started), trial.id));
    STORE_RETURN_IF_ERROR(
        database_.Run("INSERT INTO attempts (trial_id, attempt, worker, started_us, embedded) "
                      "VALUES (?, ?, ?, ?, ?)",
                      trial.id, trial.attempt, worker, ToMicros(now_), embedded ? 1 : 0));
    trial.attempt_started = now_;
    STORE_RETURN_IF_ERROR(Apply(TrialEvent::kGrant, &trial));
    return LeaseRow{.trial = std::move(trial), .secret = secret, .embedded = embedded};
  });
}

absl::StatusOr<TrialRow> WriteTransaction::RecordEpochs(const LeaseToken& token,
                                                        const SweepSpec& spec,
                                                        const std::vector<EpochMetrics>& epochs,
                                                        const std::string& checkpoint_sha256,
                                                        int checkpoint_epoch, bool* revived) {
  *revived = false;
  return Guard([&]() -> absl::StatusOr<TrialRow> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored,
                           FindStoredTrial(database_, token.sweep, token.number));
    TrialRow& trial = stored.row;
    STORE_ASSIGN_OR_RETURN(const bool lost, CheckToken(stored, token));
    STORE_RETURN_IF_ERROR(CheckReport(trial, spec, epochs, checkpoint_sha256, checkpoint_epoch));
    if (lost) STORE_RETURN_IF_ERROR(Revive(trial.worker, &trial));

    bool progress = false;
    double seconds = 0;
    for (const EpochMetrics& epoch : epochs) {
      STORE_ASSIGN_OR_RETURN(const bool first, InsertEpoch(epoch, trial));
      if (!first) continue;
      AddEpoch(spec, epoch, &trial.result);
      progress = true;
      seconds += epoch.values.Sum({kTrainSeconds, kEvaluateSeconds});
    }
    // A resumed attempt may send an older checkpoint than the stored one.
    const bool newer_checkpoint =
        !checkpoint_sha256.empty() && checkpoint_epoch >= trial.checkpoint_epoch;
    if (newer_checkpoint) {
      STORE_RETURN_IF_ERROR(TouchBlob(trial.checkpoint_sha256));
      STORE_RETURN_IF_ERROR(TouchBlob(checkpoint_sha256));
      trial.checkpoint_sha256 = checkpoint_sha256;
      trial.checkpoint_epoch = checkpoint_epoch;
    }
    if (progress || newer_checkpoint) STORE_RETURN_IF_ERROR(SaveProgress(spec, trial, seconds));
    if (!epochs.empty()) STORE_RETURN_IF_ERROR(Apply(TrialEvent::kReport, &trial));
    if (progress) STORE_RETURN_IF_ERROR(Rescore(spec, trial));
    *revived = lost;
    return std::move(trial);
  });
}

absl::Status WriteTransaction::SetTrainer(const TrialRow& trial, const std::string& trainer) {
  return Guard([&]() -> absl::Status {
    return database_.Run("UPDATE attempts SET trainer = ? WHERE trial_id = ? AND attempt = ?",
                         trainer, trial.id, trial.attempt);
  });
}

absl::StatusOr<DataReport> WriteTransaction::ReportData(const LeaseToken& token,
                                                        const SweepSpec& spec,
                                                        const std::string& sha256,
                                                        const std::string& place) {
  return Guard([&]() -> absl::StatusOr<DataReport> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored,
                           FindStoredTrial(database_, token.sweep, token.number));
    TrialRow& trial = stored.row;
    STORE_ASSIGN_OR_RETURN(const bool lost, CheckToken(stored, token));
    if (lost) STORE_RETURN_IF_ERROR(Revive(trial.worker, &trial));
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweepById(database_, trial.sweep_id));
    DataReport report{.sweep_sha256 = sweep.data_sha256, .is_first = sweep.data_sha256.empty()};
    if (report.is_first) {
      report.sweep_sha256 = sha256;
      STORE_RETURN_IF_ERROR(
          database_.Run("UPDATE sweeps SET data_sha256 = ? WHERE id = ?", sha256, trial.sweep_id));
    } else if (sha256 != sweep.data_sha256) {
      report.refusal = fmt::format(
          "worker {} has other data than sweep {}: the sweep is trained on SHA-256 {}, and {} has "
          "{}",
          trial.worker, sweep.name, sweep.data_sha256, place.empty() ? "the worker" : place,
          sha256);
      STORE_RETURN_IF_ERROR(
          CloseAttempt(now_, StoredOutcomeName(LeaseOutcome::kGivenBack), report.refusal, &trial));
      STORE_RETURN_IF_ERROR(Apply(UnlessEarly(trial, TrialEvent::kGiveBack), &trial));
      STORE_RETURN_IF_ERROR(Settle(spec, trial));
    }
    report.trial = std::move(trial);
    return report;
  });
}

namespace {

// The event for the end of an attempt. Also counts a failure and sets the trial's reason.
TrialEvent EventOf(const SweepSpec& spec, const Ending& ending, TrialRow* trial) {
  TrialEvent event = TrialEvent::kGiveBack;
  if (ending.outcome == LeaseOutcome::kCompleted) {
    event = TrialEvent::kComplete;
    trial->reason.clear();  // the reason of a stop that came too late
  }
  if (StoredOutcomeName(ending.outcome) == "failed") {
    ++trial->failures;
    const bool final =
        ending.outcome != LeaseOutcome::kFailed || trial->failures >= spec.max_failures;
    event = final ? TrialEvent::kFailForGood : TrialEvent::kFail;
    if (ending.outcome == LeaseOutcome::kDiverged) event = TrialEvent::kDiverge;
    const bool is_early = trial->ends_early() && event != TrialEvent::kDiverge;
    if (final && !is_early) trial->reason = ending.reason;
  }
  return UnlessEarly(*trial, event);
}

}  // namespace

absl::StatusOr<TrialRow> WriteTransaction::FinishLease(const LeaseToken& token,
                                                       const SweepSpec& spec, LeaseOutcome said,
                                                       const std::string& reason,
                                                       const std::vector<ArtifactRow>& artifacts) {
  return Guard([&]() -> absl::StatusOr<TrialRow> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored,
                           FindStoredTrial(database_, token.sweep, token.number));
    TrialRow& trial = stored.row;
    const LeaseOutcome told = OutcomeOf(trial, said);
    STORE_ASSIGN_OR_RETURN(const bool repeated, IsRepeatedFinish(stored, token, told));
    if (repeated) {
      STORE_ASSIGN_OR_RETURN(trial.artifacts, SelectArtifacts(database_, trial.id));
      return std::move(trial);
    }
    STORE_ASSIGN_OR_RETURN(const bool lost, CheckToken(stored, token));
    // A program may omit epochs, even the last ones; our trainer reports all.
    if (told == LeaseOutcome::kCompleted &&
        (!spec.HasOwnTrainer() || trial.last_epoch() < trial.epochs) &&
        trial.result.epoch != trial.last_epoch()) {
      return Refuse(absl::StatusCode::kFailedPrecondition, trial,
                    fmt::format("cannot be completed: {} of {} epochs have been reported",
                                trial.result.epoch, trial.last_epoch()));
    }
    // With early_terminate the trial may have been promoted meanwhile; it continues later.
    if (IsEarly(told) && !trial.ends_early() && !spec.early_terminate) {
      return Refuse(absl::StatusCode::kFailedPrecondition, trial, "was not told to stop");
    }
    STORE_RETURN_IF_ERROR(CheckBlobs(trial, artifacts));
    if (lost) STORE_RETURN_IF_ERROR(Revive(trial.worker, &trial));
    for (const ArtifactRow& artifact : artifacts) {
      STORE_RETURN_IF_ERROR(SetArtifact(trial, artifact));
    }
    const Ending ending = Judge(spec, trial, {.outcome = told, .reason = reason});
    const TrialEvent event = EventOf(spec, ending, &trial);
    const LeaseOutcome became = !IsEarly(told)               ? ending.outcome
                                : event == TrialEvent::kStop ? LeaseOutcome::kStopped
                                                             : LeaseOutcome::kHeld;
    STORE_RETURN_IF_ERROR(CloseAttempt(now_, StoredOutcomeName(became), ending.reason, &trial));
    STORE_RETURN_IF_ERROR(Apply(event, &trial));
    STORE_RETURN_IF_ERROR(Settle(spec, trial));
    STORE_ASSIGN_OR_RETURN(trial.artifacts, SelectArtifacts(database_, trial.id));
    return std::move(trial);
  });
}

absl::Status WriteTransaction::CheckFinished(const LeaseToken& token, LeaseOutcome outcome) {
  STORE_ASSIGN_OR_RETURN(const StoredTrial stored,
                         FindStoredTrial(database_, token.sweep, token.number));
  STORE_ASSIGN_OR_RETURN(const bool finished,
                         IsRepeatedFinish(stored, token, OutcomeOf(stored.row, outcome)));
  if (finished) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition, stored.row,
                fmt::format("attempt {} was not ended in this way", token.attempt));
}

absl::StatusOr<TrialRow> WriteTransaction::LoseLease(std::int64_t trial_id, int attempt,
                                                     const SweepSpec& spec,
                                                     const std::string& reason, absl::Time heard) {
  return Guard([&]() -> absl::StatusOr<TrialRow> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored, FindStoredTrialById(database_, trial_id));
    TrialRow& trial = stored.row;
    if (trial.attempt != attempt || !IsHeld(trial.state)) return std::move(trial);
    STORE_ASSIGN_OR_RETURN(const absl::Time end, LastSignOfLife(trial, heard));
    STORE_RETURN_IF_ERROR(CloseAttempt(end, "lost", reason, &trial));
    ++trial.failures;
    TrialEvent event = TrialEvent::kLose;
    if (trial.failures >= spec.max_failures && !trial.ends_early()) {
      event = TrialEvent::kFailForGood;
      Statement lost = database_.Prepare(
          "SELECT count(*) FROM attempts WHERE trial_id = ? AND outcome = 'lost'");
      STORE_RETURN_IF_ERROR(lost.Bind(trial.id).Step().status());
      trial.reason = fmt::format("lost {}: {}", Counted(lost.Int(0), "time"), reason);
    }
    STORE_RETURN_IF_ERROR(Apply(UnlessEarly(trial, event), &trial));
    STORE_RETURN_IF_ERROR(Settle(spec, trial));
    return std::move(trial);
  });
}

absl::StatusOr<TrialRow> WriteTransaction::StopTrial(std::int64_t trial_id, const SweepSpec& spec,
                                                     int epoch, const std::string& reason) {
  return Guard([&]() -> absl::StatusOr<TrialRow> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored, FindStoredTrialById(database_, trial_id));
    TrialRow& trial = stored.row;
    if (IsTerminal(trial.state) || trial.stopping) return std::move(trial);
    trial.stopping = true;
    trial.target_epoch = epoch;
    trial.reason = reason;
    STORE_RETURN_IF_ERROR(
        database_.Run("UPDATE trials SET stopping = 1, target_epoch = ?, reason = ? WHERE id = ?",
                      epoch, reason, trial.id));
    if (!IsHeld(trial.state)) {
      STORE_RETURN_IF_ERROR(Apply(TrialEvent::kStop, &trial));
      STORE_RETURN_IF_ERROR(Settle(spec, trial));
    }
    return std::move(trial);
  });
}

absl::StatusOr<TrialRow> WriteTransaction::HoldTrial(std::int64_t trial_id, int epoch,
                                                     const std::string& reason) {
  return Guard([&]() -> absl::StatusOr<TrialRow> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored, FindStoredTrialById(database_, trial_id));
    TrialRow& trial = stored.row;
    const bool is_earlier = trial.target_epoch == 0 || epoch < trial.target_epoch;
    if (IsTerminal(trial.state) || trial.stopping || epoch < 1 || epoch >= trial.epochs ||
        !is_earlier) {
      return std::move(trial);
    }
    trial.target_epoch = epoch;
    trial.reason = reason;
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE trials SET target_epoch = ?, reason = ? WHERE id = ?", epoch, reason, trial.id));
    if (trial.state == TrialState::kPending && trial.is_at_target()) {
      STORE_RETURN_IF_ERROR(Apply(TrialEvent::kHold, &trial));
    }
    return std::move(trial);
  });
}

absl::StatusOr<TrialRow> WriteTransaction::PromoteTrial(std::int64_t trial_id, int target_epoch) {
  return Guard([&]() -> absl::StatusOr<TrialRow> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored, FindStoredTrialById(database_, trial_id));
    TrialRow& trial = stored.row;
    const int target = target_epoch < trial.epochs ? target_epoch : 0;
    const bool is_later = trial.target_epoch > 0 && (target == 0 || target > trial.target_epoch);
    if (IsTerminal(trial.state) || trial.stopping || !is_later) return std::move(trial);
    trial.target_epoch = target;
    trial.reason.clear();
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE trials SET target_epoch = ?, reason = '' WHERE id = ?", target, trial.id));
    if (trial.state == TrialState::kOnHold && !trial.is_at_target()) {
      STORE_RETURN_IF_ERROR(Apply(TrialEvent::kPromote, &trial));
    }
    return std::move(trial);
  });
}

absl::StatusOr<std::vector<TrialRow>> WriteTransaction::StopHeldTrials(
    std::int64_t sweep_id, const SweepSpec& spec, std::optional<std::int64_t> seen_sequence,
    int limit) {
  return Guard([&]() -> absl::StatusOr<std::vector<TrialRow>> {
    std::vector<TrialRow> stopped;
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweepById(database_, sweep_id));
    STORE_ASSIGN_OR_RETURN(const std::int64_t last, FindLastSequence(database_, sweep_id));
    const bool is_over = sweep.exhausted && sweep.counts.pending + sweep.counts.running == 0;
    if (!is_over || HasEnded(sweep.state) || last > seen_sequence.value_or(last)) return stopped;
    STORE_ASSIGN_OR_RETURN(std::vector<TrialRow> trials,
                           SelectTrialsInState(database_, sweep_id, TrialState::kOnHold, limit));
    for (TrialRow& trial : trials) {
      trial.reason = fmt::format("held after epoch {} and not promoted before the end of the sweep",
                                 trial.result.epoch);
      STORE_RETURN_IF_ERROR(Apply(TrialEvent::kStop, &trial));
      STORE_RETURN_IF_ERROR(Rescore(spec, trial));
      stopped.push_back(std::move(trial));
    }
    STORE_RETURN_IF_ERROR(CompleteSweepIfDone(sweep_id));
    return stopped;
  });
}

absl::StatusOr<LeaseRow> WriteTransaction::ReviveLease(const LeaseToken& token,
                                                       const std::string& worker) {
  return Guard([&]() -> absl::StatusOr<LeaseRow> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored,
                           FindStoredTrial(database_, token.sweep, token.number));
    STORE_ASSIGN_OR_RETURN(const bool lost, CheckToken(stored, token));
    if (lost) STORE_RETURN_IF_ERROR(Revive(worker, &stored.row));
    return LeaseRow{.trial = std::move(stored.row), .secret = std::move(stored.secret)};
  });
}

absl::Status WriteTransaction::RememberGrant(const std::string& request, const TrialRow& trial) {
  return Guard([&]() -> absl::Status {
    return database_.Run("UPDATE attempts SET request = ? WHERE trial_id = ? AND attempt = ?",
                         request, trial.id, trial.attempt);
  });
}

absl::StatusOr<std::optional<LeaseRow>> WriteTransaction::FindGrant(const std::string& request) {
  return Guard([&]() -> absl::StatusOr<std::optional<LeaseRow>> {
    // The second condition is that of the index.
    Statement grant = database_.Prepare(
        "SELECT trial_id, attempt FROM attempts WHERE request = ? AND request <> ''");
    STORE_ASSIGN_OR_RETURN(const bool found, grant.Bind(request).Step());
    if (!found) return std::optional<LeaseRow>();
    absl::StatusOr<StoredTrial> stored = FindStoredTrialById(database_, grant.Int(0));
    STORE_RETURN_IF_ERROR(stored.status());
    const LeaseToken token{.sweep = stored->row.sweep,
                           .number = stored->row.number,
                           .attempt = static_cast<int>(grant.Int(1)),
                           .secret = stored->secret};
    STORE_ASSIGN_OR_RETURN(const bool lost, CheckToken(*stored, token));
    if (lost) STORE_RETURN_IF_ERROR(Revive(std::string(stored->row.worker), &stored->row));
    return std::optional<LeaseRow>(
        LeaseRow{.trial = std::move(stored->row), .secret = std::move(stored->secret)});
  });
}

absl::Status WriteTransaction::CheckLatest(const StoredTrial& stored, const LeaseToken& token) {
  const TrialRow& trial = stored.row;
  if (token.attempt < trial.attempt) {
    return Over(trial, token.attempt,
                fmt::format("attempt {} was granted to worker {}", trial.attempt, trial.worker));
  }
  // A retry clears the secret.
  const bool is_right = !stored.secret.empty() && token.secret == stored.secret;
  if (token.attempt > trial.attempt || token.attempt < 1 || !is_right) {
    return Refuse(absl::StatusCode::kFailedPrecondition, trial,
                  fmt::format("the token is not that of attempt {}", token.attempt));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> WriteTransaction::CheckToken(const StoredTrial& stored,
                                                  const LeaseToken& token) {
  STORE_RETURN_IF_ERROR(CheckLatest(stored, token));
  const TrialRow& trial = stored.row;
  if (IsHeld(trial.state)) return false;
  STORE_ASSIGN_OR_RETURN(const AttemptRow attempt, FindAttempt(database_, trial.id, token.attempt));
  // Only a lost lease can be revived, not one that the holder itself gave up.
  const bool is_unheld = trial.state == TrialState::kPending || trial.state == TrialState::kOnHold;
  if (is_unheld && attempt.outcome == "lost") return true;
  return Over(trial, token.attempt,
              IsTerminal(trial.state) ? fmt::format("the trial is {}", TrialStateName(trial.state))
                                      : attempt.outcome);
}

absl::Status WriteTransaction::Revive(const std::string& worker, TrialRow* trial) {
  // The attempt continues, so the loss does not count as a failure.
  --trial->failures;
  trial->worker = worker;
  STORE_ASSIGN_OR_RETURN(const AttemptRow attempt,
                         FindAttempt(database_, trial->id, trial->attempt));
  if (attempt.ended) trial->ended_attempts -= *attempt.ended - attempt.started;
  trial->attempt_started = attempt.started;
  STORE_RETURN_IF_ERROR(database_.Run(
      "UPDATE attempts SET ended_us = NULL, outcome = '', reason = '', worker = ? WHERE trial_id = "
      "? AND attempt = ?",
      worker, trial->id, trial->attempt));
  return Apply(TrialEvent::kRevive, trial);
}

absl::Status WriteTransaction::CheckBlobs(const TrialRow& trial,
                                          const std::vector<ArtifactRow>& artifacts) {
  for (const ArtifactRow& artifact : artifacts) {
    if (!IsValidName(artifact.role)) {
      return Refuse(absl::StatusCode::kInvalidArgument, trial,
                    fmt::format("'{}' is not a role of an artifact", artifact.role));
    }
    STORE_ASSIGN_OR_RETURN(const std::optional<std::int64_t> size,
                           FindBlobSize(database_, artifact.sha256));
    if (!size) {
      return Refuse(absl::StatusCode::kInvalidArgument, trial,
                    fmt::format("the blob '{}' for its {} has not been stored", artifact.sha256,
                                artifact.role));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteTransaction::CheckReport(const TrialRow& trial, const SweepSpec& spec,
                                           const std::vector<EpochMetrics>& epochs,
                                           const std::string& checkpoint_sha256,
                                           int checkpoint_epoch) {
  if (epochs.size() > kMaxEpochsPerReport) {
    return Refuse(absl::StatusCode::kInvalidArgument, trial,
                  fmt::format("{} epochs in one report; at most {} are allowed", epochs.size(),
                              kMaxEpochsPerReport));
  }
  int last = trial.result.epoch;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    // A resumed attempt may start at any known epoch, and a program may skip epochs.
    STORE_RETURN_IF_ERROR(CheckEpoch(trial, spec, epochs[i], i > 0 ? epochs[i - 1].epoch : 0));
    last = std::max(last, epochs[i].epoch);
  }
  if (checkpoint_sha256.empty()) return absl::OkStatus();
  if (checkpoint_epoch < 1 || checkpoint_epoch > last) {
    return Refuse(absl::StatusCode::kInvalidArgument, trial,
                  fmt::format("a checkpoint of epoch {} after epoch {}", checkpoint_epoch, last));
  }
  return CheckBlobs(trial, {{.role = "checkpoint", .sha256 = checkpoint_sha256}});
}

absl::StatusOr<bool> WriteTransaction::InsertEpoch(const EpochMetrics& epoch,
                                                   const TrialRow& trial) {
  STORE_ASSIGN_OR_RETURN(MeasureNames* const names, MeasureNamesOf(trial.sweep_id));
  STORE_ASSIGN_OR_RETURN(const ReportColumns columns, ColumnsOf(database_, epoch.values, names));
  const std::int64_t changes = database_.total_changes();
  static const std::string kSql = fmt::format(
      "INSERT OR IGNORE INTO epoch_reports (trial_id, attempt, epoch, reported_us, more, {}, {}) "
      "VALUES (?, ?, ?, ?, nullif(?, ''), {})",
      fmt::join(kMeasureColumns, ", "), fmt::join(kSlotColumns, ", "),
      fmt::join(std::vector<std::string_view>(kMeasureColumns.size() + kSlotColumns.size(), "?"),
                ", "));
  Statement insert = database_.Prepare(kSql);
  insert.Bind(trial.id, trial.attempt, epoch.epoch, ToMicros(now_), columns.more);
  int parameter = 6;
  for (const double number : columns.numbers) insert.BindAt(parameter++, number);
  STORE_RETURN_IF_ERROR(insert.Run());
  const bool inserted = database_.total_changes() != changes;
  if (!inserted) return false;
  if (epoch.epoch <= trial.result.epoch) {
    STORE_RETURN_IF_ERROR(NoteDivergence(epoch, trial));
    return false;
  }
  STORE_RETURN_IF_ERROR(AddEvent(trial, "epoch", epoch.epoch));
  return true;
}

absl::Status WriteTransaction::NoteDivergence(const EpochMetrics& epoch, const TrialRow& trial) {
  STORE_ASSIGN_OR_RETURN(const std::optional<EpochRow> first,
                         FirstEpoch(database_, trial.id, epoch.epoch));
  if (!first || first->attempt == trial.attempt ||
      SameReproducible(first->metrics.values, epoch.values)) {
    return absl::OkStatus();
  }
  return database_.Run(
      "INSERT OR IGNORE INTO divergences (trial_id, epoch, attempt, first_attempt, reported_us) "
      "VALUES (?, ?, ?, ?, ?)",
      trial.id, epoch.epoch, trial.attempt, first->attempt, ToMicros(now_));
}

absl::Status WriteTransaction::SaveProgress(const SweepSpec& spec, const TrialRow& trial,
                                            double seconds) {
  const TrialResult& result = trial.result;
  const std::string measures = EncodeSummaries(result.measures);
  const std::string standing = EncodeStanding(result.standing);
  decoded_.Keep(measures, result.measures);  // the next report begins with them
  decoded_.Keep(standing, result.standing);
  return database_.Run(
      "UPDATE trials SET epoch = ?, best = ?, best_epoch = ?, epochs_to_target = ?, "
      "epochs_in_a_row = ?, measures = ?, standing = ?, seconds = seconds + ?, checkpoint_sha256 = "
      "?, checkpoint_epoch = ? WHERE id = ?",
      result.epoch, result.Best(spec.objective()), result.best_epoch, result.epochs_to_target,
      result.epochs_in_a_row, measures, standing, seconds, trial.checkpoint_sha256,
      trial.checkpoint_epoch, trial.id);
}

absl::Status WriteTransaction::CloseAttempt(absl::Time end, std::string_view outcome,
                                            const std::string& reason, TrialRow* trial) {
  if (trial->attempt_started) trial->ended_attempts += end - *trial->attempt_started;
  trial->attempt_started.reset();
  STORE_RETURN_IF_ERROR(database_.Run(
      "UPDATE attempts SET ended_us = ?, outcome = ?, reason = ? WHERE trial_id = ? AND attempt = "
      "?",
      ToMicros(end), outcome, reason, trial->id, trial->attempt));
  return CountAttempt(*trial);
}

absl::Status WriteTransaction::CountAttempt(const TrialRow& trial) {
  // A revived attempt is counted again, so only the difference is added.
  Statement statement = database_.Prepare(
      "SELECT disk_bytes, ?3 + log_bytes + ?4 * (SELECT count(*) FROM epoch_reports e WHERE "
      "e.trial_id = ?1 AND e.attempt = ?2) FROM attempts WHERE trial_id = ?1 AND attempt = ?2");
  statement.Bind(trial.id, trial.attempt, kAttemptBytes, kEpochBytes);
  STORE_ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return absl::OkStatus();
  const std::int64_t before = statement.Int(0);
  const std::int64_t bytes = statement.Int(1);
  STORE_RETURN_IF_ERROR(
      database_.Run("UPDATE attempts SET disk_bytes = ? WHERE trial_id = ? AND attempt = ?", bytes,
                    trial.id, trial.attempt));
  return AddDiskBytes(trial.sweep_id, bytes - before);
}

absl::StatusOr<absl::Time> WriteTransaction::LastSignOfLife(const TrialRow& trial,
                                                            absl::Time heard) {
  if (!trial.attempt_started) return now_;
  Statement statement = database_.Prepare(
      "SELECT max(reported_us) FROM epoch_reports WHERE trial_id = ? AND attempt = ?");
  STORE_RETURN_IF_ERROR(statement.Bind(trial.id, trial.attempt).Step().status());
  const absl::Time reported = OptionalTime(statement, 0).value_or(absl::InfinitePast());
  // Whole microseconds, as they are stored. If the clock was set back, the end is not before the
  // start.
  const absl::Time last = FromMicros(ToMicros(std::max({heard, reported, *trial.attempt_started})));
  return std::min(last, std::max(now_, *trial.attempt_started));
}

absl::StatusOr<bool> WriteTransaction::IsRepeatedFinish(const StoredTrial& stored,
                                                        const LeaseToken& token,
                                                        LeaseOutcome outcome) {
  const TrialRow& trial = stored.row;
  if (IsHeld(trial.state) || token.attempt < 1 || token.attempt != trial.attempt ||
      stored.secret.empty() || token.secret != stored.secret) {
    return false;
  }
  STORE_ASSIGN_OR_RETURN(const AttemptRow attempt, FindAttempt(database_, trial.id, token.attempt));
  // Judge has turned a completion without a metric into a failure.
  const bool was_judged =
      outcome == LeaseOutcome::kCompleted && attempt.outcome == "failed" && IsTerminal(trial.state);
  // The trial's state decides between kStopped and kHeld, whichever was reported.
  const bool was_early =
      IsEarly(outcome) && (attempt.outcome == StoredOutcomeName(LeaseOutcome::kStopped) ||
                           attempt.outcome == StoredOutcomeName(LeaseOutcome::kHeld));
  return was_judged || was_early || attempt.outcome == StoredOutcomeName(outcome);
}

}  // namespace sweep
