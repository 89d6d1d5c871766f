#pragma once

#include <optional>

#include "common/base/mutex.h"
#include "coordinator/api/work_pool.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/store.h"
#include "coordinator/views/time_left.h"

namespace sweep {

// How long all active sweeps will take, for who must not wait for the database: what the last
// reading found. Thread-safe.
class TimeLeftGauge {
 public:
  struct Parts {  // all outlive it; the pool runs what it was given before it ends
    Store* store = nullptr;
    SpecCache* specs = nullptr;
    TimeLeft* time_left = nullptr;
    WorkPool* pool = nullptr;
  };
  explicit TimeLeftGauge(Parts parts) : parts_(parts) {}

  // In seconds, of the sweep that takes longest; nullopt before the first reading, and while of no
  // sweep it can be said. Asks for another reading, which the next call has.
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
