#include "worker/kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "worker/kernels/elementwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "worker/kernels/pixels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

// After this many pixels the float sums are added up in double.
inline constexpr int kStripPixels = 256;

template <bool kAffine, bool kMasked>
HWY_INLINE void ForwardPixels(const ElementwiseForward& work, int block, int channel,
                              const Range& range, const StripSums& sums) {
  const LaneTag d;
  const SourcePixels<kAffine, kMasked> pixels(work.input, work.shape, block, channel, kLanes);
  float* out = Plane(work.output, work.shape, block, channel);
  const Lanes pivot = hn::Set(d, work.pivot == nullptr ? 0.0f : work.pivot[channel]);
  for (int g = 0; g < kGroups; ++g) {
    Lanes sum[2] = {hn::Zero(d), hn::Zero(d)};
    Lanes square[2] = {hn::Zero(d), hn::Zero(d)};
    ForEachPixel(range.begin, range.size(), [&](int pixel, int chain) HWY_ATTR {
      Lanes v = pixels.At(pixel, g);
      if (work.relu) v = Relu(v);
      if (out != nullptr) hn::Store(v, d, out + pixel * kLanes + g * kGroup);
      v = hn::Sub(v, pivot);
      sum[chain] = hn::Add(sum[chain], v);
      square[chain] = hn::MulAdd(v, v, square[chain]);
    });
    if (sums.total != nullptr) {
      sums.Add(channel, g, hn::Add(sum[0], sum[1]), hn::Add(square[0], square[1]));
    }
  }
}

void ElementwiseForwardBlock(const ElementwiseForward& work, int block, float* scratch) {
  const int channels = work.shape.channels;
  const int pixels = work.shape.height * work.shape.width;
  const int strips = CeilDiv(pixels, kStripPixels);
  const StripSums sums{scratch, work.sums == nullptr ? nullptr : work.sums + 2 * channels * block,
                       channels};
  sums.Start();
  for (int strip = 0; strip < strips; ++strip) {
    sums.StartStrip();
    Select(work.input.scale != nullptr, work.input.keep.bits != nullptr,
           [&]<bool kAffine, bool kMasked>() HWY_ATTR {
             for (int channel = 0; channel < channels; ++channel) {
               ForwardPixels<kAffine, kMasked>(work, block, channel, Shares(pixels, strips)[strip],
                                               sums);
             }
           });
    sums.FinishStrip(LanesIn(work.images, block));
  }
}

void ElementwiseBackwardBlock(const ElementwiseBackward& work, int block, float* scratch) {
  const GradientSource& source = work.output_gradient;
  const GradientSink& sink = work.input_gradient;
  const int channels = work.shape.channels;
  const int pixels = work.shape.height * work.shape.width;
  const int strips = CeilDiv(pixels, kStripPixels);
  const int lanes = LanesIn(work.images, block);
  const StripSums sums{scratch, sink.sums == nullptr ? nullptr : sink.sums + 2 * channels * block,
                       channels};
  const auto run = [&]<typename In, typename Out>(const Range& range) HWY_ATTR {
    for (int channel = 0; channel < channels; ++channel) {
      const In in(source, work.shape, block, channel, lanes);
      for (int g = 0; g < kGroups; ++g) {
        Out out(sink, work.shape, block, channel, g);
        ForEachPixel(range.begin, range.size(), [&](int pixel, int chain) HWY_ATTR {
          out.Put(pixel, in.At(pixel, g), chain);
        });
        out.AddTo(sums, channel);
      }
    }
  };
  sums.Start();
  for (int strip = 0; strip < strips; ++strip) {
    const Range range = Shares(pixels, strips)[strip];
    sums.StartStrip();
    Select(source.scale != nullptr, source.relu, [&]<bool kNormalized, bool kRelu>() HWY_ATTR {
      using In = GradientPixels<kNormalized, kRelu>;
      Select(sink.keep.bits != nullptr, sink.sums != nullptr,
             [&]<bool kMasked, bool kSums>()
                 HWY_ATTR { run.template operator()<In, SinkPixels<kMasked, kSums>>(range); });
    });
    sums.FinishStrip(lanes);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep::kernels {

HWY_EXPORT(ElementwiseForwardBlock);
HWY_EXPORT(ElementwiseBackwardBlock);

std::size_t ElementwiseScratch(const Shape& shape) {
  return std::size_t{2} * shape.channels * kLanes;
}

void RunUnit(const ElementwiseForward& work, int block, float* scratch) {
  HWY_DYNAMIC_DISPATCH(ElementwiseForwardBlock)(work, block, scratch);
}

void RunUnit(const ElementwiseBackward& work, int block, float* scratch) {
  HWY_DYNAMIC_DISPATCH(ElementwiseBackwardBlock)(work, block, scratch);
}

}  // namespace sweep::kernels
#endif  // HWY_ONCE
