#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "coordinator/search/robust_region.h"
#include "coordinator/specs/spec_cache.h"

namespace sweep {

// The regions of the sweeps that are being viewed, computed on the pool's thread when their runs
// have changed. The pool drops the least recently requested ones. Thread-safe.
class RegionPool {
 public:
  struct Options {
    std::size_t max_regions = 8;
    // After a computation its region rests for this time, or for `rest` times that of the
    // computation if that is longer, so that a sweep that runs does not keep a core busy.
    absl::Duration least_pause = absl::Seconds(1);
    double rest = 4;
  };
  explicit RegionPool(const Options& options);
  ~RegionPool();

  struct Region {
    RobustRegions found;
    std::string failure;  // why nothing is known, or empty
  };
  struct Answer {
    std::shared_ptr<const Region> region;  // shared with the pool; null before the first one
    bool ready = false;                    // of the runs as they are
  };
  using ReadRuns = std::function<std::vector<RegionRun>()>;
  // The latest region of a sweep for that share. Waits for that of the runs at `sequence`, at most
  // for `wait`. `read_runs` is called before it returns, or never.
  Answer Get(std::int64_t sweep_id, const SharedSpec& spec, double share, std::int64_t sequence,
             const ReadRuns& read_runs, absl::Duration wait) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Key = std::pair<std::int64_t, double>;  // sweep and share
  // What to compute a region of.
  struct Task {
    SharedSpec spec;
    std::vector<RegionRun> runs;
    std::int64_t sequence = 0;
  };
  struct Slot {
    SharedSpec spec;
    std::optional<Task> waiting;
    std::shared_ptr<const Region> region;
    std::int64_t seen = -1;   // sequence of the region
    std::int64_t taken = -1;  // of the task that waits or is being computed
    std::uint64_t used = 0;
    absl::Time not_before = absl::InfinitePast();
  };

  Slot& FindSlot(const Key& key, const SharedSpec& spec) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits for a task. False when the pool ends.
  bool TakeTask(Key* key, Task* task) ABSL_LOCKS_EXCLUDED(mutex_);
  static std::shared_ptr<const Region> Compute(const Task& task, double share);
  void Loop();

  const Options options_;
  Mutex mutex_;
  CondVar work_, done_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<Key, Slot> slots_ ABSL_GUARDED_BY(mutex_);
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // started by the first request
};

}  // namespace sweep
