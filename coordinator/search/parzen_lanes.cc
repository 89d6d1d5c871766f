#include "coordinator/search/parzen_lanes.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "coordinator/search/parzen_lanes.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Needs the two above.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace sweep {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
// A group is a multiple of the lanes of every instruction set.
using Tag = hn::CappedTag<float, kLaneGroup>;

void AddNumbers(const LaneAxis& axis, std::size_t count, float* sums) {
  const Tag d;
  const auto x = hn::Set(d, axis.coordinate);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto t = hn::Mul(hn::Sub(x, hn::LoadU(d, axis.mean + i)), hn::LoadU(d, axis.scale + i));
    const auto sum = hn::Add(hn::LoadU(d, sums + i), hn::LoadU(d, axis.norm + i));
    hn::StoreU(hn::NegMulAdd(t, t, sum), d, sums + i);
  }
}

void AddCategories(const LaneAxis& axis, std::size_t count, float* sums) {
  const Tag d;
  const auto x = hn::Set(d, axis.coordinate);
  const auto same = hn::Set(d, axis.same);
  const auto other = hn::Set(d, axis.other);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto mean = hn::LoadU(d, axis.mean + i);
    const auto known = hn::IfThenElse(hn::Eq(mean, x), same, other);
    const auto added = hn::IfThenElseZero(hn::Ge(mean, hn::Zero(d)), known);
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), added), d, sums + i);
  }
}

void AddCells(const LaneAxis& axis, std::size_t count, float* sums) {
  const Tag d;
  const hn::RebindToSigned<Tag> di;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto added = hn::GatherIndex(d, axis.at_coordinate, hn::LoadU(di, axis.row + i));
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), added), d, sums + i);
  }
}

double SumOfKernels(const LaneAxis* axes, std::size_t axis_count, const float* base,
                    const float* weight, std::size_t count, float* scratch) {
  const Tag d;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    hn::StoreU(hn::LoadU(d, base + i), d, scratch + i);
  }
  for (const LaneAxis* axis = axes; axis != axes + axis_count; ++axis) {
    if (axis->kind == LaneAxis::Kind::kNumber) AddNumbers(*axis, count, scratch);
    if (axis->kind == LaneAxis::Kind::kCategory) AddCategories(*axis, count, scratch);
    if (axis->kind == LaneAxis::Kind::kCells) AddCells(*axis, count, scratch);
  }
  // Without the largest one, the others could be too large or too small for a float.
  auto most = hn::Set(d, scratch[0]);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    most = hn::Max(most, hn::LoadU(d, scratch + i));
  }
  const float largest = hn::GetLane(hn::MaxOfLanes(d, most));
  const auto shift = hn::Set(d, largest);
  auto total = hn::Zero(d);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto share = hn::Exp(d, hn::Sub(hn::LoadU(d, scratch + i), shift));
    total = hn::MulAdd(hn::LoadU(d, weight + i), share, total);
  }
  return std::log(static_cast<double>(hn::GetLane(hn::SumOfLanes(d, total)))) +
         static_cast<double>(largest);
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep {

HWY_EXPORT(SumOfKernels);

double LogSum(std::span<const LaneAxis> axes, const float* base, const float* weight,
              std::size_t count, float* scratch) {
  return HWY_DYNAMIC_DISPATCH(SumOfKernels)(axes.data(), axes.size(), base, weight, count, scratch);
}

}  // namespace sweep
#endif  // HWY_ONCE
