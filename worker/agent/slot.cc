#include "worker/agent/slot.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

std::chrono::milliseconds Chrono(absl::Duration duration) {
  return absl::ToChronoMilliseconds(duration);
}

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

Slot::TimePoint Now() { return std::chrono::steady_clock::now(); }

// A supervisor that has not killed what it minds within this time is stopped, or cannot.
constexpr std::chrono::milliseconds kKillPatience{2000};

}  // namespace

Slot::Slot(int index, const Context& context)
    : index_(index),
      context_(context),
      reporter_(context.reporter, index,
                {.prepared =
                     [this](absl::StatusOr<PreparedTrial> trial) {
                       context_.post([this, trial = std::move(trial)] { OnPrepared(trial); });
                     },
                 .data_refused =
                     [this](std::string reason) {
                       context_.post([this, reason = std::move(reason)] { OnDataRefused(reason); });
                     },
                 .refused =
                     [this](absl::Status status) {
                       context_.post([this, status] { OnRefused(status); });
                     },
                 .released = [this] { context_.post([this] { OnReleased(); }); }}) {}

void Slot::Assign(const v1::Lease& lease) {
  key_ = KeyOf(lease.token());
  phase_ = Phase::kPreparing;
  last_epoch_ = 0;
  trial_ = {};
  context_.logs->Begin(lease.token());
  spdlog::info("lease started slot={} trial={} attempt={} checkpoint_epoch={}", index_, key_.trial,
               key_.attempt, lease.checkpoint_epoch());
  reporter_.Begin(lease);
  wanted_ = lease.program().empty() ? context_.reporter.trainer : TrainerProgram();
  // A sweep's own program is not there yet.
  if (!wanted_.command.empty()) EnsureTrainer();
}

void Slot::Revoke(const LeaseKey& key) {
  if (key != key_) return;
  switch (phase_) {
    case Phase::kFree:
      return;
    case Phase::kPreparing:
    case Phase::kStarting:
    case Phase::kDoubtful:
      return DropLease();
    case Phase::kRunning:
      return StopTrial(Intent::kDrop, "");
    case Phase::kStopping:
      intent_ = Intent::kDrop;
      // Nobody wants the checkpoint any more.
      if (urgency_ == Urgency::kAsked) {
        urgency_deadline_ = std::min(urgency_deadline_, Now() + Chrono(context_.stop_grace));
      }
      return;
    case Phase::kReporting:
      return reporter_.Abandon();
  }
}

void Slot::GiveBack(const std::string& reason) {
  if (phase_ == Phase::kPreparing || phase_ == Phase::kStarting || phase_ == Phase::kDoubtful) {
    EndLease({.outcome = v1::LEASE_OUTCOME_GIVEN_BACK, .reason = reason});
  } else if (phase_ == Phase::kRunning) {
    StopTrial(Intent::kGiveBack, reason);
  }
}

void Slot::GiveBackAtOnce(const std::string& reason) {
  GiveBack(reason);
  if (phase_ == Phase::kStopping) KillTrainer();
}

void Slot::OnPrepared(absl::StatusOr<PreparedTrial> trial) {
  if (phase_ != Phase::kPreparing) return;
  if (!trial.ok()) {
    return EndLease(
        {.outcome = v1::LEASE_OUTCOME_FAILED, .reason = std::string(trial.status().message())});
  }
  trial_ = *std::move(trial);
  wanted_ = trial_.program;
  phase_ = Phase::kStarting;
  EnsureTrainer();
  SendTrial();
}

void Slot::OnDataRefused(const std::string& reason) {
  context_.data_refused(reason);
  if (phase_ == Phase::kPreparing) DropLease();
}

