#pragma once

#include <memory>
#include <string>
#include <vector>

#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// Of a sweep with a race: another rule sees the first runs of every configuration only. A further
// run is trained to its last epoch, since its value is held against those of complete ones, and so
// it is no measure for those that are judged earlier.
class FirstRunsRule final : public StoppingRule {
 public:
  FirstRunsRule(int first_replicates, std::unique_ptr<StoppingRule> rule)
      : first_replicates_(first_replicates), rule_(std::move(rule)) {}

  int FirstTarget(std::int64_t configuration) const override {
    return rule_->FirstTarget(configuration);
  }
  std::vector<StopDecision> OnEpoch(const Observation& observation) override {
    if (observation.replicate >= first_replicates_) return {};
    return rule_->OnEpoch(observation);
  }
  std::vector<StopDecision> OnState(const Observation& observation) override {
    if (observation.replicate >= first_replicates_) return {};
    return rule_->OnState(observation);
  }
  std::vector<StopDecision> OnOnlyHeld() override { return rule_->OnOnlyHeld(); }
  std::string SweepEnd() const override { return rule_->SweepEnd(); }

 private:
  const int first_replicates_;
  const std::unique_ptr<StoppingRule> rule_;
};

}  // namespace sweep
