// Transforms to Winograd's points, products there, and transforms back (winograd.h). Included once
// per instruction set.

#if defined(SWEEP_KERNELS_WINOGRAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SWEEP_KERNELS_WINOGRAD_INL_H_
#undef SWEEP_KERNELS_WINOGRAD_INL_H_
#else
#define SWEEP_KERNELS_WINOGRAD_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "worker/kernels/convolution_plan.h"
#include "worker/kernels/strip-inl.h"
#include "worker/kernels/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels::winograd {
namespace HWY_NAMESPACE {

using namespace kernels::HWY_NAMESPACE;

// Bᵀ d: transforms six neighbouring pixels to the points.
HWY_INLINE void Transform(const Lanes (&d)[kPoints], Lanes (&at)[kPoints]) {
  const LaneTag tag;
  const Lanes four = hn::Set(tag, 4.0f);
  const Lanes minus_five = hn::Set(tag, -5.0f);
  const Lanes two = hn::Set(tag, 2.0f);
  const Lanes even = hn::NegMulAdd(four, d[2], d[4]);
  const Lanes odd = hn::NegMulAdd(four, d[1], d[3]);
  const Lanes near_even = hn::Sub(d[4], d[2]);
  const Lanes near_odd = hn::Sub(d[3], d[1]);
  at[0] = hn::MulAdd(four, d[0], hn::MulAdd(minus_five, d[2], d[4]));
  at[1] = hn::Add(even, odd);
  at[2] = hn::Sub(even, odd);
  at[3] = hn::MulAdd(two, near_odd, near_even);
  at[4] = hn::NegMulAdd(two, near_odd, near_even);
  at[5] = hn::MulAdd(four, d[1], hn::MulAdd(minus_five, d[3], d[5]));
}

// A z: transforms four neighbouring gradients to the points.
HWY_INLINE void Transform(const Lanes (&z)[kTileResults], Lanes (&at)[kPoints]) {
  const LaneTag tag;
  const Lanes four = hn::Set(tag, 4.0f);
  const Lanes two = hn::Set(tag, 2.0f);
  const Lanes even = hn::Add(z[0], z[2]);
  const Lanes odd = hn::Add(z[1], z[3]);
  const Lanes far_even = hn::MulAdd(four, z[2], z[0]);
  const Lanes far_odd = hn::MulAdd(four, z[3], z[1]);
  at[0] = z[0];
  at[1] = hn::Add(even, odd);
  at[2] = hn::Sub(even, odd);
  at[3] = hn::MulAdd(two, far_odd, far_even);
  at[4] = hn::NegMulAdd(two, far_odd, far_even);
  at[5] = z[3];
}

// Aᵀ m: transforms the products at the points to four neighbouring results.
HWY_INLINE void TransformProducts(const Lanes (&at)[kPoints], Lanes (&y)[kTileResults]) {
  const LaneTag tag;
  const Lanes two = hn::Set(tag, 2.0f);
  const Lanes four = hn::Set(tag, 4.0f);
  const Lanes eight = hn::Set(tag, 8.0f);
  const Lanes near_sum = hn::Add(at[1], at[2]);
  const Lanes near_difference = hn::Sub(at[1], at[2]);
  const Lanes far_sum = hn::Add(at[3], at[4]);
  const Lanes far_difference = hn::Sub(at[3], at[4]);
  y[0] = hn::Add(hn::Add(at[0], near_sum), far_sum);
  y[1] = hn::MulAdd(two, far_difference, near_difference);
  y[2] = hn::MulAdd(four, far_sum, near_sum);
  y[3] = hn::Add(hn::MulAdd(eight, far_difference, near_difference), at[5]);
}

// Writes the tiles of a row at the points; `pixels` is the first pixel that the first tile reads.
template <int kRead>
HWY_INLINE void TransformRow(const float* HWY_RESTRICT pixels, int tiles,
                             std::ptrdiff_t point_stride, float* HWY_RESTRICT out) {
  const LaneTag tag;
  for (int tile = 0; tile < tiles; ++tile) {
    Lanes read[kRead];
    Lanes at[kPoints];
    const float* first = pixels + std::ptrdiff_t{tile} * kTileResults * kGroup;
#pragma GCC unroll 8
    for (int i = 0; i < kRead; ++i) read[i] = hn::Load(tag, first + i * kGroup);
    Transform(read, at);
#pragma GCC unroll 8
    for (int p = 0; p < kPoints; ++p) {
      hn::Store(at[p], tag, out + (p * point_stride + tile) * kGroup);
    }
  }
}

// The start of row `y` of a channel in the planes at `data`.
HWY_INLINE float* PlanesAt(const Planes& planes, int channels, int group, int channel, int y,
                           float* data) {
  const std::ptrdiff_t of = std::ptrdiff_t{group} * channels + channel;
  return data +
         (of * planes.channel_stride() + std::ptrdiff_t{y - planes.rows.begin} * planes.tiles) *
             kGroup;
}

// Transforms loaded rows of pixels and stores them in planes.
class PixelRows {
 public:
  PixelRows(const Window& window, const Planes& planes, int channels, float* row, float* data)
      : row_stride_(window.row_stride()),
        planes_(planes),
        channels_(channels),
        row_(row),
        data_(data) {}
  std::ptrdiff_t group_stride() const { return row_stride_; }
  float* Place() const { return row_; }
  void Complete(int channel, int y) const {
    for (int g = 0; g < kGroups; ++g) {
      TransformRow<kPoints>(row_ + g * row_stride_, planes_.tiles, planes_.point_stride(),
                            PlanesAt(planes_, channels_, g, channel, y, data_));
    }
  }

