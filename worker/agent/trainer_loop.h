#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/base/mutex.h"
#include "worker/agent/lease_table.h"
#include "worker/agent/slot.h"

namespace sweep {

// The thread that owns the slots and their trainers: one poll loop over all pipes, timers and
// requests from other threads. It is the thread that forks, and it ends only after its last
// trainer, see TrainerProcess.
//
// Thread-safe. The task queue is bounded by its users: each slot's reporter has at most three
// events under way.
class TrainerLoop {
 public:
  struct Options {
    int slots = 1;
    // Its `post`, `trainer_unusable` and `data_refused` are filled in here.
    Slot::Context context;
    bool one_trial = false;  // begin nothing after the first one
    // Drain when the coordinator refuses this worker's data of a sweep.
    bool end_on_other_data = false;
    // Both are called on the loop's thread and must return at once. `giving_up`: the loop drains
    // because no trainer is usable or the data is refused. `finished`: the loop has ended.
    std::function<void()> giving_up;
    std::function<void()> finished;
  };

  explicit TrainerLoop(Options options);
  // Stops, and waits for the thread.
  ~TrainerLoop();

  // The lease table has changed.
  void Wake();
  // Stops running trials, gives back all leases, and ends the loop when none is held any more.
  void Drain();
  // Likewise, but kills the trainers instead of waiting for their checkpoints, and stops after
  // `patience` even if leases are still held.
  void DrainAtOnce(absl::Duration patience);
  // Gives back exactly these of the held leases, for `reason`.
  void GiveBack(std::set<LeaseKey> leases, std::string reason);
  // Ends exactly these of the held leases early, for good, keeping what was trained.
  void StopLeases(std::set<LeaseKey> leases);
  // The coordinator knows that this worker drains, so no lease is on its way any more.
  void DrainAcknowledged();
  // Kills the trainers and ends the loop; Wait will return `status`. The first call counts.
  void Stop(absl::Status status);
  // Waits until the loop has ended and every trainer is reaped. OK when drained.
  absl::Status Wait();

 private:
  void Post(std::function<void()> task);
  void Run();
  // Runs one round; false when the loop's work is over.
  bool Step();
  void RunTasks();
  void DistributeLeases();
  bool Drained();
  void OnTrainerUnusable(const std::string& reason);
  void OnDataRefused(const std::string& reason);
  // Drains, and Wait will return `failure`.
  void GiveUp(absl::Status failure);
  void PollPipes(std::chrono::milliseconds timeout);
  void TickSlots();
  bool AnyTrainer() const;
  bool AnyDeadline() const;
  void EndTrainers();

  Options options_;
  LeaseTable* const leases_;
  int wake_fd_ = -1;

  Mutex mutex_;
  CondVar changed_;
  std::vector<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);

  // Used by the loop's thread only.
  std::vector<std::unique_ptr<Slot>> slots_;
  bool drain_ = false;
  std::set<LeaseKey> stopped_;
  std::set<LeaseKey> give_back_;
  std::string give_back_reason_;
  bool drain_acknowledged_ = false;
  Slot::TimePoint drain_patience_;
  bool at_once_ = false;
  Slot::TimePoint at_once_deadline_ = Slot::TimePoint::max();
  bool begun_ = false;  // a slot has had a lease
  int unusable_in_a_row_ = 0;
  absl::Status failure_;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace sweep
