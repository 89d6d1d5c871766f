#pragma once

#include <string>

#include "common/base/value.h"

namespace sweep {

// A value as messages show it: strings in quotes, 16.0 not as 16, at most one line.
std::string Shown(const Value& value);

}  // namespace sweep
