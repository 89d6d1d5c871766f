#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/lifecycle/trial_state.h"
#include "coordinator/views/sweep_index.h"
#include "coordinator/views/trial_filter.h"

namespace sweep {

// Which trials are asked for, in which order.
struct IndexQuery {
  // Only those that a ranking shows; a measure is one of their orders.
  bool ranked = false;
  bool qualifying = false;  // only of configurations that meet the criteria
  std::optional<TrialState> state;
  std::optional<TrialFilter> filter;
  // A name as in filters, with " desc" behind it: downwards. Trials that have no such value come
  // last, by number.
  std::string order_by = "number";
  // The most that the filter may take for all rows.
  absl::Duration filter_time = absl::InfiniteDuration();
};

// The rows of `index` that match, in order. InvalidArgument for an unknown order, and for a filter
// whose values do not go with it or that takes longer than it may. Tens of milliseconds for 100,000
// trials.
absl::StatusOr<std::vector<std::size_t>> SelectRows(const SweepIndex& index,
                                                    const IndexQuery& query);

}  // namespace sweep
