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
  if (trial.has_diverged) return {};
  // A trial that a person has retried goes on from where it rested.
  if (trial.rests) GoOn(&trial);
  trial.epoch = seen.epoch;
  if (seen.has_value && !std::isfinite(seen.value)) return Diverge(seen, &trial);
  if (seen.has_value) trial.best = std::max(trial.best, sign_ * seen.value);
  std::vector<StopDecision> decisions;
  // A program that omits epochs may pass several rungs at once.
  while (trial.next < std::ssize(rungs_) && seen.epoch >= At(trial.next).epoch) {
    if (trial.rests) GoOn(&trial);
    std::vector<StopDecision> more = Arrive(key, &trial);
    std::move(more.begin(), more.end(), std::back_inserter(decisions));
    if (!decisions.empty() && decisions.back().action == StopDecision::Action::kStop) break;
  }
  return decisions;
}

// It counts at the rungs that it has reached, and takes no place.
std::vector<StopDecision> AshaRule::Diverge(const Observation& seen, Trial* trial) {
  trial->has_diverged = true;
  std::vector<StopDecision> decisions;
  if (trial->was_promoted) {
    const int from = trial->next - 1;
    GiveUpPlace(trial);
    decisions = Fill(from, Places(At(from)));
  }
  while (options_.promotes && trial->next < std::ssize(rungs_) &&
         seen.epoch >= At(trial->next).epoch) {
    const int rung = trial->next++;
    ++At(rung).reached;
    std::vector<StopDecision> more = Fill(rung, Places(At(rung)));
    std::move(more.begin(), more.end(), std::back_inserter(decisions));
  }
  return decisions;
}

std::vector<StopDecision> AshaRule::Arrive(const Key& key, Trial* trial) {
  const int index = trial->next++;
  Rung& rung = At(index);
  ++rung.reached;
  const BestShare::Entry entry{.value = trial->best, .order = ++arrivals_};
  if (!options_.promotes) return JudgeArrival(key, entry, &rung);
  if (std::exchange(trial->was_promoted, false)) --on_the_way_;
  trial->place = rung.resting.insert({entry, key}).first;
  trial->rests = true;
  return Fill(index, Places(rung));
}

std::vector<StopDecision> AshaRule::JudgeArrival(const Key& key, const BestShare::Entry& entry,
                                                 Rung* rung) {
  rung->best.Add(entry);
  const BestShare::Entry& last = rung->best.Last();
  if (!last.IsBetterThan(entry)) return {};
  return {{.action = StopDecision::Action::kStop,
           .configuration = key.first,
           .replicate = key.second,
           .reason = fmt::format("stopped after epoch {} by asha: its best value {:.6g} is not among "
                                 "the best {} of {} trials at epoch {}; the last of them has {:.6g}",
                                 trials_.at(key).epoch, sign_ * entry.value, rung->best.best(),
                                 rung->best.size(), rung->epoch, sign_ * last.value)}};
}

void AshaRule::GoOn(Trial* trial) {
  Rung& rung = At(trial->next - 1);
  rung.resting.erase(trial->place);
  ++rung.gone_on;
  trial->rests = false;
  trial->was_promoted = true;
  ++on_the_way_;
}

void AshaRule::GiveUpPlace(Trial* trial) {
  --At(trial->next - 1).gone_on;
  trial->was_promoted = false;
  --on_the_way_;
}

std::vector<StopDecision> AshaRule::Fill(int index, std::int64_t places) {
  Rung& rung = At(index);
  const int target = index + 1 < std::ssize(rungs_) ? At(index + 1).epoch : 0;
  std::vector<StopDecision> decisions;
  while (rung.gone_on < places && !rung.resting.empty()) {
    const Key key = rung.resting.begin()->trial;
    GoOn(&trials_.at(key));
    decisions.push_back({.action = StopDecision::Action::kPromote,
                         .configuration = key.first,
                         .replicate = key.second,
                         .target_epoch = target});
  }
  return decisions;
}

std::vector<StopDecision> AshaRule::OnState(const Observation& seen) {
  const auto found = trials_.find({seen.configuration, seen.replicate});
  if (found == trials_.end()) return {};
  Trial& trial = found->second;
  // Promoted when only trials on hold were left, before a restart; or retried by a person.
  if (seen.state == TrialState::kPending && trial.rests) GoOn(&trial);
  if (!IsTerminal(seen.state)) return {};
  if (trial.rests) {
    At(trial.next - 1).resting.erase(trial.place);
    trial.rests = false;
  }
  if (!trial.was_promoted) return {};
  const bool has_failed = seen.state != TrialState::kCompleted && seen.state != TrialState::kStopped;
  const int from = trial.next - 1;
  if (!has_failed) {
    trial.was_promoted = false;
    --on_the_way_;
    return {};
  }
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
