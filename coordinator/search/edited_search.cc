#include "coordinator/search/edited_search.h"

#include <utility>

#include "coordinator/search/point_identity.h"

namespace sweep {

EditedSearch::EditedSearch(const SweepSpec* spec, std::unique_ptr<Search> rest,
                           std::vector<ParameterMap> made, bool finite)
    : spec_(spec), rest_(std::move(rest)), finite_(finite), made_(std::ssize(made)) {
  for (const ParameterMap& point : made) known_.insert(PointIdentity(point));
  for (const ParameterMap& point : spec->try_first) {
    if (known_.insert(PointIdentity(point)).second) first_.push_back(&point);
  }
  rest_->BeginAt(made_ + std::ssize(first_) + 1);
  if (!spec->method->learns) return;
  std::int64_t number = made_;
  for (const ParameterMap* const point : first_) {
    rest_->Observe({.configuration = ++number, .state = TrialState::kPending, .parameters = point});
  }
}

std::int64_t EditedSearch::FirstOfRest() const {
  if (finite_) return 1;
  // Where the search would stand without the edit: `try_first` has taken its numbers only.
  return made_ + std::ssize(first_) + 1 - std::ssize(spec_->try_first);
}

absl::StatusOr<std::optional<Suggestion>> EditedSearch::SuggestRest(std::int64_t number) {
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

absl::StatusOr<std::optional<Suggestion>> EditedSearch::Suggest(std::int64_t number) {
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

absl::StatusOr<std::optional<Suggestion>> EditedSearch::Peek(std::int64_t number) {
  return spec_->method->learns && !IsFirst(number) ? rest_->Peek(number) : Suggest(number);
}

}  // namespace sweep
