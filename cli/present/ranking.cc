#include "common/stats/ranking.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "cli/present/answers.h"
#include "cli/present/cells.h"
#include "cli/present/live_block.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "common/base/counted.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using namespace cells;

// True when a trial broke off: whether its remaining epochs would meet the gate is unknown.
bool IsOpen(const v1::GateResult& gate, const v1::Trial& trial) {
  const bool broke_off = trial.state() == v1::TRIAL_STATE_FAILED ||
                         trial.state() == v1::TRIAL_STATE_DIVERGED ||
                         trial.state() == v1::TRIAL_STATE_CANCELLED;
  return broke_off && trial.epochs_to_target() == 0 && gate.gate().starts_with("epochs");
}

// The name in a gate: "accuracy" of "accuracy >= 0.994".
std::string GateWord(const std::string& gate) { return gate.substr(0, gate.find(' ')); }

std::string GateText(const v1::GateResult& gate, const v1::Trial& trial) {
  if (IsOpen(gate, trial)) return Missing().text;
  if (gate.met()) return "✓";
  if (gate.missed_by() <= 0 || !std::isfinite(gate.missed_by())) return "✗";
  return "✗ by " + DistanceText(GateWord(gate.gate()), gate.missed_by());
}

// "97.80 % (2)" for one run or several, the latter with the 95 % interval. "(2 of at most 10)"
// where configurations get different numbers of runs.
std::string MeanText(const v1::Sweep& sweep, const v1::RankedConfiguration& row,
                     const std::optional<Interval>& mean) {
  const std::string& metric = sweep.metric();
  const std::string interval = mean ? " " + IntervalText(metric, mean->low, mean->high) : "";
  // An earlier coordinator knows of no race.
  const bool is_race = sweep.min_replicates() > 0 && sweep.min_replicates() < sweep.replicates();
  return fmt::format("{}{} ({}{})", MeasureText(metric, row.mean_last()), interval,
                     row.replicates(),
                     is_race ? fmt::format(" of at most {}", sweep.replicates()) : "");
}

bool HasInterval(const v1::RankedConfiguration& row) {
  return row.has_interval_low() && row.has_interval_high();
}

Cell IntervalCell(const std::string& metric, const std::optional<Interval>& interval) {
  if (!interval) return Missing();
  return {IntervalText(metric, interval->low, interval->high)};
}

std::optional<Interval> IntervalOf(const v1::RankedConfiguration& row) {
  if (!HasInterval(row)) return std::nullopt;
  return Interval{.low = row.interval_low(), .high = row.interval_high()};
}

// The bracket around the rows of a group, with its number where it begins. A group that goes on
// below the table stays open.
Cell GroupCell(const v1::RankSweepResponse& ranking, int row) {
  const auto& rows = ranking.rows();
  const auto is_in = [&](int other) { return rows[other].group() == rows[row].group(); };
  const int group = rows[row].group();
  if (group == 0) return Missing();
  int above = 0;
  for (int i = 0; i < row; ++i) above += is_in(i) ? 1 : 0;
  if (rows[row].group_size() == 1) return {fmt::format("  {}", group)};
  if (above == 0) return {fmt::format("┌ {}", group)};
  return {above + 1 == rows[row].group_size() ? "└" : "│"};
}

// "14 of 20 (48–85 %)".
Cell RunsCell(const v1::RankedConfiguration& row) {
  if (!row.has_ended_runs()) return Missing();
  const RunCount runs = {.ended = row.ended_runs(), .qualifying = row.qualifying_runs()};
  const Interval share = QualifyingInterval(runs);
  return {fmt::format("{} of {} ({:.0f}–{:.0f} %)", runs.qualifying, runs.ended, 100 * share.low,
                      100 * share.high)};
}

// The measures that judge the rows besides the first objective: further objectives, and those of
// gates.
std::vector<std::string> FurtherMeasures(const v1::RankSweepResponse& ranking) {
  const std::vector<Objective> objectives = ObjectivesOf(ranking.sweep());
  std::vector<std::string> names;
  const auto add = [&](std::string_view measure) {
    const std::string name(CanonicalMeasure(measure));
    if (name == CanonicalMeasure(objectives.front().name)) return;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const Objective& objective : objectives) add(objective.name);
  for (const v1::RankedConfiguration& row : ranking.rows()) {
    for (const auto& [name, value] : ValuesOf(row)) add(name);
  }
  return names;
}

