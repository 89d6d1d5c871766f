#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// One coordinate of a SearchSpace.
struct Dimension {
  enum class Scale { kLinear, kLog, kCategory };
  Scale scale = Scale::kLinear;
  bool whole = false;  // only integers
  // The order of the coordinates has a meaning: ranges, and lists of equally likely values that the
  // file calls ordered, or that are rising or falling numbers.
  bool ordered = true;
  std::size_t parameter = 0;  // index into the sweep's parameters
};

Dimension DimensionOf(const Parameter& parameter);
// True for rising and for falling numbers.
bool IsMonotonic(const std::vector<Value>& values);

// The search space of a sweep as a unit cube, with one coordinate for each parameter of more than
// one value. Each coordinate is the parameter's distribution function, so a uniform draw from the
// cube is a draw from the search space. The cube ignores constraints: PointCompleter rejects a
// decoded point that they exclude or whose network cannot be built.
class SearchSpace {
 public:
  // A coordinate is missing when the parameter does not exist at the point because its `when` is
  // false.
  using Place = std::vector<std::optional<double>>;

  // `spec` must outlive the object.
  explicit SearchSpace(const SweepSpec* spec);

  // In the order of the sweep's parameters.
  const std::vector<Dimension>& dimensions() const& { return dimensions_; }
  const std::vector<Dimension>& dimensions() const&& = delete;  // the list dies with the object
  const Parameter& axis(std::size_t dimension) const {
    return spec_->parameters[dimensions_[dimension].parameter];
  }

  // The place of a point, from the values that the search chose. InvalidArgument when a name is no
  // parameter of the sweep, a value is not among the parameter's, or one is missing.
  absl::StatusOr<Place> Encode(const ParameterMap& point) const;
  // The values at a place: one coordinate per dimension, in [0, 1). Includes parameters that do not
  // exist there, since completing the point drops them. Decode(Encode(point)) completes to the same
  // point; numbers of a continuous parameter may differ in the last digits.
  ParameterMap Decode(std::span<const double> place) const;

 private:
  const SweepSpec* spec_;
  std::vector<Dimension> dimensions_;
};

}  // namespace sweep
