#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// Stops a trial at once when its objective is no number (NaN or an infinity): the rest of its
// training cannot be ranked. Leaves every other decision to another rule, which sees all
// observations.
class DivergedRule final : public StoppingRule {
 public:
  // `objective`: its name, for people.
  DivergedRule(std::string objective, std::unique_ptr<StoppingRule> rule)
      : objective_(std::move(objective)), rule_(std::move(rule)) {}

  int FirstTarget(std::int64_t configuration) const override {
    return rule_->FirstTarget(configuration);
  }
  std::vector<StopDecision> OnEpoch(const Observation& seen) override;
  std::vector<StopDecision> OnState(const Observation& seen) override {
    return rule_->OnState(seen);
  }
  std::vector<StopDecision> OnOnlyHeld() override { return rule_->OnOnlyHeld(); }

 private:
  const std::string objective_;
  const std::unique_ptr<StoppingRule> rule_;
};

}  // namespace sweep
