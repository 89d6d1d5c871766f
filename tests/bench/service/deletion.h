#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/service/table.h"

namespace sweep::bench {

// Measures how long the deletion of a sweep of `trials` trials of 20 epochs takes, and how long
// other writes wait meanwhile. Runs in this process, on a database of its own. Throws
// std::runtime_error.
std::vector<Figure> MeasureDeletionOf(std::int64_t trials);

}  // namespace sweep::bench