 private:
  std::ptrdiff_t row_stride_;
  Planes planes_;
  int channels_;
  float* row_;
  float* data_;
};

// One group of planes in scratch; `data` is its first vector.
struct GroupPlanes {
  Planes planes;
  const float* data;
};

// The offset of each tap (channel, ky) in planes from tap (0, 0).
void FillOffsets(const Planes& planes, int channels, std::ptrdiff_t* offsets) {
  for (int channel = 0; channel < channels; ++channel) {
    for (int y = 0; y < 3; ++y) {
      *offsets++ = (channel * planes.channel_stride() + std::ptrdiff_t{y} * planes.tiles) * kGroup;
    }
  }
}

// Stores the sums of a register tile at one point, as [channel][point][kTileColumns]. Prefetch asks
// for lines of the results.
template <typename Row>
struct ProductRow {
  template <int kPixels>
  HWY_INLINE void Prefetch(int channel, int) const {
    if (prefetched >= 0) row.template Prefetch<kTileResults>(channel, prefetched);
  }
  template <int kPixels>
  HWY_INLINE void Finish(const Lanes (&results)[kPixels], int channel, int) const {
    float* const out = products + channel * kPoints * kTileColumns * kGroup;
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) hn::Store(results[p], LaneTag(), out + p * kGroup);
  }

  float* products;  // of the point
  const Row& row;
  int prefetched;  // first pixel of the row, negative: none
};

struct Filters {
  const std::ptrdiff_t* offsets;
  int taps;              // channels · rows of a filter
  const float* weights;  // as packed
  int out_channels;
};

// Finishes the first kCount of a tile's results.
template <int kCount, typename Row>
HWY_INLINE void FinishFirst(const Lanes (&results)[kTileResults], const Row& row, int channel,
                            int pixel) {
  Lanes first[kCount];
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) first[i] = results[i];
  row.Finish(first, channel, pixel);
}

template <typename Row>
HWY_INLINE void FinishTile(const float* products, const Row& row, int channel, int pixel,
                           int width) {
  Lanes at[kPoints];
  Lanes results[kTileResults];
#pragma GCC unroll 8
  for (int p = 0; p < kPoints; ++p) {
    at[p] = hn::Load(LaneTag(), products + p * kTileColumns * kGroup);
  }
  TransformProducts(at, results);
  switch (width - pixel) {
    case 1:
      return FinishFirst<1>(results, row, channel, pixel);
    case 2:
      return FinishFirst<2>(results, row, channel, pixel);
    case 3:
      return FinishFirst<3>(results, row, channel, pixel);
    default:
      return row.Finish(results, channel, pixel);
  }
}

// Computes some tiles of one group of a convolution of planes: their products at the points, then
// their results. The first row of the planes is the one that the first result's first tap reads.
// `row_at(y)` finishes the results of row y.
template <typename RowAt>
HWY_INLINE void ConvolveTiles(const Filters& filters, const GroupPlanes& x, const Range& tiles,
                              int width, float* HWY_RESTRICT products, const RowAt& row_at) {
  using Row = decltype(row_at(0));
  const int per_row = x.planes.tiles;
  const Shares out_tiles = OutputTiles(filters.out_channels);
  const std::ptrdiff_t point_weights = std::ptrdiff_t{filters.taps} * filters.out_channels;
  for (int point = 0; point < kPoints; ++point) {
    const float* const in = x.data + (point * x.planes.point_stride() + tiles.begin) * kGroup;
    // Each point prefetches the results of another tile.
    const int asked = tiles.begin + point;
    const Row row = row_at(asked / per_row);
    const ProductRow<Row> to{products + point * kTileColumns * kGroup, row,
                             asked < tiles.end ? asked % per_row * kTileResults : -1};
    for (int t = 0; t < out_tiles.parts(); ++t) {
      const Range out = out_tiles[t];
      kForwardTiles<ProductRow<Row>>[out.size() - 1][tiles.size() - 1](
          in, filters.offsets, filters.taps,
          filters.weights + point * point_weights + std::ptrdiff_t{out.begin} * filters.taps, to,
          out.begin, 0);
    }
  }
  for (int first = tiles.begin; first < tiles.end;) {
    const int y = first / per_row;
    const int end = std::min(tiles.end, (y + 1) * per_row);
    const Row row = row_at(y);
    for (int channel = 0; channel < filters.out_channels; ++channel) {
      const float* const of_channel = products + channel * kPoints * kTileColumns * kGroup;
      for (int tile = first; tile < end; ++tile) {
        FinishTile(of_channel + (tile - tiles.begin) * kGroup, row, channel,
                   (tile - y * per_row) * kTileResults, width);
      }
    }
    first = end;
  }
}

// Computes all `rows` of a convolution of planes at `data`; `row_at(y, group)` finishes a row. All
// groups of a tile come before the next tile, so that its cache lines are written whole.
template <typename RowAt>
HWY_INLINE void ConvolvePlanes(const Filters& filters, const Planes& planes, const float* data,
                               int rows, int width, float* products, const RowAt& row_at) {
  const int tiles = rows * planes.tiles;
  const Shares chunks(tiles, CeilDiv(tiles, kTileColumns));
  const std::ptrdiff_t group_stride = filters.taps / 3 * planes.channel_stride() * kGroup;
  for (int c = 0; c < chunks.parts(); ++c) {
    for (int g = 0; g < kGroups; ++g) {
      ConvolveTiles(filters, {planes, data + g * group_stride}, chunks[c], width, products,
                    [&](int y) HWY_ATTR { return row_at(y, g); });
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels::winograd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
