#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/store/rows.h"

namespace sweep {

// A writing transaction, alive only inside a Store::Write function, on the writer's thread.
// Every state changes through NextTrialState. A method that returns an error has changed nothing.
class WriteTransaction {
 public:
  virtual ~WriteTransaction() = default;
  virtual absl::Time now() const = 0;
  // As Store's, with what this transaction has written.
  virtual absl::StatusOr<SweepRow> GetSweep(const std::string& name) = 0;
  virtual absl::StatusOr<TrialRow> GetTrial(const std::string& sweep, std::int64_t number) = 0;

  // AlreadyExists when the name is taken by another digest. `*created` is false when the same
  // sweep was there.
  virtual absl::StatusOr<SweepRow> CreateSweep(const SweepSpec& spec, const SweepSource& source,
                                               const std::string& principal, bool* created) = 0;
  // From now on the sweep is not paused because its first trials fail alike.
  virtual absl::Status KeepGoing(std::int64_t sweep_id) = 0;
  // Makes one configuration and its trials (one per replicate), in one go. ResourceExhausted when
  // the budget (planned_configurations) is used up. The configuration's number must be the next.
  struct Suggestion {
    std::int64_t seen_sequence = 0;  // the last event that the search had seen
    int target_epoch = 0;            // of its trials; one that is not below `epochs` is none
  };
  virtual absl::StatusOr<std::vector<TrialRow>> AddConfiguration(std::int64_t sweep_id,
                                                                 const SweepSpec& spec,
                                                                 const Configuration& configuration,
                                                                 const Suggestion& suggestion) = 0;
  absl::StatusOr<std::vector<TrialRow>> AddConfiguration(std::int64_t sweep_id,
                                                         const SweepSpec& spec,
                                                         const Configuration& configuration) {
    return AddConfiguration(sweep_id, spec, configuration, {});
  }
  // The search will make no more, `reason` says why when that is before the budget was used. With
  // an empty reason it is a no-op unless the budget is used, which an extension may have raised
  // meanwhile. Completes the sweep when every trial has ended. True when the search has ended.
  virtual absl::StatusOr<bool> MarkExhausted(std::int64_t sweep_id, const std::string& reason) = 0;
  // Cancels the sweep and all its trials that have not ended. Without `spec` (the file is not
  // accepted by this build) its configurations keep their scores.
  virtual absl::StatusOr<SweepRow> CancelSweep(const std::string& name, const SweepSpec* spec) = 0;
  // FailedPrecondition when the sweep has ended. `give_back`: what runs is to be given back; asked
  // for once, it holds until the sweep is resumed.
  virtual absl::StatusOr<SweepRow> PauseSweep(const std::string& name, bool give_back) = 0;
  // A person wants it to go on, so it is not paused again because its first trials fail alike.
  virtual absl::StatusOr<SweepRow> ResumeSweep(const std::string& name) = 0;
  // What the caller has noted about failures in a row of a sweep, and the pause that may follow.
  // The note is emptied when trials are retried and when the sweep is resumed.
  virtual absl::StatusOr<EarlyFailures> FindEarlyFailures(std::int64_t sweep_id) = 0;
  virtual absl::Status SetFailureNote(std::int64_t sweep_id, const std::string& note) = 0;
  virtual absl::StatusOr<SweepRow> PauseForReason(std::int64_t sweep_id,
                                                  const std::string& reason) = 0;
  // Makes the trials of those kinds pending again, with no failures counted
  // and their tokens refused, and a sweep that had ended active. FailedPrecondition for a sweep
  // that was cancelled unless cancelled trials are asked for.
  virtual absl::StatusOr<RetriedSweep> RetrySweep(const SweepSpec& spec,
                                                  const RetrySelection& selection) = 0;
  // The same for one trial. FailedPrecondition unless it has failed or was cancelled; one that
  // diverged has to be forced.
  virtual absl::StatusOr<RetriedSweep> RetryTrial(const SweepSpec& spec, std::int64_t number,
                                                  bool force) = 0;
  // Raises the budget. FailedPrecondition when the sweep was cancelled, InvalidArgument when
  // `planned_configurations` is not above the present number. What its search space allows is
  // checked by the caller.
  virtual absl::StatusOr<SweepRow> ExtendSweep(const std::string& name,
                                               std::int64_t planned_configurations) = 0;

  // The sweep is gone for everybody, and its name is free; the row that comes back is the last of
  // it. FailedPrecondition while trials of it are held. Its rows are left to PurgeDeleted.
  virtual absl::StatusOr<SweepRow> DeleteSweep(const std::string& name) = 0;
  // Removes rows that deleted sweeps have left, until `rows` of them are gone or it has taken long
  // enough; what goes together, as a trial and its epochs, does so even if it is more. False when
  // there are no more.
  virtual absl::StatusOr<bool> PurgeDeleted(std::int64_t rows) = 0;
  // `text` is the sweep file with the new name in it. FailedPrecondition while trials are held,
  // AlreadyExists when the name is taken; Aborted when the sweep is not the one of that digest.
  struct Renaming {
    std::string name, new_name;
    std::string digest;
    std::string text;
  };
  virtual absl::StatusOr<SweepRow> RenameSweep(const Renaming& renaming) = 0;
  // FailedPrecondition for an active sweep that is to be archived.
  virtual absl::StatusOr<SweepRow> ArchiveSweep(const std::string& name, bool archived) = 0;

