#include "worker/agent/lease_work.h"

#include "absl/strings/str_cat.h"

namespace sweep {
namespace {

std::string WithLastLines(const std::string& reason, const std::string& last_lines) {
  return last_lines.empty() ? reason : absl::StrCat(reason, "\n", last_lines);
}

}  // namespace

LeaseWork::Action LeaseWork::OnPrepared(absl::StatusOr<PreparedTrial> trial) {
  if (phase_ != Phase::kPreparing) return NoAction();
  if (!trial.ok()) {
    return EndAs(v1::LEASE_OUTCOME_FAILED, std::string(trial.status().message()));
  }
  trial_ = *std::move(trial);
  program_ = trial_.program;
  phase_ = Phase::kStarting;
  return UseTrainer();
}

LeaseWork::Action LeaseWork::OnDataRefused() {
  return phase_ == Phase::kPreparing ? Revoke() : NoAction();
}

LeaseWork::Action LeaseWork::OnReportRefused(const std::string& reason) {
  switch (phase_) {
    case Phase::kPreparing:
    case Phase::kStarting:
      return NoAction();
    case Phase::kRunning:
      return Stop(Intent::kFail, reason);
    case Phase::kStopping:
      if (intent_ == Intent::kDrop) return NoAction();
      intent_ = Intent::kFail;
      stop_reason_ = reason;
      return NoAction();
    case Phase::kDoubtful:
    case Phase::kReporting:
      return EndAs(v1::LEASE_OUTCOME_FAILED, reason);
  }
  return NoAction();
}

LeaseWork::Action LeaseWork::Revoke() {
  switch (phase_) {
    case Phase::kPreparing:
    case Phase::kStarting:
    case Phase::kDoubtful:
      phase_ = Phase::kReporting;
      return Drop();
    case Phase::kRunning:
      return Stop(Intent::kDrop, "");
    case Phase::kStopping:
      intent_ = Intent::kDrop;
      return ShortenTrainerDeadline();
    case Phase::kReporting:
      return Drop{.ended = true};
  }
  return NoAction();
}

LeaseWork::Action LeaseWork::GiveBack(const std::string& reason) {
  if (before_trainer() || phase_ == Phase::kDoubtful) {
    return EndAs(v1::LEASE_OUTCOME_GIVEN_BACK, reason);
  }
  return phase_ == Phase::kRunning ? Stop(Intent::kGiveBack, reason) : NoAction();
}

LeaseWork::Action LeaseWork::StopEarly() {
  constexpr char kWhy[] = "stopped early";
  if (before_trainer() || phase_ == Phase::kDoubtful) {
    return EndAs(v1::LEASE_OUTCOME_STOPPED, kWhy);
  }
  if (phase_ == Phase::kRunning) {
    return is_at_target() ? Action(NoAction()) : Stop(Intent::kStop, kWhy);
  }
  if (phase_ == Phase::kStopping && intent_ == Intent::kGiveBack) {
    intent_ = Intent::kStop;
    stop_reason_ = kWhy;
  }
  return NoAction();
}

void LeaseWork::OnSent() {
  phase_ = Phase::kRunning;
  answered_ = false;
  other_trial_.reset();
}

LeaseWork::Action LeaseWork::OnStartFailed(const std::string& reason) {
  phase_ = Phase::kReporting;
  return EndUnusable{.reason = reason};
}

bool LeaseWork::Concerns(const std::string& trial) {
  if (phase_ != Phase::kRunning && phase_ != Phase::kStopping) return false;
  if (trial != trial_.trial) {
    other_trial_ = trial;
    return false;
  }
  answered_ = true;
  return true;
}

LeaseWork::Action LeaseWork::OnEpoch(int epoch, const std::string& program) {
  if (epoch <= last_epoch_ || epoch > trial_.epochs) {
    return FailTrainer{.reason = absl::StrCat(program, " broke the protocol: epoch ", epoch, " of ",
                                              trial_.epochs, " after epoch ", last_epoch_)};
  }
  last_epoch_ = epoch;
  const bool goes_too_far = trial_.target_epoch > 0 && epoch > trial_.target_epoch;
  if (!goes_too_far || phase_ != Phase::kRunning) return NoAction();
  return Stop(Intent::kStop, absl::StrCat(program, " went on after its target epoch ",
                                          trial_.target_epoch, " and was stopped"));
}

LeaseWork::Action LeaseWork::OnDone(const DoneMessage& done, const std::string& program,
                                    const std::string& last_lines, TimePoint now) {
  if (phase_ == Phase::kStopping && !keeps_work()) return EndAsIntended();
  // A sweep's own program need not have evaluated its last epochs.
  const int most = program_ && program_->of_sweep ? trial_.epochs : reached();
  const bool is_right = done.epochs >= reached() && done.epochs <= most && done.epochs > 0;
  if (!done.stopped && !is_right) {
    return EndAs(v1::LEASE_OUTCOME_FAILED,
                 WithLastLines(absl::StrCat(program, " broke the protocol: done with ", done.epochs,
                                            " epochs", Where(/*trials=*/0)),
                               last_lines));
  }
  if (!done.stopped && done.epochs < trial_.epochs && trial_.target_epoch > 0) {
    return EndBeforeLast(done, program, last_lines);
  }
  if (!done.stopped) {
    phase_ = Phase::kReporting;
    return End{.end = {.outcome = v1::LEASE_OUTCOME_COMPLETED, .reason = "", .files = done.files}};
  }
  if (phase_ == Phase::kStopping) return EndAsIntended(done.files);
  return Doubt(End{.end = {.outcome = v1::LEASE_OUTCOME_FAILED,
                           .reason = absl::StrCat(program, " stopped without being asked")}},
               now);
}

LeaseWork::Action LeaseWork::EndBeforeLast(const DoneMessage& done, const std::string& program,
                                           const std::string& last_lines) {
  if (reached() < trial_.target_epoch) {
    return EndAs(v1::LEASE_OUTCOME_FAILED,
                 WithLastLines(absl::StrCat(program, " is done with ", done.epochs,
                                            " epochs and has not reported its target epoch ",
                                            trial_.target_epoch, Where(/*trials=*/0)),
                               last_lines));
  }
  phase_ = Phase::kReporting;
  return End{.end = {.outcome = v1::LEASE_OUTCOME_HELD, .reason = "", .files = done.files}};
}

LeaseWork::Action LeaseWork::OnError(const ErrorMessage& error, const std::string& last_lines) {
  if (phase_ == Phase::kStopping && intent_ == Intent::kDrop) return EndAsIntended();
  if (phase_ == Phase::kStopping && keeps_work() && error.retryable) {
    return EndAs(
        intent_ == Intent::kStop ? v1::LEASE_OUTCOME_STOPPED : v1::LEASE_OUTCOME_GIVEN_BACK,
        error.reason);
  }
  return EndAs(error.retryable ? v1::LEASE_OUTCOME_FAILED : v1::LEASE_OUTCOME_FAILED_FOR_GOOD,
               WithLastLines(error.reason, last_lines));
}

LeaseWork::Action LeaseWork::OnTrainerEnd(const TrainerEnd& end, TimePoint now) {
  const std::string reason =
      WithLastLines(end.fault.value_or(absl::StrCat(
                        end.program.name(), " ", end.how, running() ? Where(end.trials) : "",
                        running() && end.success ? ", without done" : "")),
                    end.last_lines);
  if (!end.started && end.program == program_ && before_trainer()) {
    if (!end.asked) return OnStartFailed(reason);
    return Doubt(EndUnusable{.reason = reason}, now);
  }
  switch (phase_) {
    case Phase::kPreparing:
    case Phase::kDoubtful:
    case Phase::kReporting:
      return NoAction();
    case Phase::kStarting:
      return UseTrainer();
    case Phase::kRunning:
      return OnEndInTrial(end, reason, now);
    case Phase::kStopping:
      return EndAsIntended();
  }
  return NoAction();
}

LeaseWork::Action LeaseWork::OnEndInTrial(const TrainerEnd& end, const std::string& reason,
                                          TimePoint now) {
  if (end.trials > 0 && !answered_ && !end.fault) {
    // The trainer ended between two trials, as a program that trains once does, and never saw this
    // one.
    phase_ = Phase::kStarting;
    return UseTrainer();
  }
  // A sweep's own program need not report that it is done.
  const bool is_over = end.program.of_sweep && end.success && !end.fault;
  if (is_over && last_epoch_ == trial_.epochs) return EndAs(v1::LEASE_OUTCOME_COMPLETED, "");
  if (is_over && is_at_target()) return EndAs(v1::LEASE_OUTCOME_HELD, "");
  End lost{.end = {.outcome = v1::LEASE_OUTCOME_FAILED, .reason = reason}, .trainer_lost = true};
  if (end.asked && !end.fault) return Doubt(std::move(lost), now);
  phase_ = Phase::kReporting;
  return lost;
}

LeaseWork::Action LeaseWork::Tick(TimePoint now) {
  if (phase_ != Phase::kDoubtful || now < doubt_deadline_) return NoAction();
  phase_ = Phase::kReporting;
  return std::exchange(failure_, NoAction());
}

std::string LeaseWork::Where(int trials) const {
  if (reached() > 0) return absl::StrCat(" after epoch ", reached(), " of ", trial_.epochs);
  const bool mistaken = !answered_ && trials == 0 && other_trial_;
  return absl::StrCat(" before its first epoch",
                      mistaken ? absl::StrCat("; its lines are about trial '", *other_trial_,
                                              "' instead of '", trial_.trial, "'")
                               : "");
}

LeaseWork::Action LeaseWork::Stop(Intent intent, std::string reason) {
  phase_ = Phase::kStopping;
  intent_ = intent;
  stop_reason_ = std::move(reason);
  return StopTrial{.keep = keeps_work()};
}

LeaseWork::Action LeaseWork::EndAs(v1::LeaseOutcome outcome, std::string reason) {
  phase_ = Phase::kReporting;
  return End{.end = {.outcome = outcome, .reason = std::move(reason)}};
}

LeaseWork::Action LeaseWork::EndAsIntended(std::map<std::string, std::string> files) {
  switch (intent_) {
    case Intent::kDrop:
      phase_ = Phase::kReporting;
      return Drop();
    case Intent::kGiveBack:
      return EndAs(v1::LEASE_OUTCOME_GIVEN_BACK, stop_reason_);
    case Intent::kStop:
      phase_ = Phase::kReporting;
      return End{.end = {.outcome = v1::LEASE_OUTCOME_STOPPED,
                         .reason = stop_reason_,
                         .files = std::move(files)}};
    case Intent::kFail:
      return EndAs(v1::LEASE_OUTCOME_FAILED, stop_reason_);
  }
  return NoAction();
}

LeaseWork::Action LeaseWork::Doubt(Action failure, TimePoint now) {
  phase_ = Phase::kDoubtful;
  failure_ = std::move(failure);
  doubt_deadline_ = now + end_doubt_;
  return Wait();
}

}  // namespace sweep
