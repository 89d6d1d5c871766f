#include "coordinator/search/first_points.h"

#include <utility>

#include "coordinator/search/point_identity.h"

namespace sweep {

FirstPoints::FirstPoints(const SweepSpec* spec, std::unique_ptr<Search> rest, bool finite)
    : spec_(spec), rest_(std::move(rest)), finite_(finite) {
  std::int64_t number = 0;
  for (const ParameterMap& point : spec->try_first) {
    ++number;
    if (finite) first_.insert(PointIdentity(point));
    if (!spec->method->learns) continue;
    rest_->Observe({.configuration = number, .state = TrialState::kPending, .parameters = &point});
  }
}

absl::StatusOr<std::optional<Configuration>> FirstPoints::SuggestRest(std::int64_t number) {
  if (!finite_) return rest_->Suggest(number);
  if (number <= made_) made_ = asked_ = 0;
  while (true) {
    absl::StatusOr<std::optional<Configuration>> next = rest_->Suggest(asked_ + 1);
    if (!next.ok() || !next->has_value()) return next;
    ++asked_;
    if (first_.contains(PointIdentity((*next)->parameters))) continue;
    if (++made_ == number) return next;
  }
}

absl::StatusOr<std::optional<Configuration>> FirstPoints::Suggest(std::int64_t number) {
  const std::int64_t first = std::ssize(spec_->try_first);
  if (number <= first) {
    return spec_->CompleteIfAllowed(number, spec_->try_first[static_cast<std::size_t>(number - 1)]);
  }
  if (spec_->method->learns) return rest_->Suggest(number);
  absl::StatusOr<std::optional<Configuration>> next = SuggestRest(number - first);
  if (next.ok() && next->has_value()) (*next)->number = number;
  return next;
}

absl::StatusOr<std::optional<Configuration>> FirstPoints::Peek(std::int64_t number) {
  const bool is_of_rest = number > std::ssize(spec_->try_first);
  return is_of_rest && spec_->method->learns ? rest_->Peek(number) : Suggest(number);
}

}  // namespace sweep
