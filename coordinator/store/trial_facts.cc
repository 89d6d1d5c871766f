#include "coordinator/store/trial_facts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "coordinator/store/row_table.h"

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
// The value of a member. With GetReached, 0 means that there is no value yet.
template <auto... path>
std::optional<Value> Get(const TrialRow& trial) {
  return AsValue((trial.*....*path));
}
template <auto... path>
std::optional<Value> GetReached(const TrialRow& trial) {
  if ((trial.*....*path) == 0) return std::nullopt;
  return AsValue((trial.*....*path));
}
// The value of an optional member, or of a text that is not empty.
template <auto member>
std::optional<Value> GetKnown(const TrialRow& trial) {
  const auto& value = trial.*member;
  if constexpr (std::is_same_v<decltype(value), const std::string&>) {
    if (value.empty()) return std::nullopt;
    return value;
  } else {
    if (!value) return std::nullopt;
    return *value;
  }
}
// The member, of a segment of a population.
template <auto member>
std::optional<Value> GetOfSegment(const TrialRow& trial) {
  if (!trial.is_segment()) return std::nullopt;
  return AsValue(trial.*member);
}
// The member in millions, for a trial with a known network.
template <auto member>
std::optional<Value> GetMega(const TrialRow& trial) {
  if (trial.receptive_field == 0) return std::nullopt;
  return static_cast<double>(trial.*member) / 1e6;
}

// Uses of a fact besides rows.
struct Use {
  bool orders = false;            // the database orders by it
  std::string_view present = {};  // as in TrialOrder
  bool in_index = false;          // the index of a sweep reads it, although it has no name
  bool of_network = false;        // it is one of NetworkFacts()
};
constexpr Use kOrders = {.orders = true};
constexpr Use kInIndex = {.in_index = true};
constexpr Use kOfNetwork = {.of_network = true};

template <typename Row>
struct Fact {
  std::string_view name;   // "": nothing refers to it by name
  Column<Row> column;      // without `read`: it is only for ordering
  Getter value = nullptr;  // null: filters and the index do not use it
  Use use = {};
};

