#pragma once

#include <mutex>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace sweep {

// The source of time for code that decides by it, so that tests never sleep. Implementations are
// thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time, for what is stored and shown.
  virtual absl::Time Now() const = 0;
  // Monotonic time since an arbitrary start, for deadlines. Does not advance while the machine is
  // suspended.
  virtual absl::Duration Monotonic() const = 0;
};

// The process-wide real clock.
Clock* RealClock();

// A clock that moves only when told to.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1'700'000'000)) : start_(start) {}
  absl::Time Now() const override {
    std::lock_guard lock(mutex_);
    return start_ + elapsed_;
  }
  absl::Duration Monotonic() const override {
    std::lock_guard lock(mutex_);
    return elapsed_;
  }
  void Advance(absl::Duration by) {
    std::lock_guard lock(mutex_);
    elapsed_ += by;
  }

 private:
  mutable std::mutex mutex_;
  absl::Time start_;
  absl::Duration elapsed_ = absl::ZeroDuration();
};

}  // namespace sweep
