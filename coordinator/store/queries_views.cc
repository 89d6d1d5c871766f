// Queries for views of whole sweeps, in pieces of bounded size.

#include <algorithm>
#include <utility>

#include "coordinator/store/measure_columns.h"
#include "coordinator/store/row_table.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// Of trials t and their configurations c.
const RowTable<TrialSummary>& SummaryTable() {
  using Row = TrialSummary;
  constexpr auto score = &Row::score;
  static const auto& table = *new RowTable<Row>(
      {
          {"t.number", ReadInto<&Row::number>},
          {"c.number", ReadInto<&Row::configuration>},
          {"t.replicate", ReadInto<&Row::replicate>},
          {kTrialStateSql, ReadInto<&Row::state>},
          {"c.has_value", ReadInto<score, &ScoreSummary::has_value>},
          {"c.qualifies", ReadInto<score, &ScoreSummary::qualifies>},
          {"c.held", ReadInto<score, &ScoreSummary::values>},
          {"c.metric", ReadInto<score, &ScoreSummary::metric>},
          {"c.epochs_to_target", ReadInto<score, &ScoreSummary::epochs_to_target>},
          {"c.best_replicate", ReadInto<score, &ScoreSummary::best_replicate>},
          {"c.fully_connected", ReadInto<&Row::fully_connected>},
          {"t.attempt", ReadInto<&Row::attempt>},
          {"t.failures", ReadInto<&Row::failures>},
          {"t.epochs", ReadInto<&Row::epochs>},
          {"c.network_parameters", ReadInto<&Row::network_parameters>},
          {"c.forward_flops", ReadInto<&Row::forward_flops>},
          {"c.train_flops", ReadInto<&Row::train_flops>},
          {"c.receptive_field", ReadInto<&Row::receptive_field>},
          {"c.model", ReadInto<&Row::model>},
          {"t.worker", ReadInto<&Row::worker>},
          {"c.parameters", ReadInto<&Row::parameters>},
      },
      {PartInto<&Row::result>(ResultTable())});
  return table;
}
#define SUMMARY_JOIN "FROM trials t JOIN configurations c ON c.id = t.configuration_id "

// "t.number, e.epoch, e.validation_loss, json_extract(e.more, …)": what of a report to read.
std::string MeasuredColumns(const std::vector<std::string>& measures) {
  std::string columns = "t.number, e.epoch";
  for (const std::string& name : measures) {
    // The names were checked: they hold no quotes.
    const std::string_view measure = CanonicalMeasure(name);
    columns += HasColumn(measure) ? fmt::format(", e.{}", measure)
                                  : fmt::format(", json_extract(e.more, '$.\"{}\"')", measure);
  }
  return columns;
}

absl::Status CheckMeasureNames(const std::vector<std::string>& measures) {
  for (const std::string& name : measures) {
    if (!IsMeasureName(name)) {
      return absl::InvalidArgumentError(fmt::format("'{}' is no name of a measure", name));
    }
  }
  return absl::OkStatus();
}

// Reads rows of MeasuredColumns.
absl::StatusOr<std::vector<MeasuredEpoch>> CollectMeasured(Statement& statement,
                                                           std::size_t measures) {
  return CollectRows<MeasuredEpoch>(statement, [measures](const Statement& row) {
    MeasuredEpoch epoch{.number = row.Int(0), .epoch = static_cast<int>(row.Int(1)), .values = {}};
    for (std::size_t i = 0; i < measures; ++i) {
      epoch.values.push_back(MeasuredNumber(row, static_cast<int>(i) + 2));
    }
    return epoch;
  });
}

}  // namespace

absl::StatusOr<std::int64_t> FindLastSequence(Database& database, std::int64_t sweep_id) {
  Statement statement = database.Prepare(
      // Not the greatest that is there: those of a deleted sweep may have been the last.
      sweep_id == 0 ? "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)"
                    : "SELECT coalesce(max(sequence), 0) FROM events WHERE sweep_id = ?");
  if (sweep_id != 0) statement.Bind(sweep_id);
  STORE_RETURN_IF_ERROR(statement.Step().status());
  return statement.Int(0);
}

