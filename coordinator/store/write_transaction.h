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
#include "common/spec/sweep_spec.h"
#include "coordinator/store/decoded_texts.h"
#include "coordinator/store/measure_names.h"
#include "coordinator/store/rows.h"

namespace sweep {

class Database;
struct StoredTrial;

// What a Store::Write function may change, alive only inside it, on the writer's thread. Every
// state changes through NextTrialState. A method that returns an error has changed nothing. One
// object over the writer's connection serves all functions, one after another. Methods check
// everything that they can before they write; when one fails after it has written, the whole
// function is spoiled and is rolled back, whatever it returns.
class WriteTransaction {
 public:
  // Both must outlive the object.
  WriteTransaction(Database* database, Clock* clock);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;

  absl::Time now() const { return now_; }
  // As FindSweep and FindTrial, with what this transaction has written.
  absl::StatusOr<SweepRow> GetSweep(const std::string& name);
  absl::StatusOr<TrialRow> GetTrial(const std::string& sweep, std::int64_t number);

  // AlreadyExists when the name is taken by another digest. `*created` is false when the same
  // sweep was there.
  absl::StatusOr<SweepRow> CreateSweep(const SweepSpec& spec, const SweepSource& source,
                                       const std::string& principal, bool* created);
  // From now on the sweep is not paused because its first trials fail alike.
  absl::Status KeepGoing(std::int64_t sweep_id);
  // Makes one configuration and its trials (one per replicate), in one go. ResourceExhausted when
  // the budget (planned_configurations) is used up. The configuration's number must be the next.
  struct Suggestion {
    std::int64_t seen_sequence;  // the last event that the search had seen
    int target_epoch;            // of its trials; one that is not below `epochs` is none
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
  // The search will make no more, `reason` says why when that is before the budget was used. With
  // an empty reason it is a no-op unless the budget is used, which an extension may have raised
  // meanwhile. Completes the sweep when every trial has ended. True when the search has ended.
  absl::StatusOr<bool> MarkExhausted(std::int64_t sweep_id, const std::string& reason);
  // Cancels the sweep and all its trials that have not ended. Without `spec` (the file is not
  // accepted by this build) its configurations keep their scores.
  absl::StatusOr<SweepRow> CancelSweep(const std::string& name, const SweepSpec* spec);
  // FailedPrecondition when the sweep has ended. `give_back`: what runs is to be given back; asked
  // for once, it holds until the sweep is resumed.
  absl::StatusOr<SweepRow> PauseSweep(const std::string& name, bool give_back);
  // A person wants it to go on, so it is not paused again because its first trials fail alike.
  absl::StatusOr<SweepRow> ResumeSweep(const std::string& name);
  // What the caller has noted about failures in a row of a sweep, and the pause that may follow.
  // The note is emptied when trials are retried and when the sweep is resumed.
  absl::StatusOr<EarlyFailures> FindEarlyFailures(std::int64_t sweep_id);
  absl::Status SetFailureNote(std::int64_t sweep_id, const std::string& note);
  absl::StatusOr<SweepRow> PauseForReason(std::int64_t sweep_id, const std::string& reason);
  // Makes the trials of those kinds pending again, with no failures counted
  // and their tokens refused, and a sweep that had ended active. FailedPrecondition for a sweep
  // that was cancelled unless cancelled trials are asked for.
  absl::StatusOr<RetriedSweep> RetrySweep(const SweepSpec& spec, const RetrySelection& selection);
  // The same for one trial. FailedPrecondition unless it has failed or was cancelled; one that
  // diverged has to be forced.
  absl::StatusOr<RetriedSweep> RetryTrial(const SweepSpec& spec, std::int64_t number, bool force);
  // Raises the budget. FailedPrecondition when the sweep was cancelled, InvalidArgument when
  // `planned_configurations` is not above the present number. What its search space allows is
  // checked by the caller.
  absl::StatusOr<SweepRow> ExtendSweep(const std::string& name,
                                       std::int64_t planned_configurations);

