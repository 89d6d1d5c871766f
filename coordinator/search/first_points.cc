#include "coordinator/search/first_points.h"

#include <utility>

#include "coordinator/search/point_identity.h"

namespace sweep {

FirstPoints::FirstPoints(const SweepSpec* spec, std::unique_ptr<Search> rest,
                         const std::vector<ParameterMap>& made, bool distinct)
    : spec_(spec), rest_(std::move(rest)), distinct_(distinct), made_(std::ssize(made)) {
  std::multiset<std::string> before;
  for (const ParameterMap& point : made) before.insert(PointIdentity(point));
  for (const ParameterMap& point : spec->try_first) {
    const auto same = before.find(PointIdentity(point));
    if (same == before.end()) {
      first_.push_back(&point);
    } else {
      before.erase(same);
    }
  }
  if (!spec->repeat_points) {
    for (const ParameterMap& point : made) known_.insert(PointIdentity(point));
    for (const ParameterMap* const point : first_) known_.insert(PointIdentity(*point));
  }
  if (made_ > 0) rest_->BeginAt(made_ + std::ssize(first_) + 1);
  if (!spec->method->learns) return;
  std::int64_t number = made_;
  for (const ParameterMap* const point : first_) {
    rest_->Observe({.configuration = ++number, .state = TrialState::kPending, .parameters = point});
  }
}

std::int64_t FirstPoints::FirstOfRest() const {
  if (distinct_) return 1;
  // Where the search would stand without an edit: `try_first` has taken its numbers only.
  return made_ + std::ssize(first_) + 1 - std::ssize(spec_->try_first);
}

absl::StatusOr<std::optional<Suggestion>> FirstPoints::SuggestRest(std::int64_t number) {
  // No point is left out, so that a number far ahead costs no more than the next one.
  if (!distinct_ && made_ == 0) return rest_->Suggest(number - std::ssize(first_));
  if (last_ == 0 || number <= last_) {
    last_ = made_ + std::ssize(first_);
    asked_ = FirstOfRest() - 1;
  }
  while (true) {
    absl::StatusOr<std::optional<Suggestion>> next = rest_->Suggest(asked_ + 1);
    if (!next.ok() || !next->has_value()) return next;
    ++asked_;
    if (known_.contains(PointIdentity((*next)->configuration.parameters))) continue;
    if (++last_ == number) return next;
  }
}

absl::StatusOr<std::optional<Suggestion>> FirstPoints::Suggest(std::int64_t number) {
  if (IsFirst(number)) {
    const ParameterMap& point = *first_[static_cast<std::size_t>(number - made_ - 1)];
    return WithOrigin(
        spec_->CompleteIfAllowed(number, point),
        {.source = SuggestionSource::kTryFirst, .method = std::string(spec_->method->word)});
  }
  if (spec_->method->learns) return rest_->Suggest(number);
  absl::StatusOr<std::optional<Suggestion>> next = SuggestRest(number);
  if (next.ok() && next->has_value()) (*next)->configuration.number = number;
  return next;
}

absl::StatusOr<std::optional<Suggestion>> FirstPoints::Peek(std::int64_t number) {
  return spec_->method->learns && !IsFirst(number) ? rest_->Peek(number) : Suggest(number);
}

}  // namespace sweep
