#include "coordinator/store/queries.h"

#include <array>
#include <cstddef>
#include <utility>

#include "coordinator/store/blob_files.h"
#include "coordinator/store/deleted_sweeps.h"
#include "coordinator/store/internal_queries.h"
#include "coordinator/store/json_codec.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::array<std::string_view, 4> kSweepStates = {"active", "paused", "completed",
                                                          "cancelled"};

#define SWEEP_COLUMNS                                                                             \
  "SELECT id, name, state, digest, principal, labels, created_us, updated_us, ended_us, "         \
  "planned_configurations, configurations, exhausted, pending, running, completed, stopped, "     \
  "failed, cancelled, qualifying, search_reason, give_back, diverged, pause_reason, keep_going, " \
  "archived, disk_bytes, data_sha256, objectives, on_hold FROM sweeps "

absl::StatusOr<SweepRow> DecodeSweep(const Statement& row) {
  SweepRow sweep;
  int column = 0;
  sweep.id = row.Int(column++);
  sweep.name = row.Text(column++);
  STORE_ASSIGN_OR_RETURN(sweep.state, ParseSweepState(row.Text(column++)));
  sweep.digest = row.Text(column++);
  sweep.principal = row.Text(column++);
  STORE_ASSIGN_OR_RETURN(sweep.labels, DecodeLabels(row.Text(column++)));
  sweep.created = FromMicros(row.Int(column++));
  sweep.updated = FromMicros(row.Int(column++));
  sweep.ended = OptionalTime(row, column++);
  sweep.planned_configurations = row.Int(column++);
  sweep.configurations = row.Int(column++);
  sweep.exhausted = row.Int(column++) != 0;
  sweep.counts.pending = row.Int(column++);
  sweep.counts.running = row.Int(column++);
  sweep.counts.completed = row.Int(column++);
  sweep.counts.stopped = row.Int(column++);
  sweep.counts.failed = row.Int(column++);
  sweep.counts.cancelled = row.Int(column++);
  sweep.qualifying = row.Int(column++);
  sweep.search_reason = row.Text(column++);
  sweep.give_back = row.Int(column++) != 0;
  sweep.counts.diverged = row.Int(column++);
  sweep.pause_reason = row.Text(column++);
  sweep.keep_going = row.Int(column++) != 0;
  sweep.archived = row.Int(column++) != 0;
  sweep.disk_bytes = row.Int(column++);
  sweep.data_sha256 = row.Text(column++);
  STORE_ASSIGN_OR_RETURN(sweep.objectives, DecodeObjectives(row.Text(column++)));
  sweep.counts.on_hold = row.Int(column++);
  return sweep;
}

}  // namespace

EventRow DecodeEvent(const Statement& row) {
  const absl::StatusOr<TrialState> state = ParseTrialState(row.Text(7));
  return {.sequence = row.Int(0),
          .trial_id = row.Int(1),
          .number = row.Int(2),
          .kind = row.Text(3),
          .attempt = static_cast<int>(row.Int(4)),
          .epoch = static_cast<int>(row.Int(5)),
          .time = FromMicros(row.Int(6)),
          .state = state.ok() ? std::optional(*state) : std::nullopt};
}

std::string_view SweepStateName(SweepState state) {
  return kSweepStates[static_cast<std::size_t>(state)];
}

absl::StatusOr<SweepState> ParseSweepState(std::string_view name) {
  for (std::size_t i = 0; i < kSweepStates.size(); ++i) {
    if (kSweepStates[i] == name) return static_cast<SweepState>(i);
  }
  return absl::DataLossError(fmt::format("'{}' is no state of a sweep", name));
}

absl::StatusOr<std::int64_t> FindSweepId(Database& database, const std::string& name) {
  Statement statement = database.Prepare("SELECT id FROM sweeps WHERE name = ?");
  STORE_ASSIGN_OR_RETURN(const std::optional<std::int64_t> id, FirstInt(statement.Bind(name)));
  if (id) return *id;
  return absl::NotFoundError(fmt::format("sweep '{}' does not exist", name));
}

absl::StatusOr<SweepSource> ReadSource(Database& database, std::int64_t sweep_id) {
  Statement statement = database.Prepare(
      "SELECT role, name, text FROM sweep_files WHERE sweep_id = ? ORDER BY role, name");
  statement.Bind(sweep_id);
  SweepSource source;
  while (true) {
    STORE_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return source;
    const std::string role = statement.Text(0);
    if (role == "sweep") {
      source.file = statement.Text(1);
      source.text = statement.Text(2);
    } else {
      auto& files = role == "network" ? source.network_files : source.program_files;
      files.emplace(statement.Text(1), statement.Text(2));
    }
  }
}

