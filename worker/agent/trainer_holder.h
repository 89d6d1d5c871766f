#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/protocol/trainer_message.h"
#include "worker/agent/escalation.h"
#include "worker/agent/program_cache.h"
#include "worker/agent/trainer_process.h"

namespace sweep {

// How a trainer process has ended.
struct TrainerEnd {
  TrainerProgram program;
  std::string how;                   // "trainer ended with exit code 3"
  std::string last_lines;            // its last output; may be empty
  std::optional<std::string> fault;  // why the worker killed it, if so
  bool success = false;              // exit code 0
  bool asked = false;                // see TrainerProcess::Exit
  bool started = false;              // it took trials, or was ended before it could
  int trials = 0;                    // the number that it had ended
};

// A trainer process that is started when needed and stays warm for the next trial of the same
// program. Knows whether the trainer takes trials, checks its deadlines and ends it. It knows
// nothing of leases. Used by the trainer loop's thread only, and never blocks it.
class TrainerHolder {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Options {
    absl::Duration stop_grace;
    absl::Duration ready_timeout;
    ProgramCache* programs = nullptr;
    std::string work_dir;
  };
  // Called from Serve and Tick.
  struct Events {
    std::function<void(const std::string& device)> ready;
    // Not called for a trainer that is being killed for a fault or retired.
    std::function<void(const TrainerMessage&)> message;
    std::function<void(std::string_view line)> log;  // a line that is no message
    std::function<void(const TrainerEnd&)> ended;    // the next one may be started
  };

  TrainerHolder(int slot, Options options, Events events);
  // Kills the trainer.
  ~TrainerHolder() = default;

  bool has_process() const { return trainer_ != nullptr; }
  // The trainer can be sent a trial now.
  bool takes_trial() const { return has_process() && stage_ == Stage::kReady && ending_.idle(); }
  // The running program, or the last one.
  const TrainerProgram& program() const { return program_; }
  // The line by which the program said that it is ready; "" if it has not said so.
  const std::string& ready_line() const { return ready_line_; }
  // The trainer's last output, "" if there is none.
  std::string LastLines() const { return has_process() ? trainer_->LastLines() : ""; }
  // The number of trials that this process has ended.
  int trials() const { return trials_; }
  // Time since the trainer printed something or was sent a trial.
  absl::Duration Silence(TimePoint now) const { return absl::FromChrono(now - last_output_); }

  // Starts the program, unless it is running. Another running program is retired first; `ended`
  // reports its end.
  absl::Status Use(const TrainerProgram& program);
  // Requires takes_trial().
  void SendTrial(std::string_view line);
  // The trainer has ended its trial, which also fulfils a request to stop it.
  void OnTrialEnded();
  // Tells the trainer to stop its trial within `grace`. False when it is being ended already.
  bool StopTrial(const std::string& trial, absl::Duration grace);
  // Shortens the deadline of what the trainer was asked to `grace` from now.
  void ShortenDeadline(absl::Duration grace);
  // Ends a trainer that has no trial.
  void Retire();
  // Kills the trainer for `reason`; the first reason counts.
  void Fail(std::string reason);
  void Kill();
  // At the end of the worker: kills the trainer, or closes its input so that it ends. `ended` is
  // not called any more.
  void Close(bool at_once);

  void AppendPollFds(std::vector<pollfd>* fds) const;
  // Reads and writes what the trainer's pipes allow.
  void Serve();
  // Notices the trainer's end and expired deadlines.
  void Tick(TimePoint now);

 private:
  enum class Stage {
    kStarting,
    kReady,     // takes trials
    kRetiring,  // see Retire
  };

  absl::Status Start(const TrainerProgram& program);
  void DiscardTempDir();
  TrainerProcess::Sinks MakeSinks();
  void OnMessage(const TrainerMessage& message);
  void OnReady(const ReadyMessage& ready);
  void OnExit(const TrainerProcess::Exit& exit);
  // Fails a trainer that has missed a deadline.
  void CheckDeadlines(TimePoint now);
  void Escalate(TimePoint now);

  const int slot_;
  const Options options_;
  const Events events_;

  TrainerProgram program_;
  std::unique_ptr<TrainerProcess> trainer_;
  std::string temp_dir_;  // of a sweep's own program; each process gets a new one
  Stage stage_ = Stage::kStarting;
  Escalation ending_;
  std::optional<std::string> fault_;  // why the trainer was killed
  std::string ready_line_;
  int trials_ = 0;
  std::uint64_t bytes_read_ = 0;
  TimePoint last_output_;
  TimePoint ready_deadline_;
  std::optional<TimePoint> output_deadline_;
  bool closed_ = false;  // see Close
};

}  // namespace sweep
