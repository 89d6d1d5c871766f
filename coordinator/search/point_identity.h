#pragma once

#include <string>

#include "common/base/value.h"

namespace sweep {

// Equal texts mean equal points.
std::string PointIdentity(const ParameterMap& parameters);

}  // namespace sweep
