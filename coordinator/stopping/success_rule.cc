#include "coordinator/stopping/success_rule.h"

#include <algorithm>
#include <optional>

#include "fmt/format.h"

namespace sweep {

SuccessRule::SuccessRule(const SweepSpec* spec, std::unique_ptr<StoppingRule> rule)
    : spec_(spec), rule_(std::move(rule)), judged_(spec->JudgedMeasures()) {}

int SuccessRule::FirstTarget(std::int64_t configuration) const {
  return rule_ == nullptr ? 0 : rule_->FirstTarget(configuration);
}

SuccessRule::Known& SuccessRule::Know(const Observation& seen) {
  const auto [place, is_new] = configurations_.try_emplace(seen.configuration);
  Known& known = place->second;
  if (is_new) known.replicates.resize(static_cast<std::size_t>(spec_->replicates));
  if (seen.parameters != nullptr) known.parameters = *seen.parameters;
  return known;
}

bool SuccessRule::IsNew(const Observation& seen, Known* known) {
  if (!known->observed.insert(seen.replicate).second) return false;
  ++known->unfinished;
  unfinished_.emplace(std::pair(seen.configuration, seen.replicate), 0);
  return true;
}

bool SuccessRule::Qualifies(std::int64_t configuration, const Known& known,
                            const std::vector<ReplicateResult>& replicates) const {
  const absl::StatusOr<Configuration> complete = spec_->Complete(configuration, known.parameters);
  return complete.ok() && ScoreConfiguration(*spec_, *complete, replicates).qualifies;
}

bool SuccessRule::IsWorthScoring(const TrialResult& result) const {
  return result.epochs_in_a_row >= (spec_->gate_on == GateOn::kLastK ? spec_->gate_epochs : 1);
}

void SuccessRule::Count(std::int64_t configuration, Known* known) {
  if (known->qualifies || !Qualifies(configuration, *known, known->replicates)) return;
  known->qualifies = true;
  ++qualifying_;
}

std::vector<StopDecision> SuccessRule::OnEpoch(const Observation& seen) {
  std::vector<StopDecision> decisions;
  if (rule_ != nullptr) decisions = rule_->OnEpoch(seen);
  if (!end_.empty()) return {};
  Known& known = Know(seen);
  IsNew(seen, &known);
  if (seen.measures == nullptr) return decisions;
  ReplicateResult& replicate = known.replicates[static_cast<std::size_t>(seen.replicate)];
  EpochMetrics judged{.epoch = seen.epoch, .values = {}};
  for (const std::string& name : judged_) {
    if (const std::optional<double> value = seen.measures->Get(name)) {
      judged.values.Set(name, *value);
    }
  }
  AddEpoch(*spec_, judged, &replicate.result);
  replicate.state = TrialState::kRunning;
  const auto unfinished = unfinished_.find({seen.configuration, seen.replicate});
  if (unfinished != unfinished_.end()) unfinished->second = seen.epoch;
  if (!IsWorthScoring(replicate.result)) return decisions;
  const std::vector<ReplicateResult> alone = {
      {.state = TrialState::kCompleted, .result = replicate.result}};
  if (spec_->stop_when->trial_qualifies && Qualifies(seen.configuration, known, alone)) {
    decisions.push_back(
        {.action = StopDecision::Action::kStop,
         .configuration = seen.configuration,
         .replicate = seen.replicate,
         .reason =
             fmt::format("stopped after epoch {}: it meets all criteria (stop_when)", seen.epoch)});
  }
  if (spec_->gate_on == GateOn::kBest) Count(seen.configuration, &known);
  StopAll(&decisions);
  return decisions;
}

std::vector<StopDecision> SuccessRule::OnState(const Observation& seen) {
  std::vector<StopDecision> decisions;
  if (rule_ != nullptr) decisions = rule_->OnState(seen);
  Known& known = Know(seen);
  const bool is_new = IsNew(seen, &known);
  const std::pair<std::int64_t, int> trial(seen.configuration, seen.replicate);
  if (!IsTerminal(seen.state)) {
    // One that was made while the sweep ended. One that a person retries then is trained.
    if (!end_.empty() && !is_new) return {};
    if (!end_.empty()) {
      return {{.action = StopDecision::Action::kStop,
               .configuration = seen.configuration,
               .replicate = seen.replicate,
               .reason = end_}};
    }
    if (unfinished_.try_emplace(trial, 0).second) ++known.unfinished;
    return decisions;
  }
  if (unfinished_.erase(trial) > 0) --known.unfinished;
  if (!end_.empty()) return {};
  known.replicates[static_cast<std::size_t>(seen.replicate)].state = seen.state;
  const bool all_ended = known.unfinished == 0 &&
                         std::ssize(known.observed) == static_cast<std::int64_t>(spec_->replicates);
  if (!all_ended) return decisions;
  Count(seen.configuration, &known);
  StopAll(&decisions);
  return decisions;
}

std::vector<StopDecision> SuccessRule::OnOnlyHeld() {
  if (rule_ == nullptr || !end_.empty()) return {};
  return rule_->OnOnlyHeld();
}

void SuccessRule::StopAll(std::vector<StopDecision>* decisions) {
  const int wanted = spec_->stop_when->qualifying;
  if (wanted == 0 || qualifying_ < wanted) return;
  end_ = fmt::format(
      "{} and 'stop_when' asks for no more",
      wanted == 1 ? "1 configuration qualifies" : fmt::format("{} configurations qualify", wanted));
  for (const auto& [trial, epoch] : unfinished_) {
    decisions->push_back({.action = StopDecision::Action::kStop,
                          .configuration = trial.first,
                          .replicate = trial.second,
                          .target_epoch = epoch,
                          .reason = end_});
  }
}

}  // namespace sweep
