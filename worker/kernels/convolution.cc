#include "worker/kernels/convolution.h"

#include <algorithm>

#include "worker/kernels/convolution_plan.h"
#include "worker/kernels/winograd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "worker/kernels/convolution.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "worker/kernels/strip-inl.h"
#include "worker/kernels/tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

// The filters of a convolution over the rows of a window.
struct Filters {
  const std::ptrdiff_t* offsets;
  int taps;
  const float* weights;
  int out_channels;
  int width;
};

// Computes one row; `x` is the place in the window that its first tap reads.
template <typename Row>
HWY_INLINE void ConvolveRow(const Filters& filters, const float* x, const Row& row) {
  const Shares columns(filters.width, CeilDiv(filters.width, kTileColumns));
  const Shares tiles = OutputTiles(filters.out_channels);
  for (int c = 0; c < columns.parts(); ++c) {
    const Range pixels = columns[c];
    for (int t = 0; t < tiles.parts(); ++t) {
      const Range out = tiles[t];
      kForwardTiles<Row>[out.size() - 1][pixels.size() - 1](
          x + pixels.begin * kGroup, filters.offsets, filters.taps,
          filters.weights + std::ptrdiff_t{out.begin} * filters.taps, row, out.begin, pixels.begin);
    }
  }
}

// The offset of each tap (channel, ky, kx) in a window from tap (0, 0, 0).
void FillOffsets(const Window& window, int channels, int kernel, std::ptrdiff_t* offsets) {
  for (int channel = 0; channel < channels; ++channel) {
    for (int y = 0; y < kernel; ++y) {
      for (int x = 0; x < kernel; ++x) {
        *offsets++ = channel * window.channel_stride() + y * window.row_stride() + x * kGroup;
      }
    }
  }
}

void ForwardStrip(const ConvolutionForward& work, const ForwardPlan& plan, const StripPlace& place,
                  const StripSums& sums, float* scratch) {
  const ConvolutionShape& conv = work.shape;
  const Shape output = conv.output();
  const Range rows = Shares(output.height, plan.strips)[place.strip];
  const Window window{{rows.begin - conv.padding, rows.end - conv.padding + conv.kernel - 1},
                      {-conv.padding, conv.input.width + conv.padding}};
  float* x = scratch + plan.window;
  auto* offsets = reinterpret_cast<std::ptrdiff_t*>(scratch + plan.offsets);
  LoadSource(work.input, conv.input, place.block, window,
             PlainRows(window, conv.input.channels, x));
  FillOffsets(window, conv.input.channels, conv.kernel, offsets);
  const Filters filters{offsets, conv.input.channels * conv.taps(), work.weights, output.channels,
                        output.width};
  sums.StartStrip();
  // All groups of a row come before the next row, so that its cache lines are written whole.
  for (int y = rows.begin; y < rows.end; ++y) {
    for (int g = 0; g < kGroups; ++g) {
      const float* group = x + g * window.channel_stride() * conv.input.channels;
      ConvolveRow(filters, group + (y - rows.begin) * window.row_stride(),
                  OutputRow{work, RowPlace(output, place.block, y, g), sums});
    }
  }
  sums.FinishStrip(LanesIn(work.images, place.block));
}

void Forward(const ConvolutionForward& work, const ForwardPlan& plan, int unit, float* scratch) {
  const StripSums sums = StartSums(work.sums, work.shape.out_channels, unit, scratch + plan.sums);
  ForEachStrip(unit, work.parts, plan.strips,
               [&](const StripPlace& place) { ForwardStrip(work, plan, place, sums, scratch); });
}

// One group of a window in scratch.
struct GroupWindow {
  Window window;
  const float* data;
};

// Bands of rows, small enough that the operands of a weight tile stay in the first-level cache.
Shares Bands(const Range& rows, int width) {
  const int band_rows = std::max(2, CeilDiv(kBandPixels, width));
  return {rows.size(), CeilDiv(rows.size(), band_rows)};
}

