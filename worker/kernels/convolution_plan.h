#pragma once

// Internal: how a convolution's block is cut into row strips, and what lies where in scratch.

#include <cstddef>

#include "worker/kernels/convolution.h"

namespace sweep::kernels {

// What a strip of one operand may take. With AVX2 a kernel works on half of it at a time. Smaller
// strips load more rows twice, larger ones fall out of the second-level cache.
inline constexpr std::size_t kStripBytes = 384 * 1024;
// Pixels over which a weight tile stays in registers: two rows of 26. More would push the operands
// out of the first-level cache, fewer would load and store the sums more often.
inline constexpr int kBandPixels = 52;

// Output channels of a register tile; the number of columns depends on the instruction set.
inline constexpr int kTileChannels = 4;

// Outputs in tiles of nearly equal size, in the order of packed weights.
inline Shares OutputTiles(int channels) { return {channels, CeilDiv(channels, kTileChannels)}; }

// Places in scratch, in floats.
struct ForwardPlan {
  explicit ForwardPlan(const ConvolutionShape& conv);
  int strips = 1;
  std::size_t window = 0, sums = 0, offsets = 0;
  std::size_t total = 0;
};

// Rows of one strip of the backward pass.
struct StripRows {
  Range output;  // whose weight gradients it adds
  Range input;   // whose gradients it writes
  Range z;       // of the output gradient that both need; may reach beyond the image
  Range x;       // of the input that the weight gradients need
};

struct BackwardPlan {
  explicit BackwardPlan(const ConvolutionShape& conv);
  StripRows Rows(const ConvolutionShape& conv, int strip) const;
  int strips = 1;
  Range z_columns, x_columns;
  std::size_t z_window = 0, x_window = 0, lane_sums = 0, sums = 0, offsets = 0;
  std::size_t total = 0;
};

}  // namespace sweep::kernels
