#include "worker/kernels/convolution.h"

#include <algorithm>

#include "worker/kernels/convolution_plan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "worker/kernels/convolution.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "worker/kernels/strip-inl.h"
#include "worker/kernels/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

// One row of a convolution, [out][width][kGroup], from the window's row that the first tap reads.
HWY_INLINE void ConvolveRow(const float* x, const std::ptrdiff_t* offsets, int taps,
                            const float* weights, int out_channels, int width, float* row) {
  const int columns = CeilDiv(width, kTileColumns);
  const int tiles = CeilDiv(out_channels, kTileChannels);
  const std::ptrdiff_t channel_stride = std::ptrdiff_t{width} * kGroup;
  for (int c = 0; c < columns; ++c) {
    const Range pixels = Share(width, columns, c);
    for (int t = 0; t < tiles; ++t) {
      const Range out = Share(out_channels, tiles, t);
      kForwardTiles[out.size() - 1][pixels.size() - 1](
          x + pixels.begin * kGroup, offsets, taps, weights + std::ptrdiff_t{out.begin} * taps,
          row + out.begin * channel_stride + pixels.begin * kGroup, channel_stride);
    }
  }
}

// Where tap (channel, ky, kx) lies in a window, from where tap (0, 0, 0) does.
void FillOffsets(const Window& window, int channels, int kernel, std::ptrdiff_t* offsets) {
  for (int channel = 0; channel < channels; ++channel) {
    for (int y = 0; y < kernel; ++y) {
      for (int x = 0; x < kernel; ++x) {
        *offsets++ = channel * window.channel_stride() + y * window.row_stride() + x * kGroup;
      }
    }
  }
}

// Row `y` of one group of the output: bias, ReLU and statistics.
HWY_NOINLINE void FinishRow(const ConvolutionForward& work, const Shape& shape, int block, int y,
                            int group, const float* row, const StripSums& sums) {
  Select(work.relu, work.sums != nullptr, [&]<bool kRelu, bool kSums>() HWY_ATTR {
    const LaneTag d;
    for (int channel = 0; channel < shape.channels; ++channel) {
      const float* values = row + std::ptrdiff_t{channel} * shape.width * kGroup;
      float* out = Plane(work.output, shape, block, channel) +
                   std::ptrdiff_t{y} * shape.width * kLanes + group * kGroup;
      const Lanes bias = hn::Set(d, work.bias == nullptr ? 0.0f : work.bias[channel]);
      const Lanes pivot = hn::Set(d, work.pivot == nullptr ? 0.0f : work.pivot[channel]);
      Lanes sum[2] = {hn::Zero(d), hn::Zero(d)};
      Lanes square[2] = {hn::Zero(d), hn::Zero(d)};
      ForEachPixel(0, shape.width, [&](int x, int chain) HWY_ATTR {
        Lanes v = hn::Add(hn::Load(d, values + x * kGroup), bias);
        if constexpr (kRelu) v = Relu(v);
        hn::Store(v, d, out + x * kLanes);
        if constexpr (kSums) {
          v = hn::Sub(v, pivot);
          sum[chain] = hn::Add(sum[chain], v);
          square[chain] = hn::MulAdd(v, v, square[chain]);
        }
      });
      if constexpr (kSums) {
        sums.Add(channel, group, hn::Add(sum[0], sum[1]), hn::Add(square[0], square[1]));
      }
    }
  });
}

void Forward(const ConvolutionForward& work, const ForwardPlan& plan, int unit, float* scratch) {
  const ConvolutionShape& conv = work.shape;
  const Shape output = conv.output();
  const int block = unit / work.parts;
  const int taps = conv.input.channels * conv.taps();
  float* window_scratch = scratch + plan.window;
  float* row = scratch + plan.row;
  auto* offsets = reinterpret_cast<std::ptrdiff_t*>(scratch + plan.offsets);
  const StripSums sums{scratch + plan.sums,
                       work.sums == nullptr ? nullptr : work.sums + 2 * output.channels * unit,
                       output.channels};
  sums.Start();
  const Range strips = Share(plan.strips, work.parts, unit % work.parts);
  for (int strip = strips.begin; strip < strips.end; ++strip) {
    const Range rows = Share(output.height, plan.strips, strip);
    const Window window{{rows.begin - conv.padding, rows.end - conv.padding + conv.kernel - 1},
                        {-conv.padding, conv.input.width + conv.padding}};
    LoadSource(work.input, conv.input, block, window, window_scratch);
    FillOffsets(window, conv.input.channels, conv.kernel, offsets);
    sums.StartStrip();
    for (int g = 0; g < kGroups; ++g) {
      const float* group = window_scratch + g * window.channel_stride() * conv.input.channels;
      for (int y = rows.begin; y < rows.end; ++y) {
        ConvolveRow(group + (y - rows.begin) * window.row_stride(), offsets, taps, work.weights,
                    output.channels, output.width, row);
        FinishRow(work, output, block, y, g, row, sums);
      }
    }
    sums.FinishStrip(LanesIn(work.images, block));
  }
}

