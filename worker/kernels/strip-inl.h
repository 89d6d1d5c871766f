// Row strips: loading operands into scratch with what stands before the operator, and finishing
// rows of results with what stands after it. Included once per instruction set.

#if defined(SWEEP_KERNELS_STRIP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SWEEP_KERNELS_STRIP_INL_H_
#undef SWEEP_KERNELS_STRIP_INL_H_
#else
#define SWEEP_KERNELS_STRIP_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "worker/kernels/operands.h"
#include "worker/kernels/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

// The pixels of one channel of a Source.
template <bool kAffine, bool kMasked>
struct SourcePixels {
  SourcePixels(const Source& source, const Shape& shape, int block, int channel, int)
      : values(Plane(source.values, shape, block, channel)),
        keep(KeepPlane(source.keep, shape, block, channel)),
        keep_step(source.keep.per_channel ? 0 : 1),
        scale(hn::Set(LaneTag(), kAffine ? source.scale[channel] : 1.0f)),
        shift(hn::Set(LaneTag(), kAffine ? source.shift[channel] : 0.0f)) {}

  HWY_INLINE Lanes At(int pixel, int group) const {
    Lanes x = hn::Load(LaneTag(), values + pixel * kLanes + group * kGroup);
    if constexpr (kAffine) x = hn::MulAdd(x, scale, shift);
    if constexpr (kMasked) x = hn::IfThenElseZero(KeepMask(keep[pixel * keep_step], group), x);
    return x;
  }

  const float* values;
  const std::uint16_t* keep;
  int keep_step;
  Lanes scale, shift;
};

// The pixels of one channel of a GradientSource.
template <bool kNormalized, bool kRelu>
struct GradientPixels {
  GradientPixels(const GradientSource& source, const Shape& shape, int block, int channel,
                 int lanes)
      : gradient(Plane(source.gradient, shape, block, channel)),
        activation(Plane(source.activation, shape, block, channel)),
        real(static_cast<std::uint16_t>((1u << lanes) - 1)),
        scale(hn::Set(LaneTag(), kNormalized ? source.scale[channel] : 1.0f)),
        slope(hn::Set(LaneTag(), kNormalized ? source.slope[channel] : 0.0f)),
        offset(hn::Set(LaneTag(), kNormalized ? source.offset[channel] : 0.0f)) {}

  HWY_INLINE Lanes At(int pixel, int group) const {
    const LaneTag d;
    const std::ptrdiff_t element = pixel * kLanes + group * kGroup;
    Lanes z = hn::Load(d, gradient + element);
    if constexpr (!kNormalized && !kRelu) return z;
    const Lanes a = hn::Load(d, activation + element);
    if constexpr (kNormalized) {
      z = hn::MulAdd(z, scale, hn::MulAdd(a, slope, offset));
      z = hn::IfThenElseZero(KeepMask(real, group), z);  // unused lanes have a gradient of zero
    }
    if constexpr (kRelu) z = hn::IfThenElseZero(hn::Gt(a, hn::Zero(d)), z);
    return z;
  }

  const float* gradient;
  const float* activation;
  std::uint16_t real;
  Lanes scale, slope, offset;
};

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
  const auto load = [&]<bool kAffine, bool kMasked>() HWY_ATTR {
    LoadWindow<SourcePixels<kAffine, kMasked>>(source, shape, block, kLanes, window, scratch);
  };
  if (source.scale != nullptr && source.keep.bits != nullptr) {
    load.template operator()<true, true>();
  } else if (source.scale != nullptr) {
    load.template operator()<true, false>();
  } else if (source.keep.bits != nullptr) {
    load.template operator()<false, true>();
  } else {
    load.template operator()<false, false>();
  }
}

HWY_NOINLINE void LoadGradient(const GradientSource& source, const Shape& shape, int block,
                               int lanes, const Window& window, float* scratch) {
  const auto load = [&]<bool kNormalized, bool kRelu>() HWY_ATTR {
    LoadWindow<GradientPixels<kNormalized, kRelu>>(source, shape, block, lanes, window, scratch);
  };
  if (source.scale != nullptr && source.relu) {
    load.template operator()<true, true>();
  } else if (source.scale != nullptr) {
    load.template operator()<true, false>();
  } else if (source.relu) {
    load.template operator()<false, true>();
  } else {
    load.template operator()<false, false>();
  }
}

