#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// Checks a number of configurations that a person wants a sweep to have. InvalidArgument, naming
// the number, for a grid, whose number is fixed, and for more configurations than the search space
// has points or any sweep may have. Pure.
// `earlier`: configurations that replaced files have made, whose points may lie outside the space.
absl::Status CheckBudget(const SweepSpec& spec, std::int64_t run_cap, std::int64_t earlier);

}  // namespace sweep
