#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sweep {

// The kernels of a ParzenMixture on one axis, for a point's coordinate on it.
struct LaneAxis {
  enum class Kind { kNumber, kCategory, kCells };
  Kind kind = Kind::kNumber;
  float coordinate = 0;  // or the index of the category
  const float* mean = nullptr;
  const float* scale = nullptr;
  const float* norm = nullptr;
  float same = 0, other = 0;             // kCategory: logarithms
  const std::int32_t* row = nullptr;     // kCells: the row of each kernel
  const float* at_coordinate = nullptr;  // kCells: by row
};

// Kernels come in multiples of this.
inline constexpr std::size_t kLaneGroup = 16;

// The logarithm of Σ weight × exp(base + Σ over axes of the kernel's logarithm) over `count`
// kernels, a multiple of kLaneGroup. `scratch` has room for `count` numbers.
double LogSum(std::span<const LaneAxis> axes, const float* base, const float* weight,
              std::size_t count, float* scratch);

}  // namespace sweep
