#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/spec/dimensions.h"
#include "common/spec/point_completer.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/gaussian_process.h"
#include "coordinator/search/region_box.h"

namespace sweep {

// The search space of a sweep as boxes see it. Not thread-safe.
class RegionSpace {
 public:
  // `spec` must outlive the object.
  explicit RegionSpace(const SweepSpec* spec);

  const SearchSpace& space() const { return space_; }
  const std::vector<RegionAxis>& axes() const { return axes_; }
  // With one more category: which parameters exist.
  std::vector<GaussianAxis> GaussianAxes() const;
  GaussianPoint ToProcess(const CubePoint& point);

  // NaN where a parameter does not exist; nullopt when the space has no such point.
  std::optional<CubePoint> PlaceOf(const ParameterMap& parameters) const;
  struct Drawn {
    CubePoint point;             // as PlaceOf; empty when the constraints exclude it
    bool meets_network = false;  // the gates on facts of the network
  };
  // The points of the sweep at those of the cube.
  std::vector<Drawn> Draw(const std::vector<CubePoint>& points);

  // From the smallest to the largest place of the points on each axis, with the categories that
  // they have. The points have the same parameters; one or more.
  RegionBox HullOf(const std::vector<CubePoint>& points) const;
  // The values at the ends of an ordered side.
  std::pair<Value, Value> EndsOf(std::size_t axis, const RegionSide& side) const;
  // The values of a side that is a list; empty for a range.
  std::vector<Value> ValuesOf(std::size_t axis, const RegionSide& side) const;
  // The side with ends of few digits, within what it was; as it was where that would leave `anchor`
  // out.
  RegionSide Rounded(std::size_t axis, const RegionSide& side, double anchor) const;

 private:
  bool MeetsNetworkGates(const Configuration& configuration) const;

  const SweepSpec* const spec_;
  const SearchSpace space_;
  std::vector<RegionAxis> axes_;
  PointCompleter completer_;
  std::map<std::vector<bool>, int> shapes_;  // numbered
};

}  // namespace sweep
