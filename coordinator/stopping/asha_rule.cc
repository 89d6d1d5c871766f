#include "coordinator/stopping/asha_rule.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "fmt/format.h"

namespace sweep {

std::vector<int> RungsBelow(int epochs, int first, int eta) {
  std::vector<int> rungs;
  for (std::int64_t rung = first; rung < epochs; rung *= eta) {
    rungs.push_back(static_cast<int>(rung));
  }
  return rungs;
}

AshaRule::AshaRule(Options options)
    : options_(std::move(options)), sign_(options_.maximize ? 1 : -1) {
  for (const int epoch : options_.rungs) {
    rungs_.push_back({.epoch = epoch, .best = BestShare(options_.eta)});
  }
}

int AshaRule::FirstTarget(std::int64_t /*configuration*/) const {
  return options_.promotes && !rungs_.empty() ? rungs_.front().epoch : 0;
}

std::vector<StopDecision> AshaRule::OnEpoch(const Observation& seen) {
  const Key key(seen.configuration, seen.replicate);
  const auto [found, is_new] = trials_.try_emplace(key);
  Trial& trial = found->second;
  if (is_new) trial.best = -std::numeric_limits<double>::infinity();
  if (trial.is_out) return {};
  trial.epoch = seen.epoch;
  if (!seen.has_value) return PassTarget(key, &trial);
  if (!std::isfinite(seen.value)) return Diverge(&trial);
  trial.best = std::max(trial.best, sign_ * seen.value);
  const int rung = RungAt(seen.epoch);
  if (rung < trial.next) return {};
  return Arrive(key, rung, &trial);
}

int AshaRule::RungAt(int epoch) const {
  const auto after = std::upper_bound(options_.rungs.begin(), options_.rungs.end(), epoch);
  return static_cast<int>(after - options_.rungs.begin()) - 1;
}

std::vector<StopDecision> AshaRule::PassTarget(const Key& key, Trial* trial) {
  const int reached = RungAt(trial->epoch);
  if (!options_.promotes || trial->rests || reached < trial->target) return {};
  trial->target = reached + 1;
  return {{.action = StopDecision::Action::kPromote,
           .configuration = key.first,
           .replicate = key.second,
           .target_epoch = EpochAfter(reached)}};
}

// It counts at the rung that it has reached, and takes no place.
std::vector<StopDecision> AshaRule::Diverge(Trial* trial) {
  trial->is_out = true;
  trial->best = -std::numeric_limits<double>::infinity();
  LeaveRest(trial);
  std::vector<StopDecision> decisions;
  if (trial->was_promoted) {
    const int from = trial->next - 1;
    GiveUpPlace(trial);
    decisions = Fill(from, Places(At(from)));
  }
  const int index = RungAt(trial->epoch);
  if (index < trial->next) return decisions;
  trial->next = index + 1;
  Rung& rung = At(index);
  ++rung.reached;
  if (!options_.promotes) {
    rung.best.Add({.value = trial->best, .order = ++arrivals_});
    return decisions;
  }
  std::vector<StopDecision> more = Fill(index, Places(rung));
  std::move(more.begin(), more.end(), std::back_inserter(decisions));
  return decisions;
}

std::vector<StopDecision> AshaRule::Arrive(const Key& key, int index, Trial* trial) {
  // One that trains on though it rests leaves its rung without a place.
  LeaveRest(trial);
  trial->next = index + 1;
  trial->arrived = trial->epoch;
  trial->has_resumed = false;
  Rung& rung = At(index);
  ++rung.reached;
  const BestShare::Entry entry{.value = trial->best, .order = ++arrivals_};
  if (!options_.promotes) {
    std::vector<StopDecision> decisions = JudgeArrival(key, entry, &rung);
    trial->is_out = !decisions.empty();
    return decisions;
  }
  if (std::exchange(trial->was_promoted, false)) --on_the_way_;
  const bool trains_on = std::exchange(trial->target, index) > index;
  trial->place = rung.resting.insert({entry, key}).first;
  trial->rests = true;
  std::vector<StopDecision> decisions = Fill(index, Places(rung));
  if (trial->rests && trains_on && !trial->has_ended) {
    decisions.push_back({.action = StopDecision::Action::kHold,
                         .configuration = key.first,
                         .replicate = key.second,
                         .target_epoch = trial->epoch,
                         .reason = fmt::format("rests after epoch {}, with its first value since "
                                               "epoch {}",
                                               trial->epoch, rung.epoch)});
  }
  return decisions;
}

std::vector<StopDecision> AshaRule::JudgeArrival(const Key& key, const BestShare::Entry& entry,
                                                 Rung* rung) {
  rung->best.Add(entry);
  const BestShare::Entry& last = rung->best.Last();
  if (!last.IsBetterThan(entry)) return {};
  return {
      {.action = StopDecision::Action::kStop,
       .configuration = key.first,
       .replicate = key.second,
       .reason = fmt::format("stopped after epoch {} by asha: its best value {:.6g} is not among "
                             "the best {} of {} trials at epoch {}; the last of them has {:.6g}",
                             trials_.at(key).epoch, sign_ * entry.value, rung->best.best(),
                             rung->best.size(), rung->epoch, sign_ * last.value)}};
}

void AshaRule::GoOn(Trial* trial) {
  LeaveRest(trial);
  ++At(trial->next - 1).gone_on;
  trial->was_promoted = true;
  trial->target = trial->next;
  ++on_the_way_;
}

void AshaRule::LeaveRest(Trial* trial) {
  if (!std::exchange(trial->rests, false)) return;
  At(trial->next - 1).resting.erase(trial->place);
}

void AshaRule::GiveUpPlace(Trial* trial) {
  --At(trial->next - 1).gone_on;
  trial->was_promoted = false;
  --on_the_way_;
}

std::vector<StopDecision> AshaRule::Fill(int index, std::int64_t places) {
  Rung& rung = At(index);
  std::vector<StopDecision> decisions;
  while (rung.gone_on < places && !rung.resting.empty()) {
    const Key key = rung.resting.begin()->trial;
    GoOn(&trials_.at(key));
    decisions.push_back({.action = StopDecision::Action::kPromote,
                         .configuration = key.first,
                         .replicate = key.second,
                         .target_epoch = EpochAfter(index)});
  }
  return decisions;
}

std::vector<StopDecision> AshaRule::OnState(const Observation& seen) {
  const auto found = trials_.find({seen.configuration, seen.replicate});
  if (found == trials_.end()) return {};
  Trial& trial = found->second;
  const bool was_on_hold = std::exchange(trial.is_on_hold, seen.state == TrialState::kOnHold);
  if (seen.state == TrialState::kPending) {
    // Promoted when only trials on hold were left, before a restart.
    if (was_on_hold && trial.rests) GoOn(&trial);
    trial.has_resumed = trial.was_promoted;
  }
  if (!IsTerminal(seen.state)) return {};
  trial.has_ended = true;
  LeaveRest(&trial);
  if (!trial.was_promoted) return {};
  // One whose last epoch is that of the rung was promoted and had nowhere to go. It needed no
  // further attempt, as one does that came to its target and goes on, even if it reports no more.
  const bool has_gone_on =
      (seen.state == TrialState::kCompleted || seen.state == TrialState::kStopped) &&
      (trial.epoch > trial.arrived || trial.has_resumed);
  if (has_gone_on) {
    trial.was_promoted = false;
    --on_the_way_;
    return {};
  }
  const int from = trial.next - 1;
  GiveUpPlace(&trial);
  return Fill(from, Places(At(from)));
}

// One at a time: a promotion may reach the next rung, which changes what is due there.
std::vector<StopDecision> AshaRule::OnOnlyHeld() {
  if (on_the_way_ > 0) return {};
  for (int i = 0; i < std::ssize(rungs_); ++i) {
    const std::int64_t rounded_up = (At(i).reached + options_.eta - 1) / options_.eta;
    std::vector<StopDecision> decisions = Fill(i, std::min(At(i).gone_on + 1, rounded_up));
    if (!decisions.empty()) return decisions;
  }
  return {};
}

}  // namespace sweep