void Slot::OnRefused(const absl::Status& status) {
  if (IsStaleLease(status)) {
    context_.leases->Forget(key_);
    return Revoke(key_);
  }
  const std::string reason = absl::StrCat("the coordinator refused a report: ", status.message());
  if (phase_ == Phase::kRunning) {
    StopTrial(Intent::kFail, reason);
  } else if (phase_ == Phase::kStopping && intent_ != Intent::kDrop) {
    intent_ = Intent::kFail;
    stop_reason_ = reason;
  } else if (phase_ == Phase::kDoubtful) {
    EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = reason});
  } else if (phase_ == Phase::kReporting) {
    reporter_.End({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = reason});
  }
}

void Slot::OnReleased() {
  context_.logs->End(key_);
  context_.leases->Forget(key_);
  phase_ = Phase::kFree;
  idle_since_ = Now();
}

void Slot::EnsureTrainer() {
  if (trainer_ == nullptr) return StartTrainer();
  if (running_ != wanted_) RetireTrainer();
}

void Slot::RetireTrainer() {
  if (retiring_ || urgency_ != Urgency::kNone) return;
  spdlog::debug("trainer not wanted any more slot={} pid={}", index_, trainer_->pid());
  retiring_ = true;
  trainer_->CloseInput();
  urgency_ = Urgency::kAsked;
  urgency_deadline_ = Now() + Chrono(context_.stop_grace);
}

void Slot::StartTrainer() {
  running_ = wanted_;
  // A sweep's own program is sent its trial at once, so that reading one line is all it must do.
  ready_ = running_.of_sweep;
  retiring_ = false;
  served_ = 0;
  bytes_read_ = 0;
  urgency_ = Urgency::kNone;
  doom_.clear();
  output_deadline_.reset();
  DiscardTempDir();
  if (running_.of_sweep) temp_dir_ = context_.reporter.programs->MakeTempDir(index_);
  absl::StatusOr<std::unique_ptr<TrainerProcess>> trainer = TrainerProcess::Start(
      running_, {.temp_dir = temp_dir_, .worker_folder = context_.reporter.work_dir});
  if (!trainer.ok()) return OnStartFailed(std::string(trainer.status().message()));
  trainer_ = *std::move(trainer);
  ready_deadline_ = Now() + Chrono(context_.ready_timeout);
  spdlog::debug("trainer started slot={} pid={}", index_, trainer_->pid());
  SendTrial();
}

void Slot::DiscardTempDir() {
  if (!temp_dir_.empty()) context_.reporter.programs->Discard(std::exchange(temp_dir_, ""));
}

void Slot::SendTrial() {
  if (phase_ != Phase::kStarting || trainer_ == nullptr || !ready_) return;
  // One that is being ended gets no trial; OnExit starts another.
  if (urgency_ != Urgency::kNone) return;
  phase_ = Phase::kRunning;
  heard_ = false;
  stranger_.clear();
  last_output_ = Now();
  if (const absl::Status sent = trainer_->Send(trial_.line); !sent.ok()) {
    Doom(std::string(sent.message()));
  }
}

void Slot::OnMessage(const TrainerMessage& message) {
  if (!doom_.empty() || retiring_) return;
  std::visit(Overloaded{
                 [this](const ReadyMessage& ready) { OnReady(ready); },
                 [this](const ProgressMessage& progress) {
                   if (Concerns(progress.trial)) OnProgress(progress);
                 },
                 [this](const EpochMessage& epoch) {
                   if (Concerns(epoch.trial)) OnEpoch(epoch);
                 },
                 [this](const CheckpointMessage& checkpoint) {
                   if (!Concerns(checkpoint.trial)) return;
                   reporter_.AddCheckpoint(checkpoint.epoch, checkpoint.path);
                 },
                 [this](const DoneMessage& done) {
                   if (Concerns(done.trial)) OnDone(done);
                 },
                 [this](const ErrorMessage& error) {
                   if (Concerns(error.trial)) OnError(error);
                 },
             },
             message);
}

