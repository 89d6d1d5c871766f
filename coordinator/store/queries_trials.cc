// Queries about trials.

#include <algorithm>
#include <utility>

#include "coordinator/store/row_table.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

#define TRIAL_JOIN                                                                            \
  "FROM trials t JOIN configurations c ON c.id = t.configuration_id JOIN sweeps s ON s.id = " \
  "t.sweep_id "

const RowTable<StoredTrial>& StoredTrialTable() {
  using Row = StoredTrial;
  static const auto& table = *new RowTable<Row>({{"t.secret", ReadInto<&Row::secret>}},
                                                {PartInto<&Row::row>(TrialTable())});
  return table;
}

}  // namespace

absl::Duration TrialRow::AttemptTime(absl::Time now) const {
  if (!attempt_started) return ended_attempts;
  return ended_attempts + std::max(now - *attempt_started, absl::ZeroDuration());
}

std::vector<const ParameterMap::value_type*> TrialRow::Defaults() const {
  std::vector<const ParameterMap::value_type*> defaults;
  for (const auto& entry : resolved) {
    if (!parameters.values().contains(entry.first)) defaults.push_back(&entry);
  }
  return defaults;
}

std::optional<SuggestionOrigin> TrialRow::origin() const {
  const absl::StatusOr<SuggestionSource> source = ParseSuggestionSource(chosen_source);
  if (!source.ok()) return std::nullopt;
  return SuggestionOrigin{.source = *source,
                          .method = chosen_by,
                          .expected_improvement = expected_improvement,
                          .seen_results = seen_results};
}

std::string_view StoredStateName(TrialState state) {
  return TrialStateName(state == TrialState::kDiverged ? TrialState::kFailed : state);
}

absl::StatusOr<std::int64_t> FindTrialId(Database& database, const std::string& sweep,
                                         std::int64_t number) {
  Statement statement = database.Prepare(
      "SELECT t.id FROM trials t JOIN sweeps s ON s.id = t.sweep_id WHERE s.name = ? AND "
      "t.number = ?");
  STORE_ASSIGN_OR_RETURN(const std::optional<std::int64_t> id,
                         FirstInt(statement.Bind(sweep, number)));
  if (id) return *id;
  STORE_RETURN_IF_ERROR(FindSweepId(database, sweep).status());
  return absl::NotFoundError(fmt::format("trial {}/{} does not exist", sweep, number));
}

absl::StatusOr<StoredTrial> FindStoredTrial(Database& database, const std::string& sweep,
                                            std::int64_t number) {
  static const std::string kSql =
      StoredTrialTable().Select(TRIAL_JOIN "WHERE s.name = ? AND t.number = ?");
  Statement statement = database.Prepare(kSql);
  STORE_ASSIGN_OR_RETURN(std::optional<StoredTrial> trial,
                         StoredTrialTable().First(statement.Bind(sweep, number)));
  if (!trial) return FindTrialId(database, sweep, number).status();
  return *std::move(trial);
}

absl::StatusOr<StoredTrial> FindStoredTrialById(Database& database, std::int64_t id) {
  static const std::string kSql = StoredTrialTable().Select(TRIAL_JOIN "WHERE t.id = ?");
  Statement statement = database.Prepare(kSql);
  STORE_ASSIGN_OR_RETURN(std::optional<StoredTrial> trial,
                         StoredTrialTable().First(statement.Bind(id)));
  if (!trial) return absl::NotFoundError(fmt::format("trial with id {} does not exist", id));
  return *std::move(trial);
}

