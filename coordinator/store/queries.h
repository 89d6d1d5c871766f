#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/store.h"

namespace sweep {

// Everything that reads, over any connection; the caller brings the transaction. Errors as Store's.

// A trial with the secret of its latest lease.
struct StoredTrial {
  TrialRow row;
  std::string secret;
};

absl::StatusOr<std::int64_t> FindSweepId(Database& database, const std::string& name);
absl::StatusOr<SweepRow> FindSweep(Database& database, const std::string& name);
absl::StatusOr<SweepRow> FindSweepById(Database& database, std::int64_t id);
absl::StatusOr<std::vector<SweepRow>> SelectSweeps(Database& database, std::int64_t before_id,
                                                   int limit, bool archived);
absl::StatusOr<std::vector<SweepRow>> SelectUnfinishedSweeps(Database& database);
absl::StatusOr<SweepSource> ReadSource(Database& database, std::int64_t sweep_id);

// The column `state` for a state: a trial that diverged is stored as failed, with a mark.
std::string_view StoredStateName(TrialState state);
// From the columns `state` and, next to it, `diverged`.
absl::StatusOr<TrialState> DecodeTrialState(const Statement& row, int column);
// The columns of a TrialResult, of a table `t` of trials.
#define RESULT_COLUMNS \
  "t.epoch, t.best_epoch, t.epochs_to_target, t.epochs_in_a_row, t.measures, t.standing "
// Reads them; `column` is that of the first, and moves past the last.
absl::StatusOr<TrialResult> DecodeResult(const Statement& row, int* column);
absl::StatusOr<std::int64_t> FindTrialId(Database& database, const std::string& sweep,
                                         std::int64_t number);
// Without artifacts.
absl::StatusOr<StoredTrial> FindTrial(Database& database, const std::string& sweep,
                                      std::int64_t number);
absl::StatusOr<StoredTrial> FindTrialById(Database& database, std::int64_t id);
absl::StatusOr<std::vector<ArtifactRow>> SelectArtifacts(Database& database, std::int64_t trial_id);
absl::StatusOr<std::vector<TrialRow>> SelectTrials(Database& database,
                                                   const Store::TrialQuery& query);
// By number.
absl::StatusOr<std::vector<TrialRow>> SelectTrialsInState(Database& database, std::int64_t sweep_id,
                                                          TrialState state);
// A configuration's trials, by replicate.
absl::StatusOr<std::vector<TrialRow>> SelectTrialsOf(Database& database,
                                                     std::int64_t configuration_id);
// Trials of a sweep that have not ended, by number.
absl::StatusOr<std::vector<TrialRow>> SelectOpenTrials(Database& database, std::int64_t sweep_id);
// Those of them that no worker holds: pending or on hold.
absl::StatusOr<std::vector<TrialRow>> SelectUnheldTrials(Database& database, std::int64_t sweep_id);
absl::StatusOr<std::vector<LeaseRow>> SelectHeldLeases(Database& database);
// The results of a configuration's trials by replicate; the trials' ids into `*trial_ids`.
absl::StatusOr<std::vector<ReplicateResult>> SelectReplicates(Database& database,
                                                              std::int64_t configuration_id,
                                                              std::vector<std::int64_t>* trial_ids);

absl::StatusOr<std::vector<EpochRow>> SelectEpochs(Database& database, const std::string& sweep,
                                                   std::int64_t number, std::int64_t offset,
                                                   int limit);
absl::StatusOr<EpochRow> FindEpoch(Database& database, std::int64_t trial_id, int attempt,
                                   int epoch);
// The row of the earliest attempt that reported the epoch: the one that was acknowledged first.
absl::StatusOr<std::optional<EpochRow>> FirstEpoch(Database& database, std::int64_t trial_id,
                                                   int epoch);
absl::StatusOr<std::vector<AttemptRow>> SelectAttempts(Database& database, const std::string& sweep,
                                                       std::int64_t number);
absl::StatusOr<AttemptRow> FindAttempt(Database& database, std::int64_t trial_id, int attempt);
absl::StatusOr<std::vector<RankedRow>> SelectRanking(Database& database, const std::string& sweep,
                                                     std::int64_t offset, int limit);
absl::StatusOr<std::vector<RankPlace>> SelectRankOrder(Database& database, std::int64_t sweep_id,
                                                       std::int64_t offset, int limit);
absl::StatusOr<std::vector<RankedRow>> SelectRankedRows(Database& database, std::int64_t sweep_id,
                                                        const std::vector<std::int64_t>& numbers);
// The columns of an EventRow, of a table `v` of events: the first ones of a row for DecodeEvent.
#define EVENT_COLUMNS \
  "v.sequence, v.trial_id, v.number, v.kind, v.attempt, v.epoch, v.time_us, v.state "
EventRow DecodeEvent(const Statement& row);
absl::StatusOr<std::vector<EventRow>> SelectEvents(Database& database, std::int64_t sweep_id,
                                                   std::int64_t after_sequence, int limit);
absl::StatusOr<std::vector<MeasuredEvent>> SelectMeasuredEvents(Database& database,
                                                                std::int64_t sweep_id,
                                                                std::int64_t after_sequence,
                                                                int limit);
absl::StatusOr<std::int64_t> FindLastSequence(Database& database, std::int64_t sweep_id);
absl::StatusOr<std::vector<TrialChange>> SelectTrialChanges(Database& database,
                                                            std::int64_t sweep_id,
                                                            std::int64_t after_sequence, int limit);
absl::StatusOr<std::vector<TrialSummary>> SelectSummaries(Database& database, std::int64_t sweep_id,
                                                          std::int64_t after_number, int limit);
absl::StatusOr<std::vector<TrialSummary>> SelectSummaries(Database& database, std::int64_t sweep_id,
                                                          const std::vector<std::int64_t>& numbers);
absl::StatusOr<std::vector<MeasuredEpoch>> SelectMeasuredEpochs(
    Database& database, std::int64_t sweep_id, std::int64_t first, std::int64_t last,
    const std::vector<std::string>& measures);
absl::StatusOr<std::vector<MeasuredEpoch>> SelectMeasuredEpochs(
    Database& database, std::int64_t sweep_id, const std::vector<KnownTrial>& trials,
    const std::vector<std::string>& measures);
absl::StatusOr<std::int64_t> CountEpochs(Database& database, std::int64_t trial_id);
absl::StatusOr<std::int64_t> CountRanked(Database& database, std::int64_t sweep_id);
absl::StatusOr<std::vector<TrialRow>> SelectTrialsByNumber(
    Database& database, const std::string& sweep, const std::vector<std::int64_t>& numbers);
absl::StatusOr<AttemptPage> SelectAttemptsSince(Database& database, absl::Time from, int limit);
absl::StatusOr<AttemptPage> SelectAttemptsOf(Database& database, std::int64_t sweep_id,
                                             std::int64_t offset, int limit);
absl::StatusOr<std::optional<std::int64_t>> FindBlobSize(Database& database,
                                                         const std::string& sha256);
absl::StatusOr<std::vector<std::string>> SelectUnusedBlobs(Database& database, absl::Time before,
                                                           int limit);
absl::StatusOr<std::vector<std::string>> SelectBlobs(Database& database, const std::string& digits);

absl::StatusOr<SweepState> ParseSweepState(std::string_view name);
inline std::int64_t ToMicros(absl::Time time) { return absl::ToUnixMicros(time); }
inline absl::Time FromMicros(std::int64_t micros) { return absl::FromUnixMicros(micros); }

}  // namespace sweep
