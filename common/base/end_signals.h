#pragma once

#include <signal.h>

#include <chrono>

namespace sweep {

// Counts requests to end the program, of which each may arrive as several signals. Batch systems
// send SIGTERM twice within a tenth of a second to every process of a job, and closing a terminal
// may bring SIGHUP and SIGTERM: each counts as one request. A second request is a signal at least
// kApart after the one that made the last request; for SIGINT, a key that is pressed again,
// kKeysApart suffices.
//
// Pure: the caller passes the time. Not thread-safe.
class EndSignals {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kApart{5000};
  // For SIGINT: longer than wrappers take to pass on a Ctrl-C.
  static constexpr std::chrono::milliseconds kKeysApart{250};

  // Records `signal`. Returns the number of requests so far: 1 to end in order, 2 to end at once.
  int Take(int signal, TimePoint now);
  int requests() const { return requests_; }

 private:
  int requests_ = 0;
  TimePoint last_;  // when the last request was made
};

// The signals that end this program: SIGINT, SIGTERM, and SIGHUP unless it is ignored, as under
// `nohup`.
sigset_t EndSignalSet();

// Makes a write fail, instead of ending the process, when the reader is gone, the terminal is
// closed or the file would exceed the size limit.
void IgnoreSignalsOfWrites();
// Only for files that would exceed the size limit.
void IgnoreFileSizeSignal();

}  // namespace sweep
