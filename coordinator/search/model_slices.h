#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/value.h"

namespace sweep {

// What the model of a method knows along one parameter, the others being as in one configuration.
// The lists after `values` have an entry for each value; those that the method does not have are
// empty. NaN where the sweep's constraints exclude the point.
struct ModelSlice {
  std::size_t dimension = 0;       // of the SearchSpace
  std::int64_t configuration = 0;  // the best one that has ended and has the parameter
  std::vector<Value> values;       // ascending, or in the order of the file
  // What it predicts for a configuration's mean, in the objective's units, and the 95 % interval.
  // Where the model compresses large costs, `mean` is the median.
  std::vector<double> mean, low, high;
  std::vector<double> improvement;  // expected, as a share of the largest in all slices
  // Of suggestions, over this parameter alone: 1 where it is as that of random points.
  std::vector<double> density;
  std::vector<double> other_density;  // of the points that suggestions keep away from
};

struct ModelSlices {
  std::size_t ended = 0;   // configurations that were learned from
  std::size_t needed = 0;  // that must have ended before there is a model
  // By dimension, without those that no ended configuration has; empty without a model.
  std::vector<ModelSlice> slices;
};

}  // namespace sweep
