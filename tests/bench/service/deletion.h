#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/service/table.h"

namespace sweep::bench {

// How long a sweep of `trials` trials of 20 epochs takes to be deleted, and how long other writes
// wait meanwhile. In this process, on a database of its own. Throws std::runtime_error.
std::vector<Figure> MeasureDeletionOf(std::int64_t trials);

}  // namespace sweep::bench
