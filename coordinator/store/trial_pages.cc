// Finds the trials of one page of a list, in any order. Reads only index entries, or one number, of
// trials that are not on the page.

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/stats/measure_field.h"
#include "common/stats/objective.h"
#include "coordinator/store/internal_queries.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/trial_facts.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::string_view kNumber = "t.number";
constexpr std::string_view kOfState = " AND t.state = ?5 AND t.diverged = ?6";

// Binds the parameters of kOfState.
void BindState(TrialState state, Statement* statement) {
  statement->BindAt(5, StoredStateName(state));
  statement->BindAt(6, state == TrialState::kDiverged);
}

absl::StatusOr<std::vector<std::int64_t>> CollectIds(Statement& statement) {
  return CollectRows<std::int64_t>(
      statement, [](const Statement& row) -> absl::StatusOr<std::int64_t> { return row.Int(0); });
}

// How the database orders a list of trials: those that have the value come first, the others follow
// by number. The SQL is constant; the user's text is only bound, as ?1.
struct Order {
  std::string term;
  std::string_view tie;  // orders equal terms, in the same direction; numbers follow, upwards
  std::string_view from = "trials t";
  std::string present;  // the condition that a trial has such a value; empty: all have
  std::string missing;  // its opposite
  std::string hyperparameter;
  bool descending = false;
};

// A page in an order that the database knows.
class OrderedIds {
 public:
  OrderedIds(Database* database, std::int64_t sweep_id, const TrialQuery& query, const Order& order)
      : database_(*database), sweep_id_(sweep_id), query_(query), order_(order) {}

  absl::StatusOr<std::vector<std::int64_t>> Page() {
    const std::int64_t offset = std::max<std::int64_t>(query_.offset, 0);
    const int limit = Limit(query_.limit);
    STORE_ASSIGN_OR_RETURN(std::vector<std::int64_t> ids, Select(Present(), limit, offset));
    if (order_.missing.empty() || std::ssize(ids) == limit) return ids;
    STORE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> count, Select(CountPresent(), 1, 0));
    const int rest = limit - static_cast<int>(ids.size());
    STORE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> others,
                           Select(Missing(), rest, std::max<std::int64_t>(offset - count[0], 0)));
    ids.insert(ids.end(), others.begin(), others.end());
    return ids;
  }

 private:
  std::string Present() const {
    const std::string_view direction = order_.descending ? "DESC" : "ASC";
    std::string terms = fmt::format("{} {}", order_.term, direction);
    if (!order_.tie.empty()) terms += fmt::format(", {} {}", order_.tie, direction);
    // A term that is there twice keeps SQLite from walking an index in that order.
    if (order_.term != kNumber) terms += fmt::format(", {}", kNumber);
    return fmt::format("SELECT t.id FROM {} {} ORDER BY {}", order_.from, Where(order_.present),
                       terms);
  }
  std::string CountPresent() const {
    return fmt::format("SELECT count(*) FROM {} {}", order_.from, Where(order_.present));
  }
  std::string Missing() const {
    return fmt::format("SELECT t.id FROM trials t {} ORDER BY t.number", Where(order_.missing));
  }
  std::string Where(std::string_view condition) const {
    return fmt::format("WHERE t.sweep_id = ?2{}{}{}", condition.empty() ? "" : " AND ", condition,
                       query_.state ? kOfState : "");
  }

  absl::StatusOr<std::vector<std::int64_t>> Select(const std::string& query, int limit,
                                                   std::int64_t offset) {
    Statement statement = database_.Prepare(query + " LIMIT ?3 OFFSET ?4");
    statement.Bind(order_.hyperparameter, sweep_id_, limit, offset);
    if (query_.state) BindState(*query_.state, &statement);
    return CollectIds(statement);
  }

  Database& database_;
  const std::int64_t sweep_id_;
  const TrialQuery& query_;
  const Order& order_;
};

