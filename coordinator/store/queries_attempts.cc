// Queries about attempts and their reports.

#include <algorithm>
#include <utility>

#include "coordinator/store/measure_names.h"
#include "coordinator/store/row_table.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// Without the measures that have columns of their own. `more` also has the names of NaN values.
const RowTable<EpochRow>& ReportTable() {
  using Row = EpochRow;
  constexpr auto metrics = &Row::metrics;
  static const auto& table = *new RowTable<Row>({
      {"e.attempt", ReadInto<&Row::attempt>},
      {"e.epoch", ReadInto<metrics, &EpochMetrics::epoch>},
      {"e.reported_us", ReadInto<&Row::reported>},
      {"e.more", ReadInto<metrics, &EpochMetrics::values>},
  });
  return table;
}

// Of epoch_reports e.
const std::string& EpochColumns() {
  static const auto& columns = *[] {
    auto* list = new std::string(ReportTable().list());
    for (const std::string_view measure : kMeasureColumns) list->append(", e.").append(measure);
    for (const std::string_view slot : kSlotColumns) list->append(", e.").append(slot);
    return list;
  }();
  return columns;
}

// `column` is the first of EpochColumns.
absl::StatusOr<EpochRow> DecodeEpochAt(const Statement& row, const MeasureNames& names,
                                       int column) {
  EpochRow epoch;
  STORE_RETURN_IF_ERROR(ReportTable().ReadAt(row, column, &epoch));
  column += ReportTable().size();
  for (const std::string_view measure : kMeasureColumns) {
    if (!row.IsNull(column)) epoch.metrics.values.Set(measure, row.Real(column));
    ++column;
  }
  for (int slot = 1; slot <= kMeasureSlots; ++slot, ++column) {
    if (!row.IsNull(column)) epoch.metrics.values.Set(names.InSlot(slot), row.Real(column));
  }
  return epoch;
}

// The names of the measures of a trial's sweep.
absl::StatusOr<MeasureNames> NamesOfTrial(Database& database, std::int64_t trial_id) {
  Statement statement = database.Prepare("SELECT sweep_id FROM trials WHERE id = ?");
  STORE_ASSIGN_OR_RETURN(const std::optional<std::int64_t> sweep_id,
                         FirstInt(statement.Bind(trial_id)));
  return MeasureNames::Read(database, sweep_id.value_or(0));
}

// Decodes rows of EpochColumns.
auto EpochDecoder(const MeasureNames& names) {
  return [&names](const Statement& row) { return DecodeEpochAt(row, names, 0); };
}

// Of events v, without their measured values.
const RowTable<EventRow>& EventTable() {
  using Row = EventRow;
  static const auto& table = *new RowTable<Row>({
      {"v.sequence", ReadInto<&Row::sequence>},
      {"v.trial_id", ReadInto<&Row::trial_id>},
      {"v.number", ReadInto<&Row::number>},
      {"v.kind", ReadInto<&Row::kind>},
      {"v.attempt", ReadInto<&Row::attempt>},
      {"v.epoch", ReadInto<&Row::epoch>},
      {"v.time_us", ReadInto<&Row::time>},
      // A trial that reports an epoch is running; such events have no state.
      {"iif(v.epoch > 0, 'running', v.state)", ReadInto<&Row::state>},
  });
  return table;
}

}  // namespace

std::string_view LeaseOutcomeName(LeaseOutcome outcome) {
  switch (outcome) {
    case LeaseOutcome::kCompleted:
      return "completed";
    case LeaseOutcome::kFailed:
      return "failed";
    case LeaseOutcome::kFailedForGood:
      return "failed_for_good";
    case LeaseOutcome::kDiverged:
      return "diverged";
    case LeaseOutcome::kGivenBack:
      return "given_back";
    case LeaseOutcome::kStopped:
      return "stopped";
    case LeaseOutcome::kHeld:
      return "held";
  }
  return "unknown";
}

std::string_view StoredOutcomeName(LeaseOutcome outcome) {
  const bool is_failure =
      outcome == LeaseOutcome::kFailedForGood || outcome == LeaseOutcome::kDiverged;
  return LeaseOutcomeName(is_failure ? LeaseOutcome::kFailed : outcome);
}

const RowTable<AttemptRow>& AttemptTable() {
  using Row = AttemptRow;
  static const auto& table = *new RowTable<Row>({
      {"a.attempt", ReadInto<&Row::attempt>},
      {"a.worker", ReadInto<&Row::worker>},
      {"a.started_us", ReadInto<&Row::started>},
      {"a.ended_us", ReadInto<&Row::ended>},
      {"a.outcome", ReadInto<&Row::outcome>},
      {"a.reason", ReadInto<&Row::reason>},
      {"a.trainer", ReadInto<&Row::trainer>},
  });
  return table;
}

