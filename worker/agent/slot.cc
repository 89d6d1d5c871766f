#include "worker/agent/slot.h"

#include <signal.h>

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

}  // namespace

Slot::Slot(int index, const Context& context)
    : index_(index),
      context_(context),
      reporter_(context.reporter,
                {.prepared =
                     [this](absl::StatusOr<PreparedTrial> trial) {
                       context_.post([this, trial = std::move(trial)] { OnPrepared(trial); });
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
  spdlog::info("lease started slot={} trial={} attempt={} checkpoint_epoch={}", index_, key_.trial,
               key_.attempt, lease.checkpoint_epoch());
  reporter_.Begin(lease);
  StartTrainer();
}

void Slot::Revoke(const LeaseKey& key) {
  if (key != key_) return;
  switch (phase_) {
    case Phase::kFree:
      return;
    case Phase::kPreparing:
    case Phase::kStarting:
      return DropLease();
    case Phase::kRunning:
      return StopTrial(Intent::kDrop, "");
    case Phase::kStopping:
      intent_ = Intent::kDrop;
      return;
    case Phase::kReporting:
      return reporter_.Abandon();
  }
}

void Slot::GiveBack() {
  if (phase_ == Phase::kPreparing || phase_ == Phase::kStarting) {
    EndLease({.outcome = v1::LEASE_OUTCOME_GIVEN_BACK, .reason = "the worker drains"});
  } else if (phase_ == Phase::kRunning) {
    StopTrial(Intent::kGiveBack, "");
  }
}

void Slot::OnPrepared(absl::StatusOr<PreparedTrial> trial) {
  if (phase_ != Phase::kPreparing) return;
  if (!trial.ok()) {
    return EndLease({.outcome = v1::LEASE_OUTCOME_FAILED,
                     .reason = std::string(trial.status().message())});
  }
  trial_ = *std::move(trial);
  phase_ = Phase::kStarting;
  StartTrainer();
  SendTrial();
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
  } else if (phase_ == Phase::kReporting) {
    reporter_.End({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = reason});
  }
}

void Slot::OnReleased() {
  context_.leases->Forget(key_);
  phase_ = Phase::kFree;
}

void Slot::StartTrainer() {
  if (trainer_ != nullptr) return;
  ready_ = false;
  served_ = 0;
  urgency_ = Urgency::kNone;
  doom_.clear();
  output_deadline_.reset();
  absl::StatusOr<std::unique_ptr<TrainerProcess>> trainer =
      TrainerProcess::Start(context_.command);
  if (!trainer.ok()) return OnStartFailed(std::string(trainer.status().message()));
  trainer_ = *std::move(trainer);
  ready_deadline_ = Now() + Chrono(context_.ready_timeout);
  spdlog::debug("trainer started slot={} pid={}", index_, trainer_->pid());
}

void Slot::SendTrial() {
  if (phase_ != Phase::kStarting || trainer_ == nullptr || !ready_) return;
  // One that is being ended gets no trial; OnExit starts another.
  if (urgency_ != Urgency::kNone) return;
  phase_ = Phase::kRunning;
  heard_ = false;
  if (const absl::Status sent = trainer_->Send(trial_.line); !sent.ok()) {
    Doom(std::string(sent.message()));
  }
}

void Slot::OnMessage(const TrainerMessage& message) {
  if (!doom_.empty()) return;
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
  if ((phase_ != Phase::kRunning && phase_ != Phase::kStopping) || trial != trial_.trial) {
    return false;
  }
  heard_ = true;
  return true;
}

void Slot::OnReady(const ReadyMessage& ready) {
  if (ready_) return;
  ready_ = true;
  spdlog::info("trainer ready slot={} pid={} build=\"{}\" device=\"{}\"", index_, trainer_->pid(),
               ready.build, ready.device);
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
    return Doom(absl::StrCat("trainer broke the protocol: epoch ", number, " of ", trial_.epochs,
                             " after epoch ", last_epoch_));
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
  if (!done.stopped) {
    return EndLease({.outcome = v1::LEASE_OUTCOME_COMPLETED, .reason = "", .files = done.files});
  }
  if (phase_ == Phase::kStopping) {
    return EndLease({.outcome = v1::LEASE_OUTCOME_GIVEN_BACK, .reason = "the worker drains"});
  }
  EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = "trainer stopped without being asked"});
}

