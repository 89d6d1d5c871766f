#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "common/base/mutex.h"

namespace sweep {

// Tells the watchers of a sweep that there is something new to read. A signal carries no data: each
// listener reads the store from its own cursor, so nothing is lost or queued here. Thread-safe.
class EventBus {
 public:
  enum class Signal {
    kEvents,    // an event has been committed
    kProgress,  // progress in memory has changed
  };
  // Called with no lock held, on the notifier's thread; must be quick. May be called once more
  // while Unsubscribe returns.
  using Listener = std::function<void(Signal)>;

  std::uint64_t Subscribe(std::int64_t sweep_id, Listener listener) ABSL_LOCKS_EXCLUDED(mutex_);
  void Unsubscribe(std::uint64_t subscription) ABSL_LOCKS_EXCLUDED(mutex_);
  void Notify(std::int64_t sweep_id, Signal signal) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Shared with a Notify that is under way on another thread.
  using SharedListener = std::shared_ptr<const Listener>;

  Mutex mutex_;
  std::uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::unordered_map<std::uint64_t, std::int64_t> sweep_of_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::int64_t, std::map<std::uint64_t, SharedListener>> listeners_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