  // The sweep is gone for everybody, and its name is free; the row that comes back is the last of
  // it. FailedPrecondition while trials of it are held. Its rows are left to PurgeDeleted.
  absl::StatusOr<SweepRow> DeleteSweep(const std::string& name);
  // Removes rows that deleted sweeps have left, until `rows` of them are gone or it has taken long
  // enough; what goes together, as a trial and its epochs, does so even if it is more. False when
  // there are no more.
  absl::StatusOr<bool> PurgeDeleted(std::int64_t rows);
  // `text` is the sweep file with the new name in it. FailedPrecondition while trials are held,
  // AlreadyExists when the name is taken; Aborted when the sweep is not the one of that digest.
  struct Renaming {
    std::string name, new_name;
    std::string digest;
    std::string text;
  };
  absl::StatusOr<SweepRow> RenameSweep(const Renaming& renaming);
  // FailedPrecondition for an active sweep that is to be archived.
  absl::StatusOr<SweepRow> ArchiveSweep(const std::string& name, bool archived);

  // Grants a pending trial: a new attempt with a new secret. `embedded`: to a worker in this
  // process, which cannot outlive it.
  absl::StatusOr<LeaseRow> Grant(std::int64_t trial_id, const std::string& worker,
                                 const std::string& secret, bool embedded);
  // FailedPrecondition, naming the trial, when the token is not that of the trial's latest
  // attempt or the trial has ended. A holder whose lease had run out, but whose trial was granted
  // to nobody since (it is pending, with this attempt), gets it back: `*revived` is true then.
  absl::StatusOr<TrialRow> RecordEpochs(const LeaseToken& token, const SweepSpec& spec,
                                        const std::vector<EpochMetrics>& epochs,
                                        const std::string& checkpoint_sha256, int checkpoint_epoch,
                                        bool* revived);
  // As RecordEpochs about the token. The holder has found data with this digest, at `place`. The
  // first of a sweep is stored with the sweep; a lease with other data is given back.
  absl::StatusOr<DataReport> ReportData(const LeaseToken& token, const SweepSpec& spec,
                                        const std::string& sha256, const std::string& place);
  // As RecordEpochs about the token. kFailed becomes final at spec.max_failures. A trial that has
  // reached its target epoch is on hold afterwards, however its attempt has ended, unless it has
  // completed or diverged. kStopped and kHeld of one that has a later target by now give it back.
  absl::StatusOr<TrialRow> FinishLease(const LeaseToken& token, const SweepSpec& spec,
                                       LeaseOutcome outcome, const std::string& reason,
                                       const std::vector<ArtifactRow>& artifacts);
  // OK when the token's lease was ended before, in just this way; FailedPrecondition otherwise.
  absl::Status CheckFinished(const LeaseToken& token, LeaseOutcome outcome);
  // The lease of that attempt ran out or its worker is gone. A no-op (OK) when the trial has moved
  // on since. The attempt ends when its worker was last `heard` or has reported, whichever is
  // later: what it did after that nobody knows.
  absl::StatusOr<TrialRow> LoseLease(std::int64_t trial_id, int attempt, const SweepSpec& spec,
                                     const std::string& reason, absl::Time heard);
  // Makes a pending trial held again by the attempt that lost it (a holder that came back).
  absl::StatusOr<LeaseRow> ReviveLease(const LeaseToken& token, const std::string& worker);
  // The stopping rule ends a trial after `epoch`. One that is held goes on until its holder has
  // saved its weights and finishes; whatever else ends its attempt, it is stopped then, unless it
  // has completed or diverged. Any other is stopped at once. What has ended stays as it is.
  absl::StatusOr<TrialRow> StopTrial(std::int64_t trial_id, const SweepSpec& spec, int epoch,
                                     const std::string& reason);
  // The stopping rule wants a trial to rest after `epoch`, unless an earlier target is set already.
  // One that is held rests once its attempt has ended; a pending one that is there, at once. What
  // has ended or is to stop stays as it is.
  absl::StatusOr<TrialRow> HoldTrial(std::int64_t trial_id, int epoch, const std::string& reason);
  // The stopping rule lets a trial go on to a later epoch; 0: to its last one. One on hold is
  // pending then. A target that is not later, and a trial that has ended or is to stop, stay as
  // they are.
  absl::StatusOr<TrialRow> PromoteTrial(std::int64_t trial_id, int target_epoch);
  // Nobody will promote the trials of a sweep that are on hold: at most `limit` of them are
  // stopped, and the sweep completes when none is left. Does nothing unless its search has ended
  // and no other trial is open, or when something has happened to the sweep after `seen_sequence`,
  // since the stopping rule may still decide on that.
  absl::StatusOr<std::vector<TrialRow>> StopHeldTrials(std::int64_t sweep_id, const SweepSpec& spec,
                                                       std::optional<std::int64_t> seen_sequence,
                                                       int limit);
  // One that was cancelled stays so. `spec` as for CancelSweep.
  absl::StatusOr<TrialRow> CancelTrial(const std::string& sweep, std::int64_t number,
                                       const SweepSpec* spec);
  // Stores what is new of an attempt's lines, as far as its limits allow. FailedPrecondition unless
  // the token is that of the trial's latest attempt; that may have ended.
  absl::Status AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines);
  // Remembers that a blob file exists, and when it was last asked for. Idempotent.
  absl::Status AddBlob(const std::string& sha256, std::int64_t size_bytes);
  // Forgets those of `blobs` that nobody has stored, referred to or let go of since `before`; the
  // caller has found that nothing refers to them. The names of those it has forgotten.
  absl::StatusOr<std::vector<std::string>> ForgetUnusedBlobs(const std::vector<std::string>& blobs,
                                                             absl::Time before);
  // The blob's bytes are lost. Trials lose it as their checkpoint, so that they begin anew; their
  // names are returned. An artifact keeps referring to it.
  absl::StatusOr<std::vector<std::string>> ForgetLostBlob(const std::string& sha256);

