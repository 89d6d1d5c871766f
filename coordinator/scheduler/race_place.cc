#include "coordinator/scheduler/race_place.h"

#include <algorithm>
#include <cmath>

#include "common/base/counted.h"
#include "common/trial/measures.h"
#include "coordinator/search/replicate_racer.h"
#include "coordinator/store/queries.h"
#include "fmt/format.h"

namespace sweep {
namespace {

std::string ValueText(const RacePlace& place, double value) {
  return place.is_share ? fmt::format("{:.3f} %", 100 * value) : fmt::format("{:.6g}", value);
}

std::string DistanceText(const RacePlace& place, double value) {
  return place.is_share ? fmt::format("{:.3f} points", 100 * value) : fmt::format("{:.6g}", value);
}

// "its mean of 3 runs, 99.420 %, is 0.031 points behind the 99.451 % of 5 runs of configuration 4"
std::string Comparison(const RacePlace& place) {
  return fmt::format("its mean of {}, {}, is {} behind the {} of {} of configuration {}",
                     Counted(place.own.ended, "run"), ValueText(place, place.own.mean),
                     DistanceText(place, place.behind), ValueText(place, place.leader.mean),
                     Counted(place.leader.ended, "run"), place.leader.configuration);
}

// Why one that could be the best gets nothing now.
std::string WhatComes(const RacePlace& place) {
  if (place.own.runs() >= place.max) {
    return fmt::format("it has all of its {} runs", place.max);
  }
  if (place.left <= 0) {
    return fmt::format("the sweep has handed out all of its {}",
                       Counted(place.most, "further run"));
  }
  if (!place.has_begun) return "further runs are handed out when no first run is waiting";
  if (place.own.open > 0) {
    return fmt::format("{} of {} at most under way", Counted(place.own.open, "run"), place.max);
  }
  return "further runs go to the leader and to the rival that is hardest to tell from it";
}

}  // namespace

absl::StatusOr<std::optional<RacePlace>> FindRacePlace(Store* store, const TrialRow& trial,
                                                       const SweepSpec& spec) {
  if (!spec.race) return std::nullopt;
  const absl::StatusOr<SweepRow> sweep = store->Read(FindSweepById, trial.sweep_id);
  if (!sweep.ok()) return sweep.status();
  const absl::StatusOr<std::vector<Contender>> contenders =
      store->Read(SelectContenders, trial.sweep_id);
  if (!contenders.ok()) return contenders.status();
  std::int64_t given = 0;
  for (const Contender& one : *contenders) given += std::max(one.all - spec.race->min, 0);
  const std::int64_t planned = sweep->planned_configurations;
  const RaceRules rules = RulesOfRace(spec, planned, given);
  const RaceVerdict verdict = JudgeRace(rules, *contenders);
  RacePlace place{.max = rules.max,
                  .most = spec.race->MostExtra(planned, spec.replicates),
                  .left = rules.left,
                  .racing = verdict.racing,
                  .within = rules.within};
  const auto own = static_cast<std::size_t>(trial.configuration - 1);
  if (own >= contenders->size()) return std::nullopt;
  place.standing = verdict.standings[own];
  place.own = (*contenders)[own];
  place.has_begun = std::none_of(contenders->begin(), contenders->end(),
                                 [](const Contender& one) { return one.is_queued; });
  const Measure* const measure = FindMeasure(spec.objective().name);
  place.is_share = measure != nullptr && measure->unit == Measure::Unit::kShare;
  if (!verdict.leader) return place;
  place.leader = (*contenders)[*verdict.leader];
  place.behind = std::fabs(place.leader.mean - place.own.mean);
  if (verdict.deviation && place.own.ended > 0) {
    place.reach = verdict.quantile * *verdict.deviation *
                  std::sqrt(1.0 / place.leader.ended + 1.0 / place.own.ended);
  }
  return place;
}

std::vector<std::string> ExplainRace(const TrialRow& trial, int first_replicates,
                                     const RacePlace& place) {
  std::vector<std::string> reasons;
  if (trial.replicate >= first_replicates) {
    reasons.push_back(
        fmt::format("it is run {} of configuration {}, which got it because it could be the best",
                    trial.replicate + 1, trial.configuration));
  }
  const std::string what = fmt::format("configuration {}", trial.configuration);
  switch (place.standing) {
    case RaceStanding::kWaits:
      break;
    case RaceStanding::kOut:
      reasons.push_back(
          fmt::format("{} gets no further runs: one of its runs did not complete, "
                      "and only complete ones are compared",
                      what));
      break;
    case RaceStanding::kLeads:
      reasons.push_back(
          fmt::format("{} leads with a mean of {} over {}; {} be better{}", what,
                      ValueText(place, place.own.mean), Counted(place.own.ended, "run"),
                      place.racing == 0 ? "no other can"
                                        : fmt::format("{} could", Counted(place.racing, "other")),
                      place.racing == 0 ? "" : ", and " + WhatComes(place)));
      break;
    case RaceStanding::kRaces:
      reasons.push_back(fmt::format(
          "{} could be the best: {}{}; {}", what, Comparison(place),
          place.reach ? fmt::format(", and more than {} would rule it out",
                                    DistanceText(place, std::max(*place.reach - place.within, 0.0)))
                      : "",
          WhatComes(place)));
      break;
    case RaceStanding::kRuledOut:
      reasons.push_back(fmt::format(
          "{} cannot be the best and gets no further runs: {}, more than the {} that are left open",
          what, Comparison(place),
          DistanceText(place, std::max(place.reach.value_or(0) - place.within, 0.0))));
      break;
  }
  return reasons;
}

}  // namespace sweep
