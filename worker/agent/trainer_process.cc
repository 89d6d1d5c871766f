#include "worker/agent/trainer_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/executable.h"
#include "common/base/utf8.h"
#include "spdlog/spdlog.h"
#include "worker/agent/orphans.h"
#include "worker/agent/supervisor.h"

namespace sweep {
namespace {

// Kept for the reason of a failure; all lines are logged.
constexpr std::size_t kLastLines = 3;
constexpr std::size_t kLastBytes = 300;
constexpr std::size_t kLogLineBytes = 400;
constexpr std::size_t kReadBytes = std::size_t{64} << 10;
// Bounds the wait for the end of a process where nothing else can be done meanwhile.
constexpr int kKillRoundMs = 5;
constexpr int kMostKillRounds = 400;
constexpr std::size_t kUnsentLimitBytes = std::size_t{4} << 20;

void CloseFd(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

// Both ends of a pipe, closed at the end of scope unless taken.
struct Pipe {
  int read_end = -1;
  int write_end = -1;
  ~Pipe() {
    CloseFd(&read_end);
    CloseFd(&write_end);
  }
  bool Open() {
    std::array<int, 2> fds;
    if (pipe2(fds.data(), O_CLOEXEC) != 0) return false;
    read_end = fds[0];
    write_end = fds[1];
    return MoveAboveStandardStreams(&read_end) && MoveAboveStandardStreams(&write_end);
  }
  // The child moves its ends to 0, 1 and 2, so no end may lie there already: a process whose
  // standard streams are closed gets such numbers.
  static bool MoveAboveStandardStreams(int* fd) {
    if (*fd > 2) return true;
    const int moved = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    if (moved < 0) return false;
    close(*fd);
    *fd = moved;
    return true;
  }
};

struct Pipes {
  Pipe in, out, err, failure;
  bool Open() { return in.Open() && out.Open() && err.Open() && failure.Open(); }
};

// The environment of a program. Its pointers are valid as long as this object lives.
class Environment {
 public:
  Environment(const TrainerProgram& program, const TrainerProcess::Places& places) {
    for (char** entry = environ; *entry != nullptr; ++entry) entries_.emplace_back(*entry);
    Set("TMPDIR", places.temp_dir);
    Set(kFolderMark, places.worker_folder);
    // Python would cache byte code in the folder of its files, which must stay as they were sent.
    if (program.of_sweep) entries_.push_back("PYTHONDONTWRITEBYTECODE=1");
    for (std::string& entry : entries_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
  }
  char* const* get() const { return pointers_.data(); }

 private:
  void Set(const std::string& name, const std::string& value) {
    if (value.empty()) return;
    const std::string start = absl::StrCat(name, "=");
    std::erase_if(entries_, [&](const std::string& entry) { return entry.starts_with(start); });
    entries_.push_back(start + value);
  }

  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
};

// Forks with all signals blocked, so that no handler of this process ever runs in the child.
pid_t Fork(const SupervisedProgram& program) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Supervise(program, parent);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return pid;
}

// The reason why the program could not be started; nullopt when it runs: exec closes the pipe.
std::optional<StartFailure> WaitForStart(Pipe* pipe) {
  CloseFd(&pipe->write_end);
  StartFailure failure;
  ssize_t got;
  do {
    got = read(pipe->read_end, &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == sizeof failure) return failure;
  return std::nullopt;
}

absl::Status Describe(const StartFailure& failure, const TrainerProgram& program) {
  const std::string name = program.of_sweep ? "program" : "trainer";
  switch (failure.stage) {
    case StartFailure::Stage::kFork:
      return absl::ErrnoToStatus(failure.error, absl::StrCat(name, ": cannot fork"));
    case StartFailure::Stage::kFolder:
      return absl::ErrnoToStatus(failure.error, absl::StrCat(name, ": folder ", program.folder));
    case StartFailure::Stage::kExecute:
      break;
  }
  // The kernel reports "No such file" for a script whose interpreter is missing.
  std::string why = WhyNotExecutableFile(program.command[0], program.folder);
  if (why.empty()) why = strerror(failure.error);
  const absl::Status status = absl::ErrnoToStatus(failure.error, "");
  return absl::Status(status.code(), absl::StrCat(name, " ", program.command[0],
                                                  ": is there, but cannot be executed: ", why));
}

void ReapChild(pid_t pid, int* status) {
  while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
  }
}

std::string DescribeExit(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return absl::StrCat("ended by signal ", number, " (", strsignal(number), ")");
  }
  return absl::StrCat("ended with exit code ", WEXITSTATUS(status));
}

// True if the process ended by a signal that asks for an end, or like a program that caught one:
// exit code 0, or 128 + signal as from a shell whose command was ended so.
bool LooksAsked(int status) {
  for (const int number : {SIGTERM, SIGHUP, SIGINT}) {
    if (WIFSIGNALED(status) && WTERMSIG(status) == number) return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 128 + number) return true;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int TakeNonBlocking(int* fd) {
  fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) | O_NONBLOCK);
  return std::exchange(*fd, -1);
}

}  // namespace

