#include "worker/agent/escalation.h"

#include <algorithm>

namespace sweep {
namespace {

// A supervisor that has not killed its processes within this time is stopped or unable to.
constexpr std::chrono::milliseconds kKillPatience{2000};

}  // namespace

void Escalation::Ask(TimePoint deadline) {
  step_ = Step::kAsked;
  deadline_ = deadline;
}

void Escalation::Answered() {
  if (step_ == Step::kAsked) step_ = Step::kNone;
}

void Escalation::Shorten(TimePoint deadline) {
  if (step_ == Step::kAsked) deadline_ = std::min(deadline_, deadline);
}

bool Escalation::Kill(TimePoint now) {
  if (step_ == Step::kKilled) return false;
  step_ = Step::kKilled;
  deadline_ = now + kKillPatience;
  return true;
}

Escalation::Signal Escalation::Due(TimePoint now, std::chrono::milliseconds grace) {
  switch (step_) {
    case Step::kNone:
      return Signal::kNone;
    case Step::kAsked:
      if (now < deadline_) return Signal::kNone;
      step_ = Step::kTerminated;
      deadline_ = now + grace;
      return Signal::kTerminate;
    case Step::kTerminated:
      if (now < deadline_) return Signal::kNone;
      Kill(now);
      return Signal::kKill;
    case Step::kKilled:
      return now < deadline_ ? Signal::kKill : Signal::kKillSupervisor;
  }
  return Signal::kNone;
}

}  // namespace sweep