// A page ordered by a part of a measure's summary. SQLite reads the values of all trials and keeps
// the first ones: an index for every measure would be larger than the values. A sweep's trials have
// their ids in the order of their numbers.
class IdsByMeasure {
 public:
  IdsByMeasure(Database* database, std::int64_t sweep_id, const TrialQuery& query,
               const MeasureField& field, bool descending)
      : database_(*database),
        sweep_id_(sweep_id),
        query_(query),
        field_(field),
        descending_(descending) {}

  absl::StatusOr<std::vector<std::int64_t>> Page() {
    const std::int64_t offset = std::max<std::int64_t>(query_.offset, 0);
    const std::int64_t end = offset + Limit(query_.limit);
    STORE_RETURN_IF_ERROR(FindEnded(end));
    STORE_RETURN_IF_ERROR(FindOpen(end));
    std::sort(found_.begin(), found_.end(), [this](const Found& a, const Found& b) {
      if (a.value != b.value) return descending_ != (a.value < b.value);
      return a.id < b.id;
    });
    std::vector<std::int64_t> page;
    for (std::int64_t i = offset; i < std::min(std::ssize(found_), end); ++i) {
      page.push_back(found_[static_cast<std::size_t>(i)].id);
    }
    if (std::ssize(found_) >= end) return page;
    // With fewer values than that, all of them were found.
    return WithOthers(std::move(page), std::max<std::int64_t>(offset - std::ssize(found_), 0));
  }

 private:
  struct Found {
    std::int64_t id = 0;
    double value = 0;
  };

  // Finds the first `count` trials among those that have ended. The values of a measure are next to
  // each other in trial_values.
  absl::Status FindEnded(std::int64_t count) {
    static constexpr std::string_view kParts[] = {"last", "low", "high"};
    return Find(fmt::format("SELECT v.trial_id AS id, v.{} AS value FROM trial_values v WHERE "
                            "v.sweep_id = ?1 AND v.measure = (SELECT measure FROM measure_names "
                            "WHERE sweep_id = ?1 AND name = ?2)",
                            kParts[static_cast<int>(field_.part)]),
                count);
  }

  // The same among those that have not ended, and those that ended before schema version 7.
  absl::Status FindOpen(std::int64_t count) {
    // A valid name contains no quotes. In JSON infinities are texts.
    return Find(
        fmt::format("SELECT o.id AS id, CASE o.json WHEN 'Infinity' THEN 9e999 WHEN '-Infinity' "
                    "THEN -9e999 ELSE o.json END AS value FROM (SELECT id, json_extract(measures, "
                    "'$.\"' || ?2 || '\"[{}]') AS json FROM trials INDEXED BY trials_with_measures "
                    "WHERE sweep_id = ?1 AND epoch > 0 AND measures <> 'null') o",
                    static_cast<int>(field_.part)),
        count);
  }

  // `values` selects `id` and `value`.
  absl::Status Find(const std::string& values, std::int64_t count) {
    const std::string sql = fmt::format(
        "SELECT id, value FROM ({}) WHERE value IS NOT NULL{} ORDER BY value {}, id LIMIT ?3",
        values, query_.state ? fmt::format(" AND id IN ({})", AllIdsSql()) : "",
        descending_ ? "DESC" : "ASC");
    Statement statement = database_.Prepare(sql);
    statement.Bind(sweep_id_, field_.measure, count);
    if (query_.state) BindState(*query_.state, &statement);
    STORE_ASSIGN_OR_RETURN(
        const std::vector<Found> found,
        CollectRows<Found>(statement, [](const Statement& row) -> absl::StatusOr<Found> {
          return Found{.id = row.Int(0), .value = row.Real(1)};
        }));
    found_.insert(found_.end(), found.begin(), found.end());
    return absl::OkStatus();
  }

  // The trials in the query's state.
  std::string AllIdsSql() const {
    return fmt::format("SELECT t.id FROM trials t WHERE t.sweep_id = ?1{}",
                       query_.state ? kOfState : "");
  }

