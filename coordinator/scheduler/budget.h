#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// How many configurations a sweep makes, once a person has changed it. Pure.

// Whether the sweep's search can make `run_cap` configurations. InvalidArgument, naming the number,
// for a grid, whose number is fixed, and for more than there are points or than any sweep may make.
absl::Status CheckBudget(const SweepSpec& spec, std::int64_t run_cap);

// The spec whose search makes `planned` configurations; the same one when it does so already. What
// it suggests up to any number is what a sweep file with that run_cap would.
std::shared_ptr<const SweepSpec> WithBudget(std::shared_ptr<const SweepSpec> spec,
                                            std::int64_t planned);

}  // namespace sweep