// Two running sums per channel and lane: [2][channels][16] floats over one strip, added up in
// double over strips, so that no float sum has more than some hundred terms.
struct StripSums {
  float* strip;
  double* total;  // [2][channels]
  int channels;

  void Clear() const { std::fill_n(strip, 2 * channels * kLanes, 0.0f); }
  void Add(int channel, int group, Lanes first, Lanes second) const {
    const LaneTag d;
    float* a = strip + channel * kLanes + group * kGroup;
    float* b = a + channels * kLanes;
    hn::Store(hn::Add(hn::Load(d, a), first), d, a);
    hn::Store(hn::Add(hn::Load(d, b), second), d, b);
  }
  void Flush(int lanes) const {
    for (int i = 0; i < 2 * channels; ++i) {
      double sum = 0;
      for (int lane = 0; lane < lanes; ++lane) sum += strip[i * kLanes + lane];
      total[i] += sum;
    }
  }
};

// Sends row `y` of one group, [channel][width][kGroup], to a sink.
template <bool kMasked, bool kSums>
HWY_INLINE void SinkRowAs(const GradientSink& sink, const Shape& shape, int block, int y, int group,
                          const float* HWY_RESTRICT row, const StripSums& sums) {
  const LaneTag d;
  const Lanes factor = hn::Set(d, sink.keep_factor);
  const int first = y * shape.width;
  for (int channel = 0; channel < shape.channels; ++channel, row += shape.width * kGroup) {
    const std::ptrdiff_t start = first * kLanes + group * kGroup;
    float* HWY_RESTRICT out = Plane(sink.gradient, shape, block, channel) + start;
    const float* activation = kSums ? Plane(sink.activation, shape, block, channel) + start : out;
    const std::uint16_t* keep = KeepPlane(sink.keep, shape, block, channel);
    const int keep_step = sink.keep.per_channel ? 0 : 1;
    const Lanes mean = hn::Set(d, kSums ? sink.mean[channel] : 0.0f);
    Lanes sum[2] = {hn::Zero(d), hn::Zero(d)};
    Lanes product[2] = {hn::Zero(d), hn::Zero(d)};
    const auto pixel = [&](int x, int chain) HWY_ATTR {
      Lanes g = hn::Mul(hn::Load(d, row + x * kGroup), factor);
      if constexpr (kMasked) {
        g = hn::IfThenElseZero(KeepMask(keep[(first + x) * keep_step], group), g);
      }
      hn::Store(g, d, out + x * kLanes);
      if constexpr (kSums) {
        sum[chain] = hn::Add(sum[chain], g);
        const Lanes centred = hn::Sub(hn::Load(d, activation + x * kLanes), mean);
        product[chain] = hn::MulAdd(g, centred, product[chain]);
      }
    };
    int x = 0;
    for (; x + 2 <= shape.width; x += 2) pixel(x, 0), pixel(x + 1, 1);
    if (x < shape.width) pixel(x, 0);
    if constexpr (kSums) {
      sums.Add(channel, group, hn::Add(sum[0], sum[1]), hn::Add(product[0], product[1]));
    }
  }
}

HWY_NOINLINE void SinkRow(const GradientSink& sink, const Shape& shape, int block, int y, int group,
                          const float* row, const StripSums& sums) {
  if (sink.keep.bits != nullptr && sink.sums != nullptr) {
    SinkRowAs<true, true>(sink, shape, block, y, group, row, sums);
  } else if (sink.keep.bits != nullptr) {
    SinkRowAs<true, false>(sink, shape, block, y, group, row, sums);
  } else if (sink.sums != nullptr) {
    SinkRowAs<false, true>(sink, shape, block, y, group, row, sums);
  } else {
    SinkRowAs<false, false>(sink, shape, block, y, group, row, sums);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