// A gate as the title of a narrow column: "accuracy", "epochs", "params", "no FC".
std::string ShortGate(const std::string& gate) {
  const std::string word = GateWord(gate);
  if (word == "parameters") return "params";
  if (word == "fully_connected") return gate.find("false") != std::string::npos ? "no FC" : "FC";
  return std::string(MeasureTitle(word));
}

// The hyperparameters with the same value in each of several rows.
std::set<std::string> ConstantParameters(const v1::RankSweepResponse& ranking) {
  std::set<std::string> constants;
  if (ranking.rows_size() < 2) return constants;
  for (const auto& [name, value] : ranking.rows(0).trial().parameters()) {
    const std::string text = ValueText(value);
    const bool same =
        std::all_of(ranking.rows().begin(), ranking.rows().end(), [&, key = name](const auto& row) {
          const auto found = row.trial().parameters().find(key);
          return found != row.trial().parameters().end() && ValueText(found->second) == text;
        });
    if (same) constants.insert(name);
  }
  return constants;
}

std::string VaryingText(v1::Trial trial, const std::set<std::string>& constants) {
  for (const std::string& name : constants) trial.mutable_parameters()->erase(name);
  return ParametersText(trial);
}

}  // namespace

Listing RankListing(const v1::RankSweepResponse& ranking) {
  const Objective objective = ObjectiveOf(ranking.sweep());
  const std::string& metric = objective.name;
  const std::vector<std::string> further = FurtherMeasures(ranking);
  const bool replicated =
      std::any_of(ranking.rows().begin(), ranking.rows().end(),
                  [](const v1::RankedConfiguration& row) { return row.replicates() > 1; });
  const bool all_completed =
      std::all_of(ranking.rows().begin(), ranking.rows().end(),
                  [](const auto& row) { return row.trial().state() == v1::TRIAL_STATE_COMPLETED; });
  const bool has_intervals = std::any_of(ranking.rows().begin(), ranking.rows().end(), HasInterval);
  const bool has_groups =
      ranking.rows_size() > 1 &&
      std::any_of(ranking.rows().begin(), ranking.rows().end(),
                  [](const v1::RankedConfiguration& row) { return row.group() > 0; });
  const bool counts_runs = !ranking.sweep().gates().empty() &&
                           std::any_of(ranking.rows().begin(), ranking.rows().end(),
                                       [](const auto& row) { return row.has_ended_runs(); });
  Listing listing;
  listing.empty = fmt::format("nothing to rank: no trial of {} has reported {} yet",
                              ShortName(ranking.sweep().name()), MeasureTitle(metric));
  listing.columns = {{"#", "rank", true},
                     {"GROUP", "group", false, has_groups, false, 6},
                     {"FRONT", "front", true, ObjectivesOf(ranking.sweep()).size() > 1},
                     {"TRIAL", "trial"},
                     {MeasureColumn(metric), "value", true},
                     {"95 % INTERVAL", "interval", true, has_intervals, false, 5},
                     {"EPOCH", "value_epoch", true, true, false, 3},
                     {"LAST", "last", true, true, false, 4},
                     {"MEAN OF LAST, 95 %", "mean_last", true, replicated, false, 2},
                     {"", "mean_half_width", true, false},
                     {"", "mean_interval", false, false},
                     {"RUNS THAT QUALIFY", "qualifying_runs", true, counts_runs, false, 3},
                     {"", "qualifies", false, false},
                     {"STATE", "state", false, !all_completed}};
  for (const std::string& name : further) {
    listing.columns.push_back({MeasureColumn(name), "", true});
  }
  for (int gate = 0; gate < ranking.sweep().gates_size(); ++gate) {
    // A gate that every row meets needs no column; the line below mentions it.
    const bool all_meet = std::all_of(
        ranking.rows().begin(), ranking.rows().end(),
        [gate](const auto& row) { return gate < row.gates_size() && row.gates(gate).met(); });
    listing.columns.push_back(
        {ShortGate(ranking.sweep().gates(gate)), "", false, true, false, all_meet ? 9 : 0});
  }
  listing.columns.push_back({"HYPERPARAMETERS", "parameters", false, true, true, 1});
  const std::set<std::string> constants = ConstantParameters(ranking);

  std::vector<documents::RankedTrial> documents;
  for (int r = 0; r < ranking.rows_size(); ++r) {
    const v1::RankedConfiguration& row = ranking.rows(r);
    const v1::Trial& trial = row.trial();
    const std::optional<Interval> mean =
        MeanInterval(objective, row.mean_last(), row.mean_half_width(), row.replicates());
    const Measurements values = ValuesOf(row);
    std::vector<Cell> cells = {
        Count(row.rank()),
        GroupCell(ranking, r),
        KnownCount(row.front()),
        Text(ShortName(trial.name())),
        MeasureCell(metric, row.value()),
        IntervalCell(metric, IntervalOf(row)),
        KnownCount(row.value_epoch()),
        MeasureCell(metric, LastOf(trial, metric)),
        {MeanText(ranking.sweep(), row, mean)},
        row.replicates() > 1 ? MeasureCell(metric, row.mean_half_width()) : Missing(),
        IntervalCell(metric, mean),
        RunsCell(row),
        Text(row.qualifies() ? "yes" : "no"),
        {StateName(trial.state()), {}, StateStyle(trial.state())}};
    for (const std::string& name : further) {
      cells.push_back(MeasureCell(name, values.Get(name)));
    }
    for (int gate = 0; gate < ranking.sweep().gates_size(); ++gate) {
      cells.push_back(gate < row.gates_size() ? Text(GateText(row.gates(gate), trial)) : Missing());
    }
    cells.push_back({VaryingText(trial, constants)});
    listing.rows.push_back(std::move(cells));
    documents.push_back(ToRanked(ranking.sweep(), row));
  }
  AddDocuments(documents, &listing);
  return listing;
}