  // Fills the page with trials without a value, by number, after the first `skip` of them.
  absl::StatusOr<std::vector<std::int64_t>> WithOthers(std::vector<std::int64_t> page,
                                                       std::int64_t skip) {
    std::vector<std::int64_t> with_value;
    for (const Found& one : found_) with_value.push_back(one.id);
    std::sort(with_value.begin(), with_value.end());
    const std::string sql = AllIdsSql() + " ORDER BY t.number";
    Statement statement = database_.Prepare(sql);
    statement.BindAt(1, sweep_id_);
    if (query_.state) BindState(*query_.state, &statement);
    while (std::ssize(page) < Limit(query_.limit)) {
      STORE_ASSIGN_OR_RETURN(const bool is_row, statement.Step());
      if (!is_row) break;
      const std::int64_t id = statement.Int(0);
      if (std::binary_search(with_value.begin(), with_value.end(), id) || skip-- > 0) continue;
      page.push_back(id);
    }
    return page;
  }

  Database& database_;
  const std::int64_t sweep_id_;
  const TrialQuery& query_;
  const MeasureField& field_;
  const bool descending_;
  std::vector<Found> found_;
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

// By a fact of every trial that has an index.
Order OrderBy(const TrialOrder& fact) {
  Order order{.term = std::string(fact.sql), .present = std::string(fact.present)};
  if (!order.present.empty()) order.missing = fmt::format("NOT ({})", order.present);
  return order;
}

absl::StatusOr<Order> OrderByHyperparameter(Database& database, std::int64_t sweep_id,
                                            const TrialQuery& query, std::string_view name) {
  if (!IsHyperparameterName(name)) {
    return absl::InvalidArgumentError(
        fmt::format("trials cannot be ordered by '{}'", query.order_by));
  }
  Statement statement = database.Prepare(
      "SELECT EXISTS (SELECT 1 FROM configurations WHERE sweep_id = ?1) AND NOT EXISTS (SELECT 1 "
      "FROM parameter_values WHERE sweep_id = ?1 AND name = ?2)");
  STORE_RETURN_IF_ERROR(statement.Bind(sweep_id, name).Step().status());
  if (statement.Int(0) != 0) {
    return absl::InvalidArgumentError(fmt::format(
        "trials cannot be ordered by '{}': sweep '{}' has no such hyperparameter; others are {}",
        query.order_by, query.sweep, TrialOrderNames()));
  }
  return Order{
      .term = "v.value",
      .tie = "v.configuration_id",  // as the index has it: many may have the same value
      .from = "parameter_values v CROSS JOIN trials t ON t.configuration_id = v.configuration_id",
      .present = "v.sweep_id = ?2 AND v.name = ?1",
      .missing =
          "NOT EXISTS (SELECT 1 FROM parameter_values v WHERE v.configuration_id = "
          "t.configuration_id AND v.name = ?1)",
      .hyperparameter = std::string(name)};
}

}  // namespace

absl::StatusOr<std::vector<std::int64_t>> SelectPageIds(Database& database, std::int64_t sweep_id,
                                                        const TrialQuery& query) {
  std::string_view name = query.order_by;
  constexpr std::string_view kDescending = " desc";
  const bool descending = name.ends_with(kDescending);
  if (descending) name.remove_suffix(kDescending.size());
  const bool of_parameters = name.starts_with(kParametersPrefix);
  name = WithoutParametersPrefix(name);
  if (name.empty() && !of_parameters) name = "number";
  STORE_ASSIGN_OR_RETURN(const Objective metric, FindMetric(database, sweep_id));
  if (const auto field = ParseMeasureField(name, {metric}); field && !of_parameters) {
    const bool has_index =
        field->measure == CanonicalMeasure(metric.name) &&
        field->part == (metric.maximize ? MeasureField::Part::kHigh : MeasureField::Part::kLow);
    if (!has_index) return IdsByMeasure(&database, sweep_id, query, *field, descending).Page();
    name = "best";
  }
  Order order;
  if (const TrialOrder* const fact = FindTrialOrder(name); fact != nullptr && !of_parameters) {
    order = OrderBy(*fact);
  } else {
    STORE_ASSIGN_OR_RETURN(order, OrderByHyperparameter(database, sweep_id, query, name));
  }
  order.descending = descending;
  return OrderedIds(&database, sweep_id, query, order).Page();
}

}  // namespace sweep