  // What a request that was carried out has given, by a name that the caller makes of its
  // request_id; nullopt when it is not known (any more). The most recent ones are remembered.
  absl::StatusOr<std::optional<std::int64_t>> FindRequest(const std::string& request);
  absl::Status RememberRequest(const std::string& request, std::int64_t result);

 private:
  friend class Writer;
  // The writer brackets each function with Begin and, when it was rolled back, RolledBack.
  void Begin();
  void RolledBack();
  // The error of a method that failed half way since Begin.
  const absl::Status& spoiled() const { return spoiled_; }

  // Runs one method's body and spoils the function when it fails after having written.
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
  // Rows changed through the connection so far.
  std::int64_t CountChanges() const;
  void SpoilIfChanged(std::int64_t since, const absl::Status& error);

  // --- write_transaction.cc: sweeps, states, scores ---
  absl::Status InsertSweep(const SweepSpec& spec, const SweepSource& source,
                           const std::string& principal);
  absl::StatusOr<std::int64_t> InsertConfiguration(const SweepRow& sweep,
                                                   const Configuration& configuration,
                                                   std::int64_t seen_sequence);
  // `trial` has the sweep, number, replicate and target epoch.
  absl::Status InsertTrial(const SweepSpec& spec, const Configuration& configuration,
                           std::int64_t configuration_id, TrialRow trial);
  absl::Status SetSweepState(std::int64_t sweep_id, SweepState state);
  absl::Status AddDiskBytes(std::int64_t sweep_id, std::int64_t bytes);
  absl::Status CompleteSweepIfDone(std::int64_t sweep_id);
  // Takes the trial to its next state, in `*trial` and in the database, with counts and event.
  absl::Status Apply(TrialEvent event, TrialRow* trial);
  absl::Status MoveCount(std::int64_t sweep_id, TrialState from, TrialState to);
  absl::Status AddEvent(const TrialRow& trial, std::string_view kind, int epoch);
  // What follows once a trial has ended: its configuration's score and perhaps the sweep's end.
  absl::Status Settle(const SweepSpec& spec, const TrialRow& trial);
  absl::Status Rescore(const SweepSpec& spec, const TrialRow& trial);
  absl::StatusOr<const Configuration*> FindConfiguration(const SweepSpec& spec,
                                                         const TrialRow& trial);
  const Configuration* RememberConfiguration(std::int64_t id, Configuration configuration);
  // The names of a sweep's measures. Valid until the next call.
  absl::StatusOr<MeasureNames*> MeasureNamesOf(std::int64_t sweep_id);
  // Takes the measures of a trial that has ended out of its row, and puts them back.
  absl::Status SetMeasuresAside(const TrialRow& trial);
  absl::Status TakeMeasuresBack(const TrialRow& trial);
  // Cancels a trial that has not ended; its sweep is left as it is. `spec` may be null.
  absl::Status CancelOpenTrial(const SweepSpec* spec, const std::string& reason, TrialRow* trial);

