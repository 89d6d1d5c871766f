#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/spec/suggestion_origin.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/store/decoded_texts.h"
#include "coordinator/store/measure_names.h"
#include "coordinator/store/rows.h"

namespace sweep {

class Database;
struct StoredTrial;

// Aborted when the text of the sweep's file has another SHA-256; "": whichever it has.
absl::Status CheckReplaced(const SweepRow& sweep, const std::string& sha256);

// The changes that a Store::Write function can make. Valid only inside that function, on the
// writer's thread. Trials change their state only through NextTrialState. A method that returns an
// error has changed nothing: methods check what they can before they write, and when one fails
// after it has written, the whole function is rolled back, whatever it returns.
class WriteTransaction {
 public:
  // Both must outlive the object.
  WriteTransaction(Database* database, Clock* clock);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;

  absl::Time now() const { return now_; }
  // Like FindSweep and FindTrial, but they see what this transaction has written.
  absl::StatusOr<SweepRow> GetSweep(const std::string& name);
  absl::StatusOr<TrialRow> GetTrial(const std::string& sweep, std::int64_t number);

  // AlreadyExists when a sweep with another digest has the name. `*created` is false when the same
  // sweep existed.
  absl::StatusOr<SweepRow> CreateSweep(const SweepSpec& spec, const SweepSource& source,
                                       const std::string& principal, bool* created);
  // What the search of a new sweep knows from earlier ones.
  absl::Status AddWarmStart(std::int64_t sweep_id, const std::vector<WarmStartRow>& starts,
                            const std::vector<EndedPoint>& points);
  // From now on the sweep is not paused because its first trials fail alike.
  absl::Status KeepGoing(std::int64_t sweep_id);
  // Adds a configuration and its trials, one per replicate. ResourceExhausted when the budget
  // (planned_configurations) is used up. The configuration must have the next number.
  struct Suggestion {
    std::int64_t seen_sequence;              // the last event that the search had seen
    int target_epoch;                        // of its trials; no target unless it is below `epochs`
    std::optional<SuggestionOrigin> origin;  // nullopt: unknown
    std::int64_t asked_number;  // for which the search made it; 0: the configuration's own
    // Of a population, which the sweep has then: its trial begins with the checkpoint that its
    // parent has left, and completes at its target epoch.
    std::optional<Segment> segment = {};
  };
  absl::StatusOr<std::vector<TrialRow>> AddConfiguration(std::int64_t sweep_id,
                                                         const SweepSpec& spec,
                                                         const Configuration& configuration,
                                                         const Suggestion& suggestion);
  absl::StatusOr<std::vector<TrialRow>> AddConfiguration(std::int64_t sweep_id,
                                                         const SweepSpec& spec,
                                                         const Configuration& configuration) {
    return AddConfiguration(sweep_id, spec, configuration, {});
  }
  // Adds one more run of a configuration, to a sweep with a race whose search has not been marked
  // as ended. FailedPrecondition unless the configuration has `replicate` runs so far, which must
  // be fewer than it may have.
  absl::StatusOr<TrialRow> AddReplicate(std::int64_t sweep_id, const SweepSpec& spec,
                                        std::int64_t configuration, int replicate);
  // As MarkExhausted, of a sweep whose race is over. False, and nothing happens, when the sweep has
  // an event after `seen_sequence`: the race may go on.
  absl::StatusOr<bool> EndRace(std::int64_t sweep_id, const std::string& reason,
                               std::int64_t seen_sequence);
  // Records that the search has ended; `reason` says why it ended before the budget was used. With
  // an empty reason this is a no-op unless the budget is used, since an extension may just have
  // raised it. Completes the sweep when every trial has ended. True when the search has ended.
  absl::StatusOr<bool> MarkExhausted(std::int64_t sweep_id, const std::string& reason);
  // Cancels the sweep and all its trials that have not ended. `spec` is null when this build does
  // not accept the sweep's file; then configurations keep their scores.
  absl::StatusOr<SweepRow> CancelSweep(const std::string& name, const SweepSpec* spec);
  // FailedPrecondition when the sweep has ended. `give_back`: running trials are to be given back.
  // Once set, it remains until the sweep is resumed.
  absl::StatusOr<SweepRow> PauseSweep(const std::string& name, bool give_back);
  // A user asked for it, so the sweep is not paused again because its first trials fail alike.
  absl::StatusOr<SweepRow> ResumeSweep(const std::string& name);
  // The scheduler's note on a sweep's failures in a row, and the pause that may follow. Retrying
  // trials and resuming the sweep clear the note.
  absl::StatusOr<EarlyFailures> FindEarlyFailures(std::int64_t sweep_id);
  absl::Status SetFailureNote(std::int64_t sweep_id, const std::string& note);
  absl::StatusOr<SweepRow> PauseForReason(std::int64_t sweep_id, const std::string& reason);
  // Makes the selected trials pending again, resets their failures and invalidates their tokens. A
  // sweep that had ended becomes active. FailedPrecondition for a cancelled sweep, unless cancelled
  // trials are selected.
  absl::StatusOr<RetriedSweep> RetrySweep(const SweepSpec& spec, const RetrySelection& selection);
  // The same for one trial. FailedPrecondition unless it failed or was cancelled. `force` is needed
  // for a trial that diverged.
  absl::StatusOr<RetriedSweep> RetryTrial(const SweepSpec& spec, std::int64_t number, bool force);
  // Raises the budget. FailedPrecondition when the sweep was cancelled; InvalidArgument unless
  // `planned_configurations` is above the present number. The caller checks that the search space
  // is large enough.
  absl::StatusOr<SweepRow> ExtendSweep(const std::string& name,
                                       std::int64_t planned_configurations);

