#pragma once

#include <signal.h>

#include <chrono>

namespace sweep {

// Tells signals that ask a program to end from wishes of somebody who wants it to end. Batch
// systems send SIGTERM twice within a tenth of a second, to everything in a job, and a terminal
// that is closed may bring SIGHUP and SIGTERM: that is one wish. A second wish is a signal some
// seconds after the one that made the last wish, or, of SIGINT, what a person presses again.
//
// Pure: it is told the time. Not thread-safe.
class EndSignals {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kApart{5000};
  // Of SIGINT: longer than what wrappers that hand a Ctrl-C on take for it.
  static constexpr std::chrono::milliseconds kKeysApart{250};

  // `signal` has arrived. Returns how many wishes have been made now: 1 to end in order, 2 at once.
  int Take(int signal, TimePoint now);
  int wishes() const { return wishes_; }

 private:
  int wishes_ = 0;
  TimePoint last_;  // when the last wish was made
};

// The signals that ask this program to end: SIGINT, SIGTERM, and SIGHUP unless it is ignored, as
// `nohup` leaves it.
sigset_t EndSignalSet();

// Writing to a reader that has gone, a terminal that is closed, or beyond a limit on the size of
// files is an error of that call and does not end this process.
void IgnoreSignalsOfWrites();
// Of these, only the last.
void IgnoreFileSizeSignal();

}  // namespace sweep
