#include "coordinator/search/parzen_lanes.h"

#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "coordinator/search/parzen_lanes.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sweep {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
// A group is a multiple of the lanes of every instruction set.
using Tag = hn::CappedTag<float, kLaneGroup>;
using V = hn::Vec<Tag>;

// exp of this is no float's limit yet, even ten thousand times.
constexpr float kMostAbove = 60;

// What a point has of the kernels of each lane so far: total × exp(reference).
struct RunningSum {
  V reference, total;
};

// exp(x) for x of at most kMostAbove, to float's precision; below exp(-87) something as small. Half
// the time of Highway's Exp, which is exact there, too.
HWY_ATTR HWY_INLINE V ExpOf(V x) {
  const Tag d;
  const hn::RebindToSigned<Tag> di;
  const V t = hn::Max(hn::Mul(x, hn::Set(d, std::numbers::log2e_v<float>)), hn::Set(d, -126.0f));
  const V whole = hn::Round(t);
  const V f = hn::Sub(t, whole);  // in [-1/2, 1/2]: 2^f by its Taylor polynomial
  V power = hn::Set(d, 1.5403530e-4f);
  for (const float next :
       {1.3333558e-3f, 9.6181291e-3f, 5.5504109e-2f, 2.4022651e-1f, 6.9314718e-1f, 1.0f}) {
    power = hn::MulAdd(power, f, hn::Set(d, next));
  }
  const auto exponent = hn::ShiftLeft<23>(hn::ConvertTo(di, whole));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, power), exponent));
}

// Adds the logarithms of the kernels from `i` on to those of each point.
HWY_ATTR HWY_INLINE void AddAxis(const LaneAxis& axis, std::size_t i, V* logs) {
  const Tag d;
  if (axis.kind == LaneAxis::Kind::kCell) {
    for (std::size_t p = 0; p < kLanePoints; ++p) {
      logs[p] = hn::Add(logs[p], hn::LoadU(d, axis.at_cell[p] + i));
    }
    return;
  }
  const V centre = hn::LoadU(d, axis.centre + i);
  if (axis.kind == LaneAxis::Kind::kCategory) {
    const auto is_known = hn::Ge(centre, hn::Zero(d));
    for (std::size_t p = 0; p < kLanePoints; ++p) {
      const auto is_same = hn::Eq(centre, hn::Set(d, axis.coordinate[p]));
      const V known = hn::IfThenElse(is_same, hn::Set(d, axis.same[p]), hn::Set(d, axis.other[p]));
      logs[p] = hn::Add(logs[p], hn::IfThenElseZero(is_known, known));
    }
    return;
  }
  const V scale = hn::LoadU(d, axis.scale + i);
  for (std::size_t p = 0; p < kLanePoints; ++p) {
    const V t = hn::MulSub(hn::Set(d, axis.coordinate[p]), scale, centre);
    logs[p] = hn::NegMulAdd(t, t, logs[p]);
  }
}

// Sets the logarithms of the kernels from `i` on.
HWY_ATTR HWY_INLINE void SetLogs(std::span<const LaneAxis> axes, const float* base, std::size_t i,
                                 V* logs) {
  for (std::size_t p = 0; p < kLanePoints; ++p) logs[p] = hn::LoadU(Tag(), base + i);
  for (const LaneAxis& axis : axes) AddAxis(axis, i, logs);
}

HWY_ATTR void LogSums(std::span<const LaneAxis> axes, const float* base, const float* weight,
                      std::size_t count, double* results) {
  const Tag d;
  RunningSum sums[kLanePoints];
  V logs[kLanePoints];
  SetLogs(axes, base, 0, logs);
  for (std::size_t p = 0; p < kLanePoints; ++p) {
    sums[p] = {hn::Set(d, hn::GetLane(logs[p])), hn::Zero(d)};
  }
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    SetLogs(axes, base, i, logs);
    const V weights = hn::LoadU(d, weight + i);
    for (std::size_t p = 0; p < kLanePoints; ++p) {
      RunningSum& sum = sums[p];
      const V most = hn::Add(sum.reference, hn::Set(d, kMostAbove));
      if (HWY_UNLIKELY(!hn::AllTrue(d, hn::Le(logs[p], most)))) {
        const V largest = hn::Max(sum.reference, logs[p]);
        sum.total = hn::Mul(sum.total, ExpOf(hn::Sub(sum.reference, largest)));
        sum.reference = largest;
      }
      sum.total = hn::MulAdd(weights, ExpOf(hn::Sub(logs[p], sum.reference)), sum.total);
    }
  }
  for (std::size_t p = 0; p < kLanePoints; ++p) {
    const float largest = hn::GetLane(hn::MaxOfLanes(d, sums[p].reference));
    const V share = ExpOf(hn::Sub(sums[p].reference, hn::Set(d, largest)));
    const float total = hn::GetLane(hn::SumOfLanes(d, hn::Mul(sums[p].total, share)));
    results[p] = std::log(static_cast<double>(total)) + static_cast<double>(largest);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep {

HWY_EXPORT(LogSums);

std::array<double, kLanePoints> LogSums(std::span<const LaneAxis> axes, const float* base,
                                        const float* weight, std::size_t count) {
  std::array<double, kLanePoints> results;
  HWY_DYNAMIC_DISPATCH(LogSums)(axes, base, weight, count, results.data());
  return results;
}

}  // namespace sweep
#endif  // HWY_ONCE
