// Queries about the ranking of a sweep's configurations.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <utility>

#include "common/stats/groups.h"
#include "common/stats/objective.h"
#include "common/stats/pareto.h"
#include "coordinator/store/internal_queries.h"
#include "coordinator/store/json_codec.h"
#include "coordinator/store/row_table.h"
#include "coordinator/store/status_macros.h"

namespace sweep {
namespace {

absl::StatusOr<std::vector<Objective>> FindObjectives(Database& database, std::int64_t sweep_id) {
  Statement statement = database.Prepare("SELECT objectives FROM sweeps WHERE id = ?");
  STORE_ASSIGN_OR_RETURN(const bool found, statement.Bind(sweep_id).Step());
  if (!found) return std::vector<Objective>{};
  return DecodeObjectives(statement.Text(0));
}

// A configuration in a ranking by several objectives.
struct Candidate {
  std::int64_t number = 0;
  int tier = 0;  // 0: qualifies, 1: has a value, 2: has none
  int front = 0;
  std::vector<double> costs;
};

// All configurations of a sweep, best first: by tier, then by front, then in the order for a single
// objective.
absl::StatusOr<std::vector<Candidate>> SelectCandidates(Database& database, std::int64_t sweep_id,
                                                        const std::vector<Objective>& objectives) {
  Statement statement = database.Prepare(
      "SELECT number, qualifies, has_value, held FROM configurations WHERE sweep_id = ? ORDER BY "
      "qualifies DESC, has_value DESC, rank_key, (epochs_to_target = 0), epochs_to_target, "
      "network_parameters, number");
  statement.Bind(sweep_id);
  STORE_ASSIGN_OR_RETURN(
      std::vector<Candidate> candidates,
      CollectRows<Candidate>(statement, [&](const Statement& row) -> absl::StatusOr<Candidate> {
        Candidate candidate{.number = row.Int(0), .tier = 2, .costs = {}};
        if (row.Int(2) != 0) candidate.tier = row.Int(1) != 0 ? 0 : 1;
        STORE_ASSIGN_OR_RETURN(const Measurements held, DecodeMeasurements(row.Text(3)));
        for (const Objective& objective : objectives) {
          candidate.costs.push_back(CostOf(objective, held.GetOrNaN(objective.name)));
        }
        return candidate;
      }));
  for (int tier = 0; tier < 2; ++tier) {
    std::vector<std::vector<double>> costs;
    for (const Candidate& one : candidates) {
      if (one.tier == tier) costs.push_back(one.costs);
    }
    const std::vector<int> fronts = ParetoFronts(costs);
    auto front = fronts.begin();
    for (Candidate& one : candidates) {
      if (one.tier == tier) one.front = *front++;
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return a.tier != b.tier ? a.tier < b.tier : a.front < b.front;
                   });
  return candidates;
}

absl::StatusOr<std::vector<RankPlace>> SelectRankPage(Database& database, std::int64_t sweep_id,
                                                      std::int64_t offset, int limit) {
  STORE_ASSIGN_OR_RETURN(const std::vector<Objective> objectives,
                         FindObjectives(database, sweep_id));
  offset = std::max<std::int64_t>(offset, 0);
  if (objectives.size() > 1) {
    STORE_ASSIGN_OR_RETURN(const std::vector<Candidate> candidates,
                           SelectCandidates(database, sweep_id, objectives));
    std::vector<RankPlace> places;
    for (auto i = static_cast<std::size_t>(offset);
         i < candidates.size() && std::ssize(places) < Limit(limit); ++i) {
      places.push_back({.configuration = candidates[i].number, .front = candidates[i].front});
    }
    return places;
  }
  Statement statement = database.Prepare(
      "SELECT number FROM configurations WHERE sweep_id = ? ORDER BY qualifies DESC, has_value "
      "DESC, rank_key, (epochs_to_target = 0), epochs_to_target, network_parameters, number LIMIT "
      "? OFFSET ?");
  return CollectRows<RankPlace>(
      statement.Bind(sweep_id, Limit(limit), offset),
      [](const Statement& row) { return RankPlace{.configuration = row.Int(0)}; });
}

// A configuration among the first of a ranking, with its group.
struct Grouped {
  std::int64_t number = 0;
  Estimate estimate;
  int group = 0;
};

// The groups among the first configurations of a ranking by one objective.
absl::StatusOr<std::vector<Grouped>> SelectGroups(Database& database, const SweepSpec& spec,
                                                  std::int64_t sweep_id) {
  if (spec.objectives.size() > 1) return std::vector<Grouped>{};
  Statement statement = database.Prepare(
      "SELECT number, metric, replicates, mean_last, mean_half_width FROM configurations WHERE "
      "sweep_id = ? AND has_value = 1 ORDER BY qualifies DESC, has_value DESC, rank_key, "
      "(epochs_to_target = 0), epochs_to_target, network_parameters, number LIMIT ?");
  const std::int64_t images = EvaluationImages(spec);
  STORE_ASSIGN_OR_RETURN(
      std::vector<Grouped> made,
      CollectRows<Grouped>(statement.Bind(sweep_id, kMostGrouped), [&](const Statement& row) {
        const ConfigurationScore score = {.has_value = true,
                                          .metric = row.Real(1),
                                          .replicates = static_cast<int>(row.Int(2)),
                                          .mean_last = row.Real(3),
                                          .mean_half_width = row.Real(4)};
        return Grouped{.number = row.Int(0), .estimate = EstimateOf(spec, score, images)};
      }));
  std::vector<Estimate> estimates;
  for (const Grouped& one : made) estimates.push_back(one.estimate);
  const std::vector<std::optional<int>> groups = GroupsOf(estimates);
  for (std::size_t i = 0; i < made.size(); ++i) made[i].group = groups[i].value_or(0);
  return made;
}

struct RunOfRace {
  std::int64_t configuration = 0;
  ReplicateResult run;
};

// What the replicates of a configuration meet, its representative among them.
absl::StatusOr<RunCount> SelectRunCount(Database& database, const SweepSpec& spec,
                                        const RankedRow& row) {
  STORE_ASSIGN_OR_RETURN(const std::vector<ReplicateResult> runs, SelectRuns(database, row.trial));
  return CountQualifying(spec, row.score, runs);
}

}  // namespace

absl::StatusOr<std::vector<Contender>> SelectContenders(Database& database, std::int64_t sweep_id,
                                                        const std::string& metric) {
  using Row = RunOfRace;
  static const auto& table =
      *new RowTable<Row>({{"c.number", ReadInto<&Row::configuration>},
                          {kTrialStateSql, ReadInto<&Row::run, &ReplicateResult::state>}},
                         {PartInto<&Row::run, &ReplicateResult::result>(ResultTable())});
  static const std::string kSql = table.Select(
      "FROM configurations c JOIN trials t ON t.configuration_id = c.id WHERE c.sweep_id = ? ORDER "
      "BY c.number, t.replicate");
  Statement statement = database.Prepare(kSql);
  STORE_ASSIGN_OR_RETURN(const std::vector<Row> rows, table.All(statement.Bind(sweep_id)));
  std::vector<Contender> contenders;
  for (auto row = rows.begin(); row != rows.end();) {
    const std::int64_t number = row->configuration;
    std::vector<RaceRun> runs;
    for (; row != rows.end() && row->configuration == number; ++row) {
      runs.push_back({.state = row->run.state, .value = row->run.result.Last(metric)});
    }
    contenders.push_back(ContenderOf(number, runs));
  }
  return contenders;
}

absl::StatusOr<std::vector<RankPlace>> SelectRankOrder(Database& database, std::int64_t sweep_id) {
  return SelectRankPage(database, sweep_id, 0, std::numeric_limits<int>::max());
}

absl::StatusOr<std::vector<RankedRow>> SelectRankedRows(
    Database& database, std::int64_t sweep_id, const std::vector<std::int64_t>& configurations) {
  static const std::string kSql = RankedTable().Select(
      "FROM configurations c CROSS JOIN trials t ON t.id = c.best_trial_id CROSS JOIN sweeps s ON "
      "s.id = c.sweep_id WHERE c.sweep_id = ? AND c.number = ?");
  std::vector<RankedRow> rows;
  for (const std::int64_t number : configurations) {
    Statement statement = database.Prepare(kSql);
    STORE_ASSIGN_OR_RETURN(std::optional<RankedRow> row,
                           RankedTable().First(statement.Bind(sweep_id, number)));
    if (row) rows.push_back(*std::move(row));
  }
  return rows;
}

absl::StatusOr<std::vector<RankedRow>> SelectRanking(Database& database, const std::string& sweep,
                                                     std::int64_t offset, int limit) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t sweep_id, FindSweepId(database, sweep));
  STORE_ASSIGN_OR_RETURN(const std::vector<RankPlace> order,
                         SelectRankPage(database, sweep_id, offset, limit));
  std::vector<std::int64_t> numbers;
  for (const RankPlace& place : order) numbers.push_back(place.configuration);
  STORE_ASSIGN_OR_RETURN(std::vector<RankedRow> rows,
                         SelectRankedRows(database, sweep_id, numbers));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].rank = std::max<std::int64_t>(offset, 0) + static_cast<std::int64_t>(i) + 1;
    rows[i].front = order[i].front;
  }
  return rows;
}

