#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// The life of a trial. Stored and sent as these names in lower case.
enum class TrialState {
  kPending,    // waits for a worker
  kLeased,     // granted to a worker, no epoch acknowledged under this attempt yet
  kRunning,    // at least one epoch acknowledged under this attempt
  kCompleted,  // trained to its last epoch
  kStopped,    // ended early by the stopping rule
  kFailed,     // failed max_failures times, or in a way that repeating cannot mend
  kDiverged,   // its numbers ran away: the same seed and values would do so again
  kCancelled,
  kOnHold,  // trained to its target epoch; rests until it is promoted, or ended
};

inline constexpr int kTrialStates = 9;

enum class TrialEvent {
  kGrant,        // a lease is given
  kRevive,       // a holder that lost its lease is back before anyone else was granted the trial
  kReport,       // an epoch is acknowledged
  kComplete,     // the holder says the last epoch is done
  kFail,         // the holder says the attempt failed; may be tried again
  kFailForGood,  // as kFail, but this was the last permitted failure or cannot be mended
  kDiverge,      // the holder says that training diverged
  kLose,         // the lease ran out, the worker is gone; counts as a failure
  kGiveBack,     // the holder drains, or the sweep is paused; no failure
  kStop,         // the stopping rule ends it
  kCancel,       // a person ends it
  kRetry,        // a person wants a failed, diverged or cancelled trial again
  kHold,         // the target epoch, which is not the last one, is done
  kPromote,      // the stopping rule gives a trial on hold a later target
};

// The only way a trial's state changes: a pure function, called inside the store's transaction.
// FailedPrecondition when the event cannot happen in that state.
absl::StatusOr<TrialState> NextTrialState(TrialState state, TrialEvent event);

// Completed, stopped, failed, diverged, cancelled.
bool IsTerminal(TrialState state);
// Leased or running: some worker holds it. A trial on hold is held by none.
bool IsHeld(TrialState state);

std::string_view TrialStateName(TrialState state);
absl::StatusOr<TrialState> ParseTrialState(std::string_view name);
std::string_view TrialEventName(TrialEvent event);

}  // namespace sweep
