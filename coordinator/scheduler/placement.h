#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "common/spec/sweep_spec.h"
#include "common/spec/worker_requirements.h"
#include "coordinator/scheduler/scheduler_types.h"

namespace sweep {

// What a sweep needs of any worker that trains it. Sweeps with the same needs share a queue. Only
// NeedsOf and Unmet look at the fields.
struct Needs {
  bool program = false;         // the sweep brings its own trainer
  WorkerRequirements required;  // by its file

  friend auto operator<=>(const Needs&, const Needs&) = default;
};
Needs NeedsOf(const SweepSpec& spec);

// A sweep that needs a worker.
struct Demand {
  std::int64_t sweep_id = 0;
  std::string_view sweep;  // its name
  Needs needs;
};

// Why a worker gets no trials of a sweep, the most important reason first.
enum class Misfit {
  kNone,          // it may get them
  kTrainsOthers,  // it trains sweeps of other names only
  kNoPrograms,    // the sweep brings a program, and the worker runs none
  kNoDevice,  // it has not the device, a label, the memory, or the build that the sweep requires
  kNoLabel,
  kLittleMemory,
  kOldBuild,
  kOtherData,  // its data is not what the sweep is trained on
};

// What a worker may train, as far as is known.
struct Capabilities {
  bool allows_programs = false;                    // runs the programs that sweeps bring with them
  std::set<std::string, std::less<>> devices;      // kinds: "cpu", "cuda"
  std::set<std::string, std::less<>> labels;       // "KEY" and "KEY=VALUE" of each
  std::int64_t memory_bytes = 0;                   // of its machine; 0: not known
  std::string build;                               // "": not known
  std::set<std::string, std::less<>> only_sweeps;  // names; trains no others; empty: all
  std::map<std::int64_t, OtherData> other_data;    // by the id of the sweep that has other data

  // The first need that it does not meet; kNone: it meets them for at least one sweep.
  Misfit Unmet(const Needs& needs) const;
  bool Meets(const Needs& needs) const { return Unmet(needs) == Misfit::kNone; }
};
// Without what only a table of sweeps knows: `only_sweeps` and `other_data`.
Capabilities CapabilitiesOf(const WorkerDescription& description);

// Says whether the worker may train trials of the sweep once it has a free slot, or why not. Pure.
Misfit Fits(const Demand& demand, const Capabilities& worker);

// `other` could train everything that `worker` may train, apart from their data. Pure.
bool CanReplace(const Capabilities& other, const Capabilities& worker);

}  // namespace sweep