  // Grants a pending trial: a new attempt with a new secret. `embedded`: to a worker in this
  // process, which cannot outlive it.
  virtual absl::StatusOr<LeaseRow> Grant(std::int64_t trial_id, const std::string& worker,
                                         const std::string& secret, bool embedded) = 0;
  // FailedPrecondition, naming the trial, when the token is not that of the trial's latest
  // attempt or the trial has ended. A holder whose lease had run out, but whose trial was granted
  // to nobody since (it is pending, with this attempt), gets it back: `*revived` is true then.
  virtual absl::StatusOr<TrialRow> RecordEpochs(const LeaseToken& token, const SweepSpec& spec,
                                                const std::vector<EpochMetrics>& epochs,
                                                const std::string& checkpoint_sha256,
                                                int checkpoint_epoch, bool* revived) = 0;
  // As RecordEpochs about the token. The holder has found data with this digest, at `place`. The
  // first of a sweep is stored with the sweep; a lease with other data is given back.
  virtual absl::StatusOr<DataReport> ReportData(const LeaseToken& token, const SweepSpec& spec,
                                                const std::string& sha256,
                                                const std::string& place) = 0;
  // As RecordEpochs about the token. kFailed becomes final at spec.max_failures. A trial that has
  // reached its target epoch is on hold afterwards, however its attempt has ended, unless it has
  // completed or diverged. kStopped and kHeld of one that has a later target by now give it back.
  virtual absl::StatusOr<TrialRow> FinishLease(const LeaseToken& token, const SweepSpec& spec,
                                               LeaseOutcome outcome, const std::string& reason,
                                               const std::vector<ArtifactRow>& artifacts) = 0;
  // OK when the token's lease was ended before, in just this way; FailedPrecondition otherwise.
  virtual absl::Status CheckFinished(const LeaseToken& token, LeaseOutcome outcome) = 0;
  // The lease of that attempt ran out or its worker is gone. A no-op (OK) when the trial has moved
  // on since. The attempt ends when its worker was last `heard` or has reported, whichever is
  // later: what it did after that nobody knows.
  virtual absl::StatusOr<TrialRow> LoseLease(std::int64_t trial_id, int attempt,
                                             const SweepSpec& spec, const std::string& reason,
                                             absl::Time heard) = 0;
  // Makes a pending trial held again by the attempt that lost it (a holder that came back).
  virtual absl::StatusOr<LeaseRow> ReviveLease(const LeaseToken& token,
                                               const std::string& worker) = 0;
  // The stopping rule ends a trial after `epoch`. One that is held goes on until its holder has
  // saved its weights and finishes; whatever else ends its attempt, it is stopped then, unless it
  // has completed or diverged. Any other is stopped at once. What has ended stays as it is.
  virtual absl::StatusOr<TrialRow> StopTrial(std::int64_t trial_id, const SweepSpec& spec,
                                             int epoch, const std::string& reason) = 0;
  // The stopping rule wants a trial to rest after `epoch`, unless an earlier target is set already.
  // One that is held rests once its attempt has ended; a pending one that is there, at once. What
  // has ended or is to stop stays as it is.
  virtual absl::StatusOr<TrialRow> HoldTrial(std::int64_t trial_id, int epoch,
                                             const std::string& reason) = 0;
  // The stopping rule lets a trial go on to a later epoch; 0: to its last one. One on hold is
  // pending then. A target that is not later, and a trial that has ended or is to stop, stay as
  // they are.
  virtual absl::StatusOr<TrialRow> PromoteTrial(std::int64_t trial_id, int target_epoch) = 0;
  // Nobody will promote the trials of a sweep that are on hold: at most `limit` of them are
  // stopped, and the sweep completes when none is left. Does nothing unless its search has ended
  // and no other trial is open, or when something has happened to the sweep after `seen_sequence`,
  // since the stopping rule may still decide on that.
  virtual absl::StatusOr<std::vector<TrialRow>> StopHeldTrials(
      std::int64_t sweep_id, const SweepSpec& spec, std::optional<std::int64_t> seen_sequence,
      int limit) = 0;
  // One that was cancelled stays so. `spec` as for CancelSweep.
  virtual absl::StatusOr<TrialRow> CancelTrial(const std::string& sweep, std::int64_t number,
                                               const SweepSpec* spec) = 0;
  // Stores what is new of an attempt's lines, as far as its limits allow. FailedPrecondition unless
  // the token is that of the trial's latest attempt; that may have ended.
  virtual absl::Status AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines) = 0;
  // Remembers that a blob file exists, and when it was last asked for. Idempotent.
  virtual absl::Status AddBlob(const std::string& sha256, std::int64_t size_bytes) = 0;
  // Forgets those of `blobs` that nobody has stored, referred to or let go of since `before`; the
  // caller has found that nothing refers to them. The names of those it has forgotten.
  virtual absl::StatusOr<std::vector<std::string>> ForgetUnusedBlobs(
      const std::vector<std::string>& blobs, absl::Time before) = 0;
  // The blob's bytes are lost. Trials lose it as their checkpoint, so that they begin anew; their
  // names are returned. An artifact keeps referring to it.
  virtual absl::StatusOr<std::vector<std::string>> ForgetLostBlob(const std::string& sha256) = 0;

  // What a request that was carried out has given, by a name that the caller makes of its
  // request_id; nullopt when it is not known (any more). The most recent ones are remembered.
  virtual absl::StatusOr<std::optional<std::int64_t>> FindRequest(const std::string& request) = 0;
  virtual absl::Status RememberRequest(const std::string& request, std::int64_t result) = 0;
};

}  // namespace sweep
