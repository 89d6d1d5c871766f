#pragma once

#include <functional>
#include <memory>
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

// Asks the search of a sweep for configurations and stores them. Suggestions are kept until they
// are stored, and dropped when an edit comes first. A random point replaces the suggestion of a
// model that fails. Ends the turn.
void MakeSuggestions(DriverCore& core, const SearchJob& job) ABSL_LOCKS_EXCLUDED(core.mutex);

}  // namespace sweep
