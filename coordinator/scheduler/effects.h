#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "common/base/mutex.h"
#include "coordinator/scheduler/event_bus.h"
#include "coordinator/store/store.h"
#include "spdlog/common.h"

namespace sweep {

// The lock of the scheduler's state, and the work that follows from decisions made under it. A
// write to the store, a callback, a signal or a log line is never done under the lock. It is
// deferred, and done after the lock is released, by one thread at a time, in the order in which it
// was deferred. So the store gets the writes in the order of the decisions, and their completions
// run in the same order, one at a time. Whatever it calls, it calls with the lock
// released. Thread-safe.
class Effects {
 public:
  // Both outlive it.
  Effects(Store* store, EventBus* events) : store_(store), events_(events) {}
  ~Effects() { StopThread(); }

  // Guards the scheduler's state, and what is deferred here. Never held during I/O or a callback.
  mutable Mutex mutex;

  // Whoever defers calls RunDeferred after releasing the lock. A completion need not.
  void Defer(std::function<void()> action) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void DeferWrite(Store::WriteFunction function, Store::Completion done)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // As DeferWrite. `prepare` runs just before the write, with the lock released: it may take long.
  void DeferPreparedWrite(std::function<void()> prepare, Store::WriteFunction function,
                          Store::Completion done) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void DeferLog(spdlog::level::level_enum level, std::string line)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void DeferSignal(std::int64_t sweep_id, EventBus::Signal signal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Does what is deferred. Returns at once while another thread does it: that thread takes
  // everything, in order.
  void RunDeferred() ABSL_LOCKS_EXCLUDED(mutex);
  // Leaves it to a thread of its own. A thread that computes for long would lose its processor
  // while the answers of all others wait behind it. Without StartThread as RunDeferred.
  void RunDeferredElsewhere() ABSL_LOCKS_EXCLUDED(mutex);
  // Defers the write and runs it. After Stop `done` gets Unavailable, and nothing is written.
  void Write(Store::WriteFunction function, Store::Completion done) ABSL_LOCKS_EXCLUDED(mutex);

  void StartThread();
  // Ends the thread. What is deferred is left to RunDeferred.
  void StopThread() ABSL_LOCKS_EXCLUDED(mutex);

  // From here on Write refuses. What was deferred is still done, and DeferWrite still writes.
  void Stop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { stopping_ = true; }
  bool is_stopping() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return stopping_; }

  // Waits until nothing is deferred, no write is in flight and no completion runs. Not to be called
  // from a callback.
  void WaitIdle() ABSL_LOCKS_EXCLUDED(mutex);

 private:
  void Thread(const std::stop_token& stop) ABSL_LOCKS_EXCLUDED(mutex);

  Store* const store_;
  EventBus* const events_;

  std::deque<std::function<void()>> deferred_ ABSL_GUARDED_BY(mutex);
  bool is_running_ ABSL_GUARDED_BY(mutex) = false;  // a thread does what is deferred
  int writes_in_flight_ ABSL_GUARDED_BY(mutex) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex) = false;
  CondVar idle_;
  bool has_thread_ ABSL_GUARDED_BY(mutex) = false;
  bool is_left_to_thread_ ABSL_GUARDED_BY(mutex) = false;
  CondVar wake_;
  std::jthread thread_;
};

// The answer to every request while the scheduler stops.
absl::Status StoppingError();

}  // namespace sweep
