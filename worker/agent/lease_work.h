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

// What becomes of one lease, from its grant to the last word about it. Pure: it is told what
// happens and answers with what is to be done, and knows no process, thread or clock. Not
// thread-safe.
class LeaseWork {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct NoAction {};
  // The program of the lease is to run, and to get the trial when it can take it.
  struct UseTrainer {};
  // The trainer is to stop the trial; `keep`: with the time that a checkpoint takes.
  struct StopTrial {
    bool keep = false;
  };
  // Nobody wants the checkpoint any more that the trainer was given time for.
  struct HurryTrainer {};
  // The trainer has broken the protocol and is to be killed.
  struct FailTrainer {
    std::string reason;
  };
  // The trainer has nothing to do with it any more; how it ended is said later, see Tick.
  struct Wait {};
  // The lease has ended like this.
  struct End {
    LeaseEnd end;
    bool trainer_lost = false;
  };
  // Likewise, because the program could not be started or did not become ready.
  struct EndUnusable {
    std::string reason;
  };
  // Nobody wants to hear of the lease any more; `ended`: its end was told already.
  struct Drop {
    bool ended = false;
  };
  using Action = std::variant<NoAction, UseTrainer, StopTrial, HurryTrainer, FailTrainer, Wait, End,
                              EndUnusable, Drop>;

  // `program` trains it; nullopt if that is known only when the lease is prepared. `end_doubt`: see
  // Phase::kDoubtful.
  LeaseWork(std::optional<TrainerProgram> program, std::chrono::milliseconds end_doubt)
      : end_doubt_(end_doubt), program_(std::move(program)) {}

  // What trains this lease, if that is known.
  const std::optional<TrainerProgram>& program() const { return program_; }
  const PreparedTrial& trial() const { return trial_; }
  // The trial waits for a trainer that takes it.
  bool waits_for_trainer() const { return phase_ == Phase::kStarting; }
  bool running() const { return phase_ == Phase::kRunning; }
  bool stopping() const { return phase_ == Phase::kStopping; }
  // Wants to be ticked often.
  bool has_deadline() const { return phase_ == Phase::kDoubtful; }

  // Data and checkpoint are here, or cannot be had.
  Action OnPrepared(absl::StatusOr<PreparedTrial> trial);
  // The coordinator refuses this worker's data, and has ended the lease.
  Action OnDataRefused();
  // The coordinator takes no more reports, for this reason.
  Action OnReportRefused(const std::string& reason);
  // The coordinator does not want the lease worked on any more.
  Action Revoke();
  // The lease is to end early, keeping what was reached.
  Action GiveBack(const std::string& reason);

  // The trial is to end before its last epoch; what the trainer leaves of it is kept. One that has
  // reached the target epoch of its line ends by itself.
  Action StopEarly();

  // A trainer has been sent the trial. Requires waits_for_trainer().
  void OnSent();
  // A trainer could not be started.
  Action OnStartFailed(const std::string& reason);
  // True when a line of the trainer with this id is about this trial. Otherwise it is the end of a
  // trial that was dropped, or a mistake, which Where will name.
  bool Concerns(const std::string& trial);
  // Messages that concern it; `program` is the trainer's name, `last_lines` what it has printed.
  Action OnEpoch(int epoch, const std::string& program);
  Action OnDone(const DoneMessage& done, const std::string& program, const std::string& last_lines,
                TimePoint now);
  Action OnError(const ErrorMessage& error, const std::string& last_lines);
  Action OnTrainerEnd(const TrainerEnd& end, TimePoint now);
  Action Tick(TimePoint now);

  // " after epoch 3 of 10". `trials`: that the trainer had ended before this one.
  std::string Where(int trials) const;

 private:
  enum class Phase {
    kPreparing,  // the reporter fetches data and checkpoint
    kStarting,   // waits for the trainer to be ready
    kRunning,
    kStopping,  // the trainer was told to stop, see intent_
    // The trainer ended as if it had been told to by somebody else: whoever ends everything on a
    // machine sends a trainer SIGTERM beside its worker, and the trainer may be faster. So that
    // counts as a failure only when nobody has told the worker to drain for a moment either.
    kDoubtful,
    kReporting,  // the trainer has nothing to do with it any more; the reporter tells the rest
  };
  // What becomes of the lease when the trainer has stopped.
  enum class Intent { kDrop, kGiveBack, kStop, kFail };

  Action Stop(Intent intent, std::string reason);
  Action EndAs(v1::LeaseOutcome outcome, std::string reason);
  // The end of a trial that was told to stop; `files`: what it leaves.
  Action EndAsIntended(std::map<std::string, std::string> files = {});
  // The trainer is to leave what it has reached.
  bool keeps_work() const { return intent_ == Intent::kGiveBack || intent_ == Intent::kStop; }
  // Waits whether the worker is told to drain before it says `failure`.
  Action Doubt(Action failure, TimePoint now);
  // The trainer has ended the trial by itself before its last epoch.
  Action EndBeforeLast(const DoneMessage& done, const std::string& program,
                       const std::string& last_lines);
  Action OnEndInTrial(const TrainerEnd& end, const std::string& reason, TimePoint now);
  // No trainer has it yet.
  bool before_trainer() const { return phase_ == Phase::kPreparing || phase_ == Phase::kStarting; }
  // No further than its line says, though not to the last epoch.
  bool is_at_target() const { return trial_.target_epoch > 0 && reached() == trial_.target_epoch; }
  // The last epoch that the coordinator is told or knows.
  int reached() const { return std::max(last_epoch_, trial_.resumed_epoch); }

  const std::chrono::milliseconds end_doubt_;
  std::optional<TrainerProgram> program_;
  PreparedTrial trial_;
  Phase phase_ = Phase::kPreparing;
  int last_epoch_ = 0;
  bool answered_ = false;                   // the trainer has spoken about this trial
  std::optional<std::string> other_trial_;  // the one that it spoke about instead
  Intent intent_ = Intent::kDrop;
  std::string stop_reason_;  // of the end that is intended
  TimePoint doubt_deadline_;
  Action failure_;  // what the doubt is about
};

}  // namespace sweep
