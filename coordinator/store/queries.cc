#include "coordinator/store/queries.h"

#include <array>
#include <cstddef>
#include <utility>

#include "coordinator/store/blob_files.h"
#include "coordinator/store/deleted_sweeps.h"
#include "coordinator/store/internal_queries.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/row_table.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::array<std::string_view, 4> kSweepStates = {"active", "paused", "completed",
                                                          "cancelled"};

// Without the text of its files.
const RowTable<SweepRow>& SweepTable() {
  using Row = SweepRow;
  constexpr auto counts = &Row::counts;
  static const auto& table = *new RowTable<Row>({
      {"id", ReadInto<&Row::id>},
      {"name", ReadInto<&Row::name>},
      {"state", ReadInto<&Row::state>},
      {"digest", ReadInto<&Row::digest>},
      {"objectives", ReadInto<&Row::objectives>},
      {"principal", ReadInto<&Row::principal>},
      {"labels", ReadInto<&Row::labels>},
      {"created_us", ReadInto<&Row::created>},
      {"updated_us", ReadInto<&Row::updated>},
      {"ended_us", ReadInto<&Row::ended>},
      {"planned_configurations", ReadInto<&Row::planned_configurations>},
      {"configurations", ReadInto<&Row::configurations>},
      {"exhausted", ReadInto<&Row::exhausted>},
      {"search_reason", ReadInto<&Row::search_reason>},
      {"give_back", ReadInto<&Row::give_back>},
      {"data_sha256", ReadInto<&Row::data_sha256>},
      {"pending", ReadInto<counts, &TrialCounts::pending>},
      {"running", ReadInto<counts, &TrialCounts::running>},
      {"completed", ReadInto<counts, &TrialCounts::completed>},
      {"stopped", ReadInto<counts, &TrialCounts::stopped>},
      {"failed", ReadInto<counts, &TrialCounts::failed>},
      {"cancelled", ReadInto<counts, &TrialCounts::cancelled>},
      {"diverged", ReadInto<counts, &TrialCounts::diverged>},
      {"on_hold", ReadInto<counts, &TrialCounts::on_hold>},
      {"qualifying", ReadInto<&Row::qualifying>},
      {"pause_reason", ReadInto<&Row::pause_reason>},
      {"keep_going", ReadInto<&Row::keep_going>},
      {"archived", ReadInto<&Row::archived>},
      {"disk_bytes", ReadInto<&Row::disk_bytes>},
      {"revision", ReadInto<&Row::revision>},
      {"first_configuration", ReadInto<&Row::first_configuration>},
  });
  return table;
}

}  // namespace

std::string_view SweepStateName(SweepState state) {
  return kSweepStates[static_cast<std::size_t>(state)];
}

absl::StatusOr<SweepState> ParseSweepState(std::string_view name) {
  for (std::size_t i = 0; i < kSweepStates.size(); ++i) {
    if (kSweepStates[i] == name) return static_cast<SweepState>(i);
  }
  return absl::DataLossError(fmt::format("'{}' is not a state of a sweep", name));
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

absl::StatusOr<std::vector<WarmStartRow>> ReadWarmStarts(Database& database,
                                                         std::int64_t sweep_id) {
  Statement statement = database.Prepare(
      "SELECT source, taken, left_out, reason FROM warm_starts WHERE sweep_id = ? ORDER BY "
      "position");
  statement.Bind(sweep_id);
  return CollectRows<WarmStartRow>(statement,
                                   [](const Statement& row) -> absl::StatusOr<WarmStartRow> {
                                     return WarmStartRow{.source = row.Text(0),
                                                         .taken = row.Int(1),
                                                         .left_out = row.Int(2),
                                                         .reason = row.Text(3)};
                                   });
}

absl::StatusOr<SweepRow> FindSweepById(Database& database, std::int64_t id) {
  static const std::string kSql = SweepTable().Select("FROM sweeps WHERE id = ?");
  Statement statement = database.Prepare(kSql);
  STORE_ASSIGN_OR_RETURN(std::optional<SweepRow> sweep, SweepTable().First(statement.Bind(id)));
  if (!sweep || IsDeletedName(sweep->name))
    return absl::NotFoundError(fmt::format("sweep with id {} does not exist", id));
  STORE_ASSIGN_OR_RETURN(sweep->source, ReadSource(database, sweep->id));
  STORE_ASSIGN_OR_RETURN(sweep->warm_starts, ReadWarmStarts(database, sweep->id));
  return *std::move(sweep);
}

absl::StatusOr<SweepRow> FindSweep(Database& database, const std::string& name) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t id, FindSweepId(database, name));
  return FindSweepById(database, id);
}