std::string TrainerProgram::name() const {
  return of_sweep ? absl::StrCat("program ", command[0]) : "trainer";
}

absl::StatusOr<std::unique_ptr<TrainerProcess>> TrainerProcess::Start(const TrainerProgram& program,
                                                                      const Places& places) {
  if (program.command.empty()) return absl::InvalidArgumentError("trainer: no command");
  Pipes pipes;
  if (!pipes.Open()) return absl::ErrnoToStatus(errno, "trainer: cannot make pipes");
  std::vector<char*> argv;
  for (const std::string& word : program.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);

  const Environment environment(program, places);
  const SupervisedProgram supervised{
      .argv = argv.data(),
      .envp = environment.get(),
      .folder = program.folder.empty() ? nullptr : program.folder.c_str(),
      .stdin_fd = pipes.in.read_end,
      .stdout_fd = pipes.out.write_end,
      .stderr_fd = pipes.err.write_end,
      .failure_fd = pipes.failure.write_end};
  const pid_t pid = ForkSupervisor([&] { return Fork(supervised); });
  if (pid < 0) return absl::ErrnoToStatus(errno, "trainer: cannot fork");
  if (const std::optional<StartFailure> failure = WaitForStart(&pipes.failure)) {
    int status = 0;
    ReapChild(pid, &status);
    ForgetSupervisor(pid, status);
    return Describe(*failure, program);
  }
  std::unique_ptr<TrainerProcess> process(new TrainerProcess);
  process->name_ = program.name();
  process->path_ = program.command[0];
  process->folder_ = program.folder;
  process->pid_ = pid;
  process->stdin_fd_ = TakeNonBlocking(&pipes.in.write_end);
  process->stdout_fd_ = TakeNonBlocking(&pipes.out.read_end);
  process->stderr_fd_ = TakeNonBlocking(&pipes.err.read_end);
  return process;
}

TrainerProcess::~TrainerProcess() {
  if (pid_ > 0) KillAndReap();
  for (int i = 0; i < kMostKillRounds && KillOrphans(); ++i) poll(nullptr, 0, kKillRoundMs);
  CloseFd(&stdin_fd_);
  CloseFd(&stdout_fd_);
  CloseFd(&stderr_fd_);
}

void TrainerProcess::Reap(int* status) {
  ReapChild(pid_, status);
  ForgetSupervisor(pid_, *status);
  pid_ = -1;
}

void TrainerProcess::KillAndReap() {
  for (int i = 0; i < kMostKillRounds; ++i) {
    Kill();
    siginfo_t info = {};
    if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) break;
    if (info.si_pid != 0) break;
    poll(nullptr, 0, kKillRoundMs);
  }
  KillSupervisor();
  int status = 0;
  Reap(&status);
}

void TrainerProcess::AppendPollFds(std::vector<pollfd>* fds) const {
  if (stdout_fd_ >= 0) fds->push_back({stdout_fd_, POLLIN, 0});
  if (stderr_fd_ >= 0) fds->push_back({stderr_fd_, POLLIN, 0});
  if (stdin_fd_ >= 0 && !unsent_.empty()) fds->push_back({stdin_fd_, POLLOUT, 0});
}

