#include "coordinator/search/search_replay.h"

#include <utility>

#include "coordinator/search/point_identity.h"
#include "coordinator/search/search_makers.h"
#include "coordinator/store/queries.h"

namespace sweep {

SearchReplay::SearchReplay(Store* store, std::int64_t sweep_id,
                           std::shared_ptr<const SweepSpec> spec)
    : store_(store),
      sweep_id_(sweep_id),
      spec_(spec),
      search_(store, sweep_id, spec),
      is_finite_(HasFiniteSpace(*spec)),
      stand_ins_(spec.get(), is_finite_) {}

absl::Status SearchReplay::AskBefore(std::int64_t number) {
  const absl::StatusOr<std::optional<SuggestionRow>> later =
      store_->Read(FindSuggestionAfterStandIns, sweep_id_, number);
  if (!later.ok()) return later.status();
  if (!later->has_value() || (*later)->asked_number != number) return absl::OkStatus();
  if (absl::Status seen = search_.ObserveThrough((*later)->seen_sequence); !seen.ok()) return seen;
  overtaken_ = {.asked_number = number, .suggestion = search_.Peek(number)};
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Suggestion>> SearchReplay::Make(const SuggestionRow& row) {
  if (row.source == SuggestionSource::kStandIn) {
    if (!overtaken_) {
      if (absl::Status asked = AskBefore(row.number); !asked.ok()) return asked;
    }
    std::optional<Configuration> point = stand_ins_.Point(row.number, known_);
    if (!point) return std::optional<Suggestion>();
    return Suggestion{.configuration = *std::move(point), .origin = {}};
  }
  if (overtaken_ && overtaken_->asked_number == row.asked_number) {
    return std::exchange(overtaken_, std::nullopt)->suggestion;
  }
  overtaken_.reset();
  if (absl::Status seen = search_.ObserveThrough(row.seen_sequence); !seen.ok()) return seen;
  return search_.Peek(row.asked_number > 0 ? row.asked_number : row.number);
}

absl::StatusOr<std::optional<Suggestion>> SearchReplay::Again(const SuggestionRow& row) {
  absl::StatusOr<std::optional<Suggestion>> again = Make(row);
  const ParameterMap& stored = row.parameters.values();
  if (is_finite_) known_.insert(PointIdentity(stored));
  search_.Know(row.number, stored);
  return again;
}

}  // namespace sweep
