#include "coordinator/store/trial_facts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "coordinator/store/row_table.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using Getter = std::optional<Value> (*)(const TrialRow& trial);

template <typename T>
Value AsValue(const T& member) {
  if constexpr (std::is_same_v<T, TrialState>) {
    return std::string(TrialStateName(member));
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return static_cast<std::int64_t>(member);
  } else {
    return member;
  }
}
// The member as it is, and a number that is 0 as long as there is none.
template <auto... path>
std::optional<Value> Get(const TrialRow& trial) {
  return AsValue((trial.*....*path));
}
template <auto... path>
std::optional<Value> GetReached(const TrialRow& trial) {
  if ((trial.*....*path) == 0) return std::nullopt;
  return AsValue((trial.*....*path));
}

// Whether the database orders by it.
struct Sorting {
  bool is_quick = false;
  std::string_view present = {};  // as in TrialOrder
};
constexpr Sorting kAll = {.is_quick = true};

template <typename Row>
struct Fact {
  std::string_view name;  // "": nothing names it
  Column<Row> column;     // read into nothing: it is only ordered by
  Getter value = nullptr;
  Sorting sorting = {};
};

// Of trials t, their configurations c and their sweep s.
const std::vector<Fact<TrialRow>>& StoredFacts() {
  using Row = TrialRow;
  static const auto& facts = *new std::vector<Fact<TrialRow>>{
      {"", {"t.id", ReadInto<&Row::id>}},
      {"", {"t.sweep_id", ReadInto<&Row::sweep_id>}},
      {"", {"s.name", ReadInto<&Row::sweep>}},
      {"number", {"t.number", ReadInto<&Row::number>}, Get<&Row::number>, kAll},
      {"", {"t.configuration_id", ReadInto<&Row::configuration_id>}},
      {"configuration", {"c.number", ReadInto<&Row::configuration>}, Get<&Row::configuration>},
      {"replicate", {"t.replicate", ReadInto<&Row::replicate>}, Get<&Row::replicate>},
      {"state", {kTrialStateSql, ReadInto<&Row::state>}, Get<&Row::state>},
      {"", {"c.parameters", ReadInto<&Row::parameters>}},
      {"", {"c.resolved", ReadInto<&Row::resolved>}},
      {"model", {"c.model", ReadInto<&Row::model>}, Get<&Row::model>},
      {"parameters",
       {"c.network_parameters", ReadInto<&Row::network_parameters>},
       Get<&Row::network_parameters>},
      {"fully_connected",
       {"c.fully_connected", ReadInto<&Row::fully_connected>},
       Get<&Row::fully_connected>},
      {"", {"t.seed", ReadInto<&Row::seed>}},
      {"attempt", {"t.attempt", ReadInto<&Row::attempt>}, Get<&Row::attempt>},
      {"failures", {"t.failures", ReadInto<&Row::failures>}, Get<&Row::failures>},
      {"epochs", {"t.epochs", ReadInto<&Row::epochs>}, Get<&Row::epochs>},
      {"", {"t.target_epoch", ReadInto<&Row::target_epoch>}},
      {"", {"t.stopping", ReadInto<&Row::stopping>}},
      {"", {"c.qualifies", ReadInto<&Row::qualifies>}},
      {"", {"t.reason", ReadInto<&Row::reason>}},
      {"worker", {"t.worker", ReadInto<&Row::worker>}, Get<&Row::worker>},
      {"", {"t.created_us", ReadInto<&Row::created>}},
      {"", {"t.started_us", ReadInto<&Row::started>}},
      {"", {"t.ended_us", ReadInto<&Row::ended>}},
      {"",
       {"(SELECT sum(a.ended_us - a.started_us) FROM attempts a WHERE a.trial_id = t.id)",
        ReadInto<&Row::ended_attempts>}},
      {"",
       {"(SELECT a.started_us FROM attempts a WHERE a.trial_id = t.id AND a.attempt = t.attempt "
        "AND a.ended_us IS NULL)",
        ReadInto<&Row::attempt_started>}},
      {"", {"t.checkpoint_sha256", ReadInto<&Row::checkpoint_sha256>}},
      {"", {"t.checkpoint_epoch", ReadInto<&Row::checkpoint_epoch>}},
  };
  return facts;
}

