#pragma once

#include <cstdint>
#include <string>

#include "common/network/network.h"

namespace sweep::cli {

// Memory in MiB for `batch` images, computed like torchsummary: every layer's output counts twice
// (forward and backward), with four bytes per number.
struct NetworkMemory {
  double input = 0;
  double passes = 0;
  double parameters = 0;
  double total() const { return input + passes + parameters; }
};
NetworkMemory MemoryOf(const Network& network, int batch);

// The layer table in the form of torchsummary, as the write-ups print it, with the FLOPs of one
// image and the receptive field after each layer, then the totals. `batch` images appear in the
// shapes (0: -1, as torchsummary) and in the memory. Columns are narrower when `width` (0: any) has
// no room for torchsummary's own. Ends with a newline. Pure.
std::string NetworkTable(const Network& network, int batch, int width);

}  // namespace sweep::cli
