#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/protocol/trainer_message.h"
#include "worker/agent/lease_reporter.h"
#include "worker/agent/lease_table.h"
#include "worker/agent/lease_work.h"
#include "worker/agent/log_reporter.h"
#include "worker/agent/progress_reporter.h"
#include "worker/agent/trainer_holder.h"

namespace sweep {

// One place to train: at most one lease, with a LeaseWork that decides what becomes of it, a
// LeaseReporter that tells the coordinator, and a TrainerHolder whose trainer stays warm for the
// next lease. The slot passes messages between them. It also ends a sweep's own program when there
// is nothing left for it to do.
//
// Used by the trainer loop's thread only, and never blocks it: the LeaseReporter does the slow
// work, and its events come back through Context::post.
class Slot {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Shared by all slots of an agent; outlives them.
  struct Context {
    absl::Duration stop_grace;
    absl::Duration drain_grace;
    absl::Duration end_doubt;  // see LeaseWork
    absl::Duration ready_timeout;
    absl::Duration silence_timeout;  // for a sweep's own program; infinite: none
    absl::Duration program_idle;     // how long such a program is kept for another trial
    LeaseReporter::Options reporter;
    LeaseTable* leases = nullptr;
    ProgressReporter* progress = nullptr;
    LogReporter* logs = nullptr;
    // Runs the task on the loop's thread, unless the slots are gone by then.
    std::function<void(std::function<void()>)> post;
    // A trainer has reported ready, on this device.
    std::function<void(const std::string& device)> trainer_ready;
    // The coordinator refuses this worker's data of a sweep.
    std::function<void(const std::string& reason)> data_refused;
    // The worker's trainer could not be started or did not become ready.
    std::function<void(const std::string& reason)> trainer_unusable;
  };

  Slot(int index, const Context& context);
  // Kills the trainer.
  ~Slot() = default;

  bool free() const { return !work_; }
  bool has_trainer() const { return holder_.has_process(); }
  // Tick must be called often.
  bool has_deadline() const { return has_trainer() || (work_ && work_->has_deadline()); }
  bool Holds(const LeaseKey& key) const { return !free() && key == key_; }

  // Starts to work on a lease. Requires free().
  void Assign(const v1::Lease& lease);
  // The coordinator wants no more work on this lease.
  void Revoke(const LeaseKey& key);
  // Ends the lease early, for this reason, and keeps its progress.
  void GiveBack(const std::string& reason);
  // Ends the trial for good before its last epoch and keeps what the trainer leaves.
  void StopEarly();
  // Like GiveBack, but kills the trainer instead of waiting for its checkpoint.
  void GiveBackAtOnce(const std::string& reason);

  void AppendPollFds(std::vector<pollfd>* fds) const { holder_.AppendPollFds(fds); }
  // Reads and writes what the trainer's pipes allow.
  void Serve() { holder_.Serve(); }
  // Notices the trainer's end and expired deadlines.
  void Tick(TimePoint now);

  // At the end of the worker: kills the trainer, or closes its input so that it ends; the lease
  // stays as it is.
  void EndTrainer(bool at_once) { holder_.Close(at_once); }

 private:
  LeaseReporter::Events ReporterEvents();
  TrainerHolder::Events TrainerEvents();

  void OnPrepared(absl::StatusOr<PreparedTrial> trial);
  void OnDataRefused(const std::string& reason);
  void OnRefused(const absl::Status& status);
  void OnReleased();
  void OnMessage(const TrainerMessage& message);
  void OnProgress(const ProgressMessage& progress);
  void OnEpoch(const EpochMessage& epoch);

  // Starts the lease's program, unless it is running.
  void UseTrainer();
  // Sends the trial to the trainer, if that can take it.
  void SendTrial();
  // Ends a program that has been silent, or without a trial, for too long.
  void CheckProgram(TimePoint now);

  // Carries out the action that the lease's work has returned.
  void Perform(LeaseWork::Action action);
  void Do(const LeaseWork::NoAction&) {}
  void Do(const LeaseWork::UseTrainer&) { UseTrainer(); }
  void Do(const LeaseWork::StopTrial& stop);
  void Do(const LeaseWork::ShortenTrainerDeadline&) {
    holder_.ShortenDeadline(context_.stop_grace);
  }
  void Do(const LeaseWork::FailTrainer& fail) { holder_.Fail(fail.reason); }
  void Do(const LeaseWork::Wait&) { context_.progress->Remove(index_); }
  void Do(const LeaseWork::End& end);
  void Do(const LeaseWork::EndUnusable& end);
  void Do(const LeaseWork::Drop& drop);

  const int index_;
  const Context& context_;

  LeaseKey key_;  // of the last lease
  std::optional<LeaseWork> work_;
  TimePoint free_since_;
  TrainerHolder holder_;
  LeaseReporter reporter_;  // last: its thread calls back
};

}  // namespace sweep
