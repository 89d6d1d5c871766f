#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/stats/race.h"
#include "coordinator/store/rows.h"

namespace sweep {

class Database;

// Queries for Store::Read: store->Read(FindSweep, name). A Find function returns NotFound with the
// object's name. All queries of one Read see the same snapshot.

// --- sweeps (queries.cc) ---
absl::StatusOr<SweepRow> FindSweep(Database& database, const std::string& name);
absl::StatusOr<SweepRow> FindSweepById(Database& database, std::int64_t id);
// The sweep files that a sweep has had, the present one last.
absl::StatusOr<std::vector<RevisionRow>> SelectRevisions(Database& database, std::int64_t sweep_id);
// The number of the first configuration that is not made by an earlier file.
absl::StatusOr<std::int64_t> FindFirstConfiguration(Database& database, std::int64_t sweep_id);
// Newest first, with ids below `before_id` (0: all). `archived`: include archived sweeps.
absl::StatusOr<std::vector<SweepRow>> SelectSweeps(Database& database, std::int64_t before_id,
                                                   int limit, bool archived);
// With that label, the newest first; archived ones too.
absl::StatusOr<std::vector<SweepRow>> SelectLabelledSweeps(Database& database,
                                                           const std::string& key,
                                                           const std::string& value);
// Those that were submitted within this millisecond.
absl::StatusOr<std::vector<SweepRow>> SelectSweepsSubmitted(Database& database, absl::Time time);
// Without archived sweeps.
absl::StatusOr<std::int64_t> CountSweeps(Database& database);
// For the start of the coordinator: sweeps that have not ended.
absl::StatusOr<std::vector<SweepRow>> SelectUnfinishedSweeps(Database& database);

// --- trials (queries_trials.cc) ---
absl::StatusOr<TrialRow> FindTrial(Database& database, const std::string& sweep,
                                   std::int64_t number);
absl::StatusOr<TrialRow> FindTrialById(Database& database, std::int64_t id);
// The runs of a trial's configuration, that of the trial first.
absl::StatusOr<std::vector<ReplicateResult>> SelectRuns(Database& database, const TrialRow& trial);
struct TrialQuery {
  std::string sweep;
  std::optional<TrialState> state;
  std::string order_by = "number";  // as TrialService.ListTrials
  std::int64_t offset = 0;
  int limit = 50;
};
// InvalidArgument for an unknown order.
absl::StatusOr<std::vector<TrialRow>> SelectTrials(Database& database, const TrialQuery& query);
// In the order of `numbers`, without trials that do not exist.
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
// Configurations in the order of `configurations`, which are numbers; without ranks, and without
// configurations that do not exist.
absl::StatusOr<std::vector<RankedRow>> SelectRankedRows(
    Database& database, std::int64_t sweep_id, const std::vector<std::int64_t>& configurations);
// Rows of the sweep's ranking with their groups (common/stats/groups.h), which are those of the
// whole ranking, and with how many of their replicates meet the criteria.
absl::StatusOr<std::vector<RankedRow>> WithStatistics(Database& database, const SweepSpec& spec,
                                                      std::int64_t sweep_id,
                                                      std::vector<RankedRow> rows);
// The number of configurations with a measured epoch, which are ranked.
absl::StatusOr<std::int64_t> CountRanked(Database& database, std::int64_t sweep_id);

// --- attempts and their epochs (queries_attempts.cc) ---
absl::StatusOr<std::vector<EpochRow>> SelectEpochs(Database& database, const std::string& sweep,
                                                   std::int64_t number, std::int64_t offset,
                                                   int limit);
absl::StatusOr<std::int64_t> CountEpochs(Database& database, std::int64_t trial_id);
absl::StatusOr<std::vector<AttemptRow>> SelectAttempts(Database& database, const std::string& sweep,
                                                       std::int64_t number);
// A sweep's attempts, by trial and attempt.
absl::StatusOr<AttemptPage> SelectAttemptsOf(Database& database, std::int64_t sweep_id,
                                             std::int64_t offset, int limit);
// Attempts that are running or ended since `from`, the latest first.
absl::StatusOr<AttemptPage> SelectAttemptsSince(Database& database, absl::Time from, int limit);

// --- output of trainers (log_lines.cc) ---
// The lines after `after_line` of `after_attempt`, by attempt and line.
absl::StatusOr<std::vector<LogRow>> SelectLogLines(Database& database, const std::string& sweep,
                                                   std::int64_t number, int after_attempt,
                                                   std::int64_t after_line, int limit);
// The line before the last `count` lines, as the start of SelectLogLines; attempt 0 when there is
// none.
absl::StatusOr<LogRow> FindLogLineBefore(Database& database, const std::string& sweep,
                                         std::int64_t number, int count);

// --- events (queries_attempts.cc, queries_views.cc) ---
// The sequence of the last event of a sweep (0: of all sweeps); 0 when there is none.
absl::StatusOr<std::int64_t> FindLastSequence(Database& database, std::int64_t sweep_id);
// The configurations of a sweep with a race by that metric, by number, as it compares them.
absl::StatusOr<std::vector<Contender>> SelectContenders(Database& database, std::int64_t sweep_id,
                                                        const std::string& metric);
// Of the trials with events after the one sequence and up to the other, by id.
absl::StatusOr<std::map<std::int64_t, TrialPlace>> SelectTrialPlaces(Database& database,
                                                                     std::int64_t sweep_id,
                                                                     std::int64_t after_sequence,
                                                                     std::int64_t last_sequence);
absl::StatusOr<std::vector<EventRow>> SelectEvents(Database& database, std::int64_t sweep_id,
                                                   std::int64_t after_sequence, int limit);
absl::StatusOr<std::vector<TrialChange>> SelectTrialChanges(Database& database,
                                                            std::int64_t sweep_id,
                                                            std::int64_t after_sequence, int limit);

// --- for views of whole sweeps, read in pieces (queries_views.cc) ---
// The first `limit` trials after `after_number`, by number.
absl::StatusOr<std::vector<TrialSummary>> SelectSummaries(Database& database, std::int64_t sweep_id,
                                                          std::int64_t after_number, int limit);
absl::StatusOr<std::vector<TrialSummary>> SelectSummariesOf(
    Database& database, std::int64_t sweep_id, const std::vector<std::int64_t>& numbers);
// Epochs of the trials `first` to `last`, by number, attempt and epoch.
absl::StatusOr<std::vector<MeasuredEpoch>> SelectMeasuredEpochs(
    Database& database, std::int64_t sweep_id, std::int64_t first, std::int64_t last,
    const std::vector<std::string>& measures);
// The epochs of these trials after the known ones, per trial by attempt and epoch.
absl::StatusOr<std::vector<MeasuredEpoch>> SelectNewEpochs(
    Database& database, std::int64_t sweep_id, const std::vector<KnownTrial>& trials,
    const std::vector<std::string>& measures);

// The configurations `first` to `last` with what the search had seen, by number.
absl::StatusOr<std::vector<SuggestionRow>> SelectSuggestions(Database& database,
                                                             std::int64_t sweep_id,
                                                             std::int64_t first, std::int64_t last);
// The first suggestion after that number which did not stand in for a slow model.
absl::StatusOr<std::optional<SuggestionRow>> FindSuggestionAfterStandIns(Database& database,
                                                                         std::int64_t sweep_id,
                                                                         std::int64_t number);

// What the search chose for the configurations `first` to `last`, by number.
absl::StatusOr<std::vector<SharedParameters>> SelectPoints(Database& database,
                                                           std::int64_t sweep_id,
                                                           std::int64_t first, std::int64_t last);
// The segments of those configurations, of a sweep with a population, which has no replicates.
absl::StatusOr<std::vector<Segment>> SelectSegments(Database& database, std::int64_t sweep_id,
                                                    std::int64_t first, std::int64_t last);

// The number of the first run of a configuration.
absl::StatusOr<std::int64_t> FindFirstTrial(Database& database, std::int64_t sweep_id,
                                            std::int64_t configuration);

// The same configurations, with every hyperparameter as trained.
absl::StatusOr<std::vector<MadePoint>> SelectMadePoints(Database& database, std::int64_t sweep_id,
                                                        std::int64_t first, std::int64_t last);

// Configurations after `after_number` whose trials have ended, and not all by being cancelled; by
// number, out of the `limit` configurations after it.
absl::StatusOr<std::vector<EndedPoint>> SelectEndedPoints(Database& database, std::int64_t sweep_id,
                                                          std::int64_t after_number, int limit);
// The same of earlier sweeps, as this one has taken them when it was submitted; their `number` is
// their position here, from 1.
absl::StatusOr<std::vector<EndedPoint>> SelectWarmPoints(Database& database, std::int64_t sweep_id,
                                                         std::int64_t after_position, int limit);

// --- blobs (queries.cc) ---
// Nullopt for an unknown blob.
absl::StatusOr<std::optional<std::int64_t>> FindBlobSize(Database& database,
                                                         const std::string& sha256);
// Blobs that nothing refers to and that were last used before `before`.
absl::StatusOr<std::vector<std::string>> SelectUnusedBlobs(Database& database, absl::Time before,
                                                           int limit);
// All blobs whose names begin with these digits, by name.
absl::StatusOr<std::vector<std::string>> SelectBlobs(Database& database, const std::string& digits);

}  // namespace sweep
