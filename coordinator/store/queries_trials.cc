// Queries about trials.

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/stats/measure_field.h"
#include "common/stats/objective.h"
#include "coordinator/store/json_codec.h"
#include "coordinator/store/row_table.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/trial_facts.h"
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

// How to order a list of trials: first those that have such a value, by it, then the others by
// number. Constant SQL; what a person typed is only ever bound, as ?1.
struct Order {
  std::string term;
  std::string_view tie;  // follows the direction; then come the numbers, upwards
  std::string_view from = "trials t";
  std::string present;  // the condition that a trial has such a value; empty: all have
  std::string missing;  // its opposite
  std::string hyperparameter;
  std::string measure;
  std::string values;  // a query of the trials with such a number of the measure, and the number
  bool descending = false;
};

bool IsHyperparameterName(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
}

absl::StatusOr<Objective> FindMetric(Database& database, std::int64_t sweep_id) {
  Statement statement =
      database.Prepare("SELECT metric, goal = 'maximize' FROM sweeps WHERE id = ?");
  STORE_RETURN_IF_ERROR(statement.Bind(sweep_id).Step().status());
  return Objective{.name = statement.Text(0), .maximize = statement.Int(1) != 0};
}

// By a part of a measure's summary. Those that have ended are next to each other in trial_values.
Order OrderBy(const MeasureField& field) {
  static constexpr std::string_view kParts[] = {"last", "low", "high"};
  const int part = static_cast<int>(field.part);
  // The name was checked: it holds no quotes. Infinities are words there.
  const std::string json =
      fmt::format("json_extract(measures, '$.\"{}\"[{}]')", field.measure, part);
  return {.measure = field.measure,
          .values = fmt::format(
              "SELECT trial_id, {0} AS value FROM trial_values WHERE sweep_id = ?2 AND measure = "
              "(SELECT measure FROM measure_names WHERE sweep_id = ?2 AND name = ?1) AND {0} IS "
              "NOT NULL UNION ALL SELECT id, CASE {1} WHEN 'Infinity' THEN 9e999 WHEN '-Infinity' "
              "THEN -9e999 ELSE {1} END FROM trials INDEXED BY trials_with_measures WHERE sweep_id "
              "= ?2 AND epoch > 0 AND measures <> 'null' AND {1} IS NOT NULL",
              kParts[part], json)};
}

// `metric`: the sweep's, which has an index.
absl::StatusOr<Order> ParseOrder(const std::string& text, const Objective& metric) {
  Order order;
  std::string_view name = text;
  constexpr std::string_view kDescending = " desc";
  if (name.ends_with(kDescending)) {
    order.descending = true;
    name.remove_suffix(kDescending.size());
  }
  const bool of_parameters = name.starts_with(kParametersPrefix);
  name = WithoutParametersPrefix(name);
  if (const auto field = ParseMeasureField(name, {metric}); field && !of_parameters) {
    const bool is_metric =
        field->measure == CanonicalMeasure(metric.name) &&
        field->part == (metric.maximize ? MeasureField::Part::kHigh : MeasureField::Part::kLow);
    if (!is_metric) {
      Order by_measure = OrderBy(*field);
      by_measure.descending = order.descending;
      return by_measure;
    }
    name = "best";
  }
  if (const TrialOrder* const fact = FindTrialOrder(name.empty() ? "number" : name);
      fact != nullptr && !of_parameters) {
    order.term = fact->sql;
    order.present = fact->present;
    if (!order.present.empty()) order.missing = fmt::format("NOT ({})", order.present);
    return order;
  }
  if (!IsHyperparameterName(name)) {
    return absl::InvalidArgumentError(fmt::format("trials cannot be ordered by '{}'", text));
  }
  order.term = "v.value";
  order.tie = "v.configuration_id";  // as the index has it: many may have the same value
  order.from = "parameter_values v CROSS JOIN trials t ON t.configuration_id = v.configuration_id";
  order.present = "v.sweep_id = ?2 AND v.name = ?1";
  order.missing =
      "NOT EXISTS (SELECT 1 FROM parameter_values v WHERE v.configuration_id = t.configuration_id "
      "AND v.name = ?1)";
  order.hyperparameter = std::string(name);
  return order;
}

absl::Status CheckHyperparameterExists(Database& database, std::int64_t sweep_id,
                                       const TrialQuery& query, const Order& order) {
  if (order.hyperparameter.empty()) return absl::OkStatus();
  Statement statement = database.Prepare(
      "SELECT EXISTS (SELECT 1 FROM configurations WHERE sweep_id = ?1) AND NOT EXISTS (SELECT 1 "
      "FROM parameter_values WHERE sweep_id = ?1 AND name = ?2)");
  STORE_RETURN_IF_ERROR(statement.Bind(sweep_id, order.hyperparameter).Step().status());
  if (statement.Int(0) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "trials cannot be ordered by '{}': sweep '{}' has no such hyperparameter; others are {}",
      query.order_by, query.sweep, TrialOrderNames()));
}

// Finds the trials of a page: reads of those that are not on it only what an index has.
class TrialIds {
 public:
  TrialIds(Database* database, std::int64_t sweep_id, const TrialQuery& query, const Order& order)
      : database_(*database), sweep_id_(sweep_id), query_(query), order_(order) {}