  // --- write_transaction_control.cc: what people decide about sweeps that are there ---
  absl::Status MakePendingAgain(const SweepSpec& spec, TrialRow* trial);
  // A sweep that had ended is active.
  absl::Status Reopen(const SweepRow& sweep);

  // --- write_transaction_lifecycle.cc: deleting, renaming, archiving ---
  // Takes rows that were removed, or all when there is no more time, off the budget of a purge.
  void Spend(std::int64_t rows, std::int64_t* budget) const;
  // Each removes rows of a deleted sweep until `*budget` of them are gone. True when none of its
  // kind are left.
  absl::StatusOr<bool> PurgeTrials(std::int64_t sweep_id, std::int64_t* budget);
  absl::StatusOr<bool> PurgeTrial(std::int64_t trial_id, std::int64_t* budget);
  absl::StatusOr<bool> PurgeConfigurations(std::int64_t sweep_id, std::int64_t* budget);
  absl::StatusOr<bool> PurgeEvents(std::int64_t sweep_id, std::int64_t* budget);

  // --- write_transaction_blobs.cc ---
  // Something begins or ceases to refer to the blob: it is not collected for a while.
  absl::Status TouchBlob(const std::string& sha256);
  absl::Status SetArtifact(const TrialRow& trial, const ArtifactRow& artifact);

  // --- log_lines.cc ---
  // What is kept of an attempt's output.
  struct LogSize {
    std::int64_t lines = 0;
    std::int64_t bytes = 0;
    bool is_cut = false;
  };
  absl::Status AppendLogLine(std::int64_t trial_id, int attempt, const LogRow& line, LogSize* size);

  // --- write_transaction_leases.cc ---
  // FailedPrecondition unless the token is that of the trial's latest attempt.
  absl::Status CheckLatest(const StoredTrial& stored, const LeaseToken& token);
  // FailedPrecondition unless the token's holder holds the trial or (true) lost it to nobody.
  absl::StatusOr<bool> CheckToken(const StoredTrial& trial, const LeaseToken& token);
  absl::Status Revive(const std::string& worker, TrialRow* trial);
  absl::Status CheckBlobs(const TrialRow& trial, const std::vector<ArtifactRow>& artifacts);
  absl::Status CheckReport(const TrialRow& trial, const SweepSpec& spec,
                           const std::vector<EpochMetrics>& epochs,
                           const std::string& checkpoint_sha256, int checkpoint_epoch);
  // True when the epoch is the first acknowledged one of its number.
  absl::StatusOr<bool> InsertEpoch(const EpochMetrics& epoch, const TrialRow& trial);
  absl::Status NoteDivergence(const EpochMetrics& epoch, const TrialRow& trial);
  absl::Status SaveProgress(const SweepSpec& spec, const TrialRow& trial, double seconds);
  absl::Status CloseAttempt(absl::Time end, std::string_view outcome, const std::string& reason,
                            TrialRow* trial);
  // When the holder of the trial's attempt was last known to be at work.
  absl::StatusOr<absl::Time> LastSignOfLife(const TrialRow& trial, absl::Time heard);
  // Counts what the attempt has left in the database.
  absl::Status CountAttempt(const TrialRow& trial);
  // Whether the token's lease was ended before, in just this way: the answer was lost.
  absl::StatusOr<bool> IsRepeatedFinish(const StoredTrial& trial, const LeaseToken& token,
                                        LeaseOutcome outcome);

  Database& database_;
  Clock& clock_;
  absl::Time now_;
  absl::Status spoiled_;
  // Completed configurations by id. Emptied when full, and when a function is rolled back, since
  // its ids may then be given again.
  std::unordered_map<std::int64_t, Configuration> configurations_;
  DecodedTexts decoded_;
  std::unordered_map<std::int64_t, MeasureNames> names_;  // by sweep; likewise
  absl::Duration purge_until_;                            // monotonic
};

}  // namespace sweep
