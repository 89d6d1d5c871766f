#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// What the stopping rule of a sweep has decided on each trial. Pure; used by one thread at a time.
class TrialJudge {
 public:
  struct Decision {
    StopDecision::Action action = StopDecision::Action::kStop;
    int target_epoch = 0;
    std::string reason;
    bool after_hold = false;  // a promotion of a trial whose decided hold may not be stored yet
    bool is_issued = false;
  };

  // `rule`: null when no trial is stopped. `sweep` names it in the log.
  TrialJudge(std::string sweep, std::unique_ptr<StoppingRule> rule)
      : sweep_(std::move(sweep)), rule_(std::move(rule)) {}

  bool has_rule() const { return rule_ != nullptr; }
  // As StoppingRule's.
  int FirstTarget(std::int64_t configuration) const {
    return has_rule() ? rule_->FirstTarget(configuration) : 0;
  }
  std::string SweepEnd() const { return has_rule() ? rule_->SweepEnd() : ""; }

  void Observe(std::int64_t trial_id, const Observation& observation);
  // Only trials on hold are left. True when the rule has decided on some.
  bool DecideOnHeld();
  // The decisions that were not taken yet, or refused since, by the trial's id.
  std::vector<std::pair<std::int64_t, Decision>> TakeDecisions();
  // The decision was not carried out.
  void Refuse(std::int64_t trial_id);

 private:
  // `epoch`: the one just observed; 0: none.
  void Note(StopDecision decision, int epoch);

  const std::string sweep_;
  const std::unique_ptr<StoppingRule> rule_;
  // Ids of observed trials by configuration and replicate.
  std::map<std::pair<std::int64_t, int>, std::int64_t> trial_ids_;
  std::map<std::int64_t, Decision> decisions_;  // the last on each trial, until it has ended
};

}  // namespace sweep