  // Replaces the sweep file. Its networks and its program mean what they meant. A file of the same
  // meaning replaces the text only; any other one is a new revision. Then the budget becomes
  // `planned_configurations`, and a completed sweep that has some left to make becomes active.
  // Aborted when the sweep has another file than that of `replaces_sha256`. The caller checks what
  // may change.
  struct Edit {
    const SweepSpec* spec;  // the new file's
    const SweepSource* source;
    std::string replaces_sha256;  // of the text of the sweep file; empty: whichever it is
    std::int64_t planned_configurations;
    std::optional<bool> keep_going;  // where the file's has changed
  };
  absl::StatusOr<SweepRow> EditSweep(const Edit& edit);
  // Aborted when the sweep's file is of a later revision.
  absl::Status CheckRevision(std::int64_t sweep_id, std::int64_t revision);
  // As SelectMadePoints.
  absl::StatusOr<std::vector<MadePoint>> GetMadePoints(std::int64_t sweep_id, std::int64_t first,
                                                       std::int64_t last);

  // Deletes the sweep, frees its name and returns its last row. FailedPrecondition while a worker
  // holds one of its trials. PurgeDeleted removes the rows later.
  absl::StatusOr<SweepRow> DeleteSweep(const std::string& name);
  // Removes up to about `rows` rows of deleted sweeps, within a time limit. A trial and its epochs
  // are removed together, even if that exceeds `rows`. False when no rows are left.
  absl::StatusOr<bool> PurgeDeleted(std::int64_t rows);
  // `text` is the sweep file with the new name. FailedPrecondition while a worker holds one of its
  // trials; AlreadyExists when the name is taken; Aborted when the sweep has another digest.
  struct Renaming {
    std::string name, new_name;
    std::string digest;
    std::string text;
  };
  absl::StatusOr<SweepRow> RenameSweep(const Renaming& renaming);
  // FailedPrecondition when `archived` is true and the sweep is active.
  absl::StatusOr<SweepRow> ArchiveSweep(const std::string& name, bool archived);

