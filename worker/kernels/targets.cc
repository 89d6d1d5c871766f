#include "worker/kernels/targets.h"

#include <hwy/highway.h>

#include <cstdint>

namespace sweep::kernels {
namespace {

// The instruction sets of this processor; read before any choice is made.
const std::vector<std::int64_t>& Targets() {
  static const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

}  // namespace

std::vector<std::string> InstructionSets() {
  std::vector<std::string> names;
  for (const std::int64_t target : Targets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

bool UseInstructionSet(const std::string& name) {
  for (const std::int64_t target : Targets()) {
    if (hwy::TargetName(target) != name) continue;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    return true;
  }
  return false;
}

}  // namespace sweep::kernels
