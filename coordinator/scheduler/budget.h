#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// How many configurations a sweep makes, once a person has changed it. Pure.

// Whether the sweep's search can make `run_cap` configurations. InvalidArgument, naming the number,
// for a grid, whose number is fixed, and for more than there are points or than any sweep may make.
absl::Status CheckBudget(const SweepSpec& spec, std::int64_t run_cap);

}  // namespace sweep
