#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace sweep {

// The median; of an even number the upper one of the two in the middle. Requires one or more.
inline double UpperMedian(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace sweep
