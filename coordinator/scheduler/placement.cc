#include "coordinator/scheduler/placement.h"

namespace sweep {

Needs NeedsOf(const SweepSpec& spec) { return {.program = !spec.program.empty()}; }

Misfit Fits(const Demand& demand, const Capabilities& worker) {
  if (!worker.only_sweeps.empty() && !worker.only_sweeps.contains(demand.sweep)) {
    return Misfit::kTrainsOthers;
  }
  if (!worker.Meets(demand.needs)) return Misfit::kNoPrograms;
  if (worker.other_data.contains(demand.sweep_id)) return Misfit::kOtherData;
  return Misfit::kNone;
}

bool CanReplace(const Capabilities& other, const Capabilities& worker) {
  return (other.allows_programs || !worker.allows_programs) &&
         (other.only_sweeps.empty() || other.only_sweeps == worker.only_sweeps);
}

}  // namespace sweep
