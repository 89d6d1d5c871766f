#include "worker/kernels/pooling.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "worker/kernels/pooling.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "worker/kernels/pixels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

using IndexTag = hn::RebindToSigned<LaneTag>;
using ByteTag = hn::Rebind<std::uint8_t, LaneTag>;

template <typename Pixels>
HWY_INLINE void MaxPoolChannel(const MaxPoolForward& work, int block, int channel) {
  const LaneTag d;
  const PoolShape& pool = work.shape;
  const Shape output = pool.output();
  const Pixels pixels(work.input, pool.input, block, channel, kLanes);
  float* out = Plane(work.output, output, block, channel);
  std::uint8_t* chosen = Plane(work.chosen, output, block, channel);
  for (int y = 0; y < output.height; ++y) {
    for (int x = 0; x < output.width; ++x) {
      const int corner = y * pool.stride * pool.input.width + x * pool.stride;
      const std::ptrdiff_t place = (std::ptrdiff_t{y} * output.width + x) * kLanes;
      for (int g = 0; g < kGroups; ++g) {
        Lanes best = pixels.At(corner, g);
        auto index = hn::Zero(IndexTag());
        for (int ky = 0; ky < pool.kernel_height; ++ky) {
          for (int kx = ky == 0 ? 1 : 0; kx < pool.kernel_width; ++kx) {
            const Lanes value = pixels.At(corner + ky * pool.input.width + kx, g);
            const auto better = hn::Or(hn::Gt(value, best), hn::IsNaN(value));
            best = hn::IfThenElse(better, value, best);
            index = hn::IfThenElse(hn::RebindMask(IndexTag(), better),
                                   hn::Set(IndexTag(), ky * pool.kernel_width + kx), index);
          }
        }
        hn::Store(best, d, out + place + g * kGroup);
        if (chosen == nullptr) continue;
        hn::StoreU(hn::DemoteTo(ByteTag(), index), ByteTag(), chosen + place + g * kGroup);
      }
    }
  }
}

void MaxPoolForwardBlock(const MaxPoolForward& work, int block) {
  Select(work.input.scale != nullptr, work.input.keep.bits != nullptr,
         [&]<bool kAffine, bool kMasked>() HWY_ATTR {
           for (int channel = 0; channel < work.shape.input.channels; ++channel) {
             MaxPoolChannel<SourcePixels<kAffine, kMasked>>(work, block, channel);
           }
         });
}

template <typename Pixels>
HWY_INLINE void AveragePoolChannel(const AveragePoolForward& work, int block, int channel) {
  const LaneTag d;
  const PoolShape& pool = work.shape;
  const Shape output = pool.output();
  const Pixels pixels(work.input, pool.input, block, channel, kLanes);
  float* out = Plane(work.output, output, block, channel);
  const Lanes factor =
      hn::Set(d, 1.0f / static_cast<float>(pool.kernel_height * pool.kernel_width));
  for (int y = 0; y < output.height; ++y) {
    for (int x = 0; x < output.width; ++x, out += kLanes) {
      const int corner = y * pool.stride * pool.input.width + x * pool.stride;
      for (int g = 0; g < kGroups; ++g) {
        Lanes sum = hn::Zero(d);
        for (int ky = 0; ky < pool.kernel_height; ++ky) {
          Lanes of_row = hn::Zero(d);
          for (int kx = 0; kx < pool.kernel_width; ++kx) {
            of_row = hn::Add(of_row, pixels.At(corner + ky * pool.input.width + kx, g));
          }
          sum = hn::Add(sum, of_row);
        }
        hn::Store(hn::Mul(sum, factor), d, out + g * kGroup);
      }
    }
  }
}

void AveragePoolForwardBlock(const AveragePoolForward& work, int block) {
  Select(work.input.scale != nullptr, work.input.keep.bits != nullptr,
         [&]<bool kAffine, bool kMasked>() HWY_ATTR {
           for (int channel = 0; channel < work.shape.input.channels; ++channel) {
             AveragePoolChannel<SourcePixels<kAffine, kMasked>>(work, block, channel);
           }
         });
}

