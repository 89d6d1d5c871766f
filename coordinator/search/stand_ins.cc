#include "coordinator/search/stand_ins.h"

#include <iterator>

#include "coordinator/search/point_identity.h"

namespace sweep {

StandIns::StandIns(const SweepSpec* spec, bool finite, std::int64_t first_own)
    : finite_(finite),
      before_(first_own > 1 ? 0 : std::ssize(spec->try_first)),
      start_up_(spec, finite) {}

std::optional<Configuration> StandIns::Point(std::int64_t number,
                                             const std::set<std::string>& known) {
  if (finite_) {
    const auto is_new = [&](const Configuration& one) {
      return !known.contains(PointIdentity(one.parameters));
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
