#pragma once

#include <poll.h>
#include <sys/types.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/protocol/trainer_message.h"
#include "worker/agent/line_splitter.h"

namespace sweep {

// One trainer: a child process in its own process group, with pipes to its three standard streams.
//
// Not thread-safe; one thread owns it, and that thread must be the one that called Start and must
// outlive the process, because the kernel kills the child when the *thread* that forked it ends
// (PR_SET_PDEATHSIG). So a trainer dies with its worker even when the worker gets SIGKILL; it also
// sees the end of its input then. Nothing here blocks, except that Start waits for exec.
class TrainerProcess {
 public:
  using MessageSink = std::function<void(const TrainerMessage&)>;

  // `command[0]` is the path of the program. NotFound, PermissionDenied or Internal, naming the
  // program, when it cannot be executed.
  static absl::StatusOr<std::unique_ptr<TrainerProcess>> Start(
      const std::vector<std::string>& command);
  // Kills the process group and reaps.
  ~TrainerProcess();
  TrainerProcess(const TrainerProcess&) = delete;
  TrainerProcess& operator=(const TrainerProcess&) = delete;

  pid_t pid() const { return pid_; }

  // Adds what has to be polled for this process.
  void AppendPollFds(std::vector<pollfd>* fds) const;
  // Reads what has come (a bounded amount), hands on the messages in order and keeps the other
  // lines as log. InvalidArgument when the trainer breaks the protocol.
  absl::Status Read(const MessageSink& sink);
  // The trainer can say nothing more.
  bool output_closed() const { return stdout_fd_ < 0; }

  // Queues one line (without newline) for the trainer and writes what the pipe takes.
  // ResourceExhausted when the trainer has not read what it was sent before.
  absl::Status Send(std::string_view line);
  // Writes more of what is queued.
  void Flush();
  // No more lines: a trainer ends at the end of its input.
  void CloseInput();

  // Sends `signal` to the whole process group.
  void Signal(int signal);
  // When the process has ended: reaps it, kills what is left of its group, reads its last output
  // and returns how it ended, as "ended by signal 9 (Killed)". nullopt while it runs.
  std::optional<std::string> PollExit(const MessageSink& sink);

  // The last lines that were no messages, of both streams, oldest first, one per line.
  std::string LastLines() const;

 private:
  TrainerProcess() = default;
  // Reads once from `fd`; closes it and sets it to -1 at its end. False when nothing was there.
  bool ReadSome(int* fd, LineSplitter* splitter, const LineSplitter::Sink& sink);
  void HandleLine(std::string_view line, bool cut, const MessageSink& sink, absl::Status* status);
  void KeepLogLine(std::string_view line);

  pid_t pid_ = -1;  // -1 once reaped
  int stdin_fd_ = -1;
  int stdout_fd_ = -1;
  int stderr_fd_ = -1;
  std::string unsent_;
  bool close_after_flush_ = false;
  LineSplitter stdout_lines_{std::size_t{1} << 20};
  LineSplitter stderr_lines_{std::size_t{4} << 10};
  std::deque<std::string> last_lines_;
};

}  // namespace sweep
