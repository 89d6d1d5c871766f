#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// Chooses the points of the search space. Pure: no I/O, no clock, no threads of its own; one
// object per sweep, used by one thread at a time. A suggestion is a function of the sweep's seed,
// its number and the events seen before (grid and random see none), so that a restart and a replay
// give the same ones.
class Search {
 public:
  virtual ~Search() = default;

  // The configuration of that number (1-based; asked for in order), complete and satisfying the
  // sweep's constraints, or nullopt when there is no more. InvalidArgument when none can be found
  // (the constraints exclude everything, a network never fits).
  virtual absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) = 0;

  // `spec` must outlive the object.
  static std::unique_ptr<Search> Make(const SweepSpec* spec);
};

}  // namespace sweep