absl::StatusOr<std::vector<TrialChange>> SelectTrialChanges(Database& database,
                                                            std::int64_t sweep_id,
                                                            std::int64_t after_sequence,
                                                            int limit) {
  Statement statement = database.Prepare(
      "SELECT sequence, number FROM events INDEXED BY events_by_sweep WHERE sweep_id = ? AND "
      "sequence > ? ORDER BY sequence LIMIT ?");
  statement.Bind(sweep_id, after_sequence, Limit(limit));
  return CollectRows<TrialChange>(statement, [](const Statement& row) {
    return TrialChange{.sequence = row.Int(0), .number = row.Int(1)};
  });
}

absl::StatusOr<std::vector<TrialSummary>> SelectSummaries(Database& database, std::int64_t sweep_id,
                                                          std::int64_t after_number, int limit) {
  static const std::string kSql = SummaryTable().Select(
      SUMMARY_JOIN "WHERE t.sweep_id = ? AND t.number > ? ORDER BY t.number LIMIT ?");
  Statement statement = database.Prepare(kSql);
  return SummaryTable().All(statement.Bind(sweep_id, after_number, Limit(limit)));
}

absl::StatusOr<std::vector<TrialSummary>> SelectSummariesOf(
    Database& database, std::int64_t sweep_id, const std::vector<std::int64_t>& numbers) {
  static const std::string kSql =
      SummaryTable().Select(SUMMARY_JOIN "WHERE t.sweep_id = ? AND t.number = ?");
  std::vector<TrialSummary> rows;
  rows.reserve(numbers.size());
  for (const std::int64_t number : numbers) {
    Statement statement = database.Prepare(kSql);
    STORE_ASSIGN_OR_RETURN(std::optional<TrialSummary> row,
                           SummaryTable().First(statement.Bind(sweep_id, number)));
    if (row) rows.push_back(*std::move(row));
  }
  return rows;
}

absl::StatusOr<std::vector<MeasuredEpoch>> SelectMeasuredEpochs(
    Database& database, std::int64_t sweep_id, std::int64_t first, std::int64_t last,
    const std::vector<std::string>& measures) {
  STORE_RETURN_IF_ERROR(CheckMeasureNames(measures));
  // CROSS JOIN fixes the order of the loops.
  const std::string sql = fmt::format(
      "SELECT {} FROM trials t CROSS JOIN epoch_reports e ON e.trial_id = t.id WHERE t.sweep_id = "
      "? AND t.number BETWEEN ? AND ? ORDER BY t.number, e.attempt, e.epoch",
      MeasuredColumns(measures));
  Statement statement = database.Prepare(sql);
  return CollectMeasured(statement.Bind(sweep_id, first, last), measures.size());
}

