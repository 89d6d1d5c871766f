#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/protocol/trainer_message.h"
#include "worker/agent/lease_reporter.h"
#include "worker/agent/lease_table.h"
#include "worker/agent/log_reporter.h"
#include "worker/agent/progress_reporter.h"
#include "worker/agent/trainer_process.h"

namespace sweep {

// One place to train: at most one lease, and a trainer process that is started for the first one
// and stays warm for the next that wants the same program in the same folder. For another one it is
// ended first; a sweep's own program is also ended when there is nothing to do for it.
//
// Used by the trainer loop's thread only, and never blocks it: slow work is the LeaseReporter's,
// whose events come back through Context::post.
class Slot {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Shared by all slots of an agent; outlives them.
  struct Context {
    absl::Duration stop_grace;
    absl::Duration drain_grace;
    absl::Duration end_doubt;  // see Slot::Doubt
    absl::Duration ready_timeout;
    absl::Duration silence_timeout;  // for a sweep's own program; infinite: none
    absl::Duration program_idle;     // how long such a program is kept for another trial
    LeaseReporter::Options reporter;
    LeaseTable* leases = nullptr;
    ProgressReporter* progress = nullptr;
    LogReporter* logs = nullptr;
    // Runs the task on the loop's thread, unless the slots are gone by then.
    std::function<void(std::function<void()>)> post;
    // A trainer has said ready, on this device.
    std::function<void(const std::string& device)> trainer_ready;
    // The coordinator refuses what this worker has as a sweep's data.
    std::function<void(const std::string& reason)> data_refused;
    // The worker's trainer could not be started or did not become ready.
    std::function<void(const std::string& reason)> trainer_unusable;
  };

  Slot(int index, const Context& context);
  // Kills the trainer.
  ~Slot() = default;

  bool free() const { return phase_ == Phase::kFree; }
  bool has_trainer() const { return trainer_ != nullptr; }
  // Wants to be ticked often.
  bool has_deadline() const { return trainer_ != nullptr || phase_ == Phase::kDoubtful; }
  bool Holds(const LeaseKey& key) const { return !free() && key == key_; }

  // Starts to work on a lease. Requires free().
  void Assign(const v1::Lease& lease);
  // The coordinator does not want this lease worked on any more.
  void Revoke(const LeaseKey& key);
  // Ends the lease early, keeping what was reached, for this reason.
  void GiveBack(const std::string& reason);
  // Likewise, but kills the trainer instead of waiting for its checkpoint.
  void GiveBackAtOnce(const std::string& reason);

  void AppendPollFds(std::vector<pollfd>* fds) const;
  // Reads and writes what the trainer's pipes allow.
  void Serve();
  // Notices the trainer's end and what has come due.
  void Tick(TimePoint now);

  // For the end of the worker: the trainer is killed, or asked to end by the end of its input; the
  // lease is left as it is.
  void EndTrainer(bool at_once);

 private:
  enum class Phase {
    kFree,
    kPreparing,  // the reporter fetches data and checkpoint
    kStarting,   // waits for the trainer to be ready
    kRunning,
    kStopping,  // the trainer was told to stop, see intent_
    // The trainer ended as if it had been told to by somebody else, see Doubt.
    kDoubtful,
    kReporting,  // the trainer has nothing to do with it any more; the reporter tells the rest
  };
  // What becomes of the lease when the trainer has stopped.
  enum class Intent { kDrop, kGiveBack, kFail };
  // How hard the trainer has been asked to end its trial, or itself.
  enum class Urgency { kNone, kAsked, kTerminated, kKilled };

  void OnPrepared(absl::StatusOr<PreparedTrial> trial);
  void OnDataRefused(const std::string& reason);
  void OnRefused(const absl::Status& status);
  void OnReleased();

  TrainerProcess::Sinks MakeSinks();
  // Starts what the lease wants, unless it runs; what runs instead is ended first.
  void EnsureTrainer();
  void StartTrainer();
  void DiscardTempDir();
  // Ends a trainer that has no trial.
  void RetireTrainer();
  void SendTrial();
  void OnMessage(const TrainerMessage& message);
  // Whether a line that carries this id is about the trial that the trainer works on.
  bool Concerns(const std::string& trial);
  void OnReady(const ReadyMessage& ready);
  void OnProgress(const ProgressMessage& progress);
  void OnEpoch(const EpochMessage& epoch);
  void OnDone(const DoneMessage& done);
  void OnError(const ErrorMessage& error);
  void OnLog(std::string_view line);
  void OnExit(const TrainerProcess::Exit& exit);
  void OnExitInTrial(const TrainerProcess::Exit& exit, const std::string& reason);
  void OnStartFailed(const std::string& reason);

  // Tells the trainer to stop its trial.
  void StopTrial(Intent intent, std::string reason);
  // Kills the trainer for `reason`.
  void Doom(std::string reason);
  // What the trainer has not done in time.
  void CheckDeadlines(TimePoint now);
  void CheckUrgency(TimePoint now);
  void KillTrainer();
  // Whoever ends everything on a machine sends a trainer SIGTERM beside its worker, and the trainer
  // may be faster. So an end that looks like that counts as a failure, `failure`, only when nobody
  // has told the worker to drain for a moment either.
  void Doubt(std::function<void()> failure);
  void EndLease(LeaseEnd end);
  void DropLease();
  std::string WithLastLines(const std::string& reason) const;
  // The last epoch that the coordinator is told or knows.
  int reached() const { return std::max(last_epoch_, trial_.resumed_epoch); }
  // " after epoch 3 of 10"
  std::string Where() const;

  const int index_;
  const Context& context_;

  Phase phase_ = Phase::kFree;
  LeaseKey key_;
  PreparedTrial trial_;
  int last_epoch_ = 0;
  bool heard_ = false;    // the trainer has answered to this trial
  std::string stranger_;  // the id of another trial that it spoke about instead
  Intent intent_ = Intent::kDrop;
  std::string stop_reason_;  // of the end that is intended

  bool ending_ = false;  // see EndTrainer
  TrainerProgram wanted_;
  TrainerProgram running_;  // as trainer_
  std::unique_ptr<TrainerProcess> trainer_;
  std::string temp_dir_;   // of a sweep's own program: nothing of it is there for the next process
  bool ready_ = false;     // takes a trial
  bool retiring_ = false;  // see RetireTrainer
  std::uint64_t bytes_read_ = 0;
  TimePoint last_output_;  // of this trial, or when it was sent
  TimePoint idle_since_;
  int served_ = 0;  // trials that this process has ended before
  Urgency urgency_ = Urgency::kNone;
  std::string doom_;  // why it was killed
  TimePoint ready_deadline_;
  TimePoint urgency_deadline_;
  TimePoint kill_deadline_;  // of the supervisor, when its killing takes too long
  std::optional<TimePoint> output_deadline_;
  TimePoint doubt_deadline_;
  std::function<void()> failure_;  // see Doubt

  LeaseReporter reporter_;  // last: its thread calls back
};

}  // namespace sweep
