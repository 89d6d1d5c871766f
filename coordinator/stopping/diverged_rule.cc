#include "coordinator/stopping/diverged_rule.h"

#include <cmath>

#include "fmt/format.h"

namespace sweep {

std::vector<StopDecision> DivergedRule::OnEpoch(const Observation& seen) {
  std::vector<StopDecision> decisions = rule_->OnEpoch(seen);
  if (!seen.has_value || std::isfinite(seen.value)) return decisions;
  std::erase_if(decisions, [&](const StopDecision& decision) {
    return decision.configuration == seen.configuration && decision.replicate == seen.replicate;
  });
  decisions.push_back(
      {.action = StopDecision::Action::kStop,
       .configuration = seen.configuration,
       .replicate = seen.replicate,
       .reason = fmt::format("stopped after epoch {}: it has diverged, its {} is {}", seen.epoch,
                             objective_, seen.value)});
  return decisions;
}

}  // namespace sweep
