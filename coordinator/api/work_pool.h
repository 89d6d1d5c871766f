#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/base/mutex.h"

namespace sweep {

// Threads for slow work: queries and files. gRPC's own threads are few and receive heartbeats and
// reports, so they never run such work. Thread-safe.
class WorkPool {
 public:
  struct Options {
    const char* name = "pool";  // of its threads, for debuggers; at most 15 characters
    int threads = 4;
    int max_queued = 256;  // waiting tasks, besides the running ones
  };
  explicit WorkPool(Options options);
  // Runs the queued tasks, then ends.
  ~WorkPool();

  // False when the queue is full: `task` will not run.
  [[nodiscard]] bool Submit(std::function<void()> task);
  // Puts the rest of a task into the queue, which may then be longer than the limit.
  void Continue(std::function<void()> task);
  int max_queued() const { return options_.max_queued; }
  std::int64_t queued() const;

 private:
  void Loop();

  const Options options_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;  // last, so that they start after all other members
};

}  // namespace sweep
