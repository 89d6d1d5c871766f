#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "coordinator/specs/spec_cache.h"

namespace sweep {

struct ComputationPoolOptions {
  const char* thread = "";  // its name
  std::size_t max_kept = 4;
  // What was asked for within this time is not dropped for something else.
  absl::Duration keep_time = absl::ZeroDuration();
  // What nobody has asked for so long is dropped.
  absl::Duration idle_time = absl::InfiniteDuration();
  // After a computation its key rests for this time, or for `rest` times that of the computation if
  // that is longer, so that a sweep that runs does not keep a core busy.
  absl::Duration least_pause = absl::Seconds(1);
  double rest = 4;
  // A request that finds its key at rest is computed after the rest; else it is not made.
  bool keeps_requests = false;
};

// What takes long to compute of the sweeps that are being viewed, by key: one thread computes it,
// from requests, and goes on with a state of its own for each key and version of a sweep's file.
// What was asked for last is computed first, and dropped last. Thread-safe. A file that names its
// types explicitly includes computation_pool_impl.h.
template <typename Key, typename State, typename Request, typename Result>
class ComputationPool {
 public:
  struct Work {
    Key key = {};
    SharedSpec spec = {};
    std::shared_ptr<State> state = {};  // of the thread; shared with the slot, which may be dropped
    std::int64_t sequence = 0;          // of the last event that the result is to know
    Request request = {};
  };
  using Compute = std::function<absl::StatusOr<std::shared_ptr<const Result>>(const Work&)>;
  struct Answer {
    std::shared_ptr<const Result> result;  // shared with the pool; null before the first one
    bool ready = false;                    // it knows the sequence that was asked for
  };

  ComputationPool(const ComputationPoolOptions& options, Compute compute)
      : options_(options), compute_(std::move(compute)) {}
  ~ComputationPool();

  // The latest result for the key. Waits for that at `sequence`, at most for `wait`. `request` is
  // called before it returns, or never. When there is no room, the result is not ready. An error is
  // that of the computation, and told once: the next call tries again.
  absl::StatusOr<Answer> Get(const Key& key, const SharedSpec& spec, std::int64_t sequence,
                             const std::function<Request()>& request, absl::Duration wait)
      ABSL_LOCKS_EXCLUDED(mutex_);

  std::size_t size() ABSL_LOCKS_EXCLUDED(mutex_);
  // A computation that takes long looks at it.
  bool is_stopping() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Slot {
    SharedSpec spec;
    std::shared_ptr<State> state = std::make_shared<State>();  // shared with the thread
    std::optional<Request> request = {};                       // that waits for the thread
    std::shared_ptr<const Result> result = {};
    std::int64_t seen = -1;    // sequence of the result
    std::int64_t wanted = -1;  // of the request that waits or is being computed
    absl::Time used = {};
    absl::Time not_before = absl::InfinitePast();
    absl::Status error = {};
  };

  bool IsToRequest(const Key& key, const SharedSpec& spec, std::int64_t sequence,
                   absl::Time give_up) ABSL_LOCKS_EXCLUDED(mutex_);
  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null when there is no room and no slot may be dropped.
  Slot* FindSlot(const Key& key, const SharedSpec& spec) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The one to compute now, or the end: none before `next`, which is brought forward.
  typename std::map<Key, Slot>::iterator NextSlot(absl::Time now, absl::Time* next)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits for work. False when the pool ends.
  bool TakeWork(Work* work) ABSL_LOCKS_EXCLUDED(mutex_);
  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);

  const ComputationPoolOptions options_;
  const Compute compute_;
  Mutex mutex_;
  CondVar work_, done_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<Key, Slot> slots_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // started by the first request
};

}  // namespace sweep
