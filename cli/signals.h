#pragma once

#include "absl/time/time.h"

namespace sweep::cli {

// Turns SIGINT, SIGTERM and SIGHUP into a count of requests to end (see EndSignals) that commands
// poll. Commands that end in an orderly way call it first (the others just die), before starting
// any thread, so that every thread inherits the blocked mask and only the waiting thread sees the
// signals.
void InstallSignals();
// Number of requests so far; signals in quick succession count as one.
int SignalCount();
// Waits for one more request, at most `timeout`.
void WaitForSignal(absl::Duration timeout);

}  // namespace sweep::cli
