// Queries for views of whole sweeps, in pieces of bounded size.

#include <algorithm>
#include <utility>

#include "coordinator/store/measure_names.h"
#include "coordinator/store/row_table.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

#define SUMMARY_JOIN "FROM trials t JOIN configurations c ON c.id = t.configuration_id "

// The columns to select from reports: "t.number, e.epoch, e.validation_loss, e.v1".
absl::StatusOr<std::string> MeasuredColumns(Database& database, std::int64_t sweep_id,
                                            const std::vector<std::string>& measures) {
  STORE_ASSIGN_OR_RETURN(const MeasureNames names, MeasureNames::Read(database, sweep_id));
  std::string columns = "t.number, e.epoch";
  for (const std::string& name : measures) {
    if (!IsMeasureName(name)) {
      return absl::InvalidArgumentError(fmt::format("'{}' is not the name of a measure", name));
    }
    columns += fmt::format(", {}", ReportedColumn(names, name));
  }
  return columns;
}

// Reads the rows of a query for MeasuredColumns.
absl::StatusOr<std::vector<MeasuredEpoch>> CollectMeasured(Statement& statement,
                                                           std::size_t measures) {
  return CollectRows<MeasuredEpoch>(statement, [measures](const Statement& row) {
    MeasuredEpoch epoch{.number = row.Int(0), .epoch = static_cast<int>(row.Int(1)), .values = {}};
    epoch.values.reserve(measures);
    for (std::size_t i = 0; i < measures; ++i) {
      epoch.values.push_back(MeasuredNumber(row, static_cast<int>(i) + 2));
    }
    return epoch;
  });
}

}  // namespace