// Adds the products of a strip's output gradient and input to the weights' lane sums,
// [out tile][column tile][out][column][kGroup].
HWY_INLINE void AddWeightGradient(const ConvolutionShape& conv, const Range& rows,
                                  const GroupWindow& z, const GroupWindow& x,
                                  const std::ptrdiff_t* offsets, float* lane_sums) {
  const Shape output = conv.output();
  const Shares bands = Bands(rows, output.width);
  for (int b = 0; b < bands.parts(); ++b) {
    const int y = rows.begin + bands[b].begin;
    const Band band{.gradient = z.data + z.window.At(y, 0),
                    .input = x.data + x.window.At(y - conv.padding, -conv.padding),
                    .gradient_row = z.window.row_stride(),
                    .input_row = x.window.row_stride(),
                    .rows = bands[b].size(),
                    .width = output.width};
    AddProducts(band, output.channels, z.window.channel_stride(), conv.input.channels * conv.taps(),
                offsets, lane_sums);
  }
}

HWY_INLINE void AddBiasGradient(const Shape& output, const Range& rows, const GroupWindow& z,
                                float* lane_sums) {
  for (int channel = 0; channel < output.channels; ++channel) {
    AddPixels(z.data + channel * z.window.channel_stride() + z.window.At(rows.begin, 0),
              z.window.row_stride(), rows.size(), output.width, lane_sums + channel * kGroup);
  }
}

// Reduces lane sums to this unit's parameter gradients, [out][in][ky][kx] and biases.
void ReduceLanes(const ConvolutionShape& conv, const float* lane_sums, float* gradients) {
  const int taps = conv.input.channels * conv.taps();
  ForEachLaneSum(conv.out_channels, taps, [&](int out, int tap) HWY_ATTR {
    gradients[std::ptrdiff_t{out} * taps + tap] = SumOfLanesAt(lane_sums);
    lane_sums += kGroup;
  });
  gradients += conv.weights();
  for (int o = 0; o < conv.out_channels; ++o) gradients[o] = SumOfLanesAt(lane_sums + o * kGroup);
}

// One strip of the backward pass: both gradients read the same copy of the output gradient.
class BackwardStrip {
 public:
  BackwardStrip(const ConvolutionBackward& work, const BackwardPlan& plan, const StripPlace& place,
                float* scratch)
      : work_(work),
        conv_(work.shape),
        output_(work.shape.output()),
        plan_(plan),
        place_(place),
        rows_(BackwardRows(work.shape, plan.strips, place.strip)),
        z_window_{rows_.z, plan.z_columns},
        x_window_{rows_.x, plan.x_columns},
        scratch_(scratch),
        offsets_(reinterpret_cast<std::ptrdiff_t*>(scratch + plan.offsets)) {}

  void Run(const StripSums& sums) {
    LoadGradient(work_.output_gradient, output_, place_.block, LanesIn(work_.images, place_.block),
                 z_window_, PlainRows(z_window_, output_.channels, scratch_ + plan_.z_window));
    LoadSource(work_.input, conv_.input, place_.block, x_window_,
               PlainRows(x_window_, conv_.input.channels, scratch_ + plan_.x_window));
    AddParameterGradients();
    if (work_.input_gradient.gradient != nullptr) WriteInputGradient(sums);
  }

 private:
  GroupWindow Group(int group, const Window& window, std::size_t place, int channels) const {
    return {window, scratch_ + place + group * channels * window.channel_stride()};
  }
  GroupWindow Z(int group) const {
    return Group(group, z_window_, plan_.z_window, output_.channels);
  }
  GroupWindow X(int group) const {
    return Group(group, x_window_, plan_.x_window, conv_.input.channels);
  }

  void AddParameterGradients() {
    float* lane_sums = scratch_ + plan_.lane_sums;
    FillOffsets(x_window_, conv_.input.channels, conv_.kernel, offsets_);
    for (int g = 0; g < kGroups; ++g) {
      AddWeightGradient(conv_, rows_.output, Z(g), X(g), offsets_, lane_sums);
      AddBiasGradient(output_, rows_.output, Z(g), lane_sums + conv_.weights() * kGroup);
    }
  }

  void WriteInputGradient(const StripSums& sums) {
    const Shape& input = conv_.input;
    const int reach = conv_.kernel - 1 - conv_.padding;
    FillOffsets(z_window_, output_.channels, conv_.kernel, offsets_);
    const Filters filters{offsets_, output_.channels * conv_.taps(), work_.weights, input.channels,
                          input.width};
    sums.StartStrip();
    for (int y = rows_.input.begin; y < rows_.input.end; ++y) {
      for (int g = 0; g < kGroups; ++g) {
        const InputGradientRow row{work_.input_gradient,
                                   input,
                                   place_.block,
                                   y,
                                   RowPlace(input, place_.block, y, g),
                                   sums};
        ConvolveRow(filters, Z(g).data + z_window_.At(y - reach, -reach), row);
      }
    }
    sums.FinishStrip(LanesIn(work_.images, place_.block));
  }