absl::StatusOr<std::vector<MeasuredEpoch>> SelectNewEpochs(
    Database& database, std::int64_t sweep_id, const std::vector<KnownTrial>& trials,
    const std::vector<std::string>& measures) {
  STORE_RETURN_IF_ERROR(CheckMeasureNames(measures));
  const std::string sql = fmt::format(
      "SELECT {} FROM trials t CROSS JOIN epoch_reports e ON e.trial_id = t.id WHERE t.sweep_id = "
      "? AND t.number = ? AND e.epoch > ? ORDER BY e.attempt, e.epoch",
      MeasuredColumns(measures));
  std::vector<MeasuredEpoch> rows;
  for (const KnownTrial& trial : trials) {
    Statement statement = database.Prepare(sql);
    STORE_ASSIGN_OR_RETURN(
        const std::vector<MeasuredEpoch> more,
        CollectMeasured(statement.Bind(sweep_id, trial.number, trial.epoch), measures.size()));
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

absl::StatusOr<std::int64_t> CountEpochs(Database& database, std::int64_t trial_id) {
  Statement statement = database.Prepare("SELECT count(*) FROM epoch_reports WHERE trial_id = ?");
  STORE_RETURN_IF_ERROR(statement.Bind(trial_id).Step().status());
  return statement.Int(0);
}

absl::StatusOr<std::int64_t> CountRanked(Database& database, std::int64_t sweep_id) {
  Statement statement =
      database.Prepare("SELECT count(*) FROM configurations WHERE sweep_id = ? AND has_value = 1");
  STORE_RETURN_IF_ERROR(statement.Bind(sweep_id).Step().status());
  return statement.Int(0);
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

namespace {

// Of attempts a, their trials t and their sweep s.
const RowTable<TimedAttempt>& TimedAttemptTable() {
  using Row = TimedAttempt;
  static const auto& table = *new RowTable<Row>(
      {
          {"s.name", ReadInto<&Row::sweep>},
          {"t.number", ReadInto<&Row::number>},
      },
      {PartInto<&Row::attempt>(AttemptTable())});
  return table;
}
#define ATTEMPTS_BY_END                                                                 \
  "FROM attempts a INDEXED BY attempts_by_end JOIN trials t ON t.id = a.trial_id JOIN " \
  "sweeps s ON s.id = t.sweep_id "

}  // namespace

absl::StatusOr<AttemptPage> SelectAttemptsOf(Database& database, std::int64_t sweep_id,
                                             std::int64_t offset, int limit) {
  AttemptPage page;
  // A trial's attempts are numbered without a gap.
  Statement count =
      database.Prepare("SELECT coalesce(sum(attempt), 0) FROM trials WHERE sweep_id = ?");
  STORE_RETURN_IF_ERROR(count.Bind(sweep_id).Step().status());
  page.total = count.Int(0);
  // CROSS JOIN fixes the order of the loops, so that nothing is sorted.
  static const std::string kSql = TimedAttemptTable().Select(
      "FROM sweeps s CROSS JOIN trials t ON t.sweep_id = s.id CROSS JOIN attempts a ON a.trial_id "
      "= t.id WHERE s.id = ? ORDER BY t.number, a.attempt LIMIT ? OFFSET ?");
  Statement statement = database.Prepare(kSql);
  STORE_ASSIGN_OR_RETURN(page.attempts,
                         TimedAttemptTable().All(statement.Bind(sweep_id, Limit(limit), offset)));
  return page;
}

absl::StatusOr<AttemptPage> SelectAttemptsSince(Database& database, absl::Time from, int limit) {
  AttemptPage page;
  Statement count = database.Prepare(
      "SELECT (SELECT count(*) FROM attempts WHERE ended_us IS NULL) + "
      "(SELECT count(*) FROM attempts WHERE ended_us >= ?)");
  STORE_RETURN_IF_ERROR(count.Bind(ToMicros(from)).Step().status());
  page.total = count.Int(0);
  static const std::string kRunning = TimedAttemptTable().Select(
      ATTEMPTS_BY_END "WHERE a.ended_us IS NULL ORDER BY a.started_us DESC LIMIT ?");
  Statement running = database.Prepare(kRunning);
  STORE_ASSIGN_OR_RETURN(page.attempts, TimedAttemptTable().All(running.Bind(Limit(limit))));
  const int rest = limit - static_cast<int>(page.attempts.size());
  static const std::string kEnded = TimedAttemptTable().Select(
      ATTEMPTS_BY_END "WHERE a.ended_us >= ? ORDER BY a.ended_us DESC LIMIT ?");
  Statement ended = database.Prepare(kEnded);
  STORE_ASSIGN_OR_RETURN(const std::vector<TimedAttempt> others,
                         TimedAttemptTable().All(ended.Bind(ToMicros(from), Limit(rest))));
  page.attempts.insert(page.attempts.end(), others.begin(), others.end());
  return page;
}

}  // namespace sweep
