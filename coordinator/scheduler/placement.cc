#include "coordinator/scheduler/placement.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/scheduler/worker_builds.h"

namespace sweep {

Needs NeedsOf(const SweepSpec& spec) {
  return {.program = !spec.program.empty(), .required = spec.requires_of_workers};
}

Capabilities CapabilitiesOf(const WorkerDescription& description) {
  Capabilities can{.allows_programs = description.allows_programs,
                   .memory_bytes = description.memory_bytes,
                   .build = VersionOf(description.build)};
  for (const std::string& device : description.devices) {
    // "cpu", "cuda:0 NVIDIA H200"; "auto" until a trainer has said more
    const std::string kind = device.substr(0, device.find_first_of(": "));
    if (!kind.empty() && kind != "auto") can.devices.insert(kind);
  }
  if (can.devices.empty()) can.devices.insert("cpu");
  for (const auto& [key, value] : description.labels) {
    can.labels.insert(key);
    can.labels.insert(absl::StrCat(key, "=", value));
  }
  return can;
}

Misfit Capabilities::Unmet(const Needs& needs) const {
  const WorkerRequirements& required = needs.required;
  if (needs.program && !allows_programs) return Misfit::kNoPrograms;
  if (!required.device.empty() && !devices.contains(required.device)) return Misfit::kNoDevice;
  const bool has_labels = std::all_of(required.labels.begin(), required.labels.end(),
                                      [&](const auto& one) { return labels.contains(one); });
  if (!has_labels) return Misfit::kNoLabel;
  if (memory_bytes < required.memory_bytes) return Misfit::kLittleMemory;
  if (!required.build.empty() && !IsAtLeast(build, required.build)) return Misfit::kOldBuild;
  return Misfit::kNone;
}

Misfit Fits(const Demand& demand, const Capabilities& worker) {
  if (!worker.only_sweeps.empty() && !worker.only_sweeps.contains(demand.sweep)) {
    return Misfit::kTrainsOthers;
  }
  if (const Misfit unmet = worker.Unmet(demand.needs); unmet != Misfit::kNone) return unmet;
  if (worker.other_data.contains(demand.sweep_id)) return Misfit::kOtherData;
  return Misfit::kNone;
}

bool CanReplace(const Capabilities& other, const Capabilities& worker) {
  const auto has_all = [](const auto& all, const auto& some) {
    return std::includes(all.begin(), all.end(), some.begin(), some.end());
  };
  return (other.allows_programs || !worker.allows_programs) &&
         has_all(other.devices, worker.devices) && has_all(other.labels, worker.labels) &&
         other.memory_bytes >= worker.memory_bytes &&
         (VersionNumbers(worker.build).empty() || IsAtLeast(other.build, worker.build)) &&
         (other.only_sweeps.empty() || other.only_sweeps == worker.only_sweeps);
}

}  // namespace sweep
