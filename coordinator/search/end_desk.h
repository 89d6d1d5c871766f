#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "coordinator/search/driver_core.h"

namespace sweep {

// Carries out what the stopping rule of a sweep decides: ends, holds and promotions of trials, and
// the ends of the search and of the sweep. Each call is part of the sweep's turn.
class EndDesk {
 public:
  explicit EndDesk(DriverCore& core) : core_(core) {}

  // Stores the decisions that are new. Called after all events are observed: after a restart, most
  // repeated decisions were carried out before.
  void Issue(const SearchJob& job) ABSL_LOCKS_EXCLUDED(core_.mutex);
  // Some decisions are being stored, or are to be stored again.
  bool IsIssuing(DrivenSweep& sweep) ABSL_LOCKS_EXCLUDED(core_.mutex);
  // Only trials on hold are left. True when the rule promotes some, which are then being stored.
  bool PromoteHeld(const SearchJob& job);

  // Stops the trials of a sweep with nothing left but trials on hold, which nobody promotes. Ends
  // the turn.
  void EndIfDecided(const SearchJob& job) ABSL_LOCKS_EXCLUDED(core_.mutex);
  // Ends the search and the turn when the rule says so. False when it does not.
  bool EndSearchByRule(const SearchJob& job);
  // Ends the search by what `mark` writes, which says whether it has ended it. Ends the turn.
  void EndSearch(const SearchJob& job, std::function<absl::StatusOr<bool>(WriteTransaction&)> mark);

 private:
  void OnDecisionStored(DrivenSweep& sweep, std::int64_t trial_id, bool ok)
      ABSL_LOCKS_EXCLUDED(core_.mutex);
  void StopHeldTrials(const SearchJob& job);

  DriverCore& core_;
};

}  // namespace sweep