  // Leases a pending trial: a new attempt with a new secret. `embedded`: the worker is in this
  // process and ends with it.
  absl::StatusOr<LeaseRow> Grant(std::int64_t trial_id, const std::string& worker,
                                 const std::string& secret, bool embedded);
  // FailedPrecondition, naming the trial, when the token is not that of the latest attempt or the
  // trial has ended. If the lease had expired but the trial was not leased again (it is pending,
  // with this attempt), the holder gets it back and `*revived` is true.
  absl::StatusOr<TrialRow> RecordEpochs(const LeaseToken& token, const SweepSpec& spec,
                                        const std::vector<EpochMetrics>& epochs,
                                        const std::string& checkpoint_sha256, int checkpoint_epoch,
                                        bool* revived);
  // Keeps the `ready` line of what trains the attempt. Does not check the token: RecordEpochs has.
  absl::Status SetTrainer(const TrialRow& trial, const std::string& trainer);
  // The holder has found data with this digest at `place`. The first digest is stored with the
  // sweep; a lease with other data is given back. Checks the token like RecordEpochs.
  absl::StatusOr<DataReport> ReportData(const LeaseToken& token, const SweepSpec& spec,
                                        const std::string& sha256, const std::string& place);
  // Ends the attempt. kFailed becomes final at spec.max_failures. A trial that has reached its
  // target epoch is on hold afterwards, unless it has completed or diverged. kStopped and kHeld
  // give the trial back if it has got a later target meanwhile. Checks the token like RecordEpochs.
  absl::StatusOr<TrialRow> FinishLease(const LeaseToken& token, const SweepSpec& spec,
                                       LeaseOutcome outcome, const std::string& reason,
                                       const std::vector<ArtifactRow>& artifacts);
  // OK when the lease has already ended with this outcome; FailedPrecondition otherwise.
  absl::Status CheckFinished(const LeaseToken& token, LeaseOutcome outcome);
  // Ends an attempt whose lease expired or whose worker is gone. A no-op (OK) when the attempt has
  // already ended. The end time is `heard`, when the worker was last heard of, or the time of its
  // last report, whichever is later.
  absl::StatusOr<TrialRow> LoseLease(std::int64_t trial_id, int attempt, const SweepSpec& spec,
                                     const std::string& reason, absl::Time heard);
  // Returns a pending trial to the attempt that lost it, whose holder came back.
  absl::StatusOr<LeaseRow> ReviveLease(const LeaseToken& token, const std::string& worker);
  // The stopping rule ends a trial after `epoch`. A trial that a worker holds continues until the
  // worker has saved its weights and finishes. However the attempt ends, the trial is then stopped,
  // unless it has completed or diverged. Other trials are stopped at once; ended ones do not
  // change.
  absl::StatusOr<TrialRow> StopTrial(std::int64_t trial_id, const SweepSpec& spec, int epoch,
                                     const std::string& reason);
  // The stopping rule puts a trial on hold after `epoch`, unless it has an earlier target. A trial
  // that a worker holds is put on hold when its attempt ends, a pending one that has reached the
  // epoch at once. A trial that has ended or is to stop does not change.
  absl::StatusOr<TrialRow> HoldTrial(std::int64_t trial_id, int epoch, const std::string& reason);
  // The stopping rule lets a trial continue to a later epoch; 0: to its last one. A trial on hold
  // becomes pending. Does nothing when the target is not later, or the trial has ended or is to
  // stop.
  absl::StatusOr<TrialRow> PromoteTrial(std::int64_t trial_id, int target_epoch);
  // Stops up to `limit` trials on hold, when nothing can promote them any more, and completes the
  // sweep when none is left. Does nothing unless the search has ended and no other trial is open.
  // Does nothing either when the sweep has an event after `seen_sequence`, since the stopping rule
  // may still decide on it.
  absl::StatusOr<std::vector<TrialRow>> StopHeldTrials(std::int64_t sweep_id, const SweepSpec& spec,
                                                       std::optional<std::int64_t> seen_sequence,
                                                       int limit);
  // A trial that was cancelled before stays so. `spec` as for CancelSweep.
  absl::StatusOr<TrialRow> CancelTrial(const std::string& sweep, std::int64_t number,
                                       const SweepSpec* spec);
  // Stores an attempt's new lines, within the limits of log_lines.h. FailedPrecondition unless the
  // token is that of the latest attempt, which may have ended.
  absl::Status AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines);
  // Records that a blob's file exists, and the time. Idempotent.
  absl::Status AddBlob(const std::string& sha256, std::int64_t size_bytes);
  // Keeps existing blobs from being collected for a while. Returns those of `blobs` that have no
  // row.
  absl::StatusOr<std::vector<std::string>> TouchBlobs(const std::vector<std::string>& blobs);
  // Keeps blobs as long as the sweep: the parts of its uploaded data set. FailedPrecondition when
  // one of them has no row. Idempotent.
  absl::Status KeepData(std::int64_t sweep_id, const std::vector<std::string>& blobs);
  // Removes the rows of those of `blobs` that nobody has stored, referred to or released since
  // `before`. The caller has found that nothing refers to them. Returns the removed names.
  absl::StatusOr<std::vector<std::string>> ForgetUnusedBlobs(const std::vector<std::string>& blobs,
                                                             absl::Time before);
  // Records that a blob's bytes are lost. Trials that have it as their checkpoint start again from
  // the beginning; returns their names. Artifacts keep referring to it.
  absl::StatusOr<std::vector<std::string>> ForgetLostBlob(const std::string& sha256);