absl::StatusOr<std::vector<ArtifactRow>> SelectArtifacts(Database& database,
                                                         std::int64_t trial_id) {
  Statement statement = database.Prepare(
      "SELECT a.role, a.sha256, b.size_bytes FROM artifacts a JOIN blobs b ON b.sha256 = a.sha256 "
      "WHERE a.trial_id = ?1 "
      // Before a trial has its final weights, its checkpoint stands in for them.
      "UNION ALL SELECT 'checkpoint', t.checkpoint_sha256, b.size_bytes FROM trials t "
      // Other segments go on from that of a segment.
      "JOIN blobs b ON b.sha256 = t.checkpoint_sha256 JOIN configurations c ON c.id = "
      "t.configuration_id WHERE t.id = ?1 AND (t.state <> 'completed' OR c.member IS NOT NULL) "
      "ORDER BY 1");
  statement.Bind(trial_id);
  return CollectRows<ArtifactRow>(
      statement, [](const Statement& row) -> absl::StatusOr<ArtifactRow> {
        return ArtifactRow{.role = row.Text(0), .sha256 = row.Text(1), .size_bytes = row.Int(2)};
      });
}

namespace {

const RowTable<AncestorRow>& AncestorTable() {
  using Row = AncestorRow;
  static const auto& table = *new RowTable<Row>({
      {"t.number", ReadInto<&Row::trial>},
      {"c.member", ReadInto<&Row::member>},
      {"c.start_epoch", ReadInto<&Row::start_epoch>},
      {"t.epoch", ReadInto<&Row::epoch>},
      {"coalesce(t.packed_measures, t.measures)", ReadInto<&Row::measures>},
      {"c.chosen_source", ReadInto<&Row::chosen_source>},
      {"c.parameters", ReadInto<&Row::parameters>},
  });
  return table;
}

// Each parent has a lower number than its children, so the walk ends.
absl::StatusOr<std::vector<AncestorRow>> SelectLineage(Database& database, const TrialRow& trial) {
  if (!trial.is_segment()) return std::vector<AncestorRow>();
  static const std::string kSql =
      "WITH RECURSIVE line (number) AS (VALUES (?1) UNION ALL SELECT c.parent FROM line JOIN "
      "configurations c ON c.sweep_id = ?2 AND c.number = line.number WHERE c.parent < c.number) " +
      AncestorTable().Select(
          "FROM line JOIN configurations c ON c.sweep_id = ?2 AND c.number = line.number JOIN "
          "trials t ON t.configuration_id = c.id ORDER BY c.number");
  Statement statement = database.Prepare(kSql);
  return AncestorTable().All(statement.Bind(trial.configuration, trial.sweep_id));
}

absl::StatusOr<TrialRow> WithArtifacts(Database& database, absl::StatusOr<StoredTrial> stored) {
  if (!stored.ok()) return stored.status();
  STORE_ASSIGN_OR_RETURN(stored->row.artifacts, SelectArtifacts(database, stored->row.id));
  STORE_ASSIGN_OR_RETURN(stored->row.lineage, SelectLineage(database, stored->row));
  return std::move(stored->row);
}

}  // namespace

absl::StatusOr<TrialRow> FindTrial(Database& database, const std::string& sweep,
                                   std::int64_t number) {
  return WithArtifacts(database, FindStoredTrial(database, sweep, number));
}

absl::StatusOr<TrialRow> FindTrialById(Database& database, std::int64_t id) {
  return WithArtifacts(database, FindStoredTrialById(database, id));
}

absl::StatusOr<std::vector<TrialRow>> SelectTrials(Database& database, const TrialQuery& query) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t sweep_id, FindSweepId(database, query.sweep));
  STORE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> ids,
                         SelectPageIds(database, sweep_id, query));
  std::vector<TrialRow> trials;
  for (const std::int64_t id : ids) {
    STORE_ASSIGN_OR_RETURN(StoredTrial trial, FindStoredTrialById(database, id));
    trials.push_back(std::move(trial.row));
  }
  return trials;
}

absl::StatusOr<std::vector<TrialRow>> SelectTrialsByNumber(
    Database& database, const std::string& sweep, const std::vector<std::int64_t>& numbers) {
  std::vector<TrialRow> rows;
  for (const std::int64_t number : numbers) {
    absl::StatusOr<StoredTrial> trial = FindStoredTrial(database, sweep, number);
    if (absl::IsNotFound(trial.status())) continue;
    if (!trial.ok()) return trial.status();
    rows.push_back(std::move(trial->row));
  }
  return rows;
}

