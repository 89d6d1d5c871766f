// Queries about what attempts have reported.

#include <algorithm>
#include <utility>

#include "coordinator/store/internal_queries.h"
#include "coordinator/store/json_codec.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

#define EPOCH_COLUMNS                                                                     \
  "e.attempt, e.epoch, e.reported_us, e.more, e.train_loss, e.train_accuracy, "           \
  "e.validation_loss, e.validation_accuracy, e.lr, e.train_seconds, e.evaluate_seconds, " \
  "e.images_per_second "

#define ATTEMPT_COLUMNS "attempt, worker, started_us, ended_us, outcome, reason "

// `column` is that of the first.
absl::StatusOr<EpochRow> DecodeEpochAt(const Statement& row, int column) {
  EpochRow epoch;
  epoch.attempt = static_cast<int>(row.Int(column++));
  epoch.metrics.epoch = static_cast<int>(row.Int(column++));
  epoch.reported = FromMicros(row.Int(column++));
  if (!row.IsNull(column)) {
    STORE_ASSIGN_OR_RETURN(epoch.metrics.values, DecodeMeasurements(row.Text(column)));
  }
  ++column;
  for (const Measure& measure : PredefinedMeasures()) {
    if (!row.IsNull(column)) epoch.metrics.values.Set(measure.name, row.Real(column));
    ++column;
  }
  return epoch;
}

absl::StatusOr<EpochRow> DecodeEpoch(const Statement& row) { return DecodeEpochAt(row, 0); }

AttemptRow DecodeAttempt(const Statement& row) {
  AttemptRow attempt;
  attempt.attempt = static_cast<int>(row.Int(0));
  attempt.worker = row.Text(1);
  attempt.started = FromMicros(row.Int(2));
  attempt.ended = OptionalTime(row, 3);
  attempt.outcome = row.Text(4);
  attempt.reason = row.Text(5);
  return attempt;
}

}  // namespace

absl::StatusOr<std::vector<EpochRow>> SelectEpochs(Database& database, const std::string& sweep,
                                                   std::int64_t number, std::int64_t offset,
                                                   int limit) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t trial_id, FindTrialId(database, sweep, number));
  Statement statement = database.Prepare(
      "SELECT " EPOCH_COLUMNS
      "FROM epoch_reports e WHERE e.trial_id = ? ORDER BY e.attempt, e.epoch LIMIT ? OFFSET ?");
  statement.Bind(trial_id, Limit(limit), std::max<std::int64_t>(offset, 0));
  return CollectRows<EpochRow>(statement, DecodeEpoch);
}

absl::StatusOr<EpochRow> FindEpoch(Database& database, std::int64_t trial_id, int attempt,
                                   int epoch) {
  Statement statement = database.Prepare(
      "SELECT " EPOCH_COLUMNS
      "FROM epoch_reports e WHERE e.trial_id = ? AND e.attempt = ? AND e.epoch = ?");
  STORE_ASSIGN_OR_RETURN(const std::optional<EpochRow> row,
                         FirstRow<EpochRow>(statement.Bind(trial_id, attempt, epoch), DecodeEpoch));
  if (row) return *row;
  return absl::NotFoundError(
      fmt::format("trial with id {} has no epoch {} of attempt {}", trial_id, epoch, attempt));
}

absl::StatusOr<std::vector<MeasuredEvent>> SelectMeasuredEvents(Database& database,
                                                                std::int64_t sweep_id,
                                                                std::int64_t after_sequence,
                                                                int limit) {
  constexpr int kEventColumns = 8;
  Statement statement = database.Prepare(
      "SELECT " EVENT_COLUMNS ", " EPOCH_COLUMNS
      "FROM events v INDEXED BY events_by_sweep LEFT JOIN epoch_reports e ON v.epoch > 0 AND "
      "e.trial_id = v.trial_id AND e.attempt = v.attempt AND e.epoch = v.epoch WHERE v.sweep_id = "
      "? AND v.sequence > ? ORDER BY v.sequence LIMIT ?");
  statement.Bind(sweep_id, after_sequence, Limit(limit));
  return CollectRows<MeasuredEvent>(
      statement, [](const Statement& row) -> absl::StatusOr<MeasuredEvent> {
        MeasuredEvent measured{.event = DecodeEvent(row)};
        if (measured.event.epoch == 0) return measured;
        STORE_ASSIGN_OR_RETURN(EpochRow epoch, DecodeEpochAt(row, kEventColumns));
        measured.values = std::move(epoch.metrics.values);
        return measured;
      });
}

absl::StatusOr<std::optional<EpochRow>> FirstEpoch(Database& database, std::int64_t trial_id,
                                                   int epoch) {
  Statement statement = database.Prepare(
      "SELECT " EPOCH_COLUMNS
      "FROM epoch_reports e WHERE e.trial_id = ? AND e.epoch = ? ORDER BY e.attempt LIMIT 1");
  return FirstRow<EpochRow>(statement.Bind(trial_id, epoch), DecodeEpoch);
}

absl::StatusOr<std::vector<AttemptRow>> SelectAttempts(Database& database, const std::string& sweep,
                                                       std::int64_t number) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t trial_id, FindTrialId(database, sweep, number));
  Statement statement = database.Prepare("SELECT " ATTEMPT_COLUMNS
                                         "FROM attempts WHERE trial_id = ? ORDER BY attempt");
  return CollectRows<AttemptRow>(statement.Bind(trial_id), DecodeAttempt);
}

absl::StatusOr<AttemptRow> FindAttempt(Database& database, std::int64_t trial_id, int attempt) {
  Statement statement = database.Prepare("SELECT " ATTEMPT_COLUMNS
                                         "FROM attempts WHERE trial_id = ? AND attempt = ?");
  STORE_ASSIGN_OR_RETURN(std::optional<AttemptRow> row,
                         FirstRow<AttemptRow>(statement.Bind(trial_id, attempt), DecodeAttempt));
  if (row) return *std::move(row);
  return absl::NotFoundError(fmt::format("trial with id {} has no attempt {}", trial_id, attempt));
}

}  // namespace sweep
