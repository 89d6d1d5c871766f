#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// The states of a trial. Stored and sent as these names in lower case.
enum class TrialState {
  kPending,    // waits for a worker
  kLeased,     // granted to a worker, no epoch acknowledged under this attempt yet
  kRunning,    // at least one epoch acknowledged under this attempt
  kCompleted,  // trained to its last epoch
  kStopped,    // ended early by the stopping rule
  kFailed,     // failed max_failures times, or in a way that a retry cannot repair
  kDiverged,   // its numbers diverged: the same seed and values would diverge again
  kCancelled,
  kOnHold,  // trained to its target epoch; waits until it is promoted or ended
};

inline constexpr int kTrialStates = 9;

enum class TrialEvent {
  kGrant,        // a lease is given
  kRevive,       // a holder that lost its lease returns before the trial was granted to another
  kReport,       // an epoch is acknowledged
  kComplete,     // the holder reports the last epoch as done
  kFail,         // the holder reports a failed attempt; the trial may be tried again
  kFailForGood,  // as kFail, but the last permitted failure, or one that a retry cannot repair
  kDiverge,      // the holder reports that training diverged
  kLose,         // the lease expired and the worker is gone; counts as a failure
  kGiveBack,     // the holder drains, or the sweep is paused; no failure
  kStop,         // the stopping rule ends it
  kCancel,       // a person ends it
  kRetry,        // a person restarts a failed, diverged or cancelled trial
  kHold,         // the target epoch, which is not the last one, is done
  kPromote,      // the stopping rule gives a trial on hold a later target
};

// The only way to change a trial's state: a pure function, called inside the store's transaction.
// FailedPrecondition when the state does not allow the event.
absl::StatusOr<TrialState> NextTrialState(TrialState state, TrialEvent event);

// Completed, stopped, failed, diverged, cancelled.
bool IsTerminal(TrialState state);
// Leased or running: a worker holds it. No worker holds a trial on hold.
bool IsHeld(TrialState state);

std::string_view TrialStateName(TrialState state);
absl::StatusOr<TrialState> ParseTrialState(std::string_view name);
std::string_view TrialEventName(TrialEvent event);

}  // namespace sweep
