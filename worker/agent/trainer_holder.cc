#include "worker/agent/trainer_holder.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

std::chrono::milliseconds Chrono(absl::Duration duration) {
  return absl::ToChronoMilliseconds(duration);
}

}  // namespace

TrainerHolder::TrainerHolder(int slot, Options options, Events events)
    : slot_(slot), options_(std::move(options)), events_(std::move(events)) {}

absl::Status TrainerHolder::Use(const TrainerProgram& program) {
  if (trainer_ == nullptr) return Start(program);
  if (program_ != program) Retire();
  return absl::OkStatus();
}

absl::Status TrainerHolder::Start(const TrainerProgram& program) {
  program_ = program;
  // A sweep's own program gets its trial at once, so that reading one line is all it must do.
  stage_ = program_.of_sweep ? Stage::kReady : Stage::kStarting;
  ending_ = {};
  fault_.reset();
  ready_line_.clear();
  trials_ = 0;
  bytes_read_ = 0;
  output_deadline_.reset();
  DiscardTempDir();
  if (program_.of_sweep) temp_dir_ = options_.programs->MakeTempDir(slot_);
  absl::StatusOr<std::unique_ptr<TrainerProcess>> trainer =
      TrainerProcess::Start(program_, {.temp_dir = temp_dir_, .worker_folder = options_.work_dir});
  if (!trainer.ok()) return trainer.status();
  trainer_ = *std::move(trainer);
  ready_deadline_ = std::chrono::steady_clock::now() + Chrono(options_.ready_timeout);
  spdlog::debug("trainer started slot={} pid={}", slot_, trainer_->pid());
  return absl::OkStatus();
}

void TrainerHolder::DiscardTempDir() {
  if (!temp_dir_.empty()) options_.programs->Discard(std::exchange(temp_dir_, ""));
}

void TrainerHolder::SendTrial(std::string_view line) {
  last_output_ = std::chrono::steady_clock::now();
  if (const absl::Status sent = trainer_->Send(line); !sent.ok()) {
    Fail(std::string(sent.message()));
  }
}

void TrainerHolder::OnTrialEnded() {
  ++trials_;
  ending_.Answered();
}

bool TrainerHolder::StopTrial(const std::string& trial, absl::Duration grace) {
  if (!ending_.idle()) return false;
  ending_.Ask(std::chrono::steady_clock::now() + Chrono(grace));
  const absl::Status sent = trainer_->Send(TrainerCommandToJson(TrainerCommand::kStop, trial));
  if (!sent.ok()) spdlog::warn("stop not sent slot={} error={}", slot_, sent.ToString());
  return true;
}

void TrainerHolder::ShortenDeadline(absl::Duration grace) {
  ending_.Shorten(std::chrono::steady_clock::now() + Chrono(grace));
}

void TrainerHolder::Retire() {
  if (!ending_.idle()) return;
  spdlog::debug("trainer not wanted any more slot={} pid={}", slot_, trainer_->pid());
  stage_ = Stage::kRetiring;
  trainer_->CloseInput();
  ending_.Ask(std::chrono::steady_clock::now() + Chrono(options_.stop_grace));
}

void TrainerHolder::Fail(std::string reason) {
  if (!fault_) fault_ = std::move(reason);
  Kill();
}

void TrainerHolder::Kill() {
  if (trainer_ != nullptr && ending_.Kill(std::chrono::steady_clock::now())) trainer_->Kill();
}

void TrainerHolder::Close(bool at_once) {
  closed_ = true;
  if (trainer_ == nullptr) return;
  at_once ? Kill() : trainer_->CloseInput();
}

void TrainerHolder::AppendPollFds(std::vector<pollfd>* fds) const {
  if (trainer_ != nullptr) trainer_->AppendPollFds(fds);
}

TrainerProcess::Sinks TrainerHolder::MakeSinks() {
  return {.message = [this](const TrainerMessage& message) { OnMessage(message); },
          .log =
              [this](std::string_view line) {
                if (stage_ != Stage::kRetiring) events_.log(line);
              }};
}

void TrainerHolder::OnMessage(const TrainerMessage& message) {
  if (fault_ || stage_ == Stage::kRetiring) return;
  if (const auto* ready = std::get_if<ReadyMessage>(&message)) return OnReady(*ready);
  events_.message(message);
}

void TrainerHolder::OnReady(const ReadyMessage& ready) {
  if (stage_ == Stage::kReady && !program_.of_sweep) return;
  stage_ = Stage::kReady;
  ready_line_ = TrainerMessageToJson(ready);
  spdlog::info("trainer ready slot={} pid={} build=\"{}\" device=\"{}\" backend={}", slot_,
               trainer_->pid(), ready.build, ready.device, ready.backend);
  events_.ready(ready.device);
}

void TrainerHolder::Serve() {
  if (trainer_ == nullptr) return;
  trainer_->Flush();
  const absl::Status status = trainer_->Read(MakeSinks());
  if (trainer_->bytes_read() != bytes_read_) {
    bytes_read_ = trainer_->bytes_read();
    last_output_ = std::chrono::steady_clock::now();
  }
  if (!status.ok() && stage_ != Stage::kRetiring) Fail(std::string(status.message()));
}

void TrainerHolder::Tick(TimePoint now) {
  if (trainer_ == nullptr) return;
  if (const std::optional<TrainerProcess::Exit> exit = trainer_->PollExit(MakeSinks())) {
    return OnExit(*exit);
  }
  CheckDeadlines(now);
  Escalate(now);
}

void TrainerHolder::OnExit(const TrainerProcess::Exit& exit) {
  if (!fault_ && !exit.output.ok()) fault_ = std::string(exit.output.message());
  const TrainerEnd end{.program = program_,
                       .how = exit.how,
                       .last_lines = trainer_->LastLines(),
                       .fault = fault_,
                       .success = exit.success,
                       .asked = exit.asked,
                       .started = stage_ != Stage::kStarting,
                       .trials = trials_};
  trainer_.reset();
  DiscardTempDir();
  if (!closed_) events_.ended(end);
}

void TrainerHolder::CheckDeadlines(TimePoint now) {
  if (stage_ == Stage::kStarting && !fault_ && now >= ready_deadline_) {
    Fail(absl::StrCat("trainer ", program_.command[0], " did not say ready within ",
                      absl::FormatDuration(options_.ready_timeout)));
  }
  if (trainer_->output_closed() && !output_deadline_) {
    output_deadline_ = now + Chrono(options_.stop_grace);
  }
  if (output_deadline_ && now >= *output_deadline_) {
    Fail(absl::StrCat(program_.name(), " closed its output"));
  }
}

void TrainerHolder::Escalate(TimePoint now) {
  switch (ending_.Due(now, Chrono(options_.stop_grace))) {
    case Escalation::Signal::kNone:
      return;
    case Escalation::Signal::kTerminate:
      return trainer_->Terminate();
    case Escalation::Signal::kKill:
      return trainer_->Kill();
    case Escalation::Signal::kKillSupervisor:
      return trainer_->KillSupervisor();
  }
}

}  // namespace sweep
