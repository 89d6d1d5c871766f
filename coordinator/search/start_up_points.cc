#include "coordinator/search/start_up_points.h"

#include <iterator>

#include "common/spec/search_space.h"
#include "coordinator/search/point_identity.h"

namespace sweep {

// The start-up points of the numbers before may have been made, but not those that `try_first` has
// taken.
StartUpPoints::StartUpPoints(const SweepSpec* spec, bool distinct)
    : distinct_(distinct),
      repeats_(spec->repeat_points),
      sequence_(spec, distinct),
      before_(std::ssize(spec->try_first)) {}

StartUpPoints::StartUpPoints(const SweepSpec* spec, const SearchStart& start)
    : StartUpPoints(spec, TriesNoPointTwice(*spec)) {
  if (start.first_own() > 1) BeginAt(start.first_own());
  for (const ParameterMap& point : start.made) Know(point);
  for (const EarlierConfiguration& one : start.earlier) Know(one.point);
}

void StartUpPoints::Know(const ParameterMap& parameters) {
  known_.insert(PointFingerprint(parameters));
}

void StartUpPoints::Forget(const ParameterMap& parameters) {
  known_.erase(PointFingerprint(parameters));
  passed_ = 0;
  ahead_.reset();
}

bool StartUpPoints::IsNew(const ParameterMap& parameters) const {
  return repeats_ || !known_.contains(PointFingerprint(parameters));
}

absl::StatusOr<std::optional<Configuration>> StartUpPoints::FirstNew() {
  while (!ahead_ || !IsNew(ahead_->parameters)) {
    if (ahead_) ++passed_;
    ahead_.reset();
    absl::StatusOr<std::optional<Configuration>> next = sequence_.Point(passed_ + 1);
    // A space that cannot be listed ends when the sequence brings nothing new for long.
    if (!next.ok() && passed_ > 0) return std::nullopt;
    if (!next.ok() || !next->has_value()) return next;
    ahead_ = **std::move(next);
  }
  return ahead_;
}

absl::StatusOr<std::optional<Configuration>> StartUpPoints::Point(std::int64_t number) {
  if (!distinct_ && number <= before_) return std::nullopt;
  absl::StatusOr<std::optional<Configuration>> point =
      distinct_ ? FirstNew() : sequence_.Point(number - before_);
  if (point.ok() && point->has_value()) (*point)->number = number;
  return point;
}

}  // namespace sweep