absl::StatusOr<std::vector<TrialRow>> SelectTrialsOf(Database& database,
                                                     std::int64_t configuration_id) {
  static const std::string kSql =
      TrialTable().Select(TRIAL_JOIN "WHERE t.configuration_id = ? ORDER BY t.replicate");
  Statement statement = database.Prepare(kSql);
  return TrialTable().All(statement.Bind(configuration_id));
}

absl::StatusOr<std::vector<TrialRow>> SelectOpenTrials(Database& database, std::int64_t sweep_id) {
  static const std::string kSql =
      TrialTable().Select(TRIAL_JOIN
                          "WHERE t.sweep_id = ? AND t.state IN ('pending', 'leased', 'running', "
                          "'on_hold') ORDER BY t.number");
  Statement statement = database.Prepare(kSql);
  return TrialTable().All(statement.Bind(sweep_id));
}

absl::StatusOr<std::vector<TrialRow>> SelectUnheldTrials(Database& database,
                                                         std::int64_t sweep_id) {
  static const std::string kSql = TrialTable().Select(
      TRIAL_JOIN "WHERE t.sweep_id = ? AND t.state IN ('pending', 'on_hold') ORDER BY t.number");
  Statement statement = database.Prepare(kSql);
  return TrialTable().All(statement.Bind(sweep_id));
}

absl::StatusOr<std::vector<TrialRow>> SelectTrialsInState(Database& database, std::int64_t sweep_id,
                                                          TrialState state, int limit) {
  static const std::string kSql = TrialTable().Select(
      TRIAL_JOIN
      "WHERE t.sweep_id = ? AND t.state = ? AND t.diverged = ? ORDER BY t.number LIMIT ?");
  Statement statement = database.Prepare(kSql);
  return TrialTable().All(statement.Bind(sweep_id, StoredStateName(state),
                                         state == TrialState::kDiverged, Limit(limit)));
}

absl::StatusOr<std::vector<LeaseRow>> SelectHeldLeases(Database& database) {
  using Row = LeaseRow;
  static const auto& table = *new RowTable<Row>(
      {{"t.secret", ReadInto<&Row::secret>}, {"a.embedded", ReadInto<&Row::embedded>}},
      {PartInto<&Row::trial>(TrialTable())});
  static const std::string kSql = table.Select(
      TRIAL_JOIN
      "JOIN attempts a ON a.trial_id = t.id AND a.attempt = t.attempt WHERE s.state IN ('active', "
      "'paused') AND t.state IN ('leased', 'running') ORDER BY t.id");
  Statement statement = database.Prepare(kSql);
  return table.All(statement);
}

absl::StatusOr<std::vector<Replicate>> SelectOtherReplicates(Database& database,
                                                             const TrialRow& trial) {
  using Row = Replicate;
  static const auto& table =
      *new RowTable<Row>({{"t.id", ReadInto<&Row::trial_id>},
                          {"t.replicate", ReadInto<&Row::number>},
                          {kTrialStateSql, ReadInto<&Row::result, &ReplicateResult::state>}},
                         {PartInto<&Row::result, &ReplicateResult::result>(ResultTable())});
  static const std::string kSql =
      table.Select("FROM trials t WHERE t.configuration_id = ? AND t.id <> ?");
  Statement statement = database.Prepare(kSql);
  return table.All(statement.Bind(trial.configuration_id, trial.id));
}

absl::StatusOr<std::vector<ReplicateResult>> SelectRuns(Database& database, const TrialRow& trial) {
  STORE_ASSIGN_OR_RETURN(const std::vector<Replicate> others,
                         SelectOtherReplicates(database, trial));
  std::vector<ReplicateResult> runs = {{.state = trial.state, .result = trial.result}};
  for (const Replicate& other : others) runs.push_back(other.result);
  return runs;
}

}  // namespace sweep
