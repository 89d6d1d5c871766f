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

// Selects and orders trials.
struct IndexQuery {
  // Only the trials that a ranking shows. They can be ordered by measures.
  bool ranked = false;
  bool qualifying = false;  // only of configurations that meet every gate
  std::optional<TrialState> state;
  std::optional<TrialFilter> filter;
  // A name as in filters, optionally followed by " desc". Trials without a value come last, by
  // number.
  std::string order_by = "number";
  // The time limit of the filter for all rows.
  absl::Duration filter_time = absl::InfiniteDuration();
};

// The matching rows of `index`, in order. InvalidArgument for an unknown order, for a filter that
// compares values of different kinds, and for a filter that exceeds its time limit. Takes tens of
// milliseconds for 100,000 trials.
absl::StatusOr<std::vector<std::size_t>> SelectRows(const SweepIndex& index,
                                                    const IndexQuery& query);

}  // namespace sweep
