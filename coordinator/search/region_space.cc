#include "coordinator/search/region_space.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

namespace sweep {
namespace {

// Of a side, or of its lower end on a logarithmic axis: how finely its ends are rounded.
constexpr double kFineness = 0.02;

RegionAxis AxisOf(const Parameter& parameter, const Dimension& dimension) {
  const std::int64_t size = parameter.GridSize();
  RegionAxis axis{.ordered = dimension.ordered, .steps = 0, .ends = {}};
  if (dimension.ordered) {
    axis.steps = size;
    return axis;
  }
  double end = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    end += parameter.ProbabilityOf(i);
    axis.ends.push_back(end);
  }
  axis.ends.back() = 1;
  return axis;
}

}  // namespace

RegionSpace::RegionSpace(const SweepSpec* spec) : spec_(spec), space_(spec), completer_(spec) {
  for (std::size_t i = 0; i < space_.dimensions().size(); ++i) {
    axes_.push_back(AxisOf(space_.axis(i), space_.dimensions()[i]));
  }
}

std::vector<GaussianAxis> RegionSpace::GaussianAxes() const {
  std::vector<GaussianAxis> axes;
  for (const RegionAxis& axis : axes_) {
    axes.push_back(axis.ordered ? GaussianAxis::kNumber : GaussianAxis::kCategory);
  }
  axes.push_back(GaussianAxis::kCategory);
  return axes;
}

// A missing parameter is in the middle of its axis, or a category of its own.
GaussianPoint RegionSpace::ToProcess(const CubePoint& point) {
  GaussianPoint converted;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const double missing = axes_[i].ordered ? 0.5 : -1;
    converted.push_back(std::isnan(point[i]) ? missing : point[i]);
  }
  const auto number = static_cast<int>(shapes_.size());
  converted.push_back(shapes_.try_emplace(ShapeOf(point), number).first->second);
  return converted;
}

std::optional<CubePoint> RegionSpace::PlaceOf(const ParameterMap& parameters) const {
  const absl::StatusOr<SearchSpace::Place> encoded = space_.Encode(parameters);
  if (!encoded.ok()) return std::nullopt;
  CubePoint point;
  for (const std::optional<double>& coordinate : *encoded) {
    point.push_back(coordinate.value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  return point;
}

bool RegionSpace::MeetsNetworkGates(const Configuration& configuration) const {
  return std::all_of(spec_->require.begin(), spec_->require.end(), [&](const Gate& gate) {
    if (IsMeasureGate(gate) || gate.name == "epochs") return true;
    const std::optional<Value> value = LookUpConfiguration(configuration, gate.name);
    return value && gate.Holds(*value);
  });
}

std::vector<RegionSpace::Drawn> RegionSpace::Draw(const std::vector<CubePoint>& points) {
  std::vector<ParameterMap> chosen;
  for (const CubePoint& point : points) chosen.push_back(space_.Decode(point));
  std::vector<Drawn> drawn(points.size());
  for (std::size_t first = 0; first < chosen.size(); first += PointCompleter::kBlock) {
    const std::size_t size = std::min(PointCompleter::kBlock, chosen.size() - first);
    const std::vector<PointCompleter::Result> results =
        completer_.Complete(/*number=*/1, std::span(chosen).subspan(first, size));
    for (std::size_t i = 0; i < size; ++i) {
      if (!results[i].ok() || !results[i]->has_value()) continue;
      const std::optional<CubePoint> place = PlaceOf((*results[i])->parameters);
      if (!place) continue;
      drawn[first + i] = {.point = *place, .meets_network = MeetsNetworkGates(**results[i])};
    }
  }
  return drawn;
}

RegionBox RegionSpace::HullOf(const std::vector<CubePoint>& points) const {
  RegionBox hull(axes_.size());
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    RegionSide& side = hull[i];
    side.exists = !std::isnan(points.front()[i]);
    if (!side.exists) continue;
    side.low = 1;
    side.high = 0;
    side.categories.assign(axes_[i].ends.size(), false);
    for (const CubePoint& point : points) {
      side.low = std::min(side.low, point[i]);
      side.high = std::max(side.high, point[i]);
      if (!axes_[i].ordered) side.categories[CategoryAt(axes_[i], point[i])] = true;
    }
    const auto steps = static_cast<double>(axes_[i].steps);
    if (axes_[i].steps > 0) {
      side.low = std::floor(side.low * steps) / steps;
      side.high = std::floor(side.high * steps + 1) / steps;
    } else {
      side.high = std::nextafter(side.high, 2);
    }
  }
  return hull;
}

std::pair<Value, Value> RegionSpace::EndsOf(std::size_t axis, const RegionSide& side) const {
  const Parameter& parameter = space_.axis(axis);
  // In the middle of the first and the last value.
  const double inward = axes_[axis].steps > 0 ? 0.5 / static_cast<double>(axes_[axis].steps) : 0;
  std::pair<Value, Value> ends = {parameter.Quantile(side.low + inward),
                                  parameter.Quantile(std::min(side.high, kBelowOne) - inward)};
  if (AsDouble(ends.second) < AsDouble(ends.first)) std::swap(ends.first, ends.second);
  return ends;
}

std::vector<Value> RegionSpace::ValuesOf(std::size_t axis, const RegionSide& side) const {
  const Parameter& parameter = space_.axis(axis);
  std::vector<Value> values;
  if (space_.dimensions()[axis].scale != Dimension::Scale::kCategory) return values;
  for (std::int64_t i = 0; i < parameter.GridSize(); ++i) {
    const auto category = static_cast<std::size_t>(i);
    const double middle = (static_cast<double>(i) + 0.5) / static_cast<double>(axes_[axis].steps);
    const bool is_in =
        axes_[axis].ordered ? middle >= side.low && middle < side.high : side.categories[category];
    if (is_in) values.push_back(parameter.GridValue(i));
  }
  return values;
}

RegionSide RegionSpace::Rounded(std::size_t axis, const RegionSide& side, double anchor) const {
  if (!side.exists || !axes_[axis].ordered || axes_[axis].steps > 0) return side;
  const Parameter& parameter = space_.axis(axis);
  const auto [first, last] = EndsOf(axis, side);
  const double low = AsDouble(first), high = AsDouble(last);
  double unit = high - low;
  if (space_.dimensions()[axis].scale == Dimension::Scale::kLog) unit = std::min(unit, low);
  if (!(unit > 0)) return side;
  const double step = std::pow(10, std::floor(std::log10(unit * kFineness)));
  // Divided by a whole number, which gives the double nearest to the decimal.
  const double per_one = 1 / step;
  const auto at = [&](double count) {
    return per_one >= 1 ? count / std::round(per_one) : count * std::round(step);
  };
  RegionSide rounded = side;
  const std::optional<double> from = parameter.PlaceOf(Value(at(std::ceil(low / step))));
  const std::optional<double> to = parameter.PlaceOf(Value(at(std::floor(high / step))));
  if (from && *from >= side.low && *from <= anchor) rounded.low = *from;
  if (to && *to < side.high && *to >= anchor) {
    rounded.high = std::max(std::nextafter(*to, 2), std::nextafter(anchor, 2));
  }
  return rounded;
}

}  // namespace sweep