  // The result of an earlier request, by a name that the caller makes of its request_id. Nullopt
  // when it is unknown; only the most recent results are kept.
  absl::StatusOr<std::optional<std::int64_t>> FindRequest(const std::string& request);
  absl::Status RememberRequest(const std::string& request, std::int64_t result);
  // Remembers that `request` was answered by the trial's present lease, for as long as the sweep is
  // stored. No two leases answer one request.
  absl::Status RememberGrant(const std::string& request, const TrialRow& trial);
  // The lease that answered an earlier request, revived if it had expired. FailedPrecondition when
  // it is over; nullopt when the request is unknown.
  absl::StatusOr<std::optional<LeaseRow>> FindGrant(const std::string& request);

 private:
  friend class Writer;
  // The writer calls Begin before each function, and RolledBack when it has rolled one back.
  void Begin();
  void RolledBack();
  // The error of a method that failed after it had written, since Begin.
  const absl::Status& spoiled() const { return spoiled_; }

  // Runs a method's body. If it fails after it has written, marks the function for rollback.
  template <typename Body>
  auto Guard(Body body) -> decltype(body()) {
    const std::int64_t changes = CountChanges();
    auto result = body();
    if (result.ok()) return result;
    if constexpr (std::is_same_v<decltype(result), absl::Status>) {
      SpoilIfChanged(changes, result);
    } else {
      SpoilIfChanged(changes, result.status());
    }
    return result;
  }
  // The number of rows changed through the connection.
  std::int64_t CountChanges() const;
  void SpoilIfChanged(std::int64_t since, const absl::Status& error);

  // --- write_transaction.cc: sweeps, states, scores ---
  absl::Status InsertSweep(const SweepSpec& spec, const SweepSource& source,
                           const std::string& principal);
  absl::StatusOr<std::int64_t> InsertConfiguration(const SweepRow& sweep,
                                                   const Configuration& configuration,
                                                   const Suggestion& suggestion);
  // Returns the id. `trial` has the sweep, number, replicate, target epoch and checkpoint.
  absl::StatusOr<std::int64_t> InsertTrial(const SweepSpec& spec,
                                           const Configuration& configuration,
                                           std::int64_t configuration_id, TrialRow trial);
  // The checkpoint with which a segment begins goes into `*trial`: none when its parent has lost
  // it.
  absl::Status TakeOverCheckpoint(const Segment& segment, TrialRow* trial);
  absl::Status SetSweepState(std::int64_t sweep_id, SweepState state);
  absl::Status KeepReplacedFile(const SweepRow& sweep);
  absl::Status AddDiskBytes(std::int64_t sweep_id, std::int64_t bytes);
  absl::Status CompleteSweepIfDone(std::int64_t sweep_id);
  // Changes the trial's state in `*trial` and in the database, with the counts and an event.
  absl::Status Apply(TrialEvent event, TrialRow* trial);
  absl::Status MoveCount(std::int64_t sweep_id, TrialState from, TrialState to);
  absl::Status AddEvent(const TrialRow& trial, std::string_view kind, int epoch);
  // After a trial has ended: updates its configuration's score and may complete the sweep.
  absl::Status Settle(const SweepSpec& spec, const TrialRow& trial);
  absl::Status Rescore(const SweepSpec& spec, const TrialRow& trial);
  absl::StatusOr<const Configuration*> FindConfiguration(const SweepSpec& spec,
                                                         const TrialRow& trial);
  const Configuration* RememberConfiguration(std::int64_t id, Configuration configuration);
  // The names of a sweep's measures. Valid until the next call.
  absl::StatusOr<MeasureNames*> MeasureNamesOf(std::int64_t sweep_id);
  // Turn the JSON of a trial that has ended into packed_measures and trial_values, and back.
  absl::Status SetMeasuresAside(const TrialRow& trial);
  absl::Status TakeMeasuresBack(const TrialRow& trial);
  // Cancels a trial that has not ended. Does not change its sweep. `spec` may be null.
  absl::Status CancelOpenTrial(const SweepSpec* spec, const std::string& reason, TrialRow* trial);