// Of trials t and their sweep s.
const std::vector<Fact<TrialRow>>& OwnFacts() {
  using Row = TrialRow;
  static const auto& facts = *new std::vector<Fact<TrialRow>>{
      {"", {"t.id", ReadInto<&Row::id>}, nullptr, kInIndex},
      {"", {"t.sweep_id", ReadInto<&Row::sweep_id>}},
      {"", {"s.name", ReadInto<&Row::sweep>}},
      {"number", {"t.number", ReadInto<&Row::number>}, Get<&Row::number>, kOrders},
      {"", {"t.configuration_id", ReadInto<&Row::configuration_id>}},
      {"replicate", {"t.replicate", ReadInto<&Row::replicate>}, Get<&Row::replicate>},
      {"state", {kTrialStateSql, ReadInto<&Row::state>}, Get<&Row::state>},
      {"", {"t.seed", ReadInto<&Row::seed>}},
      {"attempt", {"t.attempt", ReadInto<&Row::attempt>}, Get<&Row::attempt>},
      {"failures", {"t.failures", ReadInto<&Row::failures>}, Get<&Row::failures>},
      {"epochs", {"t.epochs", ReadInto<&Row::epochs>}, Get<&Row::epochs>},
      {"target_epoch",
       {"t.target_epoch", ReadInto<&Row::target_epoch>},
       GetReached<&Row::target_epoch>},
      {"", {"t.stopping", ReadInto<&Row::stopping>}},
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

// Of the configurations c of trials: the choices of the search.
const std::vector<Fact<TrialRow>>& ConfigurationFacts() {
  using Row = TrialRow;
  static const auto& facts = *new std::vector<Fact<TrialRow>>{
      {"configuration", {"c.number", ReadInto<&Row::configuration>}, Get<&Row::configuration>},
      {"", {"c.parameters", ReadInto<&Row::parameters>}, nullptr, kInIndex},
      {"", {"c.resolved", ReadInto<&Row::resolved>}},
      {"model", {"c.model", ReadInto<&Row::model>}, Get<&Row::model>},
      {"parameters",
       {"c.network_parameters", ReadInto<&Row::network_parameters>},
       Get<&Row::network_parameters>},
      {"fully_connected",
       {"c.fully_connected", ReadInto<&Row::fully_connected>},
       Get<&Row::fully_connected>},
      {"forward_mflop",
       {"c.forward_flops", ReadInto<&Row::forward_flops>},
       GetMega<&Row::forward_flops>,
       kOfNetwork},
      {"train_mflop",
       {"c.train_flops", ReadInto<&Row::train_flops>},
       GetMega<&Row::train_flops>,
       kOfNetwork},
      {"receptive_field",
       {"c.receptive_field", ReadInto<&Row::receptive_field>},
       GetReached<&Row::receptive_field>,
       kOfNetwork},
      {"chosen_by", {"c.chosen_by", ReadInto<&Row::chosen_by>}, GetKnown<&Row::chosen_by>},
      {"chosen_source",
       {"c.chosen_source", ReadInto<&Row::chosen_source>},
       GetKnown<&Row::chosen_source>},
      {"expected_improvement",
       {"c.expected_improvement", ReadInto<&Row::expected_improvement>},
       GetKnown<&Row::expected_improvement>},
      {"seen_results",
       {"c.seen_results", ReadInto<&Row::seen_results>},
       GetReached<&Row::seen_results>},
      {"member", {"c.member", ReadInto<&Row::member>}, GetReached<&Row::member>},
      {"parent", {"c.parent", ReadInto<&Row::parent>}, GetReached<&Row::parent>},
      {"start_epoch",
       {"c.start_epoch", ReadInto<&Row::start_epoch>},
       GetOfSegment<&Row::start_epoch>},
      {"", {"c.qualifies", ReadInto<&Row::qualifies>}},
  };
  return facts;
}

// Of configurations c: the results of their trials.
const std::vector<Fact<ConfigurationScore>>& ScoreFacts() {
  using Row = ConfigurationScore;
  static const auto& facts = *new std::vector<Fact<ConfigurationScore>>{
      {"", {"c.has_value", ReadInto<&Row::has_value>}, nullptr, kInIndex},
      {"", {"c.qualifies", ReadInto<&Row::qualifies>}, nullptr, kInIndex},
      {"", {"c.held", ReadInto<&Row::values>}, nullptr, kInIndex},
      {"", {"c.metric", ReadInto<&Row::metric>}, nullptr, kInIndex},
      {"", {"c.epochs_to_target", ReadInto<&Row::epochs_to_target>}, nullptr, kInIndex},
      {"", {"c.best_replicate", ReadInto<&Row::best_replicate>}, nullptr, kInIndex},
      {"", {"c.replicates", ReadInto<&Row::replicates>}},
      {"", {"c.mean_last", ReadInto<&Row::mean_last>}},
      {"", {"c.mean_half_width", ReadInto<&Row::mean_half_width>}},
      {"", {"c.gates", ReadInto<&Row::gates>}},
  };
  return facts;
}

// Of trials t: their results, for rows with a TrialResult.
const std::vector<Fact<TrialResult>>& ResultFacts() {
  using Row = TrialResult;
  constexpr auto result = &TrialRow::result;
  static const auto& facts = *new std::vector<Fact<TrialResult>>{
      {"epoch", {"t.epoch", ReadInto<&Row::epoch>}, Get<result, &Row::epoch>},
      // The objective's best value. Filters find it in the summary of its measure instead.
      {"best", {"t.best", nullptr}, nullptr, {true, "t.epoch > 0 AND t.best IS NOT NULL"}},
      {"best_epoch",
       {"t.best_epoch", ReadInto<&Row::best_epoch>},
       GetReached<result, &Row::best_epoch>},
      {"epochs_to_target",
       {"t.epochs_to_target", ReadInto<&Row::epochs_to_target>},
       GetReached<result, &Row::epochs_to_target>,
       {true, "t.epochs_to_target > 0"}},
      {"", {"t.epochs_in_a_row", ReadInto<&Row::epochs_in_a_row>}},
      {"", {"coalesce(t.packed_measures, t.measures)", ReadInto<&Row::measures>}},
      {"", {"t.standing", ReadInto<&Row::standing>}},
  };
  return facts;
}

template <typename Row>
bool IsInIndex(const Fact<Row>& fact) {
  return fact.value != nullptr || fact.use.in_index;
}

template <typename Row>
std::vector<Column<Row>> ColumnsOf(const std::vector<Fact<Row>>& facts,
                                   bool (*is_chosen)(const Fact<Row>&) = nullptr) {
  std::vector<Column<Row>> columns;
  for (const Fact<Row>& fact : facts) {
    if (fact.column.read == nullptr) continue;
    if (is_chosen == nullptr || is_chosen(fact)) columns.push_back(fact.column);
  }
  return columns;
}

// The columns of a TrialRow without its result.
std::vector<Column<TrialRow>> TrialColumns(bool (*is_chosen)(const Fact<TrialRow>&) = nullptr) {
  std::vector<Column<TrialRow>> columns = ColumnsOf(OwnFacts(), is_chosen);
  for (const Column<TrialRow>& column : ColumnsOf(ConfigurationFacts(), is_chosen)) {
    columns.push_back(column);
  }
  return columns;
}

// Calls `use(fact)` with each fact of a TrialRow.
template <typename Function>
void ForEachFact(Function use) {
  for (const auto& fact : OwnFacts()) use(fact);
  for (const auto& fact : ConfigurationFacts()) use(fact);
  for (const auto& fact : ResultFacts()) use(fact);
}

// The facts with a name, by name.
std::vector<TrialFact>* NamedFacts(bool of_network) {
  auto* const list = new std::vector<TrialFact>;
  ForEachFact([&](const auto& fact) {
    if (fact.value != nullptr && fact.use.of_network == of_network) {
      list->push_back({fact.name, fact.value});
    }
  });
  std::sort(list->begin(), list->end(),
            [](const TrialFact& a, const TrialFact& b) { return a.name < b.name; });
  return list;
}

const std::vector<TrialOrder>& TrialOrders() {
  static const auto& orders = *[] {
    auto* list = new std::vector<TrialOrder>;
    ForEachFact([&](const auto& fact) {
      if (fact.use.orders) list->push_back({fact.name, fact.column.sql, fact.use.present});
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
  static const auto& facts = *NamedFacts(/*of_network=*/false);
  return facts;
}

const std::vector<TrialFact>& NetworkFacts() {
  static const auto& facts = *NamedFacts(/*of_network=*/true);
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
  static const auto& table =
      *new RowTable<TrialRow>(TrialColumns(), {PartInto<&TrialRow::result>(ResultTable())});
  return table;
}

const RowTable<RankedRow>& RankedTable() {
  using Row = RankedRow;
  static const auto& score = *new RowTable<ConfigurationScore>(ColumnsOf(ScoreFacts()));
  static const auto& table =
      *new RowTable<Row>({}, {PartInto<&Row::trial>(TrialTable()), PartInto<&Row::score>(score)});
  return table;
}

const RowTable<TrialSummary>& SummaryTable() {
  using Row = TrialSummary;
  static const auto& trial = *new RowTable<TrialRow>(TrialColumns(IsInIndex<TrialRow>),
                                                     {PartInto<&TrialRow::result>(ResultTable())});
  static const auto& score =
      *new RowTable<ConfigurationScore>(ColumnsOf(ScoreFacts(), IsInIndex<ConfigurationScore>));
  static const auto& table =
      *new RowTable<Row>({}, {PartInto<&Row::trial>(trial), PartInto<&Row::score>(score)});
  return table;
}

}  // namespace sweep
