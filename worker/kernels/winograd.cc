#include "worker/kernels/winograd.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "worker/kernels/winograd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "worker/kernels/winograd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels::winograd {
namespace HWY_NAMESPACE {

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
  ConvolvePlanes(filters, planes, x, rows.size(), output.width, scratch + plan.products,
                 [&](int y, int group) HWY_ATTR {
                   return OutputRow{work, RowPlace(output, place.block, rows.begin + y, group),
                                    sums};
                 });
  sums.FinishStrip(LanesIn(work.images, place.block));
}

void Forward(const ConvolutionForward& work, const WinogradForwardPlan& plan, int unit,
             float* scratch) {
  const StripSums sums = StartSums(work.sums, work.shape.out_channels, unit, scratch + plan.sums);
  ForEachStrip(unit, work.parts, plan.strips,
               [&](const StripPlace& place) { ForwardStrip(work, plan, place, sums, scratch); });
}

// Takes loaded rows of the output gradient and passes each on where it is needed: to the planes for
// the data gradient, the planes for the weight gradient and the sums of the bias gradient.
class GradientRows {
 public:
  struct To {
    Planes planes;
    float* data;
  };
  // `columns` are those of the loaded rows; the first is the one that the first tile of `pixels`
  // reads first. `pixels.data` may be null.
  GradientRows(const Shape& output, const Range& columns, const To& pixels, const To& gradients,
               float* row, float* bias_sums)
      : output_(output),
        row_stride_(std::ptrdiff_t{columns.size()} * kGroup),
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
        TransformRow<kPoints>(
            row, pixels_.planes.tiles, pixels_.planes.point_stride(),
            PlanesAt(pixels_.planes, output_.channels, g, channel, y, pixels_.data));
      }
      if (!Contains(gradients_.planes.rows, y)) continue;
      TransformRow<kTileResults>(
          row + origin_, gradients_.planes.tiles, gradients_.planes.point_stride(),
          PlanesAt(gradients_.planes, output_.channels, g, channel, y, gradients_.data));
      AddPixels(row + origin_, 0, 1, output_.width, bias_sums_ + channel * kLanes + g * kGroup);
    }
  }

 private:
  static bool Contains(const Range& range, int y) { return range.begin <= y && y < range.end; }
  Shape output_;
  std::ptrdiff_t row_stride_, origin_;
  To pixels_, gradients_;
  float* row_;
  float* bias_sums_;
};

// The number of lane sums of a weight gradient at one point, [kGroup] each.
std::size_t SumsPerPoint(const ConvolutionShape& conv) { return conv.weights() / conv.kernel; }

// Adds the products of a strip's output gradient and input at the points to the weights' lane sums:
// for each point an array as in AddProducts.
HWY_INLINE void AddWeightGradient(const ConvolutionShape& conv, const GroupPlanes& z,
                                  const GroupPlanes& x, const std::ptrdiff_t* offsets,
                                  float* lane_sums) {
  const int pixels = z.planes.rows.size() * z.planes.tiles;
  const Shares bands(pixels, CeilDiv(pixels, kBandPixels));
  for (int point = 0; point < kPoints; ++point) {
    for (int b = 0; b < bands.parts(); ++b) {
      const int first = bands[b].begin;
      const Band band{.gradient = z.data + (point * z.planes.point_stride() + first) * kGroup,
                      .input = x.data + (point * x.planes.point_stride() + first) * kGroup,
                      .gradient_row = 0,
                      .input_row = 0,
                      .rows = 1,
                      .width = bands[b].size()};
      AddProducts(band, conv.out_channels, z.planes.channel_stride() * kGroup,
                  conv.input.channels * conv.kernel, offsets, lane_sums);
    }
    lane_sums += SumsPerPoint(conv) * kGroup;
  }
}

// Reduces lane sums to this unit's parameter gradients, [out][in][ky][kx] and biases.
void ReduceLanes(const ConvolutionShape& conv, const float* lane_sums, float* gradients) {
  const int rows = conv.input.channels * conv.kernel;
  const float* of_point = lane_sums;
  ForEachLaneSum(conv.out_channels, rows, [&](int out, int row) HWY_ATTR {
    double filter[3] = {};
    for (int point = 0; point < kPoints; ++point) {
      const double at = SumOfLanesAt(of_point + point * SumsPerPoint(conv) * kGroup);
      for (int kx = 0; kx < 3; ++kx) filter[kx] += kFilter[point][kx] * at;
    }
    std::copy_n(filter, 3, gradients + (std::ptrdiff_t{out} * rows + row) * 3);
    of_point += kGroup;
  });
  const float* const biases = lane_sums + kPoints * SumsPerPoint(conv) * kGroup;
  gradients += conv.weights();
  for (int o = 0; o < conv.out_channels; ++o) {
    double sum = 0;
    for (int g = 0; g < kGroups; ++g) sum += SumOfLanesAt(biases + o * kLanes + g * kGroup);
    gradients[o] = static_cast<float>(sum);
  }
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
        GradientRows(output_, plan_.z_columns, {z_pixels_, is_needed ? planes() : nullptr},
                     {z_gradients_, scratch_ + plan_.z_planes}, scratch_ + plan_.row, bias_sums()));
    if (is_needed) WriteInputGradient(sums);
    AddWeightGradients();
  }

 private:
  float* planes() const { return scratch_ + plan_.planes; }
  float* bias_sums() const {
    return scratch_ + plan_.lane_sums + kPoints * SumsPerPoint(conv_) * kGroup;
  }
  static GroupPlanes Group(const Planes& planes, int channels, int group, float* data) {
    return {planes, PlanesAt(planes, channels, group, 0, planes.rows.begin, data)};
  }

  void WriteInputGradient(const StripSums& sums) {
    const Shape& input = conv_.input;
    FillOffsets(z_pixels_, output_.channels, offsets_);
    const Filters filters{offsets_, output_.channels * conv_.kernel, work_.weights, input.channels};
    sums.StartStrip();
    ConvolvePlanes(filters, z_pixels_, planes(), rows_.input.size(), input.width,
                   scratch_ + plan_.products, [&](int row, int group) HWY_ATTR {
                     const int y = rows_.input.begin + row;
                     return InputGradientRow{work_.input_gradient,
                                             input,
                                             place_.block,
                                             y,
                                             RowPlace(input, place_.block, y, group),
                                             sums};
                   });
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
  const std::size_t lane_sums =
      kPoints * SumsPerPoint(conv) * kGroup + std::size_t{kLanes} * conv.out_channels;
  std::fill_n(scratch + plan.lane_sums, lane_sums, 0.0f);
  const StripSums sums =
      StartSums(work.input_gradient.sums, conv.input.channels, unit, scratch + plan.sums);
  ForEachStrip(unit, work.parts, plan.strips, [&](const StripPlace& place) {
    BackwardStrip(work, plan, place, scratch).Run(sums);
  });
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

// Tiles that reach beyond their row compute in vain: at most a third more pixels than the row has.
bool FillsTiles(int width) { return CeilDiv(width, kTileResults) * kTileResults * 3 <= width * 4; }

// With fewer channels the transforms to the points and back cost more than the products save.
constexpr int kFewestChannels = 4;
// With fewer results per image, the sums of the weight gradient, twice as many as at the filter's
// own taps, cost more to move and reduce than the few products save.
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

// Packs as [point][tile of outputs][channel · ky][output]; `row_of(out, channel, ky, filter)` fills
// in a filter's row.
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

// Filters are turned by 180 degrees, as for the plain sums.
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
