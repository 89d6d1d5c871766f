#pragma once

#include <cmath>
#include <vector>

namespace sweep {

// A point of a search space in the unit cube: a coordinate in [0, 1) for each of the space's
// dimensions; NaN where the parameter does not exist at the point.
using CubePoint = std::vector<double>;

// The largest coordinate.
inline constexpr double kBelowOne = 1 - 0x1.0p-53;

// Which coordinates exist.
inline std::vector<bool> ShapeOf(const CubePoint& point) {
  std::vector<bool> exists;
  for (const double coordinate : point) exists.push_back(!std::isnan(coordinate));
  return exists;
}

}  // namespace sweep
