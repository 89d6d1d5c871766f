#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/observation.h"

namespace sweep {

// Chooses the points of the search space. Pure: no I/O, no clock, no threads of its own; one object
// per sweep, used by one thread at a time. A suggestion depends only on the sweep's seed, its
// number and the earlier observations, so a restart, which observes everything again from the first
// event on, gives the same suggestions.
class Search {
 public:
  virtual ~Search() = default;

  // Called in order of sequence. Only methods that learn use it.
  virtual void Observe(const Observation& /*observation*/) {}

  // The configuration of that number (from 1, requested in order), complete and satisfying the
  // sweep's constraints; nullopt when the space has no more points. Ignores the sweep's budget.
  // InvalidArgument when no point can be found (the constraints exclude everything, a network never
  // fits).
  virtual absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) = 0;

  // What Suggest would answer, but the search does not count the point as known afterwards. The
  // caller then observes the one that was taken.
  virtual absl::StatusOr<std::optional<Configuration>> Peek(std::int64_t number) {
    return Suggest(number);
  }

  // The number of trials that should be pending when `free_slots` are free. A method that learns
  // keeps few: each later suggestion knows more.
  virtual int Ahead(int free_slots) const { return 2 * free_slots + kPlenty; }

  // The search of the sweep's method (search_makers.h), after the points of `try_first`. `spec`
  // must outlive the object.
  static std::unique_ptr<Search> Make(const SweepSpec* spec);

 protected:
  // Enough for slots that become free while a batch of points is being stored.
  static constexpr int kPlenty = 64;
};

}  // namespace sweep
