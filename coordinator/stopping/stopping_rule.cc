#include "coordinator/stopping/stopping_rule.h"

#include "coordinator/stopping/median_rule.h"

namespace sweep {

std::unique_ptr<StoppingRule> StoppingRule::Make(const SweepSpec& spec) {
  if (!spec.early_terminate) return nullptr;
  return std::make_unique<MedianRule>(*spec.early_terminate, spec.objective().maximize);
}

}  // namespace sweep
