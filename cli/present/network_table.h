#pragma once

#include <cstdint>
#include <string>

#include "common/network/network.h"

namespace sweep::cli {

// Memory in MiB of `batch` images, as torchsummary reckons it: every layer's output counts twice
// (forward and backward), four bytes to a number.
struct NetworkMemory {
  double input = 0;
  double passes = 0;
  double parameters = 0;
  double total() const { return input + passes + parameters; }
};
NetworkMemory MemoryOf(const Network& network, int batch);

// The layer table in the form of torchsummary, which the write-ups print, with the FLOPs of one
// image and the receptive field behind each layer, then the totals. `batch` images stand in the
// shapes (0: -1, as torchsummary) and in the memory. Columns are set closer when `width` (0: any)
// has no room for torchsummary's own. Ends with a newline. Pure.
std::string NetworkTable(const Network& network, int batch, int width);

}  // namespace sweep::cli
