#pragma once

#include <optional>

#include "common/base/mutex.h"
#include "coordinator/api/work_pool.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/store.h"
#include "coordinator/views/time_left.h"

namespace sweep {

// The time until all active sweeps end, for callers that must not wait for the database: returns
// the result of the last reading. Thread-safe.
class TimeLeftGauge {
 public:
  struct Parts {  // all must outlive it; the pool runs its queue before it ends
    Store* store = nullptr;
    SpecCache* specs = nullptr;
    TimeLeft* time_left = nullptr;
    WorkPool* pool = nullptr;
  };
  explicit TimeLeftGauge(Parts parts) : parts_(parts) {}

  // In seconds, for the sweep that takes longest; nullopt before the first reading, and while no
  // sweep has an estimate. Starts another reading for the next call.
  std::optional<double> Read();

 private:
  void Refresh();
  std::optional<double> Longest() const;

  const Parts parts_;
  Mutex mutex_;
  std::optional<double> seconds_ ABSL_GUARDED_BY(mutex_);
  bool is_reading_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sweep
