#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// Feeds the rule of a sweep file with trials of one replicate each, or of several.
class RuleUnderTest {
 public:
  explicit RuleUnderTest(const std::string& text) {
    Diagnostics diagnostics;
    absl::StatusOr<SweepSpec> spec =
        SweepSpec::Parse({.file = "s.yaml", .text = text}, &diagnostics);
    EXPECT_TRUE(spec.ok()) << spec.status();
    if (!spec.ok()) return;
    spec_ = std::make_unique<SweepSpec>(*std::move(spec));
    rule_ = StoppingRule::Make(*spec_);
  }

  StoppingRule& rule() { return *rule_; }

  // The decisions, as "-2" for a stop of trial 2 and "-2.1" for its replicate 1, in order.
  std::string Begin(std::int64_t trial, const ParameterMap& parameters, int replicate = 0) {
    return Text(rule_->OnState({.sequence = ++sequence_,
                                .configuration = trial,
                                .replicate = replicate,
                                .state = TrialState::kPending,
                                .parameters = &parameters}));
  }
  std::string After(std::int64_t trial, int epoch, const Measurements& values, int replicate = 0) {
    const std::optional<double> value = values.Get(spec_->objective().name);
    return Text(rule_->OnEpoch({.sequence = ++sequence_,
                                .configuration = trial,
                                .replicate = replicate,
                                .epoch = epoch,
                                .value = value.value_or(0),
                                .has_value = value.has_value(),
                                .state = TrialState::kRunning,
                                .measures = &values}));
  }
  std::string End(std::int64_t trial, TrialState state, int replicate = 0) {
    return Text(rule_->OnState(
        {.sequence = ++sequence_, .configuration = trial, .replicate = replicate, .state = state}));
  }
  const std::string& reason() const { return reason_; }  // of the last decision

 private:
  std::string Text(const std::vector<StopDecision>& decisions) {
    std::string text;
    for (const StopDecision& decision : decisions) {
      if (!text.empty()) text += " ";
      text += decision.action == StopDecision::Action::kStop ? "-" : "+";
      text += std::to_string(decision.configuration);
      if (decision.replicate > 0) text += "." + std::to_string(decision.replicate);
      reason_ = decision.reason;
    }
    return text;
  }

  std::unique_ptr<SweepSpec> spec_;
  std::unique_ptr<StoppingRule> rule_;
  std::int64_t sequence_ = 0;
  std::string reason_;
};

}  // namespace sweep
