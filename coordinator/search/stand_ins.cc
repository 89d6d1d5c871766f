#include "coordinator/search/stand_ins.h"

#include <iterator>

#include "coordinator/search/point_identity.h"
#include "coordinator/search/search_makers.h"

namespace sweep {

StandIns::StandIns(const SweepSpec* spec, const SearchStart& start)
    : finite_(HasFiniteSpace(*spec)),
      before_(start.first_own() > 1 ? 0 : std::ssize(spec->try_first)),
      start_up_(spec, finite_) {
  for (const ParameterMap& point : start.made) Know(point);
  for (const EarlierConfiguration& one : start.earlier) Know(one.point);
}

void StandIns::Know(const ParameterMap& parameters) {
  if (finite_) known_.insert(PointIdentity(parameters));
}

void StandIns::Forget(const ParameterMap& parameters) {
  if (!finite_) return;
  known_.erase(PointIdentity(parameters));
  new_points_ = {};  // they have passed the point
}

std::optional<Configuration> StandIns::Point(std::int64_t number) {
  if (finite_) {
    const auto is_new = [&](const Configuration& one) {
      return !known_.contains(PointIdentity(one.parameters));
    };
    return new_points_.First(&start_up_, number, is_new).value_or(std::nullopt);
  }
  const std::int64_t start_up = number - before_;
  if (start_up < 1) return std::nullopt;
  std::optional<Configuration> point = start_up_.Point(start_up).value_or(std::nullopt);
  if (point) point->number = number;
  return point;
}

}  // namespace sweep