absl::StatusOr<std::vector<RevisionRow>> SelectRevisions(Database& database,
                                                         std::int64_t sweep_id) {
  STORE_ASSIGN_OR_RETURN(SweepRow sweep, FindSweepById(database, sweep_id));
  Statement statement = database.Prepare(
      "SELECT revision, first_configuration, digest, text, replaced_us FROM replaced_files WHERE "
      "sweep_id = ? ORDER BY revision");
  statement.Bind(sweep_id);
  absl::Time started = sweep.created;
  STORE_ASSIGN_OR_RETURN(
      std::vector<RevisionRow> revisions,
      CollectRows<RevisionRow>(statement, [&](const Statement& row) -> absl::StatusOr<RevisionRow> {
        return RevisionRow{.revision = row.Int(0),
                           .first_configuration = row.Int(1),
                           .digest = row.Text(2),
                           .text = row.Text(3),
                           .started = std::exchange(started, FromMicros(row.Int(4)))};
      }));
  revisions.push_back({.revision = sweep.revision,
                       .first_configuration = sweep.first_configuration,
                       .digest = std::move(sweep.digest),
                       .text = std::move(sweep.source.text),
                       .started = started});
  return revisions;
}

absl::StatusOr<std::int64_t> FindFirstConfiguration(Database& database, std::int64_t sweep_id) {
  Statement statement = database.Prepare("SELECT first_configuration FROM sweeps WHERE id = ?");
  STORE_ASSIGN_OR_RETURN(const std::optional<std::int64_t> first,
                         FirstInt(statement.Bind(sweep_id)));
  return first.value_or(1);
}

absl::StatusOr<std::vector<SweepRow>> SelectSweeps(Database& database, std::int64_t before_id,
                                                   int limit, bool archived) {
  static const std::string kSql = SweepTable().Select(
      "FROM sweeps WHERE (?1 <= 0 OR id < ?1) AND archived <= ?3 AND name NOT GLOB ':*' ORDER BY "
      "id DESC LIMIT ?2");
  Statement statement = database.Prepare(kSql);
  return SweepTable().All(statement.Bind(before_id, Limit(limit), archived));
}

absl::StatusOr<std::vector<SweepRow>> SelectLabelledSweeps(Database& database,
                                                           const std::string& key,
                                                           const std::string& value) {
  static const std::string kSql = SweepTable().Select(
      "FROM sweeps WHERE EXISTS (SELECT 1 FROM json_each(labels) WHERE key = ?1 AND value = ?2) "
      "AND "
      "name NOT GLOB ':*' ORDER BY id DESC");
  Statement statement = database.Prepare(kSql);
  return SweepTable().All(statement.Bind(key, value));
}

absl::StatusOr<std::vector<SweepRow>> SelectSweepsSubmitted(Database& database, absl::Time time) {
  static const std::string kSql = SweepTable().Select(
      "FROM sweeps WHERE created_us / 1000 = ?1 AND name NOT GLOB ':*' ORDER BY id DESC");
  Statement statement = database.Prepare(kSql);
  return SweepTable().All(statement.Bind(absl::ToUnixMillis(time)));
}

absl::StatusOr<std::int64_t> CountSweeps(Database& database) {
  return database.QueryInt("SELECT count(*) FROM sweeps WHERE archived = 0 AND name NOT GLOB ':*'");
}

absl::StatusOr<std::vector<SweepRow>> SelectUnfinishedSweeps(Database& database) {
  static const std::string kSql =
      SweepTable().Select("FROM sweeps WHERE state IN ('active', 'paused') ORDER BY id");
  Statement statement = database.Prepare(kSql);
  STORE_ASSIGN_OR_RETURN(std::vector<SweepRow> sweeps, SweepTable().All(statement));
  for (SweepRow& sweep : sweeps) {
    STORE_ASSIGN_OR_RETURN(sweep.source, ReadSource(database, sweep.id));
  }
  return sweeps;
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
  return CollectTexts(statement.Bind(digits, digits + "g"));  // 'g' follows every hexadecimal digit
}

}  // namespace sweep