void PrintRanking(const v1::RankSweepResponse& ranking, const Session& session, std::ostream& out) {
  PrintListing(RankListing(ranking), session, out);
  PrintRankingNotes(ranking, session, out);
}

void PrintRankingNotes(const v1::RankSweepResponse& ranking, const Session& session,
                       std::ostream& out) {
  if (session.format != Format::kTable) return;
  if (const std::set<std::string> constants = ConstantParameters(ranking); !constants.empty()) {
    std::string line = "in every row:";
    const auto& parameters = ranking.rows(0).trial().parameters();
    for (const std::string& name : constants)
      line += " " + Printable(name + "=" + ValueText(parameters.at(name)));
    out << Wrapped(line, session.width) << '\n';
  }
  const v1::Sweep& sweep = ranking.sweep();
  if (ranking.rows().empty()) return;
  if (const v1::RankedConfiguration& first = ranking.rows(0); first.group_size() > 1) {
    const std::string line = fmt::format(
        "{} and {} cannot be told apart by {}: their order may be luck",
        ShortName(first.trial().name()),
        first.group_size() == 2 ? "another one" : fmt::format("{} others", first.group_size() - 1),
        MeasureTitle(ObjectiveOf(sweep).name));
    out << Wrapped(line, session.width) << '\n';
  }
  if (const std::vector<Objective> objectives = ObjectivesOf(sweep); objectives.size() > 1) {
    std::string names;
    for (const Objective& objective : objectives) {
      names += (names.empty() ? "" : ", ") + objective.name;
    }
    const std::string line = "front 1: what no other configuration beats in all of " + names;
    out << Wrapped(line, session.width) << '\n';
  }
  if (sweep.gates().empty()) return;
  std::string criteria;
  for (const std::string& gate : sweep.gates()) criteria += (criteria.empty() ? "" : ", ") + gate;
  out << '\n';
  if (sweep.qualifying() > 0) {
    const v1::Trial& best = ranking.rows(0).trial();
    const bool has_failed = best.state() == v1::TRIAL_STATE_FAILED;
    std::string when;
    if (best.epochs_to_target() > 0) {
      when = fmt::format("; {} met them at epoch {}{}", ShortName(best.name()),
                         best.epochs_to_target(), has_failed ? " and failed later" : "");
    }
    const std::string line =
        fmt::format("{} {} all criteria ({}){}", Counted(sweep.qualifying(), "configuration"),
                    sweep.qualifying() == 1 ? "meets" : "meet", Printable(criteria), when);
    out << Styled(session, has_failed ? Style::kYellow : Style::kGreen,
                  Wrapped(line, session.width))
        << '\n';
  } else {
    const std::string line =
        fmt::format("no configuration meets all criteria ({})", Printable(criteria));
    out << Styled(session, Style::kYellow, Wrapped(line, session.width)) << '\n';
  }
}

}  // namespace sweep::cli
