#include "coordinator/search/replicate_racer.h"

#include <algorithm>
#include <cstddef>

namespace sweep {

RaceRules RulesOfRace(const SweepSpec& spec, std::int64_t planned, std::int64_t given) {
  return {.max = spec.replicates,
          .left = spec.race->MostExtra(planned, spec.replicates) - given,
          .within = spec.race->within,
          .maximize = spec.objective().maximize,
          // Only a configuration with all its runs is held against such criteria.
          .leader_to_max = spec.confidence > 0};
}

ReplicateRacer::Known& ReplicateRacer::Know(std::int64_t configuration, int replicate) {
  const auto count = static_cast<std::size_t>(configuration);
  while (known_.size() < count) {
    known_.emplace_back();
    contenders_.push_back({.configuration = std::ssize(known_)});
  }
  Known& known = known_[count - 1];
  const auto runs = static_cast<std::size_t>(replicate) + 1;
  const auto first = static_cast<std::size_t>(spec_.FirstReplicates());
  const std::size_t before = std::max(known.runs.size(), first);
  if (runs > before) given_ += static_cast<std::int64_t>(runs - before);
  known.runs.resize(std::max(before, runs));
  known.epochs.resize(known.runs.size());
  return known;
}

void ReplicateRacer::Observe(const Observation& observation) {
  Known& known = Know(observation.configuration, observation.replicate);
  const auto run = static_cast<std::size_t>(observation.replicate);
  if (observation.epoch > 0) {
    // Counts when the run has completed.
    if (!observation.has_value || observation.epoch <= known.epochs[run]) return;
    known.runs[run].value = observation.value;
    known.epochs[run] = observation.epoch;
    return;
  }
  if (known.runs[run].state == TrialState::kOnHold) --held_;
  if (observation.state == TrialState::kOnHold) ++held_;
  known.runs[run].state = observation.state;
  Update(observation.configuration, known);
}

void ReplicateRacer::Update(std::int64_t configuration, const Known& known) {
  contenders_[static_cast<std::size_t>(configuration - 1)] = ContenderOf(configuration, known.runs);
  none_for_ = -1;
}

void ReplicateRacer::Give(const Seed& seed) {
  Update(seed.configuration, Know(seed.configuration, seed.replicate));
}

ReplicateRacer::Step ReplicateRacer::Next(std::int64_t planned, std::int64_t count) {
  Step step{.has_held = held_ > 0};
  if (planned == none_for_) return step;
  std::vector<Contender> ahead = contenders_;  // as if those seeds were stored
  while (true) {
    const RaceVerdict verdict =
        JudgeRace(RulesOfRace(spec_, planned, given_ + std::ssize(step.seeds)), ahead);
    step.is_over = verdict.is_over;
    if (!verdict.next || std::ssize(step.seeds) >= count) {
      if (!step.is_over && step.seeds.empty()) none_for_ = planned;
      return step;
    }
    Contender& next = ahead[*verdict.next];
    step.seeds.push_back({.configuration = next.configuration, .replicate = next.runs()});
    ++next.open;
  }
}

}  // namespace sweep
