#include "worker/agent/slot.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/overloaded.h"
#include "spdlog/spdlog.h"

namespace sweep {
Slot::Slot(int index, const Context& context)
    : index_(index),
      context_(context),
      holder_(index,
              {.stop_grace = context.stop_grace,
               .ready_timeout = context.ready_timeout,
               .programs = context.reporter.programs,
               .work_dir = context.reporter.work_dir},
              TrainerEvents()),
      reporter_(context.reporter, index, ReporterEvents()) {}

LeaseReporter::Events Slot::ReporterEvents() {
  return {
      .prepared =
          [this](absl::StatusOr<PreparedTrial> trial) {
            context_.post([this, trial = std::move(trial)] { OnPrepared(trial); });
          },
      .data_refused =
          [this](std::string reason) {
            context_.post([this, reason = std::move(reason)] { OnDataRefused(reason); });
          },
      .refused =
          [this](absl::Status status) { context_.post([this, status] { OnRefused(status); }); },
      .released = [this] { context_.post([this] { OnReleased(); }); },
  };
}

TrainerHolder::Events Slot::TrainerEvents() {
  return {
      .ready =
          [this](const std::string& device) {
            context_.trainer_ready(device);
            SendTrial();
          },
      .message = [this](const TrainerMessage& message) { OnMessage(message); },
      .log =
          [this](std::string_view line) {
            if (work_) context_.logs->Add(key_, line);
          },
      .ended =
          [this](const TrainerEnd& end) {
            if (work_) Perform(work_->OnTrainerEnd(end, std::chrono::steady_clock::now()));
          },
  };
}

void Slot::Assign(const v1::Lease& lease) {
  key_ = KeyOf(lease.token());
  // A sweep's own program is known only when the lease is prepared.
  std::optional<TrainerProgram> program;
  if (lease.program().empty() && !context_.reporter.trainer.command.empty()) {
    program = context_.reporter.trainer;
  }
  work_.emplace(program, absl::ToChronoMilliseconds(context_.end_doubt));
  context_.logs->Begin(lease.token());
  spdlog::info("lease started slot={} trial={} attempt={} checkpoint_epoch={}", index_, key_.trial,
               key_.attempt, lease.checkpoint_epoch());
  reporter_.Begin(lease);
  if (program) UseTrainer();
}

void Slot::Revoke(const LeaseKey& key) {
  if (Holds(key)) Perform(work_->Revoke());
}

void Slot::GiveBack(const std::string& reason) {
  if (work_) Perform(work_->GiveBack(reason));
}

void Slot::StopEarly() {
  if (work_) Perform(work_->StopEarly());
}

void Slot::GiveBackAtOnce(const std::string& reason) {
  GiveBack(reason);
  if (work_ && work_->stopping()) holder_.Kill();
}

void Slot::OnPrepared(absl::StatusOr<PreparedTrial> trial) {
  Perform(work_->OnPrepared(std::move(trial)));
}

void Slot::OnDataRefused(const std::string& reason) {
  context_.data_refused(reason);
  Perform(work_->OnDataRefused());
}

void Slot::OnRefused(const absl::Status& status) {
  if (IsStaleLease(status)) {
    context_.leases->Forget(key_);
    return Perform(work_->Revoke());
  }
  Perform(
      work_->OnReportRefused(absl::StrCat("the coordinator refused a report: ", status.message())));
}

void Slot::OnReleased() {
  context_.logs->End(key_);
  context_.leases->Forget(key_);
  work_.reset();
  free_since_ = std::chrono::steady_clock::now();
}

void Slot::UseTrainer() {
  if (const absl::Status used = holder_.Use(*work_->program()); !used.ok()) {
    return Perform(work_->OnStartFailed(std::string(used.message())));
  }
  SendTrial();
}

void Slot::SendTrial() {
  if (!work_ || !work_->waits_for_trainer() || !holder_.takes_trial()) return;
  work_->OnSent();
  holder_.SendTrial(work_->trial().line);
}

void Slot::OnMessage(const TrainerMessage& message) {
  const auto concerns = [this](const auto& of_trial) {
    return work_ && work_->Concerns(of_trial.trial);
  };
  std::visit(Overloaded{
                 [](const ReadyMessage&) {},
                 [&](const ProgressMessage& progress) {
                   if (concerns(progress)) OnProgress(progress);
                 },
                 [&](const EpochMessage& epoch) {
                   if (concerns(epoch)) OnEpoch(epoch);
                 },
                 [&](const CheckpointMessage& checkpoint) {
                   if (concerns(checkpoint)) {
                     reporter_.AddCheckpoint(checkpoint.epoch, checkpoint.path);
                   }
                 },
                 [&](const DoneMessage& done) {
                   if (!concerns(done)) return;
                   holder_.OnTrialEnded();
                   Perform(work_->OnDone(done, holder_.program().name(), holder_.LastLines(),
                                         std::chrono::steady_clock::now()));
                 },
                 [&](const ErrorMessage& error) {
                   if (!concerns(error)) return;
                   holder_.OnTrialEnded();
                   Perform(work_->OnError(error, holder_.LastLines()));
                 },
             },
             message);
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
  LeaseWork::Action action = work_->OnEpoch(epoch.metrics.epoch, holder_.program().name());
  if (!std::holds_alternative<LeaseWork::FailTrainer>(action)) {
    reporter_.AddEpoch(epoch.metrics, holder_.ready_line());
  }
  Perform(std::move(action));
}

void Slot::Perform(LeaseWork::Action action) {
  std::visit([this](const auto& act) { Do(act); }, action);
}

void Slot::Do(const LeaseWork::StopTrial& stop) {
  if (!holder_.StopTrial(work_->trial().trial,
                         stop.keep ? context_.drain_grace : context_.stop_grace)) {
    return;
  }
  spdlog::info("trial told to stop slot={} trial={} attempt={}", index_, key_.trial, key_.attempt);
}

void Slot::Do(const LeaseWork::End& end) {
  if (end.trainer_lost) {
    spdlog::info("trainer lost slot={} trial={} reason=\"{}\"", index_, key_.trial, end.end.reason);
  }
  context_.progress->Remove(index_);
  reporter_.End(end.end);
}

void Slot::Do(const LeaseWork::EndUnusable& end) {
  spdlog::error("trainer unusable slot={} reason=\"{}\"", index_, end.reason);
  context_.progress->Remove(index_);
  reporter_.End({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = end.reason});
  // A sweep's own program says nothing about the worker's trainer or other programs.
  if (!holder_.program().of_sweep) context_.trainer_unusable(end.reason);
}

void Slot::Do(const LeaseWork::Drop& drop) {
  if (!drop.ended) {
    spdlog::info("lease dropped slot={} trial={} attempt={}", index_, key_.trial, key_.attempt);
  }
  context_.progress->Remove(index_);
  reporter_.Abandon();
}

void Slot::Tick(TimePoint now) {
  if (work_) Perform(work_->Tick(now));
  holder_.Tick(now);
  if (has_trainer() && holder_.program().of_sweep) CheckProgram(now);
}

void Slot::CheckProgram(TimePoint now) {
  if (work_ && work_->running() && holder_.Silence(now) >= context_.silence_timeout) {
    holder_.Fail(absl::StrCat(holder_.program().name(), " printed nothing for ",
                              absl::FormatDuration(context_.silence_timeout), ", and was ended",
                              work_->Where(holder_.trials())));
  }
  if (free() && absl::FromChrono(now - free_since_) >= context_.program_idle) holder_.Retire();
}

}  // namespace sweep
