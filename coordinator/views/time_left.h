#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/store/store.h"

namespace sweep {

// The number of running trials that an estimate uses.
constexpr int kMaxRunning = 1000;

// Estimates how long sweeps will take. An estimate is kept for two seconds, so that concurrent
// requests get the same. Thread-safe.
class TimeLeft {
 public:
  TimeLeft(Store* store, Scheduler* scheduler, Clock* clock = RealClock())
      : store_(store), scheduler_(scheduler), clock_(clock) {}  // all outlive it

  // Nullopt when there is no estimate: the sweep is paused or has ended, or none of its trials
  // runs.
  std::optional<double> SecondsLeft(const SweepRow& sweep, const SweepSpec& spec);

 private:
  struct Known {
    absl::Time time;
    std::optional<double> seconds;
  };
  std::optional<double> Estimate(const SweepRow& sweep, const SweepSpec& spec, absl::Time now);
  const Known* FindFresh(std::int64_t sweep_id, absl::Time now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store* const store_;
  Scheduler* const scheduler_;
  Clock* const clock_;
  Mutex mutex_;
  std::map<std::int64_t, Known> known_ ABSL_GUARDED_BY(mutex_);  // by sweep id, of active ones
};

}  // namespace sweep
