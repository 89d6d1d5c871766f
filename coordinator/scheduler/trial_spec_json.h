#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "coordinator/store/store.h"

namespace sweep {

// The `trial` line of the trainer's protocol for `trial`: a function of the sweep file, the
// suggested configuration and the replicate. The worker fills in the remaining fields. Internal,
// naming the trial, when its stored configuration does not resolve.
absl::StatusOr<std::string> BuildTrialSpecJson(const SweepSpec& spec, const TrialRow& trial);

}  // namespace sweep