// Windows may overlap or leave pixels out, so each channel's gradient is collected in scratch,
// [y][x][16], before it goes to the sink. `add` gets a window's place in the output and its first
// pixel in scratch, both for one group.
template <typename AddWindow>
HWY_INLINE void PoolBackwardBlock(const PoolShape& pool, int images, const GradientSink& sink,
                                  int block, float* scratch, const AddWindow& add) {
  const LaneTag d;
  const Shape& input = pool.input;
  const Shape output = pool.output();
  const int pixels = input.height * input.width;
  float* plane = scratch + 2 * input.channels * kLanes;
  const StripSums sums{scratch,
                       sink.sums == nullptr ? nullptr : sink.sums + 2 * input.channels * block,
                       input.channels};
  sums.Start();
  sums.StartStrip();
  for (int channel = 0; channel < input.channels; ++channel) {
    std::fill_n(plane, pixels * kLanes, 0.0f);
    for (int y = 0; y < output.height; ++y) {
      for (int x = 0; x < output.width; ++x) {
        const std::ptrdiff_t corner =
            (std::ptrdiff_t{y} * pool.stride * input.width + x * pool.stride) * kLanes;
        const std::ptrdiff_t place =
            (((std::ptrdiff_t{block} * output.channels + channel) * output.height + y) *
                 output.width +
             x) *
            kLanes;
        for (int g = 0; g < kGroups; ++g) add(place + g * kGroup, plane + corner + g * kGroup);
      }
    }
    Select(sink.keep.bits != nullptr, sink.sums != nullptr,
           [&]<bool kMasked, bool kSums>() HWY_ATTR {
             for (int g = 0; g < kGroups; ++g) {
               SinkPixels<kMasked, kSums> out(sink, input, block, channel, g);
               ForEachPixel(0, pixels, [&](int pixel, int chain) HWY_ATTR {
                 out.Put(pixel, hn::Load(d, plane + pixel * kLanes + g * kGroup), chain);
               });
               out.AddTo(sums, channel);
             }
           });
  }
  sums.FinishStrip(LanesIn(images, block));
}

void MaxPoolBackwardBlock(const MaxPoolBackward& work, int block, float* scratch) {
  const LaneTag d;
  const PoolShape& pool = work.shape;
  PoolBackwardBlock(
      pool, work.images, work.input_gradient, block, scratch,
      [&](std::ptrdiff_t place, float* window) HWY_ATTR {
        const Lanes gradient = hn::Load(d, work.output_gradient + place);
        const auto chosen = hn::PromoteTo(IndexTag(), hn::LoadU(ByteTag(), work.chosen + place));
        for (int ky = 0; ky < pool.kernel_height; ++ky) {
          for (int kx = 0; kx < pool.kernel_width; ++kx) {
            const auto here = hn::Eq(chosen, hn::Set(IndexTag(), ky * pool.kernel_width + kx));
            float* pixel = window + (ky * pool.input.width + kx) * kLanes;
            const Lanes part = hn::IfThenElseZero(hn::RebindMask(d, here), gradient);
            hn::Store(hn::Add(hn::Load(d, pixel), part), d, pixel);
          }
        }
      });
}

void AveragePoolBackwardBlock(const AveragePoolBackward& work, int block, float* scratch) {
  const LaneTag d;
  const PoolShape& pool = work.shape;
  const Lanes factor =
      hn::Set(d, 1.0f / static_cast<float>(pool.kernel_height * pool.kernel_width));
  PoolBackwardBlock(pool, work.images, work.input_gradient, block, scratch,
                    [&](std::ptrdiff_t place, float* window) HWY_ATTR {
                      const Lanes part = hn::Mul(hn::Load(d, work.output_gradient + place), factor);
                      for (int ky = 0; ky < pool.kernel_height; ++ky) {
                        for (int kx = 0; kx < pool.kernel_width; ++kx) {
                          float* pixel = window + (ky * pool.input.width + kx) * kLanes;
                          hn::Store(hn::Add(hn::Load(d, pixel), part), d, pixel);
                        }
                      }
                    });
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep::kernels {

HWY_EXPORT(MaxPoolForwardBlock);
HWY_EXPORT(MaxPoolBackwardBlock);
HWY_EXPORT(AveragePoolForwardBlock);
HWY_EXPORT(AveragePoolBackwardBlock);

std::size_t PoolBackwardScratch(const PoolShape& shape) {
  const Shape& input = shape.input;
  return static_cast<std::size_t>(2 * input.channels + input.height * input.width) * kLanes;
}

void RunUnit(const MaxPoolForward& work, int block) {
  HWY_DYNAMIC_DISPATCH(MaxPoolForwardBlock)(work, block);
}
void RunUnit(const MaxPoolBackward& work, int block, float* scratch) {
  HWY_DYNAMIC_DISPATCH(MaxPoolBackwardBlock)(work, block, scratch);
}
void RunUnit(const AveragePoolForward& work, int block) {
  HWY_DYNAMIC_DISPATCH(AveragePoolForwardBlock)(work, block);
}
void RunUnit(const AveragePoolBackward& work, int block, float* scratch) {
  HWY_DYNAMIC_DISPATCH(AveragePoolBackwardBlock)(work, block, scratch);
}

}  // namespace sweep::kernels
#endif  // HWY_ONCE
