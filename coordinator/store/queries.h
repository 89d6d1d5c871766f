#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/store/rows.h"

namespace sweep {

class Database;

// The reads of the store, for Store::Read: store->Read(FindSweep, name). Those called Find give
// NotFound, which names the object. Several in one Read see one snapshot.

// --- sweeps (queries.cc) ---
absl::StatusOr<SweepRow> FindSweep(Database& database, const std::string& name);
absl::StatusOr<SweepRow> FindSweepById(Database& database, std::int64_t id);
// Newest first; ids below `before_id` (0: from the newest). `archived`: also those.
absl::StatusOr<std::vector<SweepRow>> SelectSweeps(Database& database, std::int64_t before_id,
                                                   int limit, bool archived);
// Those that are not archived.
absl::StatusOr<std::int64_t> CountSweeps(Database& database);
// For starting up: sweeps that have not ended.
absl::StatusOr<std::vector<SweepRow>> SelectUnfinishedSweeps(Database& database);

// --- trials (queries_trials.cc) ---
absl::StatusOr<TrialRow> FindTrial(Database& database, const std::string& sweep,
                                   std::int64_t number);
absl::StatusOr<TrialRow> FindTrialById(Database& database, std::int64_t id);
struct TrialQuery {
  std::string sweep;
  std::optional<TrialState> state;
  std::string order_by = "number";  // as TrialService.ListTrials
  std::int64_t offset = 0;
  int limit = 50;
};
// InvalidArgument for an order that is not known.
absl::StatusOr<std::vector<TrialRow>> SelectTrials(Database& database, const TrialQuery& query);
// In the order of `numbers`; those that do not exist are left out.
absl::StatusOr<std::vector<TrialRow>> SelectTrialsByNumber(
    Database& database, const std::string& sweep, const std::vector<std::int64_t>& numbers);
// For the start of the coordinator: a sweep's trials that are pending or on hold, by number, and
// all leases of sweeps that have not ended.
absl::StatusOr<std::vector<TrialRow>> SelectUnheldTrials(Database& database, std::int64_t sweep_id);
absl::StatusOr<std::vector<LeaseRow>> SelectHeldLeases(Database& database);

// --- rankings (queries_ranking.cc) ---
// Best first. The order is that of the SQL view `ranking`.
absl::StatusOr<std::vector<RankedRow>> SelectRanking(Database& database, const std::string& sweep,
                                                     std::int64_t offset, int limit);
// All configurations of a sweep, best first.
absl::StatusOr<std::vector<RankPlace>> SelectRankOrder(Database& database, std::int64_t sweep_id);
// Configurations by number, in this order, without their ranks; those that do not exist are left
// out.
absl::StatusOr<std::vector<RankedRow>> SelectRankedRows(
    Database& database, std::int64_t sweep_id, const std::vector<std::int64_t>& configurations);
// Configurations with a measured epoch: those that are ranked.
absl::StatusOr<std::int64_t> CountRanked(Database& database, std::int64_t sweep_id);

// --- attempts and their epochs (queries_attempts.cc) ---
absl::StatusOr<std::vector<EpochRow>> SelectEpochs(Database& database, const std::string& sweep,
                                                   std::int64_t number, std::int64_t offset,
                                                   int limit);
absl::StatusOr<std::int64_t> CountEpochs(Database& database, std::int64_t trial_id);
absl::StatusOr<std::vector<AttemptRow>> SelectAttempts(Database& database, const std::string& sweep,
                                                       std::int64_t number);
// Of a sweep, by trial and attempt.
absl::StatusOr<AttemptPage> SelectAttemptsOf(Database& database, std::int64_t sweep_id,
                                             std::int64_t offset, int limit);
// Those that run or have ended since `from`, the latest first.
absl::StatusOr<AttemptPage> SelectAttemptsSince(Database& database, absl::Time from, int limit);

// --- output of trainers (log_lines.cc) ---
// In the order of attempt and line, only those after `after_line` of `after_attempt`.
absl::StatusOr<std::vector<LogRow>> SelectLogLines(Database& database, const std::string& sweep,
                                                   std::int64_t number, int after_attempt,
                                                   std::int64_t after_line, int limit);
// The line before the last `count` lines, to be listed after; attempt 0 when there is none.
absl::StatusOr<LogRow> FindLogLineBefore(Database& database, const std::string& sweep,
                                         std::int64_t number, int count);

// --- events (queries.cc, queries_attempts.cc, queries_views.cc) ---
// The sequence of the last event of a sweep (0: of all); 0 when there is none.
absl::StatusOr<std::int64_t> FindLastSequence(Database& database, std::int64_t sweep_id);
absl::StatusOr<std::vector<EventRow>> SelectEvents(Database& database, std::int64_t sweep_id,
                                                   std::int64_t after_sequence, int limit);
// Likewise, with what the epochs among them measured.
absl::StatusOr<std::vector<MeasuredEvent>> SelectMeasuredEvents(Database& database,
                                                                std::int64_t sweep_id,
                                                                std::int64_t after_sequence,
                                                                int limit);
absl::StatusOr<std::vector<TrialChange>> SelectTrialChanges(Database& database,
                                                            std::int64_t sweep_id,
                                                            std::int64_t after_sequence, int limit);

// --- for views of whole sweeps, which are read in pieces (queries_views.cc) ---
// By number, those above `after_number`.
absl::StatusOr<std::vector<TrialSummary>> SelectSummaries(Database& database, std::int64_t sweep_id,
                                                          std::int64_t after_number, int limit);
absl::StatusOr<std::vector<TrialSummary>> SelectSummariesOf(
    Database& database, std::int64_t sweep_id, const std::vector<std::int64_t>& numbers);
// Of the trials with numbers from `first` to `last`, by number, attempt and epoch.
absl::StatusOr<std::vector<MeasuredEpoch>> SelectMeasuredEpochs(
    Database& database, std::int64_t sweep_id, std::int64_t first, std::int64_t last,
    const std::vector<std::string>& measures);
// Of these trials the epochs that are not known yet, per trial by attempt and epoch.
absl::StatusOr<std::vector<MeasuredEpoch>> SelectNewEpochs(
    Database& database, std::int64_t sweep_id, const std::vector<KnownTrial>& trials,
    const std::vector<std::string>& measures);

// --- blobs (queries.cc) ---
// nullopt for one that is not known.
absl::StatusOr<std::optional<std::int64_t>> FindBlobSize(Database& database,
                                                         const std::string& sha256);
// Blobs that nothing refers to and nobody has asked for since `before`.
absl::StatusOr<std::vector<std::string>> SelectUnusedBlobs(Database& database, absl::Time before,
                                                           int limit);
// All known blobs whose names begin with these digits, in order.
absl::StatusOr<std::vector<std::string>> SelectBlobs(Database& database, const std::string& digits);

}  // namespace sweep
