#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/stats/ranking.h"
#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// `stop_when`: ends a trial once it meets the criteria, and the sweep once enough configurations
// qualify. Before that, another rule, if there is one, sees all observations and decides too.
//
// With `gate_on: best` a configuration qualifies with the first epoch that meets all gates; with
// another choice the last epochs decide, so it is judged when all its replicates have ended.
class SuccessRule final : public StoppingRule {
 public:
  // `spec` has `stop_when` and must outlive the rule; `rule` may be null.
  SuccessRule(const SweepSpec* spec, std::unique_ptr<StoppingRule> rule);

  int FirstTarget(std::int64_t configuration) const override;
  std::vector<StopDecision> OnEpoch(const Observation& seen) override;
  std::vector<StopDecision> OnState(const Observation& seen) override;
  std::vector<StopDecision> OnOnlyHeld() override;
  std::string SweepEnd() const override { return end_; }

 private:
  struct Known {
    ParameterMap parameters;
    std::vector<ReplicateResult> replicates;
    std::set<int> observed;  // replicates
    int unfinished = 0;
    bool qualifies = false;
  };

  Known& Know(const Observation& seen);
  // The first time that the trial is observed.
  bool IsNew(const Observation& seen, Known* known);
  bool Qualifies(std::int64_t configuration, const Known& known,
                 const std::vector<ReplicateResult>& replicates) const;
  // The latest epoch of the trial may be the one that decides.
  bool IsWorthScoring(const TrialResult& result) const;
  void Count(std::int64_t configuration, Known* known);
  // Stops all that has not ended, when the sweep ends with this observation.
  void StopAll(std::vector<StopDecision>* decisions);

  const SweepSpec* const spec_;
  const std::unique_ptr<StoppingRule> rule_;
  const std::vector<std::string> judged_;
  std::map<std::int64_t, Known> configurations_;
  std::map<std::pair<std::int64_t, int>, int> unfinished_;  // trials, with their last epoch
  int qualifying_ = 0;
  std::string end_;
};

}  // namespace sweep
