#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "coordinator/search/driver_core.h"

namespace sweep {

// What the stopping rule of a sweep decides is carried out here: ends, holds and promotions of
// trials, and the ends of the search and of the sweep. Each call is part of the sweep's turn.

// Stores the decisions that are new. Called after all events are observed: after a restart, most
// repeated decisions were carried out before.
void IssueDecisions(DriverCore& core, const SearchJob& job) ABSL_LOCKS_EXCLUDED(core.mutex);
// True, of a sweep with only trials on hold left, when promotions are being stored, or are to be
// stored again, or the rule makes some now.
bool PromotesHeld(DriverCore& core, const SearchJob& job) ABSL_LOCKS_EXCLUDED(core.mutex);

// Stops the trials of a sweep with nothing left but trials on hold, which nobody promotes. Ends the
// turn.
void EndIfDecided(DriverCore& core, const SearchJob& job) ABSL_LOCKS_EXCLUDED(core.mutex);
// Ends the search and the turn when the rule says so. False when it does not.
bool EndSearchByRule(DriverCore& core, const SearchJob& job);
// Ends the search by what `mark` writes, which says whether it has ended it. Ends the turn.
void EndSearch(DriverCore& core, const SearchJob& job,
               std::function<absl::StatusOr<bool>(WriteTransaction&)> mark);

}  // namespace sweep
