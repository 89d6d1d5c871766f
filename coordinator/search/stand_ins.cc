#include "coordinator/search/stand_ins.h"

#include <iterator>
#include <utility>

#include "coordinator/search/point_identity.h"

namespace sweep {

StandIns::StandIns(const SweepSpec* spec, bool finite)
    : spec_(spec), finite_(finite), start_up_(spec, finite) {}

std::optional<Configuration> StandIns::NewPoint(const std::set<std::string>& known) {
  while (!ahead_ || known.contains(PointIdentity(ahead_->parameters))) {
    if (ahead_) ++passed_;
    ahead_.reset();
    absl::StatusOr<std::optional<Configuration>> next = start_up_.Point(passed_ + 1);
    if (!next.ok() || !next->has_value()) return std::nullopt;
    ahead_ = **std::move(next);
  }
  return ahead_;
}

std::optional<Configuration> StandIns::Point(std::int64_t number,
                                             const std::set<std::string>& known) {
  std::optional<Configuration> point;
  if (finite_) {
    point = NewPoint(known);
  } else {
    const std::int64_t start_up = number - std::ssize(spec_->try_first);
    if (start_up < 1) return std::nullopt;
    absl::StatusOr<std::optional<Configuration>> next = start_up_.Point(start_up);
    if (next.ok()) point = *std::move(next);
  }
  if (point) point->number = number;
  return point;
}

}  // namespace sweep
