#pragma once

#include <cstdint>
#include <optional>

#include "common/spec/sweep_spec.h"

namespace sweep {

// The point completed, or nullopt when its network does not fit, or when a constraint does not hold
// or cannot be evaluated there.
std::optional<Configuration> CompleteValid(const SweepSpec& spec, std::int64_t number,
                                           const ParameterMap& chosen);

}  // namespace sweep