  const ConvolutionBackward& work_;
  const ConvolutionShape& conv_;
  const Shape output_;
  const BackwardPlan& plan_;
  const StripPlace place_;
  const StripRows rows_;
  const Window z_window_, x_window_;
  float* const scratch_;
  std::ptrdiff_t* const offsets_;
};

void Backward(const ConvolutionBackward& work, const BackwardPlan& plan, int unit, float* scratch) {
  const ConvolutionShape& conv = work.shape;
  const std::size_t parameters = conv.weights() + conv.out_channels;
  std::fill_n(scratch + plan.lane_sums, parameters * kGroup, 0.0f);
  const StripSums sums =
      StartSums(work.input_gradient.sums, conv.input.channels, unit, scratch + plan.sums);
  ForEachStrip(unit, work.parts, plan.strips, [&](const StripPlace& place) {
    BackwardStrip(work, plan, place, scratch).Run(sums);
  });
  ReduceLanes(conv, scratch + plan.lane_sums, work.parameter_gradients + unit * parameters);
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep::kernels {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

std::size_t PackedWeights(const ConvolutionShape& shape) {
  return winograd::SuitsForward(shape) ? winograd::PackedWeights(shape) : shape.weights();
}
std::size_t ForwardScratch(const ConvolutionShape& shape) {
  return winograd::SuitsForward(shape) ? winograd::ForwardScratch(shape) : ForwardPlan(shape).total;
}
std::size_t BackwardScratch(const ConvolutionShape& shape) {
  return winograd::SuitsBackward(shape) ? winograd::BackwardScratch(shape)
                                        : BackwardPlan(shape).total;
}

void RunUnit(const ConvolutionForward& work, int unit, float* scratch) {
  if (winograd::SuitsForward(work.shape)) return winograd::RunUnit(work, unit, scratch);
  HWY_DYNAMIC_DISPATCH(Forward)(work, ForwardPlan(work.shape), unit, scratch);
}

void RunUnit(const ConvolutionBackward& work, int unit, float* scratch) {
  if (winograd::SuitsBackward(work.shape)) return winograd::RunUnit(work, unit, scratch);
  HWY_DYNAMIC_DISPATCH(Backward)(work, BackwardPlan(work.shape), unit, scratch);
}

// The forward convolution and the data gradient read [tile of outputs][tap][output], see
// ForwardTile.
void PackForwardWeights(const ConvolutionShape& shape, const float* weights, float* packed) {
  if (winograd::SuitsForward(shape)) return winograd::PackForwardWeights(shape, weights, packed);
  const int taps = shape.input.channels * shape.taps();
  const Shares tiles = OutputTiles(shape.out_channels);
  for (int t = 0; t < tiles.parts(); ++t) {
    const Range out = tiles[t];
    for (int j = 0; j < taps; ++j) {
      for (int o = out.begin; o < out.end; ++o) *packed++ = weights[std::ptrdiff_t{o} * taps + j];
    }
  }
}

// The data gradient is a convolution of the output gradient, with filters turned by 180 degrees;
// its outputs are the input's channels.
void PackBackwardWeights(const ConvolutionShape& shape, const float* weights, float* packed) {
  if (winograd::SuitsBackward(shape)) return winograd::PackBackwardWeights(shape, weights, packed);
  const int channels = shape.input.channels;
  const Shares tiles = OutputTiles(channels);
  for (int t = 0; t < tiles.parts(); ++t) {
    const Range in = tiles[t];
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
  // In chunks, so that each unit's values are read in sequence.
  constexpr std::size_t kTogether = 256;
  for (std::size_t first = 0; first < count; first += kTogether) {
    const std::size_t some = std::min(kTogether, count - first);
    double totals[kTogether] = {};
    for (int unit = 0; unit < units; ++unit) {
      const T* const from = partial + unit * count + first;
      for (std::size_t i = 0; i < some; ++i) totals[i] += from[i];
    }
    for (std::size_t i = 0; i < some; ++i) sums[first + i] = static_cast<T>(totals[i]);
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
