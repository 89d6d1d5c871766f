#pragma once

#include "absl/time/time.h"

namespace sweep::cli {

// Turns SIGINT, SIGTERM and SIGHUP into a count of wishes to end (see EndSignals) that commands ask
// for. Called first thing by the commands that end in an orderly way (the others just die), before
// any thread is started, so that every thread inherits the blocked mask and only the waiting thread
// sees the signals.
void InstallSignals();
// How many wishes there have been; signals shortly after each other are one.
int SignalCount();
// Waits for one more wish, at most `timeout`.
void WaitForSignal(absl::Duration timeout);

}  // namespace sweep::cli