absl::StatusOr<SweepRow> FindSweepById(Database& database, std::int64_t id) {
  Statement statement = database.Prepare(SWEEP_COLUMNS "WHERE id = ?");
  STORE_ASSIGN_OR_RETURN(std::optional<SweepRow> sweep,
                         FirstRow<SweepRow>(statement.Bind(id), DecodeSweep));
  if (!sweep || IsDeletedName(sweep->name))
    return absl::NotFoundError(fmt::format("sweep with id {} does not exist", id));
  STORE_ASSIGN_OR_RETURN(sweep->source, ReadSource(database, sweep->id));
  return *std::move(sweep);
}

absl::StatusOr<SweepRow> FindSweep(Database& database, const std::string& name) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t id, FindSweepId(database, name));
  return FindSweepById(database, id);
}

absl::StatusOr<std::vector<SweepRow>> SelectSweeps(Database& database, std::int64_t before_id,
                                                   int limit, bool archived) {
  Statement statement =
      database.Prepare(SWEEP_COLUMNS
                       "WHERE (?1 <= 0 OR id < ?1) AND archived <= ?3 AND name NOT GLOB ':*' ORDER "
                       "BY id DESC LIMIT ?2");
  statement.Bind(before_id, Limit(limit), archived);
  return CollectRows<SweepRow>(statement, DecodeSweep);
}

absl::StatusOr<std::int64_t> CountSweeps(Database& database) {
  return database.QueryInt("SELECT count(*) FROM sweeps WHERE archived = 0 AND name NOT GLOB ':*'");
}

absl::StatusOr<std::vector<SweepRow>> SelectUnfinishedSweeps(Database& database) {
  Statement statement =
      database.Prepare(SWEEP_COLUMNS "WHERE state IN ('active', 'paused') ORDER BY id");
  STORE_ASSIGN_OR_RETURN(std::vector<SweepRow> sweeps,
                         CollectRows<SweepRow>(statement, DecodeSweep));
  for (SweepRow& sweep : sweeps) {
    STORE_ASSIGN_OR_RETURN(sweep.source, ReadSource(database, sweep.id));
  }
  return sweeps;
}

absl::StatusOr<std::vector<EventRow>> SelectEvents(Database& database, std::int64_t sweep_id,
                                                   std::int64_t after_sequence, int limit) {
  Statement statement = database.Prepare(
      "SELECT " EVENT_COLUMNS
      "FROM events v INDEXED BY events_by_sweep WHERE v.sweep_id = ? AND v.sequence > ? ORDER BY "
      "v.sequence LIMIT ?");
  statement.Bind(sweep_id, after_sequence, Limit(limit));
  return CollectRows<EventRow>(
      statement, [](const Statement& row) -> absl::StatusOr<EventRow> { return DecodeEvent(row); });
}

absl::StatusOr<std::optional<std::int64_t>> FindBlobSize(Database& database,
                                                         const std::string& sha256) {
  Statement statement = database.Prepare("SELECT size_bytes FROM blobs WHERE sha256 = ?");
  return FirstInt(statement.Bind(sha256));
}

namespace {

absl::StatusOr<std::vector<std::string>> CollectTexts(Statement& statement) {
  return CollectRows<std::string>(
      statement, [](const Statement& row) -> absl::StatusOr<std::string> { return row.Text(0); });
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SelectUnusedBlobs(Database& database, absl::Time before,
                                                           int limit) {
  static const std::string kSql =
      fmt::format("SELECT sha256 FROM blobs WHERE created_us < ? AND sha256 NOT IN ({}) LIMIT ?",
                  kUsedBlobsSql);
  Statement statement = database.Prepare(kSql);
  return CollectTexts(statement.Bind(ToMicros(before), Limit(limit)));
}

absl::StatusOr<std::vector<std::string>> SelectBlobs(Database& database,
                                                     const std::string& digits) {
  Statement statement =
      database.Prepare("SELECT sha256 FROM blobs WHERE sha256 >= ? AND sha256 < ? ORDER BY sha256");
  return CollectTexts(statement.Bind(digits, digits + "g"));  // after every digit
}

}  // namespace sweep