bool Slot::Concerns(const std::string& trial) {
  // Otherwise it is the end of a trial that was dropped.
  if (phase_ != Phase::kRunning && phase_ != Phase::kStopping) return false;
  if (trial != trial_.trial) {
    stranger_ = trial;
    return false;
  }
  heard_ = true;
  return true;
}

void Slot::OnLog(std::string_view line) {
  if (phase_ != Phase::kFree && !retiring_) context_.logs->Add(key_, line);
}

void Slot::OnReady(const ReadyMessage& ready) {
  if (ready_ && !running_.of_sweep) return;
  ready_ = true;
  spdlog::info("trainer ready slot={} pid={} build=\"{}\" device=\"{}\" backend={}", index_,
               trainer_->pid(), ready.build, ready.device, ready.backend);
  context_.trainer_ready(ready.device);
  SendTrial();
}

void Slot::OnProgress(const ProgressMessage& progress) {
  v1::Progress news;
  news.set_trial(key_.trial);
  news.set_epoch(progress.epoch);
  news.set_step(progress.step);
  news.set_steps(progress.steps);
  news.set_loss(progress.loss);
  news.set_images_per_second(progress.images_per_second);
  context_.progress->Update(index_, std::move(news));
}

void Slot::OnEpoch(const EpochMessage& epoch) {
  const int number = epoch.metrics.epoch;
  if (number <= last_epoch_ || number > trial_.epochs) {
    return Doom(absl::StrCat(running_.name(), " broke the protocol: epoch ", number, " of ",
                             trial_.epochs, " after epoch ", last_epoch_));
  }
  last_epoch_ = number;
  reporter_.AddEpoch(epoch.metrics);
}

void Slot::OnDone(const DoneMessage& done) {
  ++served_;
  if (urgency_ == Urgency::kAsked) urgency_ = Urgency::kNone;
  if (phase_ == Phase::kStopping && intent_ == Intent::kDrop) return DropLease();
  if (phase_ == Phase::kStopping && intent_ == Intent::kFail) {
    return EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = stop_reason_});
  }
  if (!done.stopped && (done.epochs != reached() || done.epochs == 0)) {
    return EndLease(
        {.outcome = v1::LEASE_OUTCOME_FAILED,
         .reason = WithLastLines(absl::StrCat(running_.name(), " broke the protocol: done with ",
                                              done.epochs, " epochs", Where()))});
  }
  if (!done.stopped) {
    return EndLease({.outcome = v1::LEASE_OUTCOME_COMPLETED, .reason = "", .files = done.files});
  }
  if (phase_ == Phase::kStopping) {
    return EndLease({.outcome = v1::LEASE_OUTCOME_GIVEN_BACK, .reason = stop_reason_});
  }
  Doubt([this, reason = absl::StrCat(running_.name(), " stopped without being asked")] {
    EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = reason});
  });
}

void Slot::OnError(const ErrorMessage& error) {
  ++served_;
  if (urgency_ == Urgency::kAsked) urgency_ = Urgency::kNone;
  if (phase_ == Phase::kStopping && intent_ == Intent::kDrop) return DropLease();
  if (phase_ == Phase::kStopping && intent_ == Intent::kGiveBack && error.retryable) {
    return EndLease({.outcome = v1::LEASE_OUTCOME_GIVEN_BACK, .reason = error.reason});
  }
  EndLease(
      {.outcome = error.retryable ? v1::LEASE_OUTCOME_FAILED : v1::LEASE_OUTCOME_FAILED_FOR_GOOD,
       .reason = WithLastLines(error.reason)});
}

std::string Slot::Where() const {
  if (reached() > 0) return absl::StrCat(" after epoch ", reached(), " of ", trial_.epochs);
  const bool mistaken = !heard_ && served_ == 0 && !stranger_.empty();
  return absl::StrCat(" before its first epoch",
                      mistaken ? absl::StrCat("; its lines are about trial '", stranger_,
                                              "' instead of '", trial_.trial, "'")
                               : "");
}

