#pragma once

// Internal: how a convolution's block is cut into row strips, and how scratch is laid out.

#include <cstddef>

#include "worker/kernels/convolution.h"

namespace sweep::kernels {

// The most memory that a strip of one operand takes. With AVX2 a kernel works on half of it at a
// time. Smaller strips load more rows twice, larger ones exceed the second-level cache.
inline constexpr std::size_t kStripBytes = 384 * 1024;
// Pixels over which a weight tile stays in registers: two rows of 26. More would push the operands
// out of the first-level cache, fewer would load and store the sums more often.
inline constexpr int kBandPixels = 52;

// Output channels of a register tile. The number of columns depends on the instruction set, up to:
inline constexpr int kTileChannels = 4;
inline constexpr int kMostTileColumns = 6;

// Output channels in tiles of nearly equal size, in the order of packed weights.
inline Shares OutputTiles(int channels) { return {channels, CeilDiv(channels, kTileChannels)}; }

// The layout of scratch, in floats.
struct ForwardPlan {
  explicit ForwardPlan(const ConvolutionShape& conv);
  int strips = 1;
  std::size_t window = 0, sums = 0, offsets = 0;
  std::size_t total = 0;
};

// Rows of one strip of the backward pass.
struct StripRows {
  Range output;  // their weight gradients are added
  Range input;   // their gradients are written
  Range z;       // of the output gradient, needed for both; may reach beyond the image
  Range x;       // of the input, needed for the weight gradients
};

StripRows BackwardRows(const ConvolutionShape& conv, int strips, int strip);

struct BackwardPlan {
  explicit BackwardPlan(const ConvolutionShape& conv);
  int strips = 1;
  Range z_columns, x_columns;
  std::size_t z_window = 0, x_window = 0, lane_sums = 0, sums = 0, offsets = 0;
  std::size_t total = 0;
};

// Winograd's minimal filtering F(4, 3) along rows (winograd.h): a tile is 4 neighbouring results of
// a row, computed at 6 points.
inline constexpr int kTileResults = 4;
inline constexpr int kPoints = 6;
// The pixels of a row that `tiles` tiles read.
constexpr int TilePixels(int tiles) { return kTileResults * tiles + 2; }

// Operands at their points: [group][channel][point][row][tile]. Rows follow each other directly, so
// that a register tile may reach from one row into the next.
struct Planes {
  Range rows;
  int tiles = 0;
  // Strides in vectors. They are odd, because powers of two would put all channels into the same
  // cache sets.
  std::ptrdiff_t point_stride() const { return (std::ptrdiff_t{rows.size()} * tiles) | 1; }
  std::ptrdiff_t channel_stride() const { return kPoints * point_stride(); }
};

struct WinogradForwardPlan {
  explicit WinogradForwardPlan(const ConvolutionShape& conv);
  int tiles = 0;
  int strips = 1;
  std::size_t row = 0, planes = 0, products = 0, sums = 0, offsets = 0;
  std::size_t total = 0;
};

struct WinogradBackwardPlan {
  explicit WinogradBackwardPlan(const ConvolutionShape& conv);
  int output_tiles =
      0;                // of a row of the output gradient, whose products with the input are summed
  int input_tiles = 0;  // of a row of the input gradient
  int strips = 1;
  Range z_columns;
  // `planes` holds the output gradient for the data gradient, then the input for the weight
  // gradient.
  std::size_t row = 0, planes = 0, z_planes = 0, products = 0, lane_sums = 0, sums = 0, offsets = 0;
  std::size_t total = 0;
};

}  // namespace sweep::kernels
