#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/search/driver_core.h"

namespace sweep {

// Configurations that are to be stored.
struct SuggestionBatch {
  SearchJob job;
  std::vector<DrivenSweep::Suggested> suggestions;
  std::string end_reason = {};  // why the search ends after them; empty: it may go on
  bool goes_on = false;         // the sweep does, also when the search ends
  StoredSuggestions result = {};
};

// Stores the batch and tells the host. `what` and `done`: as DriverCore::Write has them.
void StoreBatch(DriverCore& core, std::string_view what, std::shared_ptr<SuggestionBatch> batch,
                std::function<void(bool ok)> done);

// Asks the search of a sweep for configurations, in the sweep's turn, and stores them. Suggestions
// are kept until they are stored, and dropped when an edit comes first. A random point replaces the
// suggestion of a model that fails.
class SuggestionDesk {
 public:
  explicit SuggestionDesk(DriverCore& core) : core_(core) {}

  // Takes over the turn: ends it.
  void Make(const SearchJob& job);

 private:
  // Makes up to `count` suggestions from the next number on. False when start-up points have taken
  // their numbers.
  bool Suggest(const SearchJob& job, std::int64_t count);
  // Gives what was suggested before the numbers from `first` on.
  void Renumber(DrivenSweep& sweep, std::int64_t first) ABSL_LOCKS_EXCLUDED(core_.mutex);
  std::optional<Suggestion> SuggestOne(DrivenSweep& sweep, std::int64_t number)
      ABSL_LOCKS_EXCLUDED(core_.mutex);
  void BeginThought(DrivenSweep& sweep) ABSL_LOCKS_EXCLUDED(core_.mutex);
  // True when start-up points were stored meanwhile, or are being stored.
  bool EndThought(DrivenSweep& sweep) ABSL_LOCKS_EXCLUDED(core_.mutex);
  void StoreSuggested(const SearchJob& job, std::int64_t count);
  void OnStored(const SuggestionBatch& batch, bool ok) ABSL_LOCKS_EXCLUDED(core_.mutex);

  DriverCore& core_;
};

}  // namespace sweep
