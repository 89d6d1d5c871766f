#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sweep {

// Sobol's low-discrepancy sequence with Owen's nested uniform scrambling (A. B. Owen, "Randomly
// permuted (t,m,s)-nets and (t,s)-sequences", 1995): a hash of the dimension's key and the
// preceding places decides whether each binary place of a coordinate is flipped. Points stay as
// evenly spread as without scrambling, and each single point is uniform in the cube, also the first
// one (without scrambling it is the corner 0). A pure function of (keys, index).
class SobolSequence {
 public:
  static constexpr std::size_t kMaxDimensions = 128;

  // One key per dimension, at most kMaxDimensions.
  explicit SobolSequence(const std::vector<std::uint64_t>& keys);

  // In [0, 1). Indices start at 0.
  double Coordinate(std::uint32_t index, std::size_t dimension) const;
  // The first 32 binary places of the plain sequence.
  std::uint32_t Unscrambled(std::uint32_t index, std::size_t dimension) const;

 private:
  std::vector<std::uint64_t> keys_;
  std::vector<std::array<std::uint32_t, 32>> numbers_;  // by dimension
};

}  // namespace sweep