  // --- write_transaction_control.cc: pausing, retrying, extending ---
  absl::Status MakePendingAgain(const SweepSpec& spec, TrialRow* trial);
  // Makes a sweep that had ended active.
  absl::Status Reopen(const SweepRow& sweep);

  // --- write_transaction_lifecycle.cc: deleting, renaming, archiving ---
  // Subtracts removed rows from a purge's budget; empties it when the time is used up.
  void Spend(std::int64_t rows, std::int64_t* budget) const;
  // Each removes up to `*budget` rows of its kind from a deleted sweep. True when none are left.
  absl::StatusOr<bool> PurgeTrials(std::int64_t sweep_id, std::int64_t* budget);
  absl::StatusOr<bool> PurgeTrial(std::int64_t trial_id, std::int64_t* budget);
  absl::StatusOr<bool> PurgeConfigurations(std::int64_t sweep_id, std::int64_t* budget);
  absl::StatusOr<bool> PurgeWarmPoints(std::int64_t sweep_id, std::int64_t* budget);
  absl::StatusOr<bool> PurgeEvents(std::int64_t sweep_id, std::int64_t* budget);

  // --- write_transaction_blobs.cc ---
  // A reference to the blob was added or dropped, so it is not collected for a while.
  absl::Status TouchBlob(const std::string& sha256);
  absl::Status SetArtifact(const TrialRow& trial, const ArtifactRow& artifact);

  // --- log_lines.cc ---
  // The stored part of an attempt's output.
  struct LogSize {
    std::int64_t lines = 0;
    std::int64_t bytes = 0;
    bool is_cut = false;
  };
  absl::Status AppendLogLine(std::int64_t trial_id, int attempt, const LogRow& line, LogSize* size);

  // --- write_transaction_leases.cc ---
  // FailedPrecondition unless the token is that of the trial's latest attempt.
  absl::Status CheckLatest(const StoredTrial& stored, const LeaseToken& token);
  // FailedPrecondition unless the token's holder has the trial. True when its lease had expired but
  // nobody else has the trial.
  absl::StatusOr<bool> CheckToken(const StoredTrial& trial, const LeaseToken& token);
  absl::Status Revive(const std::string& worker, TrialRow* trial);
  absl::Status CheckBlobs(const TrialRow& trial, const std::vector<ArtifactRow>& artifacts);
  absl::Status CheckReport(const TrialRow& trial, const SweepSpec& spec,
                           const std::vector<EpochMetrics>& epochs,
                           const std::string& checkpoint_sha256, int checkpoint_epoch);
  // True when no epoch of this number was acknowledged before.
  absl::StatusOr<bool> InsertEpoch(const EpochMetrics& epoch, const TrialRow& trial);
  absl::Status NoteDivergence(const EpochMetrics& epoch, const TrialRow& trial);
  absl::Status SaveProgress(const SweepSpec& spec, const TrialRow& trial, double seconds);
  absl::Status CloseAttempt(absl::Time end, std::string_view outcome, const std::string& reason,
                            TrialRow* trial);
  // The last time at which the holder is known to have worked.
  absl::StatusOr<absl::Time> LastSignOfLife(const TrialRow& trial, absl::Time heard);
  // Adds the size of the attempt's rows to the sweep's disk use.
  absl::Status CountAttempt(const TrialRow& trial);
  // True when the lease has already ended with this outcome: the answer was lost.
  absl::StatusOr<bool> IsRepeatedFinish(const StoredTrial& trial, const LeaseToken& token,
                                        LeaseOutcome outcome);

  Database& database_;
  Clock& clock_;
  absl::Time now_;
  absl::Status spoiled_;
  // Completed configurations by id. Cleared when full, and when a function is rolled back, since
  // its ids may then be used again.
  std::unordered_map<std::int64_t, Configuration> configurations_;
  DecodedTexts decoded_;
  std::unordered_map<std::int64_t, MeasureNames> names_;  // by sweep; likewise
  absl::Duration purge_until_;                            // monotonic
};

}  // namespace sweep