  absl::StatusOr<std::vector<std::int64_t>> Page() {
    const std::int64_t offset = std::max<std::int64_t>(query_.offset, 0);
    const int limit = Limit(query_.limit);
    STORE_ASSIGN_OR_RETURN(std::vector<std::int64_t> ids, Select(Ordered(), limit, offset));
    const bool have_all = order_.missing.empty() && !IsByMeasure();
    if (have_all || std::ssize(ids) == limit) return ids;
    STORE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> count, Select(Count(), 1, 0));
    const int rest = limit - static_cast<int>(ids.size());
    STORE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> others,
                           Select(Missing(), rest, std::max<std::int64_t>(offset - count[0], 0)));
    ids.insert(ids.end(), others.begin(), others.end());
    return ids;
  }

 private:
  std::string Ordered() const {
    const std::string_view direction = order_.descending ? "DESC" : "ASC";
    // A sweep's trials have their ids in the order of their numbers.
    if (IsByMeasure()) {
      return fmt::format("SELECT trial_id FROM ({}) {} ORDER BY value {}, trial_id", order_.values,
                         OfState(), direction);
    }
    return fmt::format("SELECT t.id FROM {} {} ORDER BY {} {}, {}t.number", order_.from,
                       Where(order_.present), order_.term, direction,
                       order_.tie.empty() ? "" : fmt::format("{} {}, ", order_.tie, direction));
  }
  std::string Count() const {
    if (IsByMeasure()) return fmt::format("SELECT count(*) FROM ({}) {}", order_.values, OfState());
    return fmt::format("SELECT count(*) FROM {} {}", order_.from, Where(order_.present));
  }
  std::string Missing() const {
    const std::string missing =
        IsByMeasure() ? fmt::format("t.id NOT IN (SELECT trial_id FROM ({}))", order_.values)
                      : order_.missing;
    return fmt::format("SELECT t.id FROM trials t {} ORDER BY t.number", Where(missing));
  }
  std::string Where(std::string_view condition) const {
    return fmt::format("WHERE t.sweep_id = ?2{}{}{}", condition.empty() ? "" : " AND ", condition,
                       query_.state ? " AND t.state = ?5 AND t.diverged = ?6" : "");
  }
  std::string OfState() const {
    if (!query_.state) return "";
    return fmt::format("WHERE trial_id IN (SELECT t.id FROM trials t {})", Where(""));
  }
  bool IsByMeasure() const { return !order_.values.empty(); }

  absl::StatusOr<std::vector<std::int64_t>> Select(const std::string& query, int limit,
                                                   std::int64_t offset) {
    const std::string sql = query + " LIMIT ?3 OFFSET ?4";  // outlives the statement
    Statement statement = database_.Prepare(sql);
    statement.Bind(IsByMeasure() ? order_.measure : order_.hyperparameter, sweep_id_, limit,
                   offset);
    if (query_.state) {
      statement.BindAt(5, StoredStateName(*query_.state));
      statement.BindAt(6, *query_.state == TrialState::kDiverged);
    }
    return CollectRows<std::int64_t>(
        statement, [](const Statement& row) -> absl::StatusOr<std::int64_t> { return row.Int(0); });
  }

  Database& database_;
  const std::int64_t sweep_id_;
  const TrialQuery& query_;
  const Order& order_;
};

}  // namespace

absl::Duration TrialRow::AttemptTime(absl::Time now) const {
  if (!attempt_started) return ended_attempts;
  return ended_attempts + std::max(now - *attempt_started, absl::ZeroDuration());
}

ParameterMap TrialRow::Defaults() const {
  ParameterMap defaults = resolved;
  std::erase_if(defaults, [this](const auto& entry) { return parameters.contains(entry.first); });
  return defaults;
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
      // Until a trial has its weights, its checkpoint is what there is of them.
      "UNION ALL SELECT 'checkpoint', t.checkpoint_sha256, b.size_bytes FROM trials t "
      "JOIN blobs b ON b.sha256 = t.checkpoint_sha256 WHERE t.id = ?1 AND t.state <> 'completed' "
      "ORDER BY 1");
  statement.Bind(trial_id);
  return CollectRows<ArtifactRow>(
      statement, [](const Statement& row) -> absl::StatusOr<ArtifactRow> {
        return ArtifactRow{.role = row.Text(0), .sha256 = row.Text(1), .size_bytes = row.Int(2)};
      });
}

namespace {

absl::StatusOr<TrialRow> WithArtifacts(Database& database, absl::StatusOr<StoredTrial> stored) {
  if (!stored.ok()) return stored.status();
  STORE_ASSIGN_OR_RETURN(stored->row.artifacts, SelectArtifacts(database, stored->row.id));
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
  STORE_ASSIGN_OR_RETURN(const Objective metric, FindMetric(database, sweep_id));
  STORE_ASSIGN_OR_RETURN(const Order order, ParseOrder(query.order_by, metric));
  STORE_RETURN_IF_ERROR(CheckHyperparameterExists(database, sweep_id, query, order));
  STORE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> ids,
                         TrialIds(&database, sweep_id, query, order).Page());
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

}  // namespace sweep
