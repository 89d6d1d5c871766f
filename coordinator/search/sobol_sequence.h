#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sweep {

// Sobol's low-discrepancy sequence with Owen's nested uniform scrambling (A. B. Owen, "Randomly
// permuted (t,m,s)-nets and (t,s)-sequences", 1995): each binary place of a coordinate is flipped
// or not, by a hash of the dimension's key and the places before it. Points stay as evenly spread
// as they are without it, and each of them alone is uniform in the cube, the first one too (without
// scrambling it is the corner 0). A pure function of (keys, index).
class SobolSequence {
 public:
  static constexpr std::size_t kMaxDimensions = 128;

  // One key per dimension, at most kMaxDimensions.
  explicit SobolSequence(const std::vector<std::uint64_t>& keys);

  // In [0, 1). Indices count from 0.
  double Coordinate(std::uint32_t index, std::size_t dimension) const;
  // The first 32 binary places of the plain sequence.
  std::uint32_t Unscrambled(std::uint32_t index, std::size_t dimension) const;

 private:
  std::vector<std::uint64_t> keys_;
  std::vector<std::array<std::uint32_t, 32>> numbers_;  // by dimension
};

}  // namespace sweep
