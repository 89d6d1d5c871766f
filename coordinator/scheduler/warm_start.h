#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/store.h"

namespace sweep {

// What a new sweep takes from those that its `warm_start` names.
struct WarmStart {
  // Of all earlier sweeps together; further ones are left behind.
  static constexpr std::int64_t kMostPoints = 10'000;

  // Why the sweep cannot be made; matters only when it does not exist yet.
  absl::Status refusal;
  std::vector<WarmStartRow> starts;
  std::vector<EndedPoint> points;  // also those without a place in the space: an edit may give one
};

// Null without `warm_start`. For threads that may parse and read.
std::shared_ptr<const WarmStart> PlanWarmStart(Store* store, SpecCache* specs,
                                               const SweepSpec& spec);

}  // namespace sweep