bool TrainerProcess::ReadSome(int* fd, LineSplitter* splitter, const LineSplitter::Sink& sink) {
  if (*fd < 0) return false;
  std::array<char, kReadBytes> buffer;
  const ssize_t got = read(*fd, buffer.data(), buffer.size());
  if (got > 0) {
    bytes_read_ += static_cast<std::uint64_t>(got);
    splitter->Feed({buffer.data(), static_cast<std::size_t>(got)}, sink);
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  splitter->Finish(sink);
  CloseFd(fd);
  return false;
}

absl::Status TrainerProcess::Read(const Sinks& sinks) {
  absl::Status status;
  ReadSome(&stderr_fd_, &stderr_lines_,
           [&](std::string_view line, bool) { KeepLogLine(line, sinks); });
  ReadSome(&stdout_fd_, &stdout_lines_,
           [&](std::string_view line, bool cut) { HandleLine(line, cut, sinks, &status); });
  return status;
}

void TrainerProcess::HandleLine(std::string_view line, bool cut, const Sinks& sinks,
                                absl::Status* status) {
  if (!status->ok()) return;
  if (cut && !line.empty() && line.front() == '{') {
    *status = absl::InvalidArgumentError(
        absl::StrCat(name_, " broke the protocol: a message of more than ", line.size(), " bytes"));
    return;
  }
  bool is_json = false;
  std::optional<TrainerMessage> message;
  try {
    message = TrainerMessageFromJson(line, &is_json);
  } catch (const std::exception& error) {
    *status = absl::InvalidArgumentError(absl::StrCat(name_, " broke the protocol: ", error.what(),
                                                      ", in: ", std::string(line.substr(0, 200))));
    return;
  }
  if (is_json) {
    sinks.message(*message);
  } else {
    KeepLogLine(line, sinks);
  }
}

void TrainerProcess::KeepLogLine(std::string_view line, const Sinks& sinks) {
  if (line.empty()) return;
  sinks.log(line);
  spdlog::debug("trainer log pid={} line={}", pid_, line.substr(0, kLogLineBytes));
  // The line with which Python underlines an expression says nothing by itself.
  if (line.find_first_not_of(" \t~^") == std::string_view::npos) return;
  if (last_lines_.size() == kLastLines) last_lines_.pop_front();
  last_lines_.emplace_back(CutUtf8(line, kLastBytes));
}

absl::Status TrainerProcess::Send(std::string_view line) {
  if (unsent_.size() + line.size() > kUnsentLimitBytes) {
    return absl::ResourceExhaustedError(absl::StrCat(name_, " does not read its input"));
  }
  unsent_.append(line).push_back('\n');
  Flush();
  return absl::OkStatus();
}

void TrainerProcess::Flush() {
  while (stdin_fd_ >= 0 && !unsent_.empty()) {
    const ssize_t written = write(stdin_fd_, unsent_.data(), unsent_.size());
    if (written > 0) {
      unsent_.erase(0, static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      CloseFd(&stdin_fd_);  // it has ended or closed its input; PollExit says which
    }
  }
  if (close_after_flush_) CloseFd(&stdin_fd_);
}

void TrainerProcess::CloseInput() {
  close_after_flush_ = true;
  Flush();
}

void TrainerProcess::Terminate() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  kill(pid_, SIGCONT);
}

void TrainerProcess::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, kKillAll);
  kill(pid_, SIGCONT);
}

void TrainerProcess::KillSupervisor() {
  if (pid_ > 0) kill(pid_, SIGKILL);
}

std::optional<TrainerProcess::Exit> TrainerProcess::PollExit(const Sinks& sinks) {
  if (pid_ < 0) return std::nullopt;
  siginfo_t info = {};
  const auto id = static_cast<id_t>(pid_);
  if (waitid(P_PID, id, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid != 0) kill(pid_, SIGCONT);
  info = {};
  const int result = waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT);
  if (result != 0 || info.si_pid == 0) return std::nullopt;
  int status = 0;
  Reap(&status);
  constexpr int kMostReads = 64;  // more than a pipe holds, in case somebody holds its other end
  absl::Status broken;
  for (int i = 0; i < kMostReads; ++i) {
    const bool more = ReadSome(&stdout_fd_, &stdout_lines_, [&](std::string_view line, bool cut) {
      HandleLine(line, cut, sinks, &broken);
    });
    if (!more) break;
  }
  for (int i = 0; i < kMostReads; ++i) {
    if (!ReadSome(&stderr_fd_, &stderr_lines_,
                  [&](std::string_view line, bool) { KeepLogLine(line, sinks); })) {
      break;
    }
  }
  // A shell and `env` exit with these codes when they could not execute a command.
  const bool not_executed =
      WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127);
  const std::string why = not_executed ? WhyNotExecutableFile(path_, folder_) : "";
  return Exit{.how = absl::StrCat(DescribeExit(status), why.empty() ? "" : ": ", why),
              .success = WIFEXITED(status) && WEXITSTATUS(status) == 0,
              .asked = LooksAsked(status),
              .output = broken};
}

std::string TrainerProcess::LastLines() const {
  std::string text;  // built from the last line backwards, since that says most
  for (auto line = last_lines_.rbegin(); line != last_lines_.rend(); ++line) {
    if (text.empty()) {
      text = *line;
    } else if (line->size() + 1 + text.size() <= kLastBytes) {
      text = absl::StrCat(*line, "\n", text);
    } else {
      break;
    }
  }
  return text;
}

}  // namespace sweep
