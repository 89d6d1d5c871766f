#include "coordinator/search/stored_search.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "coordinator/search/search_calls.h"
#include "coordinator/search/search_start.h"

namespace sweep {
namespace {

constexpr int kEventsPerPage = 256;
// Between two looks at whether to go on.
constexpr std::int64_t kSequencesPerStep = 20'000;

}  // namespace

absl::StatusOr<std::unique_ptr<StoredSearch>> StoredSearch::Make(
    Store* store, std::int64_t sweep_id, std::shared_ptr<const SweepSpec> spec,
    std::int64_t first_own) {
  absl::StatusOr<SearchStart> start = ReadSearchStart(store, sweep_id, *spec, first_own);
  if (!start.ok()) return start.status();
  return std::make_unique<StoredSearch>(store, sweep_id, std::move(spec), *std::move(start));
}

StoredSearch::StoredSearch(Store* store, std::int64_t sweep_id,
                           std::shared_ptr<const SweepSpec> spec, SearchStart start)
    : store_(store),
      sweep_id_(sweep_id),
      spec_(std::move(spec)),
      leaves_out_(start.leaves_out()),
      cursor_{.first_own = start.first_own()},
      search_(Search::Make(spec_.get(), std::move(start))) {}

absl::Status StoredSearch::ReadPage() {
  absl::StatusOr<ObservationPage> page =
      ReadObservations(store_, sweep_id_, *spec_, cursor_, kEventsPerPage);
  if (!page.ok()) return page.status();
  page_ = *std::move(page);
  next_ = 0;
  cursor_.after_sequence = page_.last;
  if (!page_.points.empty()) {
    cursor_.known_points = page_.first_point + std::ssize(page_.points) - 1;
  }
  return absl::OkStatus();
}

absl::Status StoredSearch::ObserveThrough(std::int64_t sequence) {
  if (!spec_->method->learns) return absl::OkStatus();
  while (true) {
    for (; next_ < page_.observations.size(); ++next_) {
      const Observation& next = page_.observations[next_].observation;
      if (next.sequence > sequence) {
        seen_ = std::max(seen_, sequence);
        return absl::OkStatus();
      }
      ObserveOrWarn(*spec_, next, search_.get());
    }
    // The page may end with events that are no observations.
    seen_ = std::max(seen_, std::min(page_.last, sequence));
    if (page_.last >= sequence) return absl::OkStatus();
    const std::int64_t before = page_.last;
    if (const absl::Status status = ReadPage(); !status.ok()) return status;
    if (page_.last == before) return absl::OkStatus();  // no later event exists
  }
}

absl::Status StoredSearch::ObserveThrough(std::int64_t sequence,
                                          const std::function<absl::Status()>& may_go_on) {
  for (std::int64_t through = seen_; through < sequence;) {
    if (absl::Status status = may_go_on(); !status.ok()) return status;
    through = std::min(through + kSequencesPerStep, sequence);
    if (absl::Status status = ObserveThrough(through); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Suggestion>> StoredSearch::Suggest(std::int64_t number) {
  return AskOrDraw(*spec_, &Search::Suggest, number, search_.get());
}

absl::StatusOr<std::optional<Suggestion>> StoredSearch::Peek(std::int64_t number) {
  return AskOrDraw(*spec_, &Search::Peek, number, search_.get());
}

// Without a sequence, as of a configuration that only was suggested.
void StoredSearch::Know(std::int64_t number, const ParameterMap& parameters,
                        const Segment* segment) {
  ObserveOrWarn(*spec_,
                {.configuration = number,
                 .state = TrialState::kPending,
                 .parameters = &parameters,
                 .segment = segment},
                search_.get());
}

}  // namespace sweep