absl::StatusOr<std::vector<RankedRow>> WithStatistics(Database& database, const SweepSpec& spec,
                                                      std::int64_t sweep_id,
                                                      std::vector<RankedRow> rows) {
  STORE_ASSIGN_OR_RETURN(const std::vector<Grouped> grouped,
                         SelectGroups(database, spec, sweep_id));
  std::map<std::int64_t, int> group_of;
  std::map<int, int> sizes;
  for (const Grouped& one : grouped) {
    if (one.group == 0) continue;
    group_of[one.number] = one.group;
    ++sizes[one.group];
  }
  for (RankedRow& row : rows) {
    if (const auto found = group_of.find(row.trial.configuration); found != group_of.end()) {
      row.group = found->second;
      row.group_size = sizes[row.group];
    }
    if (spec.replicates == 1) continue;
    STORE_ASSIGN_OR_RETURN(const RunCount runs, SelectRunCount(database, spec, row));
    if (runs.ended > 0) row.runs = runs;
  }
  return rows;
}

absl::StatusOr<std::int64_t> CountRanked(Database& database, std::int64_t sweep_id) {
  Statement statement =
      database.Prepare("SELECT count(*) FROM configurations WHERE sweep_id = ? AND has_value = 1");
  STORE_RETURN_IF_ERROR(statement.Bind(sweep_id).Step().status());
  return statement.Int(0);
}

}  // namespace sweep
