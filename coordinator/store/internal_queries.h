#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/store/queries.h"
#include "coordinator/store/sqlite.h"

namespace sweep {

// Reads that only this library uses, mostly in a transaction that also writes.

// A trial without artifacts, and the secret of its latest lease.
struct StoredTrial {
  TrialRow row;
  std::string secret;
};

absl::StatusOr<std::int64_t> FindSweepId(Database& database, const std::string& name);
absl::StatusOr<SweepSource> ReadSource(Database& database, std::int64_t sweep_id);
absl::StatusOr<std::vector<WarmStartRow>> ReadWarmStarts(Database& database, std::int64_t sweep_id);
absl::StatusOr<std::int64_t> FindTrialId(Database& database, const std::string& sweep,
                                         std::int64_t number);
absl::StatusOr<StoredTrial> FindStoredTrial(Database& database, const std::string& sweep,
                                            std::int64_t number);
absl::StatusOr<StoredTrial> FindStoredTrialById(Database& database, std::int64_t id);
// The ids of the trials that the query lists, in its order (trial_pages.cc).
absl::StatusOr<std::vector<std::int64_t>> SelectPageIds(Database& database, std::int64_t sweep_id,
                                                        const TrialQuery& query);
absl::StatusOr<std::vector<ArtifactRow>> SelectArtifacts(Database& database, std::int64_t trial_id);
inline constexpr int kAllRows = std::numeric_limits<int>::max();
// The first `limit` trials by number.
absl::StatusOr<std::vector<TrialRow>> SelectTrialsInState(Database& database, std::int64_t sweep_id,
                                                          TrialState state, int limit);
// A configuration's trials, by replicate.
absl::StatusOr<std::vector<TrialRow>> SelectTrialsOf(Database& database,
                                                     std::int64_t configuration_id);
// Trials of a sweep that have not ended, by number.
absl::StatusOr<std::vector<TrialRow>> SelectOpenTrials(Database& database, std::int64_t sweep_id);
// The trials of a configuration except one, with what its score is computed from.
struct Replicate {
  std::int64_t trial_id = 0;
  int number = 0;
  ReplicateResult result;
};
absl::StatusOr<std::vector<Replicate>> SelectOtherReplicates(Database& database,
                                                             const TrialRow& trial);
// The report of an epoch that was acknowledged first, that of the earliest attempt.
absl::StatusOr<std::optional<EpochRow>> FirstEpoch(Database& database, std::int64_t trial_id,
                                                   int epoch);
absl::StatusOr<AttemptRow> FindAttempt(Database& database, std::int64_t trial_id, int attempt);

// The value of the column `state`: a diverged trial is stored as failed, with `diverged` = 1.
std::string_view StoredStateName(TrialState state);
// The value of the column `outcome`: a divergence is stored as a failure whose reason says so.
std::string_view StoredOutcomeName(LeaseOutcome outcome);
absl::StatusOr<SweepState> ParseSweepState(std::string_view name);
// The error FailedPrecondition that names the sweep.
absl::Status SweepHasEnded(const SweepRow& sweep);

inline std::int64_t ToMicros(absl::Time time) { return absl::ToUnixMicros(time); }
inline std::optional<std::int64_t> ToMicros(const std::optional<absl::Time>& time) {
  if (!time) return std::nullopt;
  return ToMicros(*time);
}
inline absl::Time FromMicros(std::int64_t micros) { return absl::FromUnixMicros(micros); }

}  // namespace sweep