void Slot::OnExit(const TrainerProcess::Exit& exit) {
  std::string reason = absl::StrCat(running_.name(), " ", exit.how);
  if (phase_ == Phase::kRunning) {
    absl::StrAppend(&reason, Where(), exit.success ? ", without done" : "");
  }
  const std::string why = WithLastLines(doom_.empty() ? reason : doom_);
  const bool was_ready = ready_;
  const bool was_retiring = std::exchange(retiring_, false);
  const bool saw_it = served_ == 0 || heard_ || !doom_.empty();
  trainer_.reset();
  DiscardTempDir();
  ready_ = false;
  if (ending_) return;
  if (!was_ready && !was_retiring && running_ == wanted_ &&
      (phase_ == Phase::kPreparing || phase_ == Phase::kStarting)) {
    if (!exit.asked) return OnStartFailed(why);
    return Doubt([this, why] { OnStartFailed(why); });
  }
  if (phase_ == Phase::kStarting) return StartTrainer();
  if (phase_ == Phase::kRunning && !saw_it) {
    // It ended between two trials and never saw this one, as a program that trains once does.
    phase_ = Phase::kStarting;
    return StartTrainer();
  }
  if (phase_ == Phase::kRunning) return OnExitInTrial(exit, why);
  if (phase_ != Phase::kStopping) return;
  switch (intent_) {
    case Intent::kDrop:
      return DropLease();
    case Intent::kGiveBack:
      return EndLease({.outcome = v1::LEASE_OUTCOME_GIVEN_BACK, .reason = stop_reason_});
    case Intent::kFail:
      return EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = stop_reason_});
  }
}

void Slot::OnExitInTrial(const TrainerProcess::Exit& exit, const std::string& why) {
  const bool all = last_epoch_ == trial_.epochs;
  if (running_.of_sweep && exit.success && all && doom_.empty()) {
    // A program need not say that it is done.
    return EndLease({.outcome = v1::LEASE_OUTCOME_COMPLETED});
  }
  const auto fail = [this, why] {
    spdlog::info("trainer lost slot={} trial={} reason=\"{}\"", index_, key_.trial, why);
    EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = why});
  };
  exit.asked&& doom_.empty() ? Doubt(fail) : fail();
}

void Slot::Doubt(std::function<void()> failure) {
  phase_ = Phase::kDoubtful;
  context_.progress->Remove(index_);
  failure_ = std::move(failure);
  doubt_deadline_ = Now() + Chrono(context_.end_doubt);
}

void Slot::OnStartFailed(const std::string& reason) {
  spdlog::error("trainer unusable slot={} reason=\"{}\"", index_, reason);
  EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = reason});
  // A sweep's own program says nothing about those of other sweeps.
  if (!running_.of_sweep) context_.trainer_unusable(reason);
}

void Slot::StopTrial(Intent intent, std::string reason) {
  phase_ = Phase::kStopping;
  intent_ = intent;
  stop_reason_ = std::move(reason);
  if (urgency_ != Urgency::kNone) return;
  urgency_ = Urgency::kAsked;
  urgency_deadline_ =
      Now() + Chrono(intent == Intent::kGiveBack ? context_.drain_grace : context_.stop_grace);
  spdlog::info("trial told to stop slot={} trial={} attempt={}", index_, key_.trial, key_.attempt);
  const absl::Status sent =
      trainer_->Send(TrainerCommandToJson(TrainerCommand::kStop, trial_.trial));
  if (!sent.ok()) spdlog::warn("stop not sent slot={} error={}", index_, sent.ToString());
}

void Slot::Doom(std::string reason) {
  if (doom_.empty()) doom_ = std::move(reason);
  KillTrainer();
}

void Slot::EndLease(LeaseEnd end) {
  phase_ = Phase::kReporting;
  context_.progress->Remove(index_);
  reporter_.End(std::move(end));
}