// Adds the products of a strip's output gradient and input to the weights' lane sums,
// [out tile][column tile][out][column][kGroup], and the output gradient's sums to the biases'.
HWY_INLINE void AddWeightGradient(const ConvolutionShape& conv, const Range& rows,
                                  const Window& z_window, const float* z, const Window& x_window,
                                  const float* x, const std::ptrdiff_t* offsets, float* lane_sums) {
  const Shape output = conv.output();
  const int taps = conv.input.channels * conv.taps();
  const int band_rows = std::max(2, CeilDiv(kBandPixels, output.width));
  const int bands = CeilDiv(rows.size(), band_rows);
  const int out_tiles = CeilDiv(output.channels, kTileChannels);
  const int column_tiles = CeilDiv(taps, kTileColumns);
  for (int b = 0; b < bands; ++b) {
    const Range share = Share(rows.size(), bands, b);
    const int y = rows.begin + share.begin;
    const float* z_band = z + z_window.At(y, 0);
    Band band{.gradient = nullptr,
              .input = x + x_window.At(y - conv.padding, -conv.padding),
              .gradient_row = z_window.row_stride(),
              .input_row = x_window.row_stride(),
              .rows = share.size(),
              .width = output.width};
    for (int t = 0; t < out_tiles; ++t) {
      const Range out = Share(output.channels, out_tiles, t);
      band.gradient = z_band + out.begin * z_window.channel_stride();
      for (int c = 0; c < column_tiles; ++c) {
        const Range columns = Share(taps, column_tiles, c);
        kWeightTiles[out.size() - 1][columns.size() - 1](
            band, z_window.channel_stride(), offsets + columns.begin,
            lane_sums + (out.begin * taps + out.size() * columns.begin) * kGroup);
      }
    }
  }
}

HWY_INLINE void AddBiasGradient(const Shape& output, const Range& rows, const Window& window,
                                const float* z, float* lane_sums) {
  const LaneTag d;
  for (int channel = 0; channel < output.channels; ++channel) {
    Lanes sum[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    for (int y = rows.begin; y < rows.end; ++y) {
      const float* row = z + channel * window.channel_stride() + window.At(y, 0);
      for (int x = 0; x < output.width; ++x) {
        sum[x % 4] = hn::Add(sum[x % 4], hn::Load(d, row + x * kGroup));
      }
    }
    float* total = lane_sums + channel * kGroup;
    sum[0] = hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3]));
    hn::Store(hn::Add(hn::Load(d, total), sum[0]), d, total);
  }
}

HWY_INLINE float SumOf(const float* lanes) {
  const LaneTag d;
  return hn::GetLane(hn::SumOfLanes(d, hn::Load(d, lanes)));
}

// From lane sums to this unit's parameter gradients, [out][in][ky][kx] and biases.
void ReduceLanes(const ConvolutionShape& conv, const float* lane_sums, float* gradients) {
  const int outs = conv.out_channels;
  const int taps = conv.input.channels * conv.taps();
  const int out_tiles = CeilDiv(outs, kTileChannels);
  const int column_tiles = CeilDiv(taps, kTileColumns);
  for (int t = 0; t < out_tiles; ++t) {
    const Range out = Share(outs, out_tiles, t);
    for (int c = 0; c < column_tiles; ++c) {
      const Range columns = Share(taps, column_tiles, c);
      for (int o = out.begin; o < out.end; ++o) {
        for (int j = columns.begin; j < columns.end; ++j, lane_sums += kGroup) {
          gradients[std::ptrdiff_t{o} * taps + j] = SumOf(lane_sums);
        }
      }
    }
  }
  gradients += conv.weights();
  for (int o = 0; o < outs; ++o) gradients[o] = SumOf(lane_sums + o * kGroup);
}

