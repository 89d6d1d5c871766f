#include "worker/kernels/winograd.h"

#include <algorithm>

#include "worker/kernels/convolution_plan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "worker/kernels/winograd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "worker/kernels/strip-inl.h"
#include "worker/kernels/tiles-inl.h"

// From a filter's row to its values at the points, [point][kx], and back for gradients.
#ifndef SWEEP_KERNELS_WINOGRAD_FILTER
#define SWEEP_KERNELS_WINOGRAD_FILTER
namespace sweep::kernels::winograd {
inline constexpr double kFilter[kPoints][3] = {
    {1.0 / 4, 0, 0},
    {-1.0 / 6, -1.0 / 6, -1.0 / 6},
    {-1.0 / 6, 1.0 / 6, -1.0 / 6},
    {1.0 / 24, 1.0 / 12, 1.0 / 6},
    {1.0 / 24, -1.0 / 12, 1.0 / 6},
    {0, 0, 1},
};
}  // namespace sweep::kernels::winograd
#endif

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels::winograd {
namespace HWY_NAMESPACE {

using namespace kernels::HWY_NAMESPACE;

// Bᵀ d: six neighbouring pixels at the points.
HWY_INLINE void TransformPixels(const Lanes (&d)[kPoints], Lanes (&at)[kPoints]) {
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

// A z: four neighbouring gradients at the points.
HWY_INLINE void TransformGradients(const Lanes (&z)[kTileResults], Lanes (&at)[kPoints]) {
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

// Aᵀ m: from the points to four neighbouring results.
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

// Writes a row of pixels, from the first that its first tile reads, at the points.
HWY_INLINE void TransformRow(const float* HWY_RESTRICT pixels, int tiles,
                             std::ptrdiff_t point_stride, float* HWY_RESTRICT out) {
  const LaneTag tag;
  for (int tile = 0; tile < tiles; ++tile) {
    Lanes d[kPoints];
    Lanes at[kPoints];
    const float* first = pixels + std::ptrdiff_t{tile} * kTileResults * kGroup;
#pragma GCC unroll 8
    for (int i = 0; i < kPoints; ++i) d[i] = hn::Load(tag, first + i * kGroup);
    TransformPixels(d, at);
#pragma GCC unroll 8
    for (int p = 0; p < kPoints; ++p)
      hn::Store(at[p], tag, out + (p * point_stride + tile) * kGroup);
  }
}

HWY_INLINE void TransformGradientRow(const float* HWY_RESTRICT gradients, int tiles,
                                     std::ptrdiff_t point_stride, float* HWY_RESTRICT out) {
  const LaneTag tag;
  for (int tile = 0; tile < tiles; ++tile) {
    Lanes z[kTileResults];
    Lanes at[kPoints];
    const float* first = gradients + std::ptrdiff_t{tile} * kTileResults * kGroup;
#pragma GCC unroll 8
    for (int i = 0; i < kTileResults; ++i) z[i] = hn::Load(tag, first + i * kGroup);
    TransformGradients(z, at);
#pragma GCC unroll 8
    for (int p = 0; p < kPoints; ++p)
      hn::Store(at[p], tag, out + (p * point_stride + tile) * kGroup);
  }
}

// Where row `y` of a channel begins in planes at `data`.
HWY_INLINE float* PlanesAt(const Planes& planes, int channels, int group, int channel, int y,
                           float* data) {
  const std::ptrdiff_t of = std::ptrdiff_t{group} * channels + channel;
  return data +
         (of * planes.channel_stride() + std::ptrdiff_t{y - planes.rows.begin} * planes.tiles) *
             kGroup;
}

// Takes loaded rows to planes of their pixels.
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
      TransformRow(row_ + g * row_stride_, planes_.tiles, planes_.point_stride(),
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

// One group of planes in scratch, from its first vector.
struct GroupPlanes {
  Planes planes;
  const float* data;
};

// Where tap (channel, ky) lies in planes, from where tap (0, 0) does.
void FillOffsets(const Planes& planes, int channels, std::ptrdiff_t* offsets) {
  for (int channel = 0; channel < channels; ++channel) {
    for (int y = 0; y < 3; ++y) {
      *offsets++ = (channel * planes.channel_stride() + std::ptrdiff_t{y} * planes.tiles) * kGroup;
    }
  }
}

// What a register tile has summed at one point, into [channel][point][kTileColumns]. On the way it
// asks for lines of the results.
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

template <typename Row>
HWY_INLINE void FinishTile(const float* products, const Row& row, int channel, int pixel,
                           int width) {
  const LaneTag tag;
  Lanes at[kPoints];
  Lanes y[kTileResults];
#pragma GCC unroll 8
  for (int p = 0; p < kPoints; ++p) at[p] = hn::Load(tag, products + p * kTileColumns * kGroup);
  TransformProducts(at, y);
  switch (width - pixel) {
    case 1: {
      const Lanes first[1] = {y[0]};
      return row.Finish(first, channel, pixel);
    }
    case 2: {
      const Lanes first[2] = {y[0], y[1]};
      return row.Finish(first, channel, pixel);
    }
    case 3: {
      const Lanes first[3] = {y[0], y[1], y[2]};
      return row.Finish(first, channel, pixel);
    }
    default:
      return row.Finish(y, channel, pixel);
  }
}

// A convolution of a group of planes whose first row is that of the first result's first tap.
// `row_at(y)` finishes the results of row y, `rows` and `width` of them.
template <typename RowAt>
HWY_INLINE void ConvolvePlanes(const Filters& filters, const GroupPlanes& x, int rows, int width,
                               float* HWY_RESTRICT products, const RowAt& row_at) {
  const int tiles = x.planes.tiles;
  const Shares chunks(rows * tiles, CeilDiv(rows * tiles, kTileColumns));
  const Shares out_tiles = OutputTiles(filters.out_channels);
  const std::ptrdiff_t point_weights = std::ptrdiff_t{filters.taps} * filters.out_channels;
  for (int c = 0; c < chunks.parts(); ++c) {
    const Range chunk = chunks[c];
    for (int point = 0; point < kPoints; ++point) {
      const float* const in = x.data + (point * x.planes.point_stride() + chunk.begin) * kGroup;
      // Each point asks for the results of another tile of the chunk.
      const int asked = chunk.begin + point;
      const auto row = row_at(asked / tiles);
      const ProductRow<decltype(row_at(0))> to{
          products + point * kTileColumns * kGroup, row,
          asked < chunk.end ? asked % tiles * kTileResults : -1};
      for (int t = 0; t < out_tiles.parts(); ++t) {
        const Range out = out_tiles[t];
        kForwardTiles<ProductRow<decltype(row_at(0))>>[out.size() - 1][chunk.size() - 1](
            in, filters.offsets, filters.taps,
            filters.weights + point * point_weights + std::ptrdiff_t{out.begin} * filters.taps, to,
            out.begin, 0);
      }
    }
    for (int first = chunk.begin; first < chunk.end;) {
      const int y = first / tiles;
      const int end = std::min(chunk.end, (y + 1) * tiles);
      const auto row = row_at(y);
      for (int channel = 0; channel < filters.out_channels; ++channel) {
        const float* const of_channel = products + channel * kPoints * kTileColumns * kGroup;
        for (int tile = first; tile < end; ++tile) {
          FinishTile(of_channel + (tile - chunk.begin) * kGroup, row, channel,
                     (tile - y * tiles) * kTileResults, width);
        }
      }
      first = end;
    }
  }
}

void ForwardStrip(const ConvolutionForward& work, const WinogradForwardPlan& plan,
                  const StripPlace& place, const StripSums& sums, float* scratch) {
  const ConvolutionShape& conv = work.shape;
  const Shape output = conv.output();
  const Range rows = Shares(output.height, plan.strips)[place.strip];
  const Window window{{rows.begin - conv.padding, rows.end - conv.padding + conv.kernel - 1},
                      {-conv.padding, TilePixels(plan.tiles) - conv.padding}};
  const Planes planes{window.rows, plan.tiles};
  float* const x = scratch + plan.planes;
  auto* offsets = reinterpret_cast<std::ptrdiff_t*>(scratch + plan.offsets);
  LoadSource(work.input, conv.input, place.block, window,
             PixelRows(window, planes, conv.input.channels, scratch + plan.row, x));
  FillOffsets(planes, conv.input.channels, offsets);
  const Filters filters{offsets, conv.input.channels * conv.kernel, work.weights, output.channels};
  sums.StartStrip();
  for (int g = 0; g < kGroups; ++g) {
    const GroupPlanes group{planes,
                            PlanesAt(planes, conv.input.channels, g, 0, planes.rows.begin, x)};
    ConvolvePlanes(filters, group, rows.size(), output.width, scratch + plan.products,
                   [&](int y) HWY_ATTR {
                     return OutputRow{work, RowPlace(output, place.block, rows.begin + y, g), sums};
                   });
  }
  sums.FinishStrip(LanesIn(work.images, place.block));
}

void Forward(const ConvolutionForward& work, const WinogradForwardPlan& plan, int unit,
             float* scratch) {
  const int channels = work.shape.out_channels;
  const StripSums sums{scratch + plan.sums,
                       work.sums == nullptr ? nullptr : work.sums + 2 * channels * unit, channels};
  sums.Start();
  const Range strips = Shares(plan.strips, work.parts)[unit % work.parts];
  for (int strip = strips.begin; strip < strips.end; ++strip) {
    ForwardStrip(work, plan, {unit / work.parts, strip}, sums, scratch);
  }
}

// Columns of weight tiles, (channel, ky), at one point.
Shares ColumnTiles(const ConvolutionShape& conv) {
  const int taps = conv.input.channels * conv.kernel;
  return {taps, CeilDiv(taps, kTileColumns)};
}

// Takes loaded rows of the output gradient to planes for the data gradient, to planes for the
// weight gradient, and to the sums of the bias gradient, each as far as it needs them.
class GradientRows {
 public:
  struct To {
    Planes planes;
    float* data;
  };
  // `columns`: of the loaded rows; `first`: the column that the first tile of `pixels` reads first.
  // `pixels.data` may be null.
  GradientRows(const Shape& output, const Range& columns, int first, const To& pixels,
               const To& gradients, float* row, float* bias_sums)
      : output_(output),
        row_stride_(std::ptrdiff_t{columns.size()} * kGroup),
        first_pixel_(std::ptrdiff_t{first - columns.begin} * kGroup),
        origin_(std::ptrdiff_t{-columns.begin} * kGroup),
        pixels_(pixels),
        gradients_(gradients),
        row_(row),
        bias_sums_(bias_sums) {}
  std::ptrdiff_t group_stride() const { return row_stride_; }
  float* Place() const { return row_; }
  void Complete(int channel, int y) const {
    for (int g = 0; g < kGroups; ++g) {
      const float* const row = row_ + g * row_stride_;
      if (pixels_.data != nullptr && Contains(pixels_.planes.rows, y)) {
        TransformRow(row + first_pixel_, pixels_.planes.tiles, pixels_.planes.point_stride(),
                     PlanesAt(pixels_.planes, output_.channels, g, channel, y, pixels_.data));
      }
      if (!Contains(gradients_.planes.rows, y)) continue;
      TransformGradientRow(
          row + origin_, gradients_.planes.tiles, gradients_.planes.point_stride(),
          PlanesAt(gradients_.planes, output_.channels, g, channel, y, gradients_.data));
      AddBias(row + origin_, bias_sums_ + channel * kGroup);
    }
  }

 private:
  static bool Contains(const Range& range, int y) { return range.begin <= y && y < range.end; }
  HWY_INLINE void AddBias(const float* row, float* total) const {
    const LaneTag d;
    Lanes sum[2] = {hn::Zero(d), hn::Zero(d)};
    ForEachPixel(0, output_.width, [&](int x, int chain) HWY_ATTR {
      sum[chain] = hn::Add(sum[chain], hn::Load(d, row + x * kGroup));
    });
    hn::Store(hn::Add(hn::Load(d, total), hn::Add(sum[0], sum[1])), d, total);
  }

  Shape output_;
  std::ptrdiff_t row_stride_, first_pixel_, origin_;
  To pixels_, gradients_;
  float* row_;
  float* bias_sums_;
};

// Adds the products of a strip's output gradient and input at the points to the weights' lane sums,
// [point][out tile][column tile][out][column][kGroup].
HWY_INLINE void AddWeightGradient(const ConvolutionShape& conv, const GroupPlanes& z,
                                  const GroupPlanes& x, const std::ptrdiff_t* offsets,
                                  float* lane_sums) {
  const int pixels = z.planes.rows.size() * z.planes.tiles;
  const Shares bands(pixels, CeilDiv(pixels, kBandPixels));
  const Shares out_tiles = OutputTiles(conv.out_channels);
  const Shares column_tiles = ColumnTiles(conv);
  const std::ptrdiff_t channel_stride = z.planes.channel_stride() * kGroup;
  const std::ptrdiff_t point_sums =
      std::ptrdiff_t{conv.out_channels} * conv.input.channels * conv.kernel * kGroup;
  for (int point = 0; point < kPoints; ++point, lane_sums += point_sums) {
    for (int b = 0; b < bands.parts(); ++b) {
      const float* const z_band =
          z.data + (point * z.planes.point_stride() + bands[b].begin) * kGroup;
      Band band{.gradient = nullptr,
                .input = x.data + (point * x.planes.point_stride() + bands[b].begin) * kGroup,
                .gradient_row = 0,
                .input_row = 0,
                .rows = 1,
                .width = bands[b].size()};
      float* sums = lane_sums;
      for (int t = 0; t < out_tiles.parts(); ++t) {
        const Range out = out_tiles[t];
        band.gradient = z_band + out.begin * channel_stride;
        for (int c = 0; c < column_tiles.parts(); ++c) {
          const Range columns = column_tiles[c];
          kWeightTiles[out.size() - 1][columns.size() - 1](band, channel_stride,
                                                           offsets + columns.begin, sums);
          sums += out.size() * columns.size() * kGroup;
        }
      }
    }
  }
}

// From lane sums to this unit's parameter gradients, [out][in][ky][kx] and biases.
void ReduceLanes(const ConvolutionShape& conv, const float* lane_sums, float* gradients) {
  const std::ptrdiff_t taps = std::ptrdiff_t{conv.input.channels} * conv.kernel;
  const std::ptrdiff_t point_sums = taps * conv.out_channels * kGroup;
  const Shares out_tiles = OutputTiles(conv.out_channels);
  const Shares column_tiles = ColumnTiles(conv);
  for (int t = 0; t < out_tiles.parts(); ++t) {
    const Range out = out_tiles[t];
    for (int c = 0; c < column_tiles.parts(); ++c) {
      const Range columns = column_tiles[c];
      for (int o = out.begin; o < out.end; ++o) {
        for (int j = columns.begin; j < columns.end; ++j, lane_sums += kGroup) {
          double filter[3] = {};
          for (int point = 0; point < kPoints; ++point) {
            const double at = SumOfLanesAt(lane_sums + point * point_sums);
            for (int kx = 0; kx < 3; ++kx) filter[kx] += kFilter[point][kx] * at;
          }
          for (int kx = 0; kx < 3; ++kx) {
            gradients[(o * taps + j) * 3 + kx] = static_cast<float>(filter[kx]);
          }
        }
      }
    }
  }
  lane_sums += (kPoints - 1) * point_sums;
  gradients += conv.weights();
  for (int o = 0; o < conv.out_channels; ++o) gradients[o] = SumOfLanesAt(lane_sums + o * kGroup);
}

// One strip of the backward pass.
class BackwardStrip {
 public:
  BackwardStrip(const ConvolutionBackward& work, const WinogradBackwardPlan& plan,
                const StripPlace& place, float* scratch)
      : work_(work),
        conv_(work.shape),
        output_(work.shape.output()),
        plan_(plan),
        place_(place),
        rows_(BackwardRows(work.shape, plan.strips, place.strip)),
        reach_(conv_.kernel - 1 - conv_.padding),
        z_pixels_{{rows_.input.begin - reach_, rows_.input.end + conv_.padding}, plan.input_tiles},
        z_gradients_{rows_.output, plan.output_tiles},
        x_pixels_{rows_.x, plan.output_tiles},
        scratch_(scratch),
        offsets_(reinterpret_cast<std::ptrdiff_t*>(scratch + plan.offsets)) {}

  void Run(const StripSums& sums) {
    const bool is_needed = work_.input_gradient.gradient != nullptr;
    LoadGradient(
        work_.output_gradient, output_, place_.block, LanesIn(work_.images, place_.block),
        {rows_.z, plan_.z_columns},
        GradientRows(output_, plan_.z_columns, -reach_, {z_pixels_, is_needed ? planes() : nullptr},
                     {z_gradients_, scratch_ + plan_.z_planes}, scratch_ + plan_.row, bias_sums()));
    if (is_needed) WriteInputGradient(sums);
    AddWeightGradients();
  }

 private:
  float* planes() const { return scratch_ + plan_.planes; }
  float* bias_sums() const {
    return scratch_ + plan_.lane_sums +
           std::ptrdiff_t{kPoints} * conv_.out_channels * conv_.input.channels * conv_.kernel *
               kGroup;
  }
  static GroupPlanes Group(const Planes& planes, int channels, int group, float* data) {
    return {planes, PlanesAt(planes, channels, group, 0, planes.rows.begin, data)};
  }

  void WriteInputGradient(const StripSums& sums) {
    const Shape& input = conv_.input;
    FillOffsets(z_pixels_, output_.channels, offsets_);
    const Filters filters{offsets_, output_.channels * conv_.kernel, work_.weights, input.channels};
    sums.StartStrip();
    for (int g = 0; g < kGroups; ++g) {
      ConvolvePlanes(filters, Group(z_pixels_, output_.channels, g, planes()), rows_.input.size(),
                     input.width, scratch_ + plan_.products, [&](int row) HWY_ATTR {
                       const int y = rows_.input.begin + row;
                       return InputGradientRow{work_.input_gradient,
                                               input,
                                               place_.block,
                                               y,
                                               RowPlace(input, place_.block, y, g),
                                               sums};
                     });
    }
    sums.FinishStrip(LanesIn(work_.images, place_.block));
  }

  void AddWeightGradients() {
    const Window window{rows_.x, {-conv_.padding, TilePixels(plan_.output_tiles) - conv_.padding}};
    LoadSource(work_.input, conv_.input, place_.block, window,
               PixelRows(window, x_pixels_, conv_.input.channels, scratch_ + plan_.row, planes()));
    FillOffsets(x_pixels_, conv_.input.channels, offsets_);
    for (int g = 0; g < kGroups; ++g) {
      AddWeightGradient(conv_, Group(z_gradients_, output_.channels, g, scratch_ + plan_.z_planes),
                        Group(x_pixels_, conv_.input.channels, g, planes()), offsets_,
                        scratch_ + plan_.lane_sums);
    }
  }

  const ConvolutionBackward& work_;
  const ConvolutionShape& conv_;
  const Shape output_;
  const WinogradBackwardPlan& plan_;
  const StripPlace place_;
  const StripRows rows_;
  const int reach_;
  const Planes z_pixels_, z_gradients_, x_pixels_;
  float* const scratch_;
  std::ptrdiff_t* const offsets_;
};

void Backward(const ConvolutionBackward& work, const WinogradBackwardPlan& plan, int unit,
              float* scratch) {
  const ConvolutionShape& conv = work.shape;
  const int channels = conv.input.channels;
  double* totals = work.input_gradient.sums;
  const StripSums sums{scratch + plan.sums,
                       totals == nullptr ? nullptr : totals + 2 * channels * unit, channels};
  const std::size_t lane_sums = conv.weights() / conv.kernel * kPoints + conv.out_channels;
  std::fill_n(scratch + plan.lane_sums, lane_sums * kGroup, 0.0f);
  sums.Start();
  const Range strips = Shares(plan.strips, work.parts)[unit % work.parts];
  for (int strip = strips.begin; strip < strips.end; ++strip) {
    BackwardStrip(work, plan, {unit / work.parts, strip}, scratch).Run(sums);
  }
  ReduceLanes(conv, scratch + plan.lane_sums,
              work.parameter_gradients + unit * (conv.weights() + conv.out_channels));
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels::winograd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep::kernels::winograd {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

namespace {

// Tiles that reach beyond their row do work for nothing: at most a third more than the row has.
bool FillsTiles(int width) { return CeilDiv(width, kTileResults) * kTileResults * 3 <= width * 4; }

// With fewer channels the way to the points and back costs more than it saves.
constexpr int kFewestChannels = 4;
// With fewer results per image the sums of the weight gradient, two thirds more, are moved and
// reduced for too few products.
constexpr int kFewestResults = 48;

}  // namespace

bool SuitsForward(const ConvolutionShape& shape) {
  return shape.kernel == 3 && shape.padding <= 2 && shape.input.channels >= kFewestChannels &&
         shape.out_channels >= kFewestChannels && FillsTiles(shape.output().width);
}

bool SuitsBackward(const ConvolutionShape& shape) {
  const Shape output = shape.output();
  return SuitsForward(shape) && FillsTiles(shape.input.width) &&
         output.height * output.width >= kFewestResults;
}

std::size_t PackedWeights(const ConvolutionShape& shape) {
  return shape.weights() / shape.kernel * kPoints;
}
std::size_t ForwardScratch(const ConvolutionShape& shape) {
  return WinogradForwardPlan(shape).total;
}
std::size_t BackwardScratch(const ConvolutionShape& shape) {
  return WinogradBackwardPlan(shape).total;
}

void RunUnit(const ConvolutionForward& work, int unit, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Forward)(work, WinogradForwardPlan(work.shape), unit, scratch);
}

void RunUnit(const ConvolutionBackward& work, int unit, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Backward)(work, WinogradBackwardPlan(work.shape), unit, scratch);
}

namespace {

// [point][tile of outputs][channel · ky][output]; `row_of(out, channel, ky, filter)` fills in a
// filter's row.
template <typename RowOf>
void Pack(int out_channels, int channels, const RowOf& row_of, float* packed) {
  const Shares tiles = OutputTiles(out_channels);
  for (const auto& at : kFilter) {
    for (int t = 0; t < tiles.parts(); ++t) {
      for (int channel = 0; channel < channels; ++channel) {
        for (int ky = 0; ky < 3; ++ky) {
          for (int out = tiles[t].begin; out < tiles[t].end; ++out) {
            float row[3];
            row_of(out, channel, ky, row);
            *packed++ = static_cast<float>(at[0] * row[0] + at[1] * row[1] + at[2] * row[2]);
          }
        }
      }
    }
  }
}

}  // namespace

void PackForwardWeights(const ConvolutionShape& shape, const float* weights, float* packed) {
  const int channels = shape.input.channels;
  Pack(
      shape.out_channels, channels,
      [&](int out, int channel, int ky, float* row) {
        std::copy_n(weights + ((std::ptrdiff_t{out} * channels + channel) * 3 + ky) * 3, 3, row);
      },
      packed);
}

// Filters turned by 180 degrees, as for the plain sums.
void PackBackwardWeights(const ConvolutionShape& shape, const float* weights, float* packed) {
  const int channels = shape.input.channels;
  Pack(
      channels, shape.out_channels,
      [&](int in, int out, int ky, float* row) {
        const float* const from =
            weights + ((std::ptrdiff_t{out} * channels + in) * 3 + 2 - ky) * 3;
        std::reverse_copy(from, from + 3, row);
      },
      packed);
}

}  // namespace sweep::kernels::winograd
#endif  // HWY_ONCE
