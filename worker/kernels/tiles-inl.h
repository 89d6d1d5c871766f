// Register tiles: the loops that do the arithmetic. Included once per instruction set.

#if defined(SWEEP_KERNELS_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SWEEP_KERNELS_TILES_INL_H_
#undef SWEEP_KERNELS_TILES_INL_H_
#else
#define SWEEP_KERNELS_TILES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "worker/kernels/convolution_plan.h"
#include "worker/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

// As many accumulators as fit the registers beside one row of operands and a broadcast: 24 of 32
// with AVX-512, else 12 of 16.
inline constexpr int kTileColumns = kGroup == 16 ? 6 : 3;

// kOut channels × kPixels neighbouring pixels of a convolution. For output pixel p and tap j, x +
// offsets[j] + p·kGroup is the input; `weights` is [taps][kOut]. `row` finishes the results while
// they are in registers; they are its channels from `channel` and pixels from `pixel` on.
template <int kOut, int kPixels, typename Row>
HWY_NOINLINE void ForwardTile(const float* HWY_RESTRICT x,
                              const std::ptrdiff_t* HWY_RESTRICT offsets, int taps,
                              const float* HWY_RESTRICT weights, const Row& row, int channel,
                              int pixel) {
  const LaneTag d;
  Lanes sums[kOut][kPixels];
#pragma GCC unroll 8
  for (int o = 0; o < kOut; ++o) row.template Prefetch<kPixels>(channel + o, pixel);
#pragma GCC unroll 8
  for (int o = 0; o < kOut; ++o) {
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) sums[o][p] = hn::Zero(d);
  }
#pragma GCC unroll 2
  for (int j = 0; j < taps; ++j) {
    const float* pixels = x + offsets[j];
    Lanes in[kPixels];
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) in[p] = hn::Load(d, pixels + p * kGroup);
#pragma GCC unroll 8
    for (int o = 0; o < kOut; ++o) {
      const Lanes weight = hn::Set(d, weights[o]);
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) sums[o][p] = hn::MulAdd(in[p], weight, sums[o][p]);
    }
    weights += kOut;
  }
#pragma GCC unroll 8
  for (int o = 0; o < kOut; ++o) row.Finish(sums[o], channel + o, pixel);
}

// The pixels of a band of rows, in the gradient at the output and in the input.
struct Band {
  const float* gradient;
  const float* input;
  std::ptrdiff_t gradient_row;
  std::ptrdiff_t input_row;
  int rows;
  int width;
};

// sums[o][j] += Σ over the band of gradient[channel o] · input shifted by offsets[j].
template <int kOut, int kColumns>
HWY_NOINLINE void WeightTile(const Band& band, std::ptrdiff_t channel_stride,
                             const std::ptrdiff_t* HWY_RESTRICT offsets, float* HWY_RESTRICT sums) {
  const LaneTag d;
  Lanes acc[kOut][kColumns];
#pragma GCC unroll 8
  for (int o = 0; o < kOut; ++o) {
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) acc[o][j] = hn::Load(d, sums + (o * kColumns + j) * kGroup);
  }
  for (int row = 0; row < band.rows; ++row) {
    const float* gradient[kOut];
    const float* input[kColumns];
#pragma GCC unroll 8
    for (int o = 0; o < kOut; ++o) {
      gradient[o] = band.gradient + row * band.gradient_row + o * channel_stride;
    }
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) input[j] = band.input + row * band.input_row + offsets[j];
    const std::ptrdiff_t end = std::ptrdiff_t{band.width} * kGroup;
    for (std::ptrdiff_t i = 0; i < end; i += kGroup) {
      Lanes in[kColumns];
#pragma GCC unroll 8
      for (int j = 0; j < kColumns; ++j) in[j] = hn::Load(d, input[j] + i);
#pragma GCC unroll 8
      for (int o = 0; o < kOut; ++o) {
        const Lanes z = hn::Load(d, gradient[o] + i);
#pragma GCC unroll 8
        for (int j = 0; j < kColumns; ++j) acc[o][j] = hn::MulAdd(z, in[j], acc[o][j]);
      }
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < kOut; ++o) {
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) hn::Store(acc[o][j], d, sums + (o * kColumns + j) * kGroup);
  }
}

template <typename Row>
using ForwardTileFunction = void (*)(const float*, const std::ptrdiff_t*, int, const float*,
                                     const Row&, int, int);
using WeightTileFunction = void (*)(const Band&, std::ptrdiff_t, const std::ptrdiff_t*, float*);

#if HWY_TARGET == HWY_AVX3
#define SWEEP_TILES_OF(OUT, TILE, ...)                                           \
  {TILE<OUT, 1 __VA_ARGS__>, TILE<OUT, 2 __VA_ARGS__>, TILE<OUT, 3 __VA_ARGS__>, \
   TILE<OUT, 4 __VA_ARGS__>, TILE<OUT, 5 __VA_ARGS__>, TILE<OUT, 6 __VA_ARGS__>}
#else
#define SWEEP_TILES_OF(OUT, TILE, ...) \
  {TILE<OUT, 1 __VA_ARGS__>, TILE<OUT, 2 __VA_ARGS__>, TILE<OUT, 3 __VA_ARGS__>}
#endif
#define SWEEP_TILES(...)                                                                           \
  {SWEEP_TILES_OF(1, __VA_ARGS__), SWEEP_TILES_OF(2, __VA_ARGS__), SWEEP_TILES_OF(3, __VA_ARGS__), \
   SWEEP_TILES_OF(4, __VA_ARGS__)}
template <typename Row>
inline constexpr ForwardTileFunction<Row> kForwardTiles[kTileChannels][kTileColumns] =
    SWEEP_TILES(ForwardTile, , Row);
inline constexpr WeightTileFunction kWeightTiles[kTileChannels][kTileColumns] =
    SWEEP_TILES(WeightTile, );
#undef SWEEP_TILES
#undef SWEEP_TILES_OF

// Calls body(out, column) in the order in which the tiles store the lane sums of a weight gradient,
// [out tile][column tile][out][column][kGroup].
template <typename Body>
HWY_INLINE void ForEachLaneSum(int out_channels, int columns, const Body& body) {
  const Shares out_tiles = OutputTiles(out_channels);
  const Shares column_tiles(columns, CeilDiv(columns, kTileColumns));
  for (int t = 0; t < out_tiles.parts(); ++t) {
    for (int c = 0; c < column_tiles.parts(); ++c) {
      for (int out = out_tiles[t].begin; out < out_tiles[t].end; ++out) {
        for (int j = column_tiles[c].begin; j < column_tiles[c].end; ++j) body(out, j);
      }
    }
  }
}

// Adds the products of all output channels, the first of which is band.gradient, and all columns.
HWY_INLINE void AddProducts(Band band, int out_channels, std::ptrdiff_t channel_stride, int columns,
                            const std::ptrdiff_t* offsets, float* sums) {
  const Shares out_tiles = OutputTiles(out_channels);
  const Shares column_tiles(columns, CeilDiv(columns, kTileColumns));
  for (int t = 0; t < out_tiles.parts(); ++t) {
    const int outs = out_tiles[t].size();
    for (int c = 0; c < column_tiles.parts(); ++c) {
      const Range of_tile = column_tiles[c];
      kWeightTiles[outs - 1][of_tile.size() - 1](band, channel_stride, offsets + of_tile.begin,
                                                 sums);
      sums += outs * of_tile.size() * kGroup;
    }
    band.gradient += outs * channel_stride;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