void Slot::DropLease() {
  spdlog::info("lease dropped slot={} trial={} attempt={}", index_, key_.trial, key_.attempt);
  phase_ = Phase::kReporting;
  context_.progress->Remove(index_);
  reporter_.Abandon();
}

std::string Slot::WithLastLines(const std::string& reason) const {
  const std::string lines = trainer_ == nullptr ? "" : trainer_->LastLines();
  return lines.empty() ? reason : absl::StrCat(reason, "\n", lines);
}

void Slot::AppendPollFds(std::vector<pollfd>* fds) const {
  if (trainer_ != nullptr) trainer_->AppendPollFds(fds);
}

TrainerProcess::Sinks Slot::MakeSinks() {
  return {.message = [this](const TrainerMessage& message) { OnMessage(message); },
          .log = [this](std::string_view line) { OnLog(line); }};
}

void Slot::Serve() {
  if (trainer_ == nullptr) return;
  trainer_->Flush();
  const absl::Status status = trainer_->Read(MakeSinks());
  if (trainer_->bytes_read() != bytes_read_) {
    bytes_read_ = trainer_->bytes_read();
    last_output_ = Now();
  }
  if (!status.ok() && !retiring_) Doom(std::string(status.message()));
}

void Slot::Tick(TimePoint now) {
  if (phase_ == Phase::kDoubtful && now >= doubt_deadline_) std::exchange(failure_, nullptr)();
  if (trainer_ == nullptr) return;
  if (const std::optional<TrainerProcess::Exit> exit = trainer_->PollExit(MakeSinks())) {
    if (doom_.empty() && !exit->output.ok()) doom_ = std::string(exit->output.message());
    return OnExit(*exit);
  }
  CheckDeadlines(now);
  CheckUrgency(now);
}

void Slot::CheckDeadlines(TimePoint now) {
  if (!ready_ && doom_.empty() && !retiring_ && now >= ready_deadline_) {
    Doom(absl::StrCat("trainer ", running_.command[0], " did not say ready within ",
                      absl::FormatDuration(context_.ready_timeout)));
  }
  const absl::Duration silent = absl::FromChrono(now - last_output_);
  if (phase_ == Phase::kRunning && running_.of_sweep && silent >= context_.silence_timeout) {
    Doom(absl::StrCat(running_.name(), " printed nothing for ",
                      absl::FormatDuration(context_.silence_timeout), ", and was ended", Where()));
  }
  const absl::Duration idle = absl::FromChrono(now - idle_since_);
  if (phase_ == Phase::kFree && running_.of_sweep && idle >= context_.program_idle) {
    RetireTrainer();
  }
  if (trainer_->output_closed() && !output_deadline_) {
    output_deadline_ = now + Chrono(context_.stop_grace);
  }
  if (output_deadline_ && now >= *output_deadline_) {
    Doom(absl::StrCat(running_.name(), " closed its output"));
  }
}

void Slot::CheckUrgency(TimePoint now) {
  if (urgency_ == Urgency::kKilled) {
    // Again and again: another signal of the same number may have hidden the first.
    return now < kill_deadline_ ? trainer_->Kill() : trainer_->KillSupervisor();
  }
  if (now < urgency_deadline_) return;
  if (urgency_ == Urgency::kAsked) {
    trainer_->Terminate();
    urgency_ = Urgency::kTerminated;
    urgency_deadline_ = now + Chrono(context_.stop_grace);
  } else if (urgency_ == Urgency::kTerminated) {
    KillTrainer();
  }
}

void Slot::EndTrainer(bool at_once) {
  ending_ = true;
  if (trainer_ == nullptr) return;
  at_once ? KillTrainer() : trainer_->CloseInput();
}

void Slot::KillTrainer() {
  if (trainer_ == nullptr || urgency_ == Urgency::kKilled) return;
  urgency_ = Urgency::kKilled;
  kill_deadline_ = Now() + kKillPatience;
  trainer_->Kill();
}

}  // namespace sweep
