#pragma once

#include <chrono>

namespace sweep {

// The steps by which a process is asked to end its trial or itself: first its own protocol, then
// SIGTERM, then SIGKILL, each when the step before has not helped in time. Pure bookkeeping; its
// owner sends what Due returns. Not thread-safe.
class Escalation {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Signal { kNone, kTerminate, kKill, kKillSupervisor };

  // Nothing was asked, or the process has done what it was asked.
  bool idle() const { return step_ == Step::kNone; }

  // The process was asked, and has until `deadline`.
  void Ask(TimePoint deadline);
  // The process has done what it was asked; no effect after SIGTERM.
  void Answered();
  // Brings the deadline forward, unless SIGTERM was sent already.
  void Shorten(TimePoint deadline);
  // Records that the process was killed. False if it was killed before.
  bool Kill(TimePoint now);
  // Returns the signal to send now; after SIGTERM the process has `grace`. A killed process is
  // killed again at each call: another signal of the same number may have hidden the first.
  Signal Due(TimePoint now, std::chrono::milliseconds grace);

 private:
  enum class Step { kNone, kAsked, kTerminated, kKilled };
  Step step_ = Step::kNone;
  TimePoint deadline_;  // of this step
};

}  // namespace sweep
