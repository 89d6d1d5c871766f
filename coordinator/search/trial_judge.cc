#include "coordinator/search/trial_judge.h"

#include "spdlog/spdlog.h"

namespace sweep {

void TrialJudge::Observe(std::int64_t trial_id, const Observation& observation) {
  if (!has_rule()) return;
  trial_ids_[{observation.configuration, observation.replicate}] = trial_id;
  const bool is_epoch = observation.epoch > 0;
  for (StopDecision& decision :
       is_epoch ? rule_->OnEpoch(observation) : rule_->OnState(observation)) {
    const bool is_own = decision.configuration == observation.configuration &&
                        decision.replicate == observation.replicate;
    Note(std::move(decision), is_own ? observation.epoch : 0);
  }
  if (is_epoch) return;
  const auto decided = decisions_.find(trial_id);
  if (decided == decisions_.end()) return;
  // Forgets decisions that were carried out: the trial has ended (one that a person retries had
  // ended before), or it is on hold as decided, until its promotion.
  const bool is_carried_out = observation.state == TrialState::kOnHold &&
                              decided->second.action == StopDecision::Action::kHold;
  if (IsTerminal(observation.state) || is_carried_out) decisions_.erase(decided);
}

bool TrialJudge::DecideOnHeld() {
  if (!has_rule()) return false;
  std::vector<StopDecision> last = rule_->OnOnlyHeld();
  for (StopDecision& decision : last) Note(std::move(decision), 0);
  return !last.empty();
}

void TrialJudge::Note(StopDecision decision, int epoch) {
  const auto trial_id = trial_ids_.find({decision.configuration, decision.replicate});
  if (trial_id == trial_ids_.end()) {
    spdlog::error("stopping rule decided on an unknown trial sweep={} configuration={}", sweep_,
                  decision.configuration);
    return;
  }
  const auto [place, is_new] = decisions_.try_emplace(trial_id->second);
  Decision& last = place->second;
  if (!is_new && last.action == StopDecision::Action::kStop) return;
  const bool is_stop = decision.action == StopDecision::Action::kStop;
  const int target = is_stop && decision.target_epoch == 0 ? epoch : decision.target_epoch;
  if (!is_new && last.action == decision.action && last.target_epoch == target) return;
  const bool after_hold = decision.action == StopDecision::Action::kPromote && !is_new &&
                          (last.action == StopDecision::Action::kHold || last.after_hold);
  last = {.action = decision.action,
          .target_epoch = target,
          .reason = std::move(decision.reason),
          .after_hold = after_hold};
}

std::vector<std::pair<std::int64_t, TrialJudge::Decision>> TrialJudge::TakeDecisions() {
  std::vector<std::pair<std::int64_t, Decision>> taken;
  for (auto& [trial_id, decision] : decisions_) {
    if (!std::exchange(decision.is_issued, true)) taken.emplace_back(trial_id, decision);
  }
  return taken;
}

void TrialJudge::Refuse(std::int64_t trial_id) {
  const auto decision = decisions_.find(trial_id);
  if (decision != decisions_.end()) decision->second.is_issued = false;
}

}  // namespace sweep
