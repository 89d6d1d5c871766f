#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// How the values of a parameter lie on a line.
struct Dimension {
  enum class Scale { kLinear, kLog, kCategory };
  Scale scale = Scale::kLinear;
  bool whole = false;         // its numbers are whole
  std::size_t parameter = 0;  // index into the sweep's parameters
};

Dimension DimensionOf(const Parameter& parameter);

// The search space of a sweep as a unit cube, with one coordinate for each parameter of more than
// one value. Each coordinate is the parameter's distribution function, so that a uniform draw from
// the cube is a draw from the search space. The cube is blind to constraints: a decoded point that
// they exclude, or whose network cannot be built, is sorted out by PointCompleter.
class SearchSpace {
 public:
  // A coordinate is missing where the parameter does not exist at the point: its `when` is false.
  using Place = std::vector<std::optional<double>>;

  // `spec` must outlive the object.
  explicit SearchSpace(const SweepSpec* spec);

  // In the order of the sweep's parameters.
  const std::vector<Dimension>& dimensions() const& { return dimensions_; }
  const std::vector<Dimension>& dimensions() const&& = delete;  // it would go with the object
  const Parameter& axis(std::size_t dimension) const {
    return spec_->parameters[dimensions_[dimension].parameter];
  }

  // The place of a point, by the values that the search chose. InvalidArgument when a name is none
  // of the sweep's parameters, a value is none of its parameter's, or one is missing.
  absl::StatusOr<Place> Encode(const ParameterMap& point) const;
  // The values at a place: one coordinate per dimension, in [0, 1). Those that do not exist there
  // are among them, since completing the point drops them. Decode(Encode(point)) completes to the
  // same point; numbers of a continuous parameter may differ in the last digits.
  ParameterMap Decode(std::span<const double> place) const;

 private:
  const SweepSpec* spec_;
  std::vector<Dimension> dimensions_;
};

}  // namespace sweep
