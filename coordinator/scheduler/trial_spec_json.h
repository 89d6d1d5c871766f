#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/store/store.h"

namespace sweep {

// The `trial` line that a trainer gets for `trial`: a function of the sweep file, what the search
// chose and the replicate. Without the fields that the worker fills in. Internal, naming the trial,
// when a stored configuration does not resolve any more.
absl::StatusOr<std::string> BuildTrialSpecJson(const SweepSpec& spec, const TrialRow& trial);

}  // namespace sweep
