#pragma once

#include <chrono>

namespace sweep {

// How hard a process has been asked to end its trial or itself: first in its own protocol, then by
// SIGTERM, then by SIGKILL, each when the one before has not helped in time. Pure bookkeeping; its
// owner sends what Due names. Not thread-safe.
class Escalation {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Signal { kNone, kTerminate, kKill, kKillSupervisor };

  // Nothing has been asked, or what was asked has been done.
  bool idle() const { return step_ == Step::kNone; }

  // The process was asked, and has until `deadline`.
  void Ask(TimePoint deadline);
  // It does what it was asked; no effect after SIGTERM.
  void Answered();
  // It has less time than it was given, unless SIGTERM was sent already.
  void Shorten(TimePoint deadline);
  // The process has been killed. False if it was before.
  bool Kill(TimePoint now);
  // What is to be sent now; after SIGTERM the process has `grace`. Once killed, it is killed again
  // at each call: another signal of the same number may have hidden the first.
  Signal Due(TimePoint now, std::chrono::milliseconds grace);

 private:
  enum class Step { kNone, kAsked, kTerminated, kKilled };
  Step step_ = Step::kNone;
  TimePoint deadline_;  // of this step
};

}  // namespace sweep
