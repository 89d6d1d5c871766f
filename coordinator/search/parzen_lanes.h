#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sweep {

// The kernels of a ParzenMixture on one axis, for a point's coordinate on it.
struct LaneAxis {
  enum class Kind { kNumber, kCategory, kCell };
  Kind kind = Kind::kNumber;
  float coordinate = 0;  // or the index of the category
  const float* mean = nullptr;
  const float* scale = nullptr;
  const float* norm = nullptr;
  float same = 0, other = 0;       // kCategory: logarithms
  const float* at_cell = nullptr;  // kCell: the logarithm of each kernel
};

// Kernels come in multiples of this.
inline constexpr std::size_t kLaneGroup = 16;

// For each point, given as the axes on which it has a coordinate: the logarithm of Σ weight ×
// exp(base + Σ over axes of the kernel's logarithm) over `count` kernels, a multiple of kLaneGroup.
// A kernel below exp(-30) of the largest one may be left out: ten thousand of these are less than
// what a float can tell.
std::vector<double> LogSums(std::span<const std::vector<LaneAxis>> points, const float* base,
                            const float* weight, std::size_t count);

}  // namespace sweep