void Backward(const ConvolutionBackward& work, const BackwardPlan& plan, int unit, float* scratch) {
  const ConvolutionShape& conv = work.shape;
  const Shape output = conv.output();
  const GradientSink& sink = work.input_gradient;
  const int channels = conv.input.channels;
  const int block = unit / work.parts;
  const int lanes = LanesIn(work.images, block);
  float* z = scratch + plan.z_window;
  float* x = scratch + plan.x_window;
  float* lane_sums = scratch + plan.lane_sums;
  auto* offsets = reinterpret_cast<std::ptrdiff_t*>(scratch + plan.offsets);
  const StripSums sums{scratch + plan.sums,
                       sink.sums == nullptr ? nullptr : sink.sums + 2 * channels * unit, channels};
  sums.Start();
  std::fill_n(lane_sums, (conv.weights() + output.channels) * kGroup, 0.0f);
  const Range strips = Share(plan.strips, work.parts, unit % work.parts);
  for (int strip = strips.begin; strip < strips.end; ++strip) {
    const StripRows rows = plan.Rows(conv, strip);
    const Window z_window{rows.z, plan.z_columns};
    const Window x_window{rows.x, plan.x_columns};
    LoadGradient(work.output_gradient, output, block, lanes, z_window, z);
    LoadSource(work.input, conv.input, block, x_window, x);
    FillOffsets(x_window, channels, conv.kernel, offsets);
    for (int g = 0; g < kGroups; ++g) {
      const float* z_group = z + g * z_window.channel_stride() * output.channels;
      const float* x_group = x + g * x_window.channel_stride() * channels;
      AddWeightGradient(conv, rows.output, z_window, z_group, x_window, x_group, offsets,
                        lane_sums);
      AddBiasGradient(output, rows.output, z_window, z_group, lane_sums + conv.weights() * kGroup);
    }
    if (sink.gradient == nullptr) continue;
    FillOffsets(z_window, output.channels, conv.kernel, offsets);
    sums.StartStrip();
    const int reach = conv.kernel - 1 - conv.padding;
    float* row = scratch + plan.row;
    for (int g = 0; g < kGroups; ++g) {
      const float* z_group = z + g * z_window.channel_stride() * output.channels;
      for (int y = rows.input.begin; y < rows.input.end; ++y) {
        ConvolveRow(z_group + z_window.At(y - reach, -reach), offsets,
                    output.channels * conv.taps(), work.weights, channels, conv.input.width, row);
        SinkRow(sink, conv.input, block, y, g, row, sums);
      }
    }
    sums.FinishStrip(lanes);
  }
  ReduceLanes(conv, lane_sums,
              work.parameter_gradients + unit * (conv.weights() + output.channels));
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep::kernels {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

std::size_t ForwardScratch(const ConvolutionShape& shape) { return ForwardPlan(shape).total; }
std::size_t BackwardScratch(const ConvolutionShape& shape) { return BackwardPlan(shape).total; }

void RunUnit(const ConvolutionForward& work, int unit, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Forward)(work, ForwardPlan(work.shape), unit, scratch);
}

void RunUnit(const ConvolutionBackward& work, int unit, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Backward)(work, BackwardPlan(work.shape), unit, scratch);
}

// Both convolutions read [tile of outputs][tap][output], see ForwardTile.
void PackForwardWeights(const ConvolutionShape& shape, const float* weights, float* packed) {
  const int taps = shape.input.channels * shape.taps();
  const int tiles = CeilDiv(shape.out_channels, kTileChannels);
  for (int t = 0; t < tiles; ++t) {
    const Range out = Share(shape.out_channels, tiles, t);
    for (int j = 0; j < taps; ++j) {
      for (int o = out.begin; o < out.end; ++o) *packed++ = weights[std::ptrdiff_t{o} * taps + j];
    }
  }
}

// The data gradient is a convolution of the output gradient whose outputs are the input's
// channels, with filters turned by 180 degrees.
void PackBackwardWeights(const ConvolutionShape& shape, const float* weights, float* packed) {
  const int channels = shape.input.channels;
  const int tiles = CeilDiv(channels, kTileChannels);
  for (int t = 0; t < tiles; ++t) {
    const Range in = Share(channels, tiles, t);
    for (int o = 0; o < shape.out_channels; ++o) {
      for (int tap = shape.taps() - 1; tap >= 0; --tap) {
        for (int i = in.begin; i < in.end; ++i) {
          *packed++ = weights[(std::ptrdiff_t{o} * channels + i) * shape.taps() + tap];
        }
      }
    }
  }
}

namespace {

template <typename T>
void SumUnitsOf(const T* partial, int units, std::size_t count, T* sums) {
  for (std::size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int unit = 0; unit < units; ++unit) sum += partial[unit * count + i];
    sums[i] = static_cast<T>(sum);
  }
}

}  // namespace

void SumUnits(const float* partial, int units, std::size_t count, float* sums) {
  SumUnitsOf(partial, units, count, sums);
}
void SumUnits(const double* partial, int units, std::size_t count, double* sums) {
  SumUnitsOf(partial, units, count, sums);
}

}  // namespace sweep::kernels
#endif  // HWY_ONCE
