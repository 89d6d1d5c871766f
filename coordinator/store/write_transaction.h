#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/store/queries.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"

namespace sweep {

inline bool HasEnded(const SweepRow& sweep) {
  return sweep.state == SweepState::kCompleted || sweep.state == SweepState::kCancelled;
}
// FailedPrecondition, naming the sweep.
absl::Status SweepHasEnded(const SweepRow& sweep);

// The WriteTransaction over the writer's connection. One object serves all functions, one after
// another; the writer brackets each with Begin and, when it was rolled back, RolledBack. Methods
// check everything that they can before they write; when one fails after it has written, the whole
// function is spoiled and must be rolled back, whatever it returns. Writer's thread only.
class SqliteWriteTransaction final : public WriteTransaction {
 public:
  // Both must outlive the object.
  SqliteWriteTransaction(Database* database, Clock* clock) : database_(*database), clock_(*clock) {}

  void Begin();
  void RolledBack();
  // The error of a method that failed half way since Begin.
  const absl::Status& spoiled() const { return spoiled_; }

  absl::Time now() const override { return now_; }
  absl::StatusOr<SweepRow> GetSweep(const std::string& name) override;
  absl::StatusOr<TrialRow> GetTrial(const std::string& sweep, std::int64_t number) override;
  absl::StatusOr<SweepRow> CreateSweep(const SweepSpec& spec, const SweepSource& source,
                                       const std::string& principal, bool* created) override;
  absl::Status KeepGoing(std::int64_t sweep_id) override;
  using WriteTransaction::AddConfiguration;
  absl::StatusOr<std::vector<TrialRow>> AddConfiguration(std::int64_t sweep_id,
                                                         const SweepSpec& spec,
                                                         const Configuration& configuration,
                                                         const Suggestion& suggestion) override;
  absl::StatusOr<bool> MarkExhausted(std::int64_t sweep_id, const std::string& reason) override;
  absl::StatusOr<SweepRow> CancelSweep(const std::string& name, const SweepSpec* spec) override;
  absl::StatusOr<SweepRow> PauseSweep(const std::string& name, bool give_back) override;
  absl::StatusOr<SweepRow> ResumeSweep(const std::string& name) override;
  absl::StatusOr<EarlyFailures> FindEarlyFailures(std::int64_t sweep_id) override;
  absl::Status SetFailureNote(std::int64_t sweep_id, const std::string& note) override;
  absl::StatusOr<SweepRow> PauseForReason(std::int64_t sweep_id,
                                          const std::string& reason) override;
  absl::StatusOr<RetriedSweep> RetrySweep(const SweepSpec& spec,
                                          const RetrySelection& selection) override;
  absl::StatusOr<RetriedSweep> RetryTrial(const SweepSpec& spec, std::int64_t number,
                                          bool force) override;
  absl::StatusOr<SweepRow> ExtendSweep(const std::string& name,
                                       std::int64_t planned_configurations) override;
  absl::StatusOr<SweepRow> DeleteSweep(const std::string& name) override;
  absl::StatusOr<bool> PurgeDeleted(std::int64_t rows) override;
  absl::StatusOr<SweepRow> RenameSweep(const Renaming& renaming) override;
  absl::StatusOr<SweepRow> ArchiveSweep(const std::string& name, bool archived) override;
  absl::StatusOr<LeaseRow> Grant(std::int64_t trial_id, const std::string& worker,
                                 const std::string& secret, bool embedded) override;
  absl::StatusOr<TrialRow> RecordEpochs(const LeaseToken& token, const SweepSpec& spec,
                                        const std::vector<EpochMetrics>& epochs,
                                        const std::string& checkpoint_sha256, int checkpoint_epoch,
                                        bool* revived) override;
  absl::StatusOr<DataReport> ReportData(const LeaseToken& token, const SweepSpec& spec,
                                        const std::string& sha256,
                                        const std::string& place) override;
  absl::StatusOr<TrialRow> FinishLease(const LeaseToken& token, const SweepSpec& spec,
                                       LeaseOutcome outcome, const std::string& reason,
                                       const std::vector<ArtifactRow>& artifacts) override;
  absl::Status CheckFinished(const LeaseToken& token, LeaseOutcome outcome) override;
  absl::StatusOr<TrialRow> LoseLease(std::int64_t trial_id, int attempt, const SweepSpec& spec,
                                     const std::string& reason, absl::Time heard) override;
  absl::StatusOr<LeaseRow> ReviveLease(const LeaseToken& token, const std::string& worker) override;
  absl::StatusOr<TrialRow> StopTrial(std::int64_t trial_id, const SweepSpec& spec, int epoch,
                                     const std::string& reason) override;
  absl::StatusOr<TrialRow> HoldTrial(std::int64_t trial_id, int epoch,
                                     const std::string& reason) override;
  absl::StatusOr<TrialRow> PromoteTrial(std::int64_t trial_id, int target_epoch) override;
  absl::StatusOr<std::vector<TrialRow>> StopHeldTrials(std::int64_t sweep_id, const SweepSpec& spec,
                                                       std::optional<std::int64_t> seen_sequence,
                                                       int limit) override;
  absl::StatusOr<TrialRow> CancelTrial(const std::string& sweep, std::int64_t number,
                                       const SweepSpec* spec) override;
  absl::Status AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines) override;
  absl::Status AddBlob(const std::string& sha256, std::int64_t size_bytes) override;
  absl::StatusOr<std::vector<std::string>> ForgetUnusedBlobs(const std::vector<std::string>& blobs,
                                                             absl::Time before) override;
  absl::StatusOr<std::vector<std::string>> ForgetLostBlob(const std::string& sha256) override;
  absl::StatusOr<std::optional<std::int64_t>> FindRequest(const std::string& request) override;
  absl::Status RememberRequest(const std::string& request, std::int64_t result) override;

 private:
  // Runs one method's body and spoils the function when it fails after having written.
  template <typename Body>
  auto Guard(Body body) -> decltype(body());

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
  // Cancels a trial that has not ended; its sweep is left as it is. `spec` may be null.
  absl::Status CancelOpenTrial(const SweepSpec* spec, const std::string& reason, TrialRow* trial);

  // --- write_transaction_control.cc: what people decide about sweeps that are there ---
  absl::Status MakePendingAgain(const SweepSpec& spec, TrialRow* trial);
  // A sweep that had ended is active.
  absl::Status Reopen(const SweepRow& sweep);

  // --- write_transaction_lifecycle.cc: deleting, renaming, archiving ---
  // Each removes rows of a deleted sweep until `*budget` of them are gone. True when none of its
  // kind are left.
  // Takes rows that were removed, or all when there is no more time, off the budget of a purge.
  void Spend(std::int64_t rows, std::int64_t* budget) const;
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
  absl::Duration purge_until_;  // monotonic
};

template <typename Body>
auto SqliteWriteTransaction::Guard(Body body) -> decltype(body()) {
  const std::int64_t changes = database_.total_changes();
  auto result = body();
  if (!result.ok() && database_.total_changes() != changes && spoiled_.ok()) {
    if constexpr (std::is_same_v<decltype(result), absl::Status>) {
      spoiled_ = result;
    } else {
      spoiled_ = result.status();
    }
  }
  return result;
}

}  // namespace sweep
