#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstdint>
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

// The program that runs as a trainer.
struct TrainerProgram {
  std::vector<std::string> command;  // the first word is the path of the program
  std::string folder;                // to run in; "" for the worker's own
  bool of_sweep = false;             // brought by a sweep, as its `program`
  bool operator==(const TrainerProgram&) const = default;
  // For messages: "trainer", or "program /usr/bin/python3".
  std::string name() const;
};

// One trainer: a process under a supervisor (see Supervise), with pipes to its three standard
// streams.
//
// Not thread-safe; one thread owns it, and that thread must be the one that called Start and must
// outlive the process, because the kernel tells the supervisor when the *thread* that forked it
// ends (PR_SET_PDEATHSIG). So a trainer and all that it has started die with the worker even when
// the worker gets SIGKILL. Nothing here blocks, except that Start waits for exec and the destructor
// for the end.
class TrainerProcess {
 public:
  // The receivers of the trainer's output.
  struct Sinks {
    std::function<void(const TrainerMessage&)> message;
    std::function<void(std::string_view line)> log;  // a line that is no message
  };

  // NotFound, PermissionDenied or Internal, naming the program, when it cannot be executed.
  static absl::StatusOr<std::unique_ptr<TrainerProcess>> Start(const TrainerProgram& program) {
    return Start(program, Places{});
  }
  struct Places {
    std::string temp_dir;       // its TMPDIR; "" leaves it the worker's own
    std::string worker_folder;  // the process's mark, see KillMarked; "": none
  };
  static absl::StatusOr<std::unique_ptr<TrainerProcess>> Start(const TrainerProgram& program,
                                                               const Places& places);
  // Kills everything that the trainer has started, and reaps.
  ~TrainerProcess();
  TrainerProcess(const TrainerProcess&) = delete;
  TrainerProcess& operator=(const TrainerProcess&) = delete;

  // The supervisor's process id.
  pid_t pid() const { return pid_; }
  // The number of bytes that the trainer has printed so far.
  std::uint64_t bytes_read() const { return bytes_read_; }

  // Adds the file descriptors that must be polled for this process.
  void AppendPollFds(std::vector<pollfd>* fds) const;
  // Reads a bounded amount of waiting output, hands on the messages in order and keeps the other
  // lines as log. InvalidArgument when the trainer breaks the protocol.
  absl::Status Read(const Sinks& sinks);
  // The trainer's standard output has ended, so it can send no more messages.
  bool output_closed() const { return stdout_fd_ < 0; }

  // Queues one line (without newline) for the trainer and writes what the pipe takes.
  // ResourceExhausted when the trainer has not read what it was sent before.
  absl::Status Send(std::string_view line);
  // Writes more of what is queued.
  void Flush();
  // No more lines: a trainer ends at the end of its input.
  void CloseInput();

  // Asks the trainer's process group to end, by SIGTERM.
  void Terminate();
  // Kills everything that the trainer has started. May be called again.
  void Kill();
  // Kills the supervisor, when Kill has not helped; see KillOrphans for what it leaves.
  void KillSupervisor();

  struct Exit {
    std::string how;       // "ended by signal 9 (Killed)", "ended with exit code 3"
    bool success = false;  // exit code 0
    bool asked = false;    // it looks ended by SIGTERM, SIGHUP or SIGINT, or has exit code 0
    absl::Status output;   // result of reading its last output, as Read
  };
  // Wakes a supervisor that somebody has stopped. Once it and everything that it has started have
  // ended: reaps it, reads its last output and says how it ended. nullopt while it runs.
  std::optional<Exit> PollExit(const Sinks& sinks);

  // The last lines of both streams that were no messages, oldest first, one per line: at most 3 and
  // 300 bytes.
  std::string LastLines() const;

 private:
  TrainerProcess() = default;
  // Reads once from `fd`; closes it and sets it to -1 at its end. False when there was nothing.
  bool ReadSome(int* fd, LineSplitter* splitter, const LineSplitter::Sink& sink);
  void HandleLine(std::string_view line, bool cut, const Sinks& sinks, absl::Status* status);
  void KeepLogLine(std::string_view line, const Sinks& sinks);
  void Reap(int* status);
  void KillAndReap();

  std::string name_;  // of the program, for messages
  std::string path_;
  std::string folder_;
  pid_t pid_ = -1;  // -1 once reaped
  std::uint64_t bytes_read_ = 0;
  int stdin_fd_ = -1;
  int stdout_fd_ = -1;
  int stderr_fd_ = -1;
  std::string unsent_;
  bool close_after_flush_ = false;
  LineSplitter stdout_lines_{std::size_t{1} << 20};
  LineSplitter stderr_lines_{std::size_t{8} << 10};
  std::deque<std::string> last_lines_;
};

}  // namespace sweep
