// Row strips: operands copied into scratch on the way through what stands before the operator, and
// rows of results on their way to what stands after it. Included once per instruction set.

#if defined(SWEEP_KERNELS_STRIP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SWEEP_KERNELS_STRIP_INL_H_
#undef SWEEP_KERNELS_STRIP_INL_H_
#else
#define SWEEP_KERNELS_STRIP_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "worker/kernels/pixels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

// A rectangle of pixels, which may reach beyond the image; there it is zero.
struct Window {
  Range rows;
  Range columns;
  std::ptrdiff_t row_stride() const { return std::ptrdiff_t{columns.size()} * kGroup; }
  std::ptrdiff_t channel_stride() const { return row_stride() * rows.size(); }
  // The place of a pixel of channel 0 in scratch.
  std::ptrdiff_t At(int y, int x) const {
    return (y - rows.begin) * row_stride() + std::ptrdiff_t{x - columns.begin} * kGroup;
  }
};

// Fills scratch, [group][channel][row][column][kGroup], with a window of all channels of a block.
template <typename Pixels, typename Operand>
HWY_INLINE void LoadWindow(const Operand& operand, const Shape& shape, int block, int lanes,
                           const Window& window, float* HWY_RESTRICT scratch) {
  const LaneTag d;
  const std::ptrdiff_t row_stride = window.row_stride();
  const std::ptrdiff_t group_stride = window.channel_stride() * shape.channels;
  const Range inside{std::clamp(0, window.columns.begin, window.columns.end),
                     std::clamp(shape.width, window.columns.begin, window.columns.end)};
  for (int channel = 0; channel < shape.channels; ++channel) {
    const Pixels pixels(operand, shape, block, channel, lanes);
    for (int y = window.rows.begin; y < window.rows.end; ++y, scratch += row_stride) {
      const bool outside = y < 0 || y >= shape.height;
      const Range filled = outside ? Range{window.columns.end, window.columns.end} : inside;
      float* out = scratch;
      for (int x = window.columns.begin; x < filled.begin; ++x, out += kGroup) {
        for (int g = 0; g < kGroups; ++g) hn::Store(hn::Zero(d), d, out + g * group_stride);
      }
      const int first = y * shape.width;
      for (int x = filled.begin; x < filled.end; ++x, out += kGroup) {
#pragma GCC unroll 4
        for (int g = 0; g < kGroups; ++g) {
          hn::Store(pixels.At(first + x, g), d, out + g * group_stride);
        }
      }
      for (int x = filled.end; x < window.columns.end; ++x, out += kGroup) {
        for (int g = 0; g < kGroups; ++g) hn::Store(hn::Zero(d), d, out + g * group_stride);
      }
    }
  }
}

HWY_NOINLINE void LoadSource(const Source& source, const Shape& shape, int block,
                             const Window& window, float* scratch) {
  Select(source.scale != nullptr, source.keep.bits != nullptr,
         [&]<bool kAffine, bool kMasked>() HWY_ATTR {
           LoadWindow<SourcePixels<kAffine, kMasked>>(source, shape, block, kLanes, window,
                                                      scratch);
         });
}

HWY_NOINLINE void LoadGradient(const GradientSource& source, const Shape& shape, int block,
                               int lanes, const Window& window, float* scratch) {
  Select(source.scale != nullptr, source.relu, [&]<bool kNormalized, bool kRelu>() HWY_ATTR {
    LoadWindow<GradientPixels<kNormalized, kRelu>>(source, shape, block, lanes, window, scratch);
  });
}

// Sends row `y` of one group, [channel][width][kGroup], to a sink.
HWY_NOINLINE void SinkRow(const GradientSink& sink, const Shape& shape, int block, int y, int group,
                          const float* row, const StripSums& sums) {
  Select(sink.keep.bits != nullptr, sink.sums != nullptr, [&]<bool kMasked, bool kSums>() HWY_ATTR {
    const int first = y * shape.width;
    for (int channel = 0; channel < shape.channels; ++channel) {
      const float* values = row + std::ptrdiff_t{channel} * shape.width * kGroup;
      SinkPixels<kMasked, kSums> pixels(sink, shape, block, channel, group);
      ForEachPixel(first, shape.width, [&](int pixel, int chain) HWY_ATTR {
        pixels.Put(pixel, hn::Load(LaneTag(), values + (pixel - first) * kGroup), chain);
      });
      pixels.AddTo(sums, channel);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
