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

// Sweeps whose race is kept.
constexpr std::size_t kMaxRaces = 8;

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

absl::StatusOr<std::optional<RacePlace>> RaceBoard::Find(const TrialRow& trial,
                                                         const SharedSpec& spec) {
  if (!spec->race) return std::nullopt;
  const absl::StatusOr<SharedRace> race = FindRace(trial.sweep_id, spec);
  if (!race.ok()) return race.status();
  return (*race)->PlaceOf(trial.configuration);
}

absl::StatusOr<RaceBoard::SharedRace> RaceBoard::FindRace(std::int64_t sweep_id,
                                                          const SharedSpec& spec) {
  const absl::StatusOr<SweepRow> sweep = store_->Read(FindSweepById, sweep_id);
  if (!sweep.ok()) return sweep.status();
  // Before the runs are read: they may be of a later event, which the next request then finds.
  const absl::StatusOr<std::int64_t> sequence = store_->Read(FindLastSequence, sweep_id);
  if (!sequence.ok()) return sequence.status();
  const std::int64_t planned = sweep->planned_configurations;
  {
    MutexLock lock(&mutex_);
    const auto known = races_.find(sweep_id);
    if (known != races_.end() && known->second->spec == spec &&
        known->second->sequence == *sequence && known->second->planned == planned) {
      return known->second;
    }
  }
  auto race = std::make_shared<Race>(Race{.spec = spec, .sequence = *sequence, .planned = planned});
  if (absl::Status judged = Judge(sweep_id, race.get()); !judged.ok()) return judged;
  MutexLock lock(&mutex_);
  if (!races_.contains(sweep_id) && races_.size() >= kMaxRaces) races_.erase(races_.begin());
  races_[sweep_id] = race;
  return race;
}

absl::Status RaceBoard::Judge(std::int64_t sweep_id, Race* race) {
  const SweepSpec& spec = *race->spec;
  absl::StatusOr<std::vector<Contender>> contenders =
      store_->Read(SelectContenders, sweep_id, spec.objective().name);
  if (!contenders.ok()) return contenders.status();
  race->contenders = *std::move(contenders);
  std::int64_t given = 0;
  for (const Contender& one : race->contenders) given += std::max(one.all - spec.race->min, 0);
  race->rules = RulesOfRace(spec, race->planned, given);
  race->verdict = JudgeRace(race->rules, race->contenders);
  return absl::OkStatus();
}

std::optional<RacePlace> RaceBoard::Race::PlaceOf(std::int64_t configuration) const {
  const auto own = static_cast<std::size_t>(configuration - 1);
  if (own >= contenders.size()) return std::nullopt;
  const Measure* const measure = FindMeasure(spec->objective().name);
  RacePlace place{.standing = verdict.standings[own],
                  .own = contenders[own],
                  .max = rules.max,
                  .most = spec->race->MostExtra(planned, spec->replicates),
                  .left = rules.left,
                  .racing = verdict.racing,
                  .within = rules.within,
                  .is_share = measure != nullptr && measure->unit == Measure::Unit::kShare,
                  .has_begun = std::none_of(contenders.begin(), contenders.end(),
                                            [](const Contender& one) { return one.is_queued; })};
  if (!verdict.leader) return place;
  place.leader = contenders[*verdict.leader];
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
