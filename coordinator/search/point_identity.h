#pragma once

#include <string>

#include "common/base/value.h"

namespace sweep {

// A text that two points share only when they are the same.
std::string PointIdentity(const ParameterMap& parameters);

}  // namespace sweep
