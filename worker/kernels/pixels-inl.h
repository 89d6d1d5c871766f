// Reads and writes single pixels, applying the operators before and after: BatchNorm, ReLU and
// dropout. Included once per instruction set.

#if defined(SWEEP_KERNELS_PIXELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SWEEP_KERNELS_PIXELS_INL_H_
#undef SWEEP_KERNELS_PIXELS_INL_H_
#else
#define SWEEP_KERNELS_PIXELS_INL_H_
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

// Calls body<first, second>(), so that the choice is made per channel or strip, not per pixel.
template <typename Body>
HWY_INLINE void Select(bool first, bool second, const Body& body) {
  if (first && second) {
    body.template operator()<true, true>();
  } else if (first) {
    body.template operator()<true, false>();
  } else if (second) {
    body.template operator()<false, true>();
  } else {
    body.template operator()<false, false>();
  }
}

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

// Two running sums per channel and lane, [2][channels][16] floats over one strip. FinishStrip adds
// them up in double, so that no float sum has more than a few hundred terms.
struct StripSums {
  float* strip;
  double* total;  // [2][channels]; null: nothing is summed
  int channels;

  void Start() const {
    if (total != nullptr) std::fill_n(total, 2 * channels, 0.0);
  }
  void StartStrip() const {
    if (total != nullptr) std::fill_n(strip, 2 * channels * kLanes, 0.0f);
  }
  void Add(int channel, int group, Lanes first, Lanes second) const {
    const LaneTag d;
    float* a = strip + channel * kLanes + group * kGroup;
    float* b = a + channels * kLanes;
    hn::Store(hn::Add(hn::Load(d, a), first), d, a);
    hn::Store(hn::Add(hn::Load(d, b), second), d, b);
  }
  // Counts the lanes of real images only.
  void FinishStrip(int lanes) const {
    if (total == nullptr) return;
    for (int i = 0; i < 2 * channels; ++i) {
      double sums[kLanes] = {};
      for (int lane = 0; lane < lanes; ++lane) sums[lane] = strip[i * kLanes + lane];
      for (int half = kLanes / 2; half > 0; half /= 2) {
        for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
      }
      total[i] += sums[0];
    }
  }
};

// One group of one channel of a GradientSink. Two chains of sums, so that additions do not wait for
// each other.
template <bool kMasked, bool kSums>
struct SinkPixels {
  SinkPixels(const GradientSink& sink, const Shape& shape, int block, int channel, int of_group)
      : group(of_group),
        gradient(Plane(sink.gradient, shape, block, channel) + group * kGroup),
        activation(kSums ? Plane(sink.activation, shape, block, channel) + group * kGroup
                         : nullptr),
        keep(KeepPlane(sink.keep, shape, block, channel)),
        keep_step(sink.keep.per_channel ? 0 : 1),
        factor(hn::Set(LaneTag(), sink.keep_factor)),
        mean(hn::Set(LaneTag(), kSums ? sink.mean[channel] : 0.0f)) {
    for (int chain = 0; chain < 2; ++chain) {
      sum[chain] = hn::Zero(LaneTag());
      product[chain] = hn::Zero(LaneTag());
    }
  }

  HWY_INLINE void Put(int pixel, Lanes g, int chain) {
    const LaneTag d;
    g = hn::Mul(g, factor);
    if constexpr (kMasked) g = hn::IfThenElseZero(KeepMask(keep[pixel * keep_step], group), g);
    hn::Store(g, d, gradient + pixel * kLanes);
    if constexpr (kSums) {
      sum[chain] = hn::Add(sum[chain], g);
      const Lanes centred = hn::Sub(hn::Load(d, activation + pixel * kLanes), mean);
      product[chain] = hn::MulAdd(g, centred, product[chain]);
    }
  }

  HWY_INLINE void AddTo(const StripSums& sums, int channel) const {
    if constexpr (kSums) {
      sums.Add(channel, group, hn::Add(sum[0], sum[1]), hn::Add(product[0], product[1]));
    }
  }

  int group;
  float* gradient;
  const float* activation;
  const std::uint16_t* keep;
  int keep_step;
  Lanes factor, mean;
  Lanes sum[2], product[2];
};

// Calls put(pixel, chain) for `count` pixels from `first` on.
template <typename Put>
HWY_INLINE void ForEachPixel(int first, int count, const Put& put) {
  int i = 0;
  for (; i + 2 <= count; i += 2) {
    put(first + i, 0);
    put(first + i + 1, 1);
  }
  if (i < count) put(first + i, 0);
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