absl::StatusOr<std::vector<EpochRow>> SelectEpochs(Database& database, const std::string& sweep,
                                                   std::int64_t number, std::int64_t offset,
                                                   int limit) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t trial_id, FindTrialId(database, sweep, number));
  STORE_ASSIGN_OR_RETURN(const MeasureNames names, NamesOfTrial(database, trial_id));
  static const std::string kSql = fmt::format(
      "SELECT {} FROM epoch_reports e WHERE e.trial_id = ? ORDER BY e.attempt, e.epoch LIMIT ? "
      "OFFSET ?",
      EpochColumns());
  Statement statement = database.Prepare(kSql);
  statement.Bind(trial_id, Limit(limit), std::max<std::int64_t>(offset, 0));
  return CollectRows<EpochRow>(statement, EpochDecoder(names));
}

absl::StatusOr<std::vector<EventRow>> SelectEvents(Database& database, std::int64_t sweep_id,
                                                   std::int64_t after_sequence, int limit) {
  STORE_ASSIGN_OR_RETURN(const MeasureNames names, MeasureNames::Read(database, sweep_id));
  static const std::string kSql = fmt::format(
      "SELECT {}, {} FROM events v INDEXED BY events_by_sweep LEFT JOIN epoch_reports e ON v.epoch "
      "> 0 AND e.trial_id = v.trial_id AND e.attempt = v.attempt AND e.epoch = v.epoch WHERE "
      "v.sweep_id = ? AND v.sequence > ? ORDER BY v.sequence LIMIT ?",
      EventTable().list(), EpochColumns());
  Statement statement = database.Prepare(kSql);
  statement.Bind(sweep_id, after_sequence, Limit(limit));
  return CollectRows<EventRow>(
      statement, [&names](const Statement& row) -> absl::StatusOr<EventRow> {
        EventRow event;
        STORE_RETURN_IF_ERROR(EventTable().ReadAt(row, 0, &event));
        if (event.epoch == 0) return event;
        STORE_ASSIGN_OR_RETURN(EpochRow epoch, DecodeEpochAt(row, names, EventTable().size()));
        event.values = std::move(epoch.metrics.values);
        return event;
      });
}

absl::StatusOr<std::map<std::int64_t, TrialPlace>> SelectTrialPlaces(Database& database,
                                                                     std::int64_t sweep_id,
                                                                     std::int64_t after_sequence,
                                                                     std::int64_t last_sequence) {
  Statement statement = database.Prepare(
      "SELECT DISTINCT t.id, c.number, t.replicate FROM events v INDEXED BY events_by_sweep JOIN "
      "trials t ON t.id = v.trial_id JOIN configurations c ON c.id = t.configuration_id WHERE "
      "v.sweep_id = ? AND v.sequence > ? AND v.sequence <= ?");
  statement.Bind(sweep_id, after_sequence, last_sequence);
  std::map<std::int64_t, TrialPlace> places;
  while (true) {
    STORE_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return places;
    places[statement.Int(0)] = {.configuration = statement.Int(1),
                                .replicate = static_cast<int>(statement.Int(2))};
  }
}

absl::StatusOr<std::optional<EpochRow>> FirstEpoch(Database& database, std::int64_t trial_id,
                                                   int epoch) {
  STORE_ASSIGN_OR_RETURN(const MeasureNames names, NamesOfTrial(database, trial_id));
  static const std::string kSql = fmt::format(
      "SELECT {} FROM epoch_reports e WHERE e.trial_id = ? AND e.epoch = ? ORDER BY e.attempt "
      "LIMIT 1",
      EpochColumns());
  Statement statement = database.Prepare(kSql);
  return FirstRow<EpochRow>(statement.Bind(trial_id, epoch), EpochDecoder(names));
}

absl::StatusOr<std::vector<AttemptRow>> SelectAttempts(Database& database, const std::string& sweep,
                                                       std::int64_t number) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t trial_id, FindTrialId(database, sweep, number));
  static const std::string kSql =
      AttemptTable().Select("FROM attempts a WHERE a.trial_id = ? ORDER BY a.attempt");
  Statement statement = database.Prepare(kSql);
  return AttemptTable().All(statement.Bind(trial_id));
}

absl::StatusOr<AttemptRow> FindAttempt(Database& database, std::int64_t trial_id, int attempt) {
  static const std::string kSql =
      AttemptTable().Select("FROM attempts a WHERE a.trial_id = ? AND a.attempt = ?");
  Statement statement = database.Prepare(kSql);
  STORE_ASSIGN_OR_RETURN(std::optional<AttemptRow> row,
                         AttemptTable().First(statement.Bind(trial_id, attempt)));
  if (row) return *std::move(row);
  return absl::NotFoundError(fmt::format("trial with id {} has no attempt {}", trial_id, attempt));
}

absl::StatusOr<std::int64_t> CountEpochs(Database& database, std::int64_t trial_id) {
  Statement statement = database.Prepare("SELECT count(*) FROM epoch_reports WHERE trial_id = ?");
  STORE_RETURN_IF_ERROR(statement.Bind(trial_id).Step().status());
  return statement.Int(0);
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
  // A trial's attempts are numbered without gaps, so `attempt` is their number.
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
