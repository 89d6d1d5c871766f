#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// SweepSpec::Parse, saying nothing about network files in `reported`: those that the caller has
// complained about already.
absl::StatusOr<SweepSpec> ParseSweep(const SweepSource& source,
                                     const std::set<std::string>& reported,
                                     Diagnostics* diagnostics);

// The models named in a sweep file; empty when it is not readable. Complains about nothing.
std::vector<std::string> ModelsIn(std::string_view text);

}  // namespace sweep
