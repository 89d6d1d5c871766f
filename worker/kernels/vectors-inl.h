// Shared by all kernels: the vector type and the addresses of planes. Included once per instruction
// set.

#if defined(SWEEP_KERNELS_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SWEEP_KERNELS_VECTORS_INL_H_
#undef SWEEP_KERNELS_VECTORS_INL_H_
#else
#define SWEEP_KERNELS_VECTORS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "worker/kernels/operands.h"

HWY_BEFORE_NAMESPACE();
namespace sweep::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A group of images that one vector holds: all 16 of a block with AVX-512, 8 with AVX2.
using LaneTag = hn::CappedTag<float, kLanes>;
using Lanes = hn::Vec<LaneTag>;
inline constexpr int kGroup = static_cast<int>(hn::MaxLanes(LaneTag()));
inline constexpr int kGroups = kLanes / kGroup;

// Channel `channel` of block `block`; null stays null.
template <typename T>
HWY_INLINE T* Plane(T* batch, const Shape& shape, int block, int channel) {
  if (batch == nullptr) return nullptr;
  const std::ptrdiff_t plane = std::ptrdiff_t{block} * shape.channels + channel;
  return batch + plane * shape.height * shape.width * kLanes;
}

HWY_INLINE const std::uint16_t* KeepPlane(const KeepBits& keep, const Shape& shape, int block,
                                          int channel) {
  if (keep.bits == nullptr) return nullptr;
  const std::ptrdiff_t plane = std::ptrdiff_t{block} * shape.channels + channel;
  return keep.bits + (keep.per_channel ? plane : plane * shape.height * shape.width);
}

// Passes NaN on, unlike a maximum, so that diverging training is noticed.
HWY_INLINE Lanes Relu(Lanes x) { return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(LaneTag())), x); }

// The bits of one group as a mask.
HWY_INLINE hn::Mask<LaneTag> KeepMask(std::uint16_t bits, int group) {
  const std::uint32_t of_group = static_cast<std::uint32_t>(bits) >> (group * kGroup);
  const std::uint8_t bytes[8] = {static_cast<std::uint8_t>(of_group),
                                 static_cast<std::uint8_t>(of_group >> 8)};
  return hn::LoadMaskBits(LaneTag(), bytes);
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
