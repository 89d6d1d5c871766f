#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/search.h"
#include "coordinator/search/start_up_points.h"
#include "coordinator/search/stored_search.h"
#include "coordinator/search/suggestion.h"
#include "coordinator/store/store.h"

namespace sweep {

// Makes the suggestions of a sweep again, as they were made: each knows the events that the stored
// one knew. Used by one thread at a time.
class SearchReplay {
 public:
  // Of one of the files that the sweep has had. `first_own`: the number of the first configuration
  // that the file has made. The store must outlive it.
  static absl::StatusOr<std::unique_ptr<SearchReplay>> Make(Store* store, std::int64_t sweep_id,
                                                            std::shared_ptr<const SweepSpec> spec,
                                                            std::int64_t first_own);

  // The suggestion for the next stored configuration; nullopt when there is none. Goes on from the
  // stored point, so that one difference does not change those after it.
  absl::StatusOr<std::optional<Suggestion>> Again(const SuggestionRow& row);
  // Why there is no suggestion of that number.
  std::string WhyNone(std::int64_t number) const { return search_.WhyNone(number); }

 private:
  // What the model found for a number that a start-up point has taken; it is stored later.
  struct Overtaken {
    std::int64_t asked_number = 0;
    absl::StatusOr<std::optional<Suggestion>> suggestion;
  };

  SearchReplay(Store* store, std::int64_t sweep_id, std::shared_ptr<const SweepSpec> spec,
               SearchStart start);
  absl::StatusOr<std::optional<Suggestion>> Suggest(const SuggestionRow& row);
  // Asks the model for that number, if its answer was stored under another one.
  absl::Status AskBefore(std::int64_t number);

  Store* const store_;
  const std::int64_t sweep_id_;
  const std::shared_ptr<const SweepSpec> spec_;  // shared with the caller
  StartUpPoints stand_ins_;
  StoredSearch search_;
  std::optional<Overtaken> overtaken_;
};

}  // namespace sweep
