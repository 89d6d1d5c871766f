#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "coordinator/search/model_slices.h"
#include "coordinator/search/stored_search.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/store.h"

namespace sweep {

// What the models of the sweeps that are being viewed know. Each such sweep has a search of its own
// beside the driver's, on the pool's thread, which follows the sweep's events when it is requested.
// The pool drops the least recently used searches, after a minimum time, and those that nobody has
// requested for long. Thread-safe.
class ModelPool {
 public:
  struct Options {
    std::size_t max_sweeps = 4;
    // A search that was requested within this time is not dropped for another sweep.
    absl::Duration keep_time = absl::Seconds(10);
    // One that was not requested for so long is dropped.
    absl::Duration idle_time = absl::Minutes(5);
    // After a computation its sweep rests for this time, or for `rest` times that of the
    // computation if that is longer, so that a sweep that runs does not keep a core busy.
    absl::Duration least_pause = absl::Seconds(1);
    double rest = 4;
  };
  ModelPool(Store* store, const Options& options);
  ~ModelPool();

  struct Model {
    ModelSlices known;
    std::string failure;  // why nothing is known, or empty
  };
  struct Answer {
    std::shared_ptr<const Model> model;  // shared with the pool; null before the first one
    bool ready = false;                  // it knows the sweep's last event
  };
  // The latest model of a sweep whose method learns. Waits for one that knows the sweep's last
  // event, at most for `wait`; when there is no room, it is not ready.
  absl::StatusOr<Answer> Get(std::int64_t sweep_id, const SharedSpec& spec, absl::Duration wait);
  std::size_t size() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // The search of one version of a sweep's file.
  struct Learner {
    SharedSpec spec;  // shared with the search, and compared with requests'
    // Of the pool's thread, which makes it: that may take long.
    std::unique_ptr<StoredSearch> search;
  };
  struct Slot {
    std::shared_ptr<Learner> learner;  // shared with the thread, as the slot may be dropped
    std::shared_ptr<const Model> model;
    std::int64_t seen = -1;    // sequence of the last event that the model knows
    std::int64_t wanted = -1;  // that requests wait for
    absl::Time used;
    absl::Time not_before = absl::InfinitePast();
    absl::Status error;  // why reading failed; the next request tries again

    bool HasWork() const { return error.ok() && seen < wanted; }
  };
  struct Work {
    std::int64_t sweep_id = 0;
    std::shared_ptr<Learner> learner;
    std::int64_t wanted = 0;
  };

  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null when there is no room and no slot may be dropped.
  Slot* FindSlot(std::int64_t sweep_id, const SharedSpec& spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits for work. False when the pool ends.
  bool TakeWork(Work* work) ABSL_LOCKS_EXCLUDED(mutex_);
  void DropIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Loop();
  absl::Status Observe(const Work& work) ABSL_LOCKS_EXCLUDED(mutex_);
  static std::shared_ptr<const Model> Compute(StoredSearch* search);

  Store* const store_;
  const Options options_;
  Mutex mutex_;
  CondVar work_, done_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::int64_t, Slot> slots_ ABSL_GUARDED_BY(mutex_);  // by sweep id
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // started by the first request
};

}  // namespace sweep
