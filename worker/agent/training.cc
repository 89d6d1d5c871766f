#include "worker/agent/training.h"

#include <poll.h>

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/overloaded.h"
#include "worker/agent/trainer_process.h"

namespace sweep {
namespace {

constexpr absl::Duration kReadyTimeout = absl::Seconds(60);
// A step of a large batch may take long; after this SIGTERM, then SIGKILL.
constexpr absl::Duration kStopGrace = absl::Seconds(30);
constexpr int kPollMilliseconds = 50;

// One training: the conversation with one trainer process.
class Conversation {
 public:
  Conversation(const TrialSpec& spec, const TrainingListener& listener)
      : spec_(spec), listener_(listener) {}

  absl::StatusOr<DoneMessage> Run(const TrainerProgram& program) {
    absl::StatusOr<std::unique_ptr<TrainerProcess>> process = TrainerProcess::Start(program);
    if (!process.ok()) return process.status();
    process_ = *std::move(process);
    is_of_sweep_ = program.of_sweep;
    deadline_ = absl::Now() + kReadyTimeout;
    if (is_of_sweep_) Begin();
    while (!result_) Turn();
    return *std::move(result_);
  }

 private:
  void Turn() {
    std::vector<pollfd> fds;
    process_->AppendPollFds(&fds);
    poll(fds.data(), fds.size(), kPollMilliseconds);
    process_->Flush();
    const TrainerProcess::Sinks sinks = {
        .message = [this](const TrainerMessage& message) { Hear(message); },
        .log = [this](std::string_view line) { listener_.log(std::string(line)); }};
    if (const absl::Status status = process_->Read(sinks); !status.ok()) End(status);
    if (result_) return;
    if (const auto exit = process_->PollExit(sinks); exit && !result_) {
      if (is_of_sweep_ && exit->success) {
        result_ = DoneMessage{.trial = spec_.trial, .epochs = epochs_, .stopped = asked_to_stop_};
        return;
      }
      if (asked_to_stop_)
        return End(absl::CancelledError("the trainer ended without a checkpoint"));
      return End(absl::InternalError(absl::StrCat("the trainer ", exit->how, LastWords())));
    }
    CheckStop();
    CheckDeadline();
  }

  void Hear(const TrainerMessage& message) {
    std::visit(Overloaded{[this](const ReadyMessage& m) {
                            listener_.ready(m);
                            Begin();
                          },
                          [this](const ProgressMessage& m) { listener_.progress(m); },
                          [this](const EpochMessage& m) {
                            epochs_ = m.metrics.epoch;
                            listener_.epoch(m.metrics);
                          },
                          [this](const CheckpointMessage& m) { listener_.checkpoint(m); },
                          [this](const DoneMessage& m) { Finish(m); },
                          [this](const ErrorMessage& m) { End(absl::InternalError(m.reason)); }},
               message);
  }

  void Begin() {
    if (std::exchange(ready_, true)) return;
    deadline_ = absl::InfiniteFuture();
    if (const absl::Status sent = process_->Send(TrialSpecToJson(spec_)); !sent.ok()) End(sent);
  }

  void Finish(const DoneMessage& done) {
    if (result_) return;
    if (done.stopped && !asked_to_stop_) {
      return End(absl::InternalError("the trainer stopped without being asked"));
    }
    result_ = done;
  }

  void CheckStop() {
    const int wish = listener_.stop();
    if (wish >= 2) return End(absl::CancelledError("ended at once"));
    if (wish == 0 || asked_to_stop_) return;
    asked_to_stop_ = true;
    deadline_ = absl::Now() + kStopGrace;
    if (!ready_) return End(absl::CancelledError("ended before it began"));
    const absl::Status sent =
        process_->Send(TrainerCommandToJson(TrainerCommand::kStop, spec_.trial));
    if (!sent.ok()) End(sent);
  }

  void CheckDeadline() {
    if (result_ || absl::Now() < deadline_) return;
    if (asked_to_stop_) return End(absl::CancelledError("the trainer did not stop in time"));
    End(absl::DeadlineExceededError(absl::StrCat("the trainer did not say ready within ",
                                                 absl::FormatDuration(kReadyTimeout),
                                                 LastWords())));
  }

  // Only the first end counts; later ones are consequences.
  void End(absl::Status status) {
    if (!result_) result_ = std::move(status);
  }

  // The last line of a dead trainer is the most informative.
  std::string LastWords() const {
    const std::string lines = process_->LastLines();
    if (lines.empty()) return "";
    const std::size_t newline = lines.rfind('\n');
    return ": " + (newline == std::string::npos ? lines : lines.substr(newline + 1));
  }

  const TrialSpec& spec_;
  const TrainingListener& listener_;
  std::unique_ptr<TrainerProcess> process_;  // destroying it kills and reaps the process
  bool is_of_sweep_ = false;
  int epochs_ = 0;
  bool ready_ = false;
  bool asked_to_stop_ = false;
  absl::Time deadline_;
  std::optional<absl::StatusOr<DoneMessage>> result_;
};

}  // namespace

absl::StatusOr<DoneMessage> RunTraining(const std::vector<std::string>& command,
                                        const TrialSpec& spec, const TrainingListener& listener) {
  return RunTraining(TrainerProgram{.command = command}, spec, listener);
}

absl::StatusOr<DoneMessage> RunTraining(const TrainerProgram& program, const TrialSpec& spec,
                                        const TrainingListener& listener) {
  return Conversation(spec, listener).Run(program);
}

}  // namespace sweep
