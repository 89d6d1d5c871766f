#pragma once

#include <vector>

#include "common/spec/dimensions.h"

namespace sweep {

// Coordinates in [0, 1) of values of the parameter, each of another value: all values of a list, at
// most 200, or of a range about `count` that are evenly spaced on its axis, and that of `own`, a
// coordinate too. Of a range ascending, of a list in its order.
std::vector<double> SliceCoordinates(const Parameter& parameter, const Dimension& dimension,
                                     double own, int count);

}  // namespace sweep