// What the trial has reached, for rows that have a TrialResult.
const std::vector<Fact<TrialResult>>& ResultFacts() {
  using Row = TrialResult;
  constexpr auto result = &TrialRow::result;
  static const auto& facts = *new std::vector<Fact<TrialResult>>{
      {"epoch", {"t.epoch", ReadInto<&Row::epoch>}, Get<result, &Row::epoch>},
      // Of the objective; what filters call so is a part of its measure's summary.
      {"best", {"t.best", nullptr}, nullptr, {true, "t.epoch > 0 AND t.best IS NOT NULL"}},
      {"best_epoch",
       {"t.best_epoch", ReadInto<&Row::best_epoch>},
       GetReached<result, &Row::best_epoch>},
      {"epochs_to_target",
       {"t.epochs_to_target", ReadInto<&Row::epochs_to_target>},
       GetReached<result, &Row::epochs_to_target>,
       {true, "t.epochs_to_target > 0"}},
      {"", {"t.epochs_in_a_row", ReadInto<&Row::epochs_in_a_row>}},
      {"", {"t.measures", ReadInto<&Row::measures>}},
      {"", {"t.standing", ReadInto<&Row::standing>}},
  };
  return facts;
}

template <typename Row>
std::vector<Column<Row>> ColumnsOf(const std::vector<Fact<Row>>& facts) {
  std::vector<Column<Row>> columns;
  for (const Fact<Row>& fact : facts) {
    if (fact.column.read != nullptr) columns.push_back(fact.column);
  }
  return columns;
}

// Calls `use(fact)` with the facts of both lists.
template <typename Use>
void ForEachFact(Use use) {
  for (const auto& fact : StoredFacts()) use(fact);
  for (const auto& fact : ResultFacts()) use(fact);
}

const std::vector<TrialOrder>& TrialOrders() {
  static const auto& orders = *[] {
    auto* list = new std::vector<TrialOrder>;
    ForEachFact([&](const auto& fact) {
      if (fact.sorting.is_quick) {
        list->push_back({fact.name, fact.column.sql, fact.sorting.present});
      }
    });
    return list;
  }();
  return orders;
}

template <typename Entry>
const Entry* FindByName(const std::vector<Entry>& entries, std::string_view name) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<TrialFact>& TrialFacts() {
  static const auto& facts = *[] {
    auto* list = new std::vector<TrialFact>;
    ForEachFact([&](const auto& fact) {
      if (fact.value != nullptr) list->push_back({fact.name, fact.value});
    });
    std::sort(list->begin(), list->end(),
              [](const TrialFact& a, const TrialFact& b) { return a.name < b.name; });
    return list;
  }();
  return facts;
}

const TrialFact* FindTrialFact(std::string_view name) { return FindByName(TrialFacts(), name); }

const TrialOrder* FindTrialOrder(std::string_view name) { return FindByName(TrialOrders(), name); }

const std::string& TrialOrderNames() {
  static const auto& names = *[] {
    auto* text = new std::string;
    const std::vector<TrialOrder>& orders = TrialOrders();
    for (std::size_t i = 0; i < orders.size(); ++i) {
      if (i > 0) text->append(i + 1 < orders.size() ? ", " : " and ");
      text->append(orders[i].name);
    }
    return text;
  }();
  return names;
}

const RowTable<TrialResult>& ResultTable() {
  static const auto& table = *new RowTable<TrialResult>(ColumnsOf(ResultFacts()));
  return table;
}

const RowTable<TrialRow>& TrialTable() {
  static const auto& table = *new RowTable<TrialRow>(ColumnsOf(StoredFacts()),
                                                     {PartInto<&TrialRow::result>(ResultTable())});
  return table;
}

}  // namespace sweep
