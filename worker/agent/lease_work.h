#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/protocol/trainer_message.h"
#include "worker/agent/lease_reporter.h"
#include "worker/agent/trainer_holder.h"
#include "worker/agent/trainer_process.h"

namespace sweep {

// The life of one lease, from its grant to the report of its end. Pure: it is told what happens and
// answers with the action to take; it knows no process, thread or clock. Not thread-safe.
class LeaseWork {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct NoAction {};
  // Run the lease's program and send it the trial when it can take it.
  struct UseTrainer {};
  // Tell the trainer to stop the trial; `keep`: allow time for a checkpoint.
  struct StopTrial {
    bool keep = false;
  };
  // The trainer was given time for a checkpoint that nobody wants any more.
  struct ShortenTrainerDeadline {};
  // Kill the trainer: it has broken the protocol.
  struct FailTrainer {
    std::string reason;
  };
  // The trainer has ended; the end of the lease is decided later, see Tick.
  struct Wait {};
  // Report this end of the lease.
  struct End {
    LeaseEnd end;
    bool trainer_lost = false;
  };
  // Report a failure: the program could not be started or did not become ready.
  struct EndUnusable {
    std::string reason;
  };
  // Report nothing more about the lease; `ended`: its end was reported already.
  struct Drop {
    bool ended = false;
  };
  using Action = std::variant<NoAction, UseTrainer, StopTrial, ShortenTrainerDeadline, FailTrainer,
                              Wait, End, EndUnusable, Drop>;

  // `program` trains the lease; nullopt if it is known only when the lease is prepared.
  // `end_doubt`: see Phase::kDoubtful.
  LeaseWork(std::optional<TrainerProgram> program, std::chrono::milliseconds end_doubt)
      : end_doubt_(end_doubt), program_(std::move(program)) {}

  // The program that trains this lease, if it is known.
  const std::optional<TrainerProgram>& program() const { return program_; }
  const PreparedTrial& trial() const { return trial_; }
  // The trial waits for a trainer that takes it.
  bool waits_for_trainer() const { return phase_ == Phase::kStarting; }
  bool running() const { return phase_ == Phase::kRunning; }
  bool stopping() const { return phase_ == Phase::kStopping; }
  // Tick must be called often.
  bool has_deadline() const { return phase_ == Phase::kDoubtful; }

  // Data and checkpoint are here, or cannot be had.
  Action OnPrepared(absl::StatusOr<PreparedTrial> trial);
  // The coordinator has refused this worker's data and ended the lease.
  Action OnDataRefused();
  // The coordinator accepts no more reports, for this reason.
  Action OnReportRefused(const std::string& reason);
  // The coordinator wants no more work on the lease.
  Action Revoke();
  // Ends the lease early and keeps its progress.
  Action GiveBack(const std::string& reason);

  // Ends the trial before its last epoch and keeps what the trainer leaves. A trial that has
  // reached the target epoch of its line ends by itself.
  Action StopEarly();

  // The trial was sent to a trainer. Requires waits_for_trainer().
  void OnSent();
  // A trainer could not be started.
  Action OnStartFailed(const std::string& reason);
  // True if a trainer's line with this id is about this trial. Otherwise the line is the end of a
  // trial that was dropped, or a mistake, which Where then names.
  bool Concerns(const std::string& trial);
  // Messages about this trial; `program`: the trainer's name, `last_lines`: its last output.
  Action OnEpoch(int epoch, const std::string& program);
  Action OnDone(const DoneMessage& done, const std::string& program, const std::string& last_lines,
                TimePoint now);
  Action OnError(const ErrorMessage& error, const std::string& last_lines);
  Action OnTrainerEnd(const TrainerEnd& end, TimePoint now);
  Action Tick(TimePoint now);

  // " after epoch 3 of 10". `trials`: how many trials the trainer had ended before this one.
  std::string Where(int trials) const;

 private:
  enum class Phase {
    kPreparing,  // the reporter fetches data and checkpoint
    kStarting,   // waits for the trainer to be ready
    kRunning,
    kStopping,  // the trainer was told to stop, see intent_
    // The trainer ended as if somebody else had told it to: whoever ends everything on a machine
    // sends SIGTERM to trainers as well as to their worker, and the trainer may be faster. It
    // counts as a failure only if the worker is not told to drain within `end_doubt`.
    kDoubtful,
    kReporting,  // the trainer is done with it; the reporter reports the rest
  };
  // How the lease ends once the trainer has stopped.
  enum class Intent { kDrop, kGiveBack, kStop, kFail };

  Action Stop(Intent intent, std::string reason);
  Action EndAs(v1::LeaseOutcome outcome, std::string reason);
  // The end of a trial that was told to stop; `files`: the files that it leaves.
  Action EndAsIntended(std::map<std::string, std::string> files = {});
  // The trainer's progress is kept.
  bool keeps_work() const { return intent_ == Intent::kGiveBack || intent_ == Intent::kStop; }
  // Holds `failure` back for Tick, in case the worker is told to drain.
  Action Doubt(Action failure, TimePoint now);
  // The trainer has ended the trial by itself before its last epoch.
  Action EndBeforeLast(const DoneMessage& done, const std::string& program,
                       const std::string& last_lines);
  Action OnEndInTrial(const TrainerEnd& end, const std::string& reason, TimePoint now);
  // No trainer has the trial yet.
  bool before_trainer() const { return phase_ == Phase::kPreparing || phase_ == Phase::kStarting; }
  // The trial has reached the target epoch of its line, which is not its last epoch.
  bool is_at_target() const { return trial_.target_epoch > 0 && reached() == trial_.target_epoch; }
  // The last epoch that the coordinator knows or will be told.
  int reached() const { return std::max(last_epoch_, trial_.resumed_epoch); }

  const std::chrono::milliseconds end_doubt_;
  std::optional<TrainerProgram> program_;
  PreparedTrial trial_;
  Phase phase_ = Phase::kPreparing;
  int last_epoch_ = 0;
  bool answered_ = false;                   // the trainer has reported on this trial
  std::optional<std::string> other_trial_;  // the trial that it reported on instead
  Intent intent_ = Intent::kDrop;
  std::string stop_reason_;  // of the intended end
  TimePoint doubt_deadline_;
  Action failure_;  // answered when the doubt is over
};

}  // namespace sweep