void Slot::OnError(const ErrorMessage& error) {
  ++served_;
  if (urgency_ == Urgency::kAsked) urgency_ = Urgency::kNone;
  if (phase_ == Phase::kStopping && intent_ == Intent::kDrop) return DropLease();
  if (phase_ == Phase::kStopping && intent_ == Intent::kGiveBack && error.retryable) {
    return EndLease({.outcome = v1::LEASE_OUTCOME_GIVEN_BACK, .reason = error.reason});
  }
  EndLease({.outcome = error.retryable ? v1::LEASE_OUTCOME_FAILED
                                       : v1::LEASE_OUTCOME_FAILED_FOR_GOOD,
            .reason = WithLastLines(error.reason)});
}

void Slot::OnExit(const std::string& how) {
  const std::string reason = WithLastLines(doom_.empty() ? absl::StrCat("trainer ", how) : doom_);
  const bool was_ready = ready_;
  const bool was_warm = was_ready && served_ > 0;
  trainer_.reset();
  ready_ = false;
  if (ending_) return;
  if (!was_ready && (phase_ == Phase::kPreparing || phase_ == Phase::kStarting)) {
    return OnStartFailed(reason);
  }
  if (phase_ == Phase::kStarting) return StartTrainer();
  if (phase_ == Phase::kRunning && was_warm && !heard_ && doom_.empty()) {
    // It ended between two trials and never saw this one, as a program that trains once does.
    phase_ = Phase::kStarting;
    return StartTrainer();
  }
  if (phase_ == Phase::kRunning) {
    spdlog::warn("trainer lost slot={} trial={} reason=\"{}\"", index_, key_.trial, reason);
    return EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = reason});
  }
  if (phase_ != Phase::kStopping) return;
  switch (intent_) {
    case Intent::kDrop:
      return DropLease();
    case Intent::kGiveBack:
      return EndLease({.outcome = v1::LEASE_OUTCOME_GIVEN_BACK, .reason = "the worker drains"});
    case Intent::kFail:
      return EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = stop_reason_});
  }
}

void Slot::OnStartFailed(const std::string& reason) {
  spdlog::error("trainer unusable slot={} reason=\"{}\"", index_, reason);
  EndLease({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = reason});
  context_.trainer_unusable(reason);
}

void Slot::StopTrial(Intent intent, std::string reason) {
  phase_ = Phase::kStopping;
  intent_ = intent;
  stop_reason_ = std::move(reason);
  if (urgency_ != Urgency::kNone) return;
  urgency_ = Urgency::kAsked;
  urgency_deadline_ = Now() + Chrono(context_.stop_grace);
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

void Slot::Serve() {
  if (trainer_ == nullptr) return;
  trainer_->Flush();
  const absl::Status status =
      trainer_->Read([this](const TrainerMessage& message) { OnMessage(message); });
  if (!status.ok()) Doom(std::string(status.message()));
}

void Slot::Tick(TimePoint now) {
  if (trainer_ == nullptr) return;
  const std::optional<std::string> how =
      trainer_->PollExit([this](const TrainerMessage& message) { OnMessage(message); });
  if (how) return OnExit(*how);
  if (!ready_ && doom_.empty() && now >= ready_deadline_) {
    Doom(absl::StrCat("trainer ", context_.command[0], " did not say ready within ",
                      absl::FormatDuration(context_.ready_timeout)));
  }
  if (trainer_->output_closed() && !output_deadline_) {
    output_deadline_ = now + Chrono(context_.stop_grace);
  }
  if (output_deadline_ && now >= *output_deadline_) Doom("trainer closed its output");
  if (now < urgency_deadline_) return;
  if (urgency_ == Urgency::kAsked) {
    trainer_->Signal(SIGTERM);
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
  trainer_->Signal(SIGKILL);
}

}  // namespace sweep
