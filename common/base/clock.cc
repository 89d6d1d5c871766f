#include "common/base/clock.h"

#include <ctime>

namespace sweep {
namespace {

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
  absl::Duration Monotonic() const override {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return absl::DurationFromTimespec(now);
  }
};

}  // namespace

Clock* RealClock() {
  static SystemClock* const clock = new SystemClock;  // never destroyed: used until the very end
  return clock;
}

}  // namespace sweep
