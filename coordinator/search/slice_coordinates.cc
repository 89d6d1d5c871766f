#include "coordinator/search/slice_coordinates.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "coordinator/search/cube_point.h"

namespace sweep {
namespace {

constexpr std::int64_t kMostOfList = 200;
constexpr int kBisections = 40;

std::vector<double> OfList(const Parameter& parameter) {
  std::vector<double> coordinates;
  const std::int64_t size = parameter.GridSize();
  const std::int64_t step = (size + kMostOfList - 1) / kMostOfList;
  for (std::int64_t i = 0; i < size; i += step) {
    // Nothing draws a value of probability 0.
    const std::optional<double> place = parameter.PlaceOf(parameter.GridValue(i));
    if (place) coordinates.push_back(*place);
  }
  return coordinates;
}

// The least coordinate whose value is not below `value`.
double CoordinateOf(const Parameter& parameter, double value) {
  if (AsDouble(parameter.Quantile(0)) >= value) return 0;
  double below = 0, above = kBelowOne;
  for (int i = 0; i < kBisections; ++i) {
    const double half = (below + above) / 2;
    (AsDouble(parameter.Quantile(half)) < value ? below : above) = half;
  }
  return above;
}

}  // namespace

std::vector<double> SliceCoordinates(const Parameter& parameter, const Dimension& dimension,
                                     double own, int count) {
  const bool is_list = dimension.scale == Dimension::Scale::kCategory;
  if (is_list) return OfList(parameter);
  const Parameter::Range range = parameter.ShownRange();
  const bool is_log = dimension.scale == Dimension::Scale::kLog && range.low > 0;
  const double low = is_log ? std::log(range.low) : range.low;
  const double high = is_log ? std::log(range.high) : range.high;
  std::vector<double> coordinates = {own};
  for (int i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / (count - 1);
    const double at = low * (1 - share) + high * share;
    coordinates.push_back(CoordinateOf(parameter, is_log ? std::exp(at) : at));
  }
  std::sort(coordinates.begin(), coordinates.end());
  const auto is_same = [&](double a, double b) {
    return SameValue(parameter.Quantile(a), parameter.Quantile(b));
  };
  coordinates.erase(std::unique(coordinates.begin(), coordinates.end(), is_same),
                    coordinates.end());
  return coordinates;
}

}  // namespace sweep
