#pragma once

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// The point of the sweep's space at which a configuration of an earlier file, or of another sweep,
// was trained: `chosen` by that search, `trained` with every hyperparameter. A parameter that the
// other search did not choose has the value that it was trained with. InvalidArgument, with the
// parameter and its value, when the space has no such point, or the sweep would train it otherwise.
// Constraints are not tested.
absl::StatusOr<ParameterMap> PointIn(const SweepSpec& spec, const ParameterMap& chosen,
                                     const ParameterMap& trained);

}  // namespace sweep
