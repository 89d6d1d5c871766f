#pragma once

#include <cstdint>

#include "worker/kernels/layout.h"

namespace sweep::kernels {

// Draws the KeepBits of one dropout layer for one training step, as defined in
// worker/trainer/dropout_bits.h, so that every backend drops the same elements: Philox4x32-10 keyed
// by the trial's seed, counting the elements of the batch with channels last.
struct DropoutMask {
  std::uint64_t key = 0;
  std::uint32_t step = 0;
  std::uint32_t layer = 0;
  std::uint32_t threshold = 0;    // an element whose 16-bit draw is below this is dropped
  Shape shape;                    // {channels, 1, 1} for dropout2d
  std::uint16_t* bits = nullptr;  // [block][channel][y][x]
};

// Draws the bits of one block of images.
void RunUnit(const DropoutMask& work, int block);

}  // namespace sweep::kernels
