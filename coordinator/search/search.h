#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/observation.h"

namespace sweep {

// Chooses the points of the search space. Pure: no I/O, no clock, no threads of its own; one
// object per sweep, used by one thread at a time. A suggestion is a function of the sweep's seed,
// its number and what was observed before, so that a restart, which observes everything again from
// the first event on, gives the same ones.
class Search {
 public:
  virtual ~Search() = default;

  // In order of sequence. Of use only to methods that learn.
  virtual void Observe(const Observation& /*observation*/) {}

  // The configuration of that number (from 1 on, asked for in order), complete and satisfying the
  // sweep's constraints, or nullopt when the space has no more. The sweep's budget does not count
  // here. InvalidArgument when none can be found (the constraints exclude everything, a network
  // never fits).
  virtual absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) = 0;

  // How many trials should be pending when that many slots are free. A method that learns keeps
  // few: each later suggestion knows more.
  virtual int Ahead(int free_slots) const { return 2 * free_slots + kPlenty; }

  // The search of the sweep's method; see search_makers.h. `spec` must outlive the object.
  static std::unique_ptr<Search> Make(const SweepSpec* spec);

 protected:
  // Enough for slots that become free while a batch of points is being stored.
  static constexpr int kPlenty = 64;
};

}  // namespace sweep
