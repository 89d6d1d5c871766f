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

// The indexes of the sweeps that people look at. One is made when it is first asked for or
// likely to be, in short reads on the pool's one thread, and follows the sweep's events from there
// on, but only while somebody asks. The least recently used ones are dropped, but not before they
// have served a while, and those of deleted sweeps. Thread-safe.
class IndexPool {
 public:
  struct Options {
    std::size_t max_sweeps = 4;
    // While all have fewer trials than this together, there may be more of them.
    std::int64_t few_trials = 0;
    std::size_t max_small_sweeps = 32;
    // What is younger stays, so that turns over more sweeps do not make indexes again and again.
    absl::Duration keep_time = absl::Seconds(10);
    int trials_per_read = 2'000;
    int events_per_read = 5'000;
    // An index that was brought up to date within this time is good enough for a question; the time
    // grows with the trials, as does the work of a question.
    absl::Duration refresh_time = absl::Seconds(1);
    absl::Duration refresh_time_per_trial = absl::Microseconds(50);
    // How often it looks whether its sweeps were deleted.
    absl::Duration look_time = absl::Minutes(1);
  };
  IndexPool(Store* store, const Options& options);
  ~IndexPool();

  // An index and how far it is.
  class Entry {
   public:
    Entry(std::int64_t sweep_id, SharedSpec spec)
        : sweep_id_(sweep_id), banded_(BandedMeasures(*spec)), index_(std::move(spec)) {}

    // Runs `function(const SweepIndex&)` while nothing changes it.
    template <typename Function>
    auto Look(Function function) ABSL_LOCKS_EXCLUDED(mutex_) {
      MutexLock lock(&mutex_);
      return function(static_cast<const SweepIndex&>(index_));
    }

   private:
    friend class IndexPool;
    const std::int64_t sweep_id_;
    const std::vector<std::string> banded_;
    Mutex mutex_;
    SweepIndex index_ ABSL_GUARDED_BY(mutex_);
    // Of the pool's thread.
    std::int64_t read_number_ = 0;
    bool has_cursor_ = false;
  };

  struct Answer {
    std::shared_ptr<Entry> entry;  // shared: it may be dropped here while it is read
    std::int64_t sequence = 0;     // of the last event that is in it
    bool ready = false;            // every trial and epoch up to there is in it
  };
  // How long a question waits.
  struct Patience {
    absl::Duration complete;    // for an index that is being made
    absl::Duration up_to_date;  // for what a complete one lacks
  };
  // Waits for an index that is up to date, and gives it as it is when patience ends; at once an
  // empty one that is not ready while all others must stay. NotFound when there is no such sweep;
  // the error when it cannot be read.
  absl::StatusOr<Answer> Get(std::int64_t sweep_id, const SharedSpec& spec,
                             const Patience& patience);
  // Begins to make the index where nothing has to go for it: somebody is likely to ask soon.
  void Prepare(std::int64_t sweep_id, const SharedSpec& spec);
  // Indexes that it has.
  std::size_t size() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Slot {
    std::shared_ptr<Entry> entry;
    std::uint64_t used = 0;
    std::int64_t cursor = 0;
    std::int64_t wanted = 0;  // the sequence that somebody waits for
    bool ready = false;
    absl::Time completed = absl::InfiniteFuture();  // when it became ready
    std::int64_t trials = 0;
    absl::Time refreshed = absl::InfinitePast();
    absl::Status error;  // why it could not be read; the next question tries again
  };
  // One step of the thread: an index and how far it is, before and after.
  struct Work {
    // Shared with the slot, which may be dropped meanwhile. Null: look for deleted sweeps.
    std::shared_ptr<Entry> entry;
    std::int64_t cursor = 0;
    bool ready = false;
    std::int64_t trials = 0;
  };

  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null when there is none and no other may be dropped for it.
  Slot* FindSlot(std::int64_t sweep_id, const SharedSpec& spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether there is room for one more slot, after dropping another if need be.
  bool MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Slot* SlotWithWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False when the pool ends.
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
