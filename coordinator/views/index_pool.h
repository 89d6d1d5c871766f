#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/store.h"
#include "coordinator/views/sweep_index.h"

namespace sweep {

// The indexes of the sweeps that are being viewed. An index is built on the pool's thread, in short
// reads, when it is first requested or likely to be. It is then updated from the sweep's events
// when it is requested. The pool drops the least recently used indexes, after a minimum time, and
// those of deleted sweeps. Thread-safe.
class IndexPool {
 public:
  struct Options {
    std::size_t max_sweeps = 4;
    // While all indexes together have fewer trials than this, there may be max_small_sweeps of
    // them.
    std::int64_t few_trials = 0;
    std::size_t max_small_sweeps = 32;
    // A younger index is not dropped. Otherwise requests for many sweeps in turn would rebuild
    // indexes all the time.
    absl::Duration keep_time = absl::Seconds(10);
    int trials_per_read = 2'000;
    int events_per_read = 5'000;
    // An index that was updated within this time is used without an update. The time grows with the
    // number of trials, since the work for a request does.
    absl::Duration refresh_time = absl::Seconds(1);
    absl::Duration refresh_time_per_trial = absl::Microseconds(50);
    // How often the pool checks for deleted sweeps.
    absl::Duration look_time = absl::Minutes(1);
  };
  IndexPool(Store* store, const Options& options);
  ~IndexPool();

  // An index and its progress.
  class Entry {
   public:
    Entry(std::int64_t sweep_id, SharedSpec spec)
        : sweep_id_(sweep_id),
          digest_(spec->digest),
          banded_(BandedMeasures(*spec)),
          index_(std::move(spec)) {}

    // Runs `function(const SweepIndex&)` under the index's lock.
    template <typename Function>
    auto Look(Function function) ABSL_LOCKS_EXCLUDED(mutex_) {
      MutexLock lock(&mutex_);
      return function(static_cast<const SweepIndex&>(index_));
    }

   private:
    friend class IndexPool;
    const std::int64_t sweep_id_;
    const std::string digest_;  // of the sweep file
    const std::vector<std::string> banded_;
    Mutex mutex_;
    SweepIndex index_ ABSL_GUARDED_BY(mutex_);
    // Used by the pool's thread.
    std::int64_t read_number_ = 0;
    bool has_cursor_ = false;
  };

  struct Answer {
    std::shared_ptr<Entry> entry;  // shared, since the pool may drop it while it is in use
    std::int64_t sequence = 0;     // of the last event in the index
    bool ready = false;            // it has every trial and epoch up to that event
  };
  // How long a request waits.
  struct Patience {
    absl::Duration complete;    // for an index that is being built
    absl::Duration up_to_date;  // for the update of a complete one
  };
  // Waits for an up-to-date index, at most for `patience`, and returns it in its current state.
  // Returns an empty one, not ready, at once when there is no room and no index may be dropped.
  // NotFound when there is no such sweep.
  absl::StatusOr<Answer> Get(std::int64_t sweep_id, const SharedSpec& spec,
                             const Patience& patience);
  // Starts to build an index that is likely to be requested soon, unless another one would have to
  // be dropped.
  void Prepare(std::int64_t sweep_id, const SharedSpec& spec);
  // The number of indexes.
  std::size_t size() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Slot {
    std::shared_ptr<Entry> entry;
    std::uint64_t used = 0;
    std::int64_t cursor = 0;
    std::int64_t wanted = 0;  // the sequence that requests wait for
    bool ready = false;
    absl::Time completed = absl::InfiniteFuture();  // when it became ready
    std::int64_t trials = 0;
    absl::Time refreshed = absl::InfinitePast();
    absl::Status error;  // why reading failed; the next request tries again
  };
  // One step of the thread: an index and its progress, before and after.
  struct Work {
    // Shared with the slot, which may be dropped meanwhile. Null: check for deleted sweeps.
    std::shared_ptr<Entry> entry;
    std::int64_t cursor = 0;
    bool ready = false;
    std::int64_t trials = 0;
  };

  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds a slot if necessary, and begins anew when the sweep's file was edited. Null when there is
  // no room and no slot may be dropped.
  Slot* FindSlot(std::int64_t sweep_id, const SharedSpec& spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Drops a slot if necessary. True when there is room for another one.
  bool MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Slot* SlotWithWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits for work. False when the pool ends.
  bool TakeWork(Work* work) ABSL_LOCKS_EXCLUDED(mutex_);
  void FinishWork(const Work& work, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  void DropDeleted() ABSL_LOCKS_EXCLUDED(mutex_);
  void Loop();
  absl::Status Fill(Entry* entry, Work* work);
  absl::Status Follow(Entry* entry, Work* work);
  absl::Status ReadAgain(Entry* entry, const std::vector<std::int64_t>& numbers);

  Store* const store_;
  const Options options_;
  Mutex mutex_;
  CondVar work_, done_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::uint64_t uses_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::int64_t, Slot> slots_ ABSL_GUARDED_BY(mutex_);  // by sweep id
  absl::Time looked_ ABSL_GUARDED_BY(mutex_) = absl::Now();
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // started by the first index
};

}  // namespace sweep
