#include "coordinator/search/parzen_lanes.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

// Kernels whose numbers stay in the nearest cache while all points are looked at.
constexpr std::size_t kBlock = 512;
constexpr float kNegligible = 30;

// What a point has of the kernels so far: total × exp(largest).
struct RunningSum {
  float largest = -std::numeric_limits<float>::infinity();
  double total = 0;
};

// Adds the logarithms of the kernels from `i` on to `sum`.
template <class V>
HWY_ATTR V AddAxis(const LaneAxis& axis, std::size_t i, V sum) {
  const Tag d;
  if (axis.kind == LaneAxis::Kind::kCell) return hn::Add(sum, hn::LoadU(d, axis.at_cell + i));
  const auto x = hn::Set(d, axis.coordinate);
  const auto mean = hn::LoadU(d, axis.mean + i);
  if (axis.kind == LaneAxis::Kind::kCategory) {
    const auto known =
        hn::IfThenElse(hn::Eq(mean, x), hn::Set(d, axis.same), hn::Set(d, axis.other));
    return hn::Add(sum, hn::IfThenElseZero(hn::Ge(mean, hn::Zero(d)), known));
  }
  const auto t = hn::Mul(hn::Sub(x, mean), hn::LoadU(d, axis.scale + i));
  return hn::NegMulAdd(t, t, hn::Add(sum, hn::LoadU(d, axis.norm + i)));
}

// Adds the kernels from `begin` to `end`, at most kBlock.
HWY_ATTR void AddBlock(std::span<const LaneAxis> axes, const float* base, const float* weight,
                       std::size_t begin, std::size_t end, RunningSum* sum) {
  const Tag d;
  float logarithms[kBlock];
  auto most = hn::Set(d, sum->largest);
  for (std::size_t i = begin; i < end; i += hn::Lanes(d)) {
    auto value = hn::LoadU(d, base + i);
    for (const LaneAxis& axis : axes) value = AddAxis(axis, i, value);
    hn::StoreU(value, d, logarithms + (i - begin));
    most = hn::Max(most, value);
  }
  // Without the largest one, the others could be too large or too small for a float.
  const float largest = hn::GetLane(hn::MaxOfLanes(d, most));
  if (largest > sum->largest) {
    sum->total *= std::exp(static_cast<double>(sum->largest) - static_cast<double>(largest));
    sum->largest = largest;
  }
  const auto shift = hn::Set(d, largest);
  const auto least = hn::Set(d, largest - kNegligible);
  auto total = hn::Zero(d);
  for (std::size_t i = begin; i < end; i += hn::Lanes(d)) {
    const auto value = hn::LoadU(d, logarithms + (i - begin));
    if (hn::AllTrue(d, hn::Lt(value, least))) continue;
    total = hn::MulAdd(hn::LoadU(d, weight + i), hn::Exp(d, hn::Sub(value, shift)), total);
  }
  sum->total += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, total)));
}

void LogSums(std::span<const std::vector<LaneAxis>> points, const float* base, const float* weight,
             std::size_t count, double* logs) {
  std::vector<RunningSum> sums(points.size());
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t end = std::min(count, begin + kBlock);
    for (std::size_t p = 0; p < points.size(); ++p) {
      AddBlock(points[p], base, weight, begin, end, &sums[p]);
    }
  }
  for (std::size_t p = 0; p < points.size(); ++p) {
    logs[p] = std::log(sums[p].total) + static_cast<double>(sums[p].largest);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sweep
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sweep {

HWY_EXPORT(LogSums);

std::vector<double> LogSums(std::span<const std::vector<LaneAxis>> points, const float* base,
                            const float* weight, std::size_t count) {
  std::vector<double> logs(points.size());
  HWY_DYNAMIC_DISPATCH(LogSums)(points, base, weight, count, logs.data());
  return logs;
}

}  // namespace sweep
#endif  // HWY_ONCE
