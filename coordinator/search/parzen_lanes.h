#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace sweep {

// Kernels come in multiples of this.
inline constexpr std::size_t kLaneGroup = 16;
// Points that are looked at together, so that a kernel's numbers are read once for all of them.
inline constexpr std::size_t kLanePoints = 4;

// The kernels of a ParzenMixture on one axis, for the coordinates of some points on it.
struct LaneAxis {
  enum class Kind { kNumber, kCategory, kCell };
  Kind kind = Kind::kNumber;
  // kNumber: a kernel's logarithm is -(scale × coordinate - centre)², without its norm.
  const float* scale = nullptr;
  const float* centre = nullptr;  // kCategory: the index of each kernel's value, or below 0
  std::array<float, kLanePoints> coordinate = {};        // kCategory: the index of the value
  std::array<float, kLanePoints> same = {}, other = {};  // kCategory: logarithms
  std::array<const float*, kLanePoints> at_cell = {};    // kCell: the logarithm of each kernel
};

// For each of kLanePoints points, given by the axes on which they have a coordinate: the logarithm
// of Σ weight × exp(base + Σ over axes of the kernel's logarithm) over `count` kernels, a multiple
// of kLaneGroup. What is
// below exp(-87) of the first kernel counts as nothing.
std::array<double, kLanePoints> LogSums(std::span<const LaneAxis> axes, const float* base,
                                        const float* weight, std::size_t count);

}  // namespace sweep
