#include "coordinator/search/search_replay.h"

#include <utility>

#include "coordinator/search/search_start.h"
#include "coordinator/store/queries.h"

namespace sweep {

absl::StatusOr<std::unique_ptr<SearchReplay>> SearchReplay::Make(
    Store* store, std::int64_t sweep_id, std::shared_ptr<const SweepSpec> spec,
    std::int64_t first_own) {
  absl::StatusOr<SearchStart> start = ReadSearchStart(store, sweep_id, *spec, first_own);
  if (!start.ok()) return start.status();
  return std::unique_ptr<SearchReplay>(
      new SearchReplay(store, sweep_id, std::move(spec), *std::move(start)));
}

SearchReplay::SearchReplay(Store* store, std::int64_t sweep_id,
                           std::shared_ptr<const SweepSpec> spec, SearchStart start)
    : store_(store),
      sweep_id_(sweep_id),
      spec_(spec),
      stand_ins_(spec.get(), start),
      search_(store, sweep_id, spec, std::move(start)) {}

absl::Status SearchReplay::AskBefore(std::int64_t number) {
  const absl::StatusOr<std::optional<SuggestionRow>> later =
      store_->Read(FindSuggestionAfterStandIns, sweep_id_, number);
  if (!later.ok()) return later.status();
  if (!later->has_value() || (*later)->asked_number != number) return absl::OkStatus();
  if (absl::Status seen = search_.ObserveThrough((*later)->seen_sequence); !seen.ok()) return seen;
  overtaken_ = {.asked_number = number, .suggestion = search_.Peek(number)};
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Suggestion>> SearchReplay::Suggest(const SuggestionRow& row) {
  if (row.source == SuggestionSource::kStandIn) {
    if (!overtaken_) {
      if (absl::Status asked = AskBefore(row.number); !asked.ok()) return asked;
    }
    return WithOrigin(stand_ins_.Point(row.number).value_or(std::nullopt), {});
  }
  if (overtaken_ && overtaken_->asked_number == row.asked_number) {
    return std::exchange(overtaken_, std::nullopt)->suggestion;
  }
  overtaken_.reset();
  if (absl::Status seen = search_.ObserveThrough(row.seen_sequence); !seen.ok()) return seen;
  return search_.Peek(row.asked_number > 0 ? row.asked_number : row.number);
}

absl::StatusOr<std::optional<Suggestion>> SearchReplay::Again(const SuggestionRow& row) {
  absl::StatusOr<std::optional<Suggestion>> again = Suggest(row);
  const ParameterMap& stored = row.parameters.values();
  stand_ins_.Know(stored);
  std::optional<Segment> segment;
  if (row.member > 0) {
    segment = spec_->pbt.SegmentOf(row.member, row.parent, row.start_epoch, spec_->epochs);
  }
  search_.Know(row.number, stored, segment ? &*segment : nullptr);
  return again;
}

}  // namespace sweep