absl::StatusOr<std::int64_t> FindLastSequence(Database& database, std::int64_t sweep_id) {
  Statement statement = database.Prepare(
      // Not the maximum in the table, since the last events may be those of a deleted sweep.
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
  const RowTable<TrialSummary>& table = SummaryTable();
  static const std::string kSql =
      table.Select(SUMMARY_JOIN "WHERE t.sweep_id = ? AND t.number > ? ORDER BY t.number LIMIT ?");
  Statement statement = database.Prepare(kSql);
  return table.All(statement.Bind(sweep_id, after_number, Limit(limit)));
}

absl::StatusOr<std::vector<TrialSummary>> SelectSummariesOf(
    Database& database, std::int64_t sweep_id, const std::vector<std::int64_t>& numbers) {
  const RowTable<TrialSummary>& table = SummaryTable();
  static const std::string kSql =
      table.Select(SUMMARY_JOIN "WHERE t.sweep_id = ? AND t.number = ?");
  std::vector<TrialSummary> rows;
  rows.reserve(numbers.size());
  for (const std::int64_t number : numbers) {
    Statement statement = database.Prepare(kSql);
    STORE_ASSIGN_OR_RETURN(std::optional<TrialSummary> row,
                           table.First(statement.Bind(sweep_id, number)));
    if (row) rows.push_back(*std::move(row));
  }
  return rows;
}

absl::StatusOr<std::vector<MeasuredEpoch>> SelectMeasuredEpochs(
    Database& database, std::int64_t sweep_id, std::int64_t first, std::int64_t last,
    const std::vector<std::string>& measures) {
  STORE_ASSIGN_OR_RETURN(const std::string columns, MeasuredColumns(database, sweep_id, measures));
  // CROSS JOIN fixes the order of the loops.
  const std::string sql = fmt::format(
      "SELECT {} FROM trials t CROSS JOIN epoch_reports e ON e.trial_id = t.id WHERE t.sweep_id = "
      "? AND t.number BETWEEN ? AND ? ORDER BY t.number, e.attempt, e.epoch",
      columns);
  Statement statement = database.Prepare(sql);
  return CollectMeasured(statement.Bind(sweep_id, first, last), measures.size());
}

absl::StatusOr<std::vector<MeasuredEpoch>> SelectNewEpochs(
    Database& database, std::int64_t sweep_id, const std::vector<KnownTrial>& trials,
    const std::vector<std::string>& measures) {
  STORE_ASSIGN_OR_RETURN(const std::string columns, MeasuredColumns(database, sweep_id, measures));
  const std::string sql = fmt::format(
      "SELECT {} FROM trials t CROSS JOIN epoch_reports e ON e.trial_id = t.id WHERE t.sweep_id = "
      "? AND t.number = ? AND e.epoch > ? ORDER BY e.attempt, e.epoch",
      columns);
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

namespace {

const RowTable<SuggestionRow>& SuggestionTable() {
  using Row = SuggestionRow;
  static const auto& table = *new RowTable<Row>({
      {"number", ReadInto<&Row::number>},
      {"seen_sequence", ReadInto<&Row::seen_sequence>},
      {"parameters", ReadInto<&Row::parameters>},
      {"chosen_source", ReadInto<&Row::source>},
      {"asked_number", ReadInto<&Row::asked_number>},
      {"member", ReadInto<&Row::member>},
      {"parent", ReadInto<&Row::parent>},
      {"start_epoch", ReadInto<&Row::start_epoch>},
  });
  return table;
}

}  // namespace

absl::StatusOr<std::vector<SuggestionRow>> SelectSuggestions(Database& database,
                                                             std::int64_t sweep_id,
                                                             std::int64_t first,
                                                             std::int64_t last) {
  static const std::string kSql = SuggestionTable().Select(
      "FROM configurations WHERE sweep_id = ? AND number BETWEEN ? AND ? ORDER BY number");
  Statement statement = database.Prepare(kSql);
  return SuggestionTable().All(statement.Bind(sweep_id, first, last));
}

absl::StatusOr<std::optional<SuggestionRow>> FindSuggestionAfterStandIns(Database& database,
                                                                         std::int64_t sweep_id,
                                                                         std::int64_t number) {
  static const std::string kSql = SuggestionTable().Select(
      "FROM configurations WHERE sweep_id = ? AND number > ? AND chosen_source IS NOT 'stand_in' "
      "ORDER BY number LIMIT 1");
  Statement statement = database.Prepare(kSql);
  return SuggestionTable().First(statement.Bind(sweep_id, number));
}

absl::StatusOr<std::vector<SharedParameters>> SelectPoints(Database& database,
                                                           std::int64_t sweep_id,
                                                           std::int64_t first, std::int64_t last) {
  Statement statement = database.Prepare(
      "SELECT parameters FROM configurations WHERE sweep_id = ? AND number BETWEEN ? AND ? ORDER "
      "BY number");
  statement.Bind(sweep_id, first, last);
  return CollectRows<SharedParameters>(
      statement, [](const Statement& row) -> absl::StatusOr<SharedParameters> {
        SharedParameters parameters;
        STORE_RETURN_IF_ERROR(ReadValue(row, 0, &parameters));
        return parameters;
      });
}

absl::StatusOr<std::int64_t> FindFirstTrial(Database& database, std::int64_t sweep_id,
                                            std::int64_t configuration) {
  Statement statement = database.Prepare(
      "SELECT min(t.number) FROM configurations c JOIN trials t ON t.configuration_id = c.id WHERE "
      "c.sweep_id = ? AND c.number = ?");
  STORE_RETURN_IF_ERROR(statement.Bind(sweep_id, configuration).Step().status());
  if (statement.Int(0) == 0) {
    return absl::NotFoundError(fmt::format("configuration {} does not exist", configuration));
  }
  return statement.Int(0);
}

absl::StatusOr<std::vector<Segment>> SelectSegments(Database& database, std::int64_t sweep_id,
                                                    std::int64_t first, std::int64_t last) {
  Statement statement = database.Prepare(
      "SELECT c.member, c.parent, c.start_epoch, t.target_epoch, t.epochs FROM configurations c "
      "JOIN trials t ON t.sweep_id = c.sweep_id AND t.number = c.number WHERE c.sweep_id = ? AND "
      "c.number BETWEEN ? AND ? ORDER BY c.number");
  statement.Bind(sweep_id, first, last);
  return CollectRows<Segment>(statement, [](const Statement& row) -> absl::StatusOr<Segment> {
    const auto target = static_cast<int>(row.Int(3));
    return Segment{.member = static_cast<int>(row.Int(0)),
                   .parent = row.Int(1),
                   .start_epoch = static_cast<int>(row.Int(2)),
                   .target_epoch = target > 0 ? target : static_cast<int>(row.Int(4))};
  });
}

absl::StatusOr<std::vector<MadePoint>> SelectMadePoints(Database& database, std::int64_t sweep_id,
                                                        std::int64_t first, std::int64_t last) {
  Statement statement = database.Prepare(
      "SELECT parameters, resolved FROM configurations WHERE sweep_id = ? AND number BETWEEN ? AND "
      "? ORDER BY number");
  statement.Bind(sweep_id, first, last);
  return CollectRows<MadePoint>(statement, [](const Statement& row) -> absl::StatusOr<MadePoint> {
    MadePoint point;
    STORE_RETURN_IF_ERROR(ReadValue(row, 0, &point.chosen));
    STORE_RETURN_IF_ERROR(ReadValue(row, 1, &point.trained));
    return point;
  });
}

absl::StatusOr<std::vector<EndedPoint>> SelectEndedPoints(Database& database, std::int64_t sweep_id,
                                                          std::int64_t after_number, int limit) {
  Statement statement = database.Prepare(
      "SELECT c.number, c.parameters, c.resolved, t.state, t.diverged, t.epoch, t.best FROM "
      "configurations c JOIN trials t ON t.configuration_id = c.id WHERE c.sweep_id = ?1 AND "
      "t.sweep_id = ?1 AND c.number > ?2 AND c.number <= ?2 + ?3 ORDER BY c.number, t.replicate");
  statement.Bind(sweep_id, after_number, limit);
  std::vector<EndedPoint> points;
  while (true) {
    STORE_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) break;
    if (points.empty() || points.back().number != statement.Int(0)) {
      EndedPoint& next = points.emplace_back(EndedPoint{.number = statement.Int(0)});
      STORE_RETURN_IF_ERROR(ReadValue(statement, 1, &next.point.chosen));
      STORE_RETURN_IF_ERROR(ReadValue(statement, 2, &next.point.trained));
    }
    EndedPoint::Replicate replicate;
    STORE_ASSIGN_OR_RETURN(replicate.state, ParseTrialState(statement.Text(3)));
    if (statement.Int(4) != 0) replicate.state = TrialState::kDiverged;
    replicate.epoch = static_cast<int>(statement.Int(5));
    replicate.best = statement.Real(6);
    points.back().replicates.push_back(replicate);
  }
  std::erase_if(points, [](const EndedPoint& point) {
    const auto is = [&](auto test) {
      return std::all_of(point.replicates.begin(), point.replicates.end(),
                         [&](const EndedPoint::Replicate& one) { return test(one.state); });
    };
    return !is(IsTerminal) || is([](TrialState state) { return state == TrialState::kCancelled; });
  });
  return points;
}

absl::StatusOr<std::vector<EndedPoint>> SelectWarmPoints(Database& database, std::int64_t sweep_id,
                                                         std::int64_t after_position, int limit) {
  Statement statement = database.Prepare(
      "SELECT position, parameters, resolved, results FROM warm_points WHERE sweep_id = ? AND "
      "position > ? ORDER BY position LIMIT ?");
  statement.Bind(sweep_id, after_position, limit);
  return CollectRows<EndedPoint>(statement, [](const Statement& row) -> absl::StatusOr<EndedPoint> {
    EndedPoint point{.number = row.Int(0)};
    STORE_RETURN_IF_ERROR(ReadValue(row, 1, &point.point.chosen));
    STORE_RETURN_IF_ERROR(ReadValue(row, 2, &point.point.trained));
    STORE_ASSIGN_OR_RETURN(point.replicates, DecodeReplicates(row.Text(3)));
    return point;
  });
}

}  // namespace sweep
