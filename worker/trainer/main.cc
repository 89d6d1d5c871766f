// sweep-trainer: trains trials that arrive as JSON lines on standard input and reports as JSON
// lines on standard output (docs/protocol.md). One trial at a time; stays warm between trials.
//
// Two threads: the main one trains, another reads standard input. So a stop reaches a training
// within a step, and the end of input (the worker is gone) ends the process at once.

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "common/base/end_signals.h"
#include "common/command_line/man_page.h"
#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"
#include "worker/trainer/build_id.h"
#include "worker/trainer/inbox.h"
#include "worker/trainer/trainer.h"

namespace sweep {
namespace {

struct Option {
  const char* syntax;
  const char* meaning;
};
constexpr Option kOptions[] = {
    {"--device auto|cpu|cuda:N", "where it computes [default: auto]"},
    {"--backend auto|lanes|torch",
     "who computes; auto: lanes on a processor, for networks that it can compute [default: auto]"},
    {"--threads N", "cores for one trial, from 1 to 999 [default: 1]"},
    {"--version", "the version, and that of libtorch"},
    {"--help", "this help"},
};
constexpr char kPurpose[] =
    "Trains trials that arrive as JSON lines on standard input; see docs/protocol.md.";
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;

int signal_pipe[2] = {-1, -1};

// A signal handler may do no more than write.
void OnTerminate(int) {
  const int saved = errno;
  [[maybe_unused]] const ssize_t written = write(signal_pipe[1], "T", 1);
  errno = saved;
}

// Writes messages to the pipe that was standard output. Thread-safe: lines do not mix. Ends the
// process when the worker is gone, since nobody reads the messages then.
class Output {
 public:
  // Takes the descriptor over and redirects everything else that is printed to standard error.
  Output() : fd_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
  }

  void Send(const TrainerMessage& message) {
    const std::string line = TrainerMessageToJson(message) + "\n";
    const std::lock_guard lock(mutex_);
    for (std::size_t sent = 0; sent < line.size();) {
      const ssize_t written = write(fd_, line.data() + sent, line.size() - sent);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) _exit(kExitFailed);
      sent += static_cast<std::size_t>(written);
    }
  }

 private:
  const int fd_;
  std::mutex mutex_;
};

// Splits a stream into lines. Of a line that is longer than the protocol allows it keeps just
// enough that the inbox sees that it is too long.
class LineCutter {
 public:
  template <typename Sink>
  void Add(std::string_view bytes, const Sink& sink) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view part = bytes.substr(0, end);
      line_.append(part.substr(0, kMaxLineBytes + 1 - std::min(line_.size(), kMaxLineBytes + 1)));
      if (end == std::string_view::npos) return;
      if (!line_.empty()) sink(line_);
      line_.clear();
      bytes.remove_prefix(end + 1);
    }
  }

 private:
  std::string line_;
};

// The reading thread. Never returns.
void ReadInput(Inbox* inbox) {
  LineCutter lines;
  char buffer[1 << 16];
  pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                  {.fd = signal_pipe[0], .events = POLLIN, .revents = 0}};
  while (true) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) _exit(kExitFailed);
    if ((fds[1].revents & POLLIN) != 0) {
      inbox->Terminate();
      fds[1].fd = -1;  // once is enough
    }
    if (fds[0].revents == 0) continue;
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof(buffer));
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) _exit(got == 0 ? 0 : kExitFailed);
    lines.Add(std::string_view(buffer, static_cast<std::size_t>(got)),
              [inbox](const std::string& line) { inbox->TakeLine(line); });
  }
}

// Reports the events of a training as lines.
class LineListener final : public TrainingListener {
 public:
  LineListener(const std::string& trial, Inbox* inbox, Output* output)
      : trial_(trial), inbox_(inbox), output_(output) {}
  void OnProgress(const ProgressMessage& progress) override { output_->Send(progress); }
  void OnEpoch(const EpochMetrics& metrics) override {
    output_->Send(EpochMessage{.trial = trial_, .metrics = metrics});
  }
  void OnCheckpoint(int epoch, const std::string& path) override {
    output_->Send(CheckpointMessage{.trial = trial_, .epoch = epoch, .path = path});
  }
  TrainingRequest TakeRequest() override { return inbox_->TakeRequest(); }

 private:
  const std::string trial_;
  Inbox* const inbox_;
  Output* const output_;
};

struct Flags {
  TrainerOptions trainer;
  std::optional<int> exit_code;  // set when there is nothing more to do
};

bool ParseThreads(const std::string& text, int* threads) {
  if (text.empty() || text.size() > 3) return false;
  if (text.find_first_not_of("0123456789") != std::string::npos) return false;
  *threads = std::stoi(text);
  return *threads > 0;
}

std::string UsageText() {
  std::string text = std::string("usage: sweep-trainer [OPTIONS]\n") + kPurpose + "\n\n";
  for (const Option& option : kOptions) {
    std::string line = "  " + std::string(option.syntax);
    line.resize(30, ' ');
    text += line + option.meaning + "\n";
  }
  return text;
}

std::string ManText() {
  ManPage page("sweep-trainer", "trains the trials of a sweep worker", SWEEP_VERSION);
  page.Section("SYNOPSIS");
  page.Paragraph("sweep-trainer [OPTIONS]");
  page.Section("DESCRIPTION");
  page.Paragraph(kPurpose);
  page.Section("OPTIONS");
  for (const Option& option : kOptions) page.Item(option.syntax, option.meaning);
  page.SeeAlso(kManPages);
  return page.text();
}

Flags ParseFlags(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (flag == "--help" || flag == "__man") {
      std::cout << (flag == "--help" ? UsageText() : ManText()) << std::flush;
      flags.exit_code = 0;
      return flags;
    }
    if (flag == "--version") {
      std::cout << "sweep-trainer " << SWEEP_VERSION << ", " << TorchVersion() << std::endl;
      flags.exit_code = 0;
      return flags;
    }
    const bool device = flag == "--device" && !value.empty();
    const bool backend = flag == "--backend" && IsBackendName(value);
    const bool threads = flag == "--threads" && ParseThreads(value, &flags.trainer.threads);
    if (!device && !backend && !threads) {
      std::cerr << "sweep-trainer: bad argument '" << flag << "'"
                << (value.empty() ? "" : " '" + value + "'") << '\n'
                << UsageText();
      flags.exit_code = kExitUsage;
      return flags;
    }
    if (device) flags.trainer.device = value;
    if (backend) flags.trainer.backend = value;
    ++i;
  }
  return flags;
}

// Makes the trainer end with its worker, however that ends. Signals that the terminal sends to the
// worker's whole group do not end it, nor do those that batch systems send to a whole job before
// its end.
void FollowParent() {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);  // it died before the line above
  signal(SIGINT, SIG_IGN);
  IgnoreSignalsOfWrites();
  signal(SIGUSR1, SIG_IGN);
  signal(SIGUSR2, SIG_IGN);
  if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) _exit(kExitFailed);
  struct sigaction action = {};
  action.sa_handler = OnTerminate;
  action.sa_flags = SA_RESTART;
  const sigset_t ends = EndSignalSet();
  for (const int number : {SIGTERM, SIGHUP}) {
    if (sigismember(&ends, number) == 1) sigaction(number, &action, nullptr);
  }
}

// Every step frees its activations and needs as many bytes again. If glibc handed them back to the
// kernel, a fifth of a training's time would go into page faults.
void KeepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);  // never
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

void TrainAll(Trainer* trainer, Inbox* inbox, Output* output) {
  while (const std::optional<TrialSpec> spec = inbox->NextTrial()) {
    LineListener listener(spec->trial, inbox, output);
    TrainerMessage last;
    try {
      const TrainingResult result = trainer->Train(*spec, &listener);
      last = DoneMessage{.trial = spec->trial,
                         .epochs = result.epochs,
                         .stopped = result.stopped,
                         .files = result.files};
    } catch (const TrainingError& error) {
      last = ErrorMessage{
          .trial = spec->trial, .reason = error.what(), .retryable = error.retryable()};
    }
    // Before the last message, because its reader may send the same trial again.
    inbox->FinishTrial();
    output->Send(last);
    if (!trainer->usable()) {
      std::cerr << "sweep-trainer: the device cannot be used any more by this process\n";
      _exit(kExitFailed);
    }
  }
}

int Main(int argc, char** argv) {
  const Flags flags = ParseFlags(argc, argv);
  if (flags.exit_code.has_value()) return *flags.exit_code;
  FollowParent();
  KeepFreedMemory();
  static Output output;
  static Inbox inbox([](const ErrorMessage& error) { output.Send(error); });
  try {
    Trainer trainer(flags.trainer);
    const std::string backend = DescribeBackend(flags.trainer);
    output.Send(
        ReadyMessage{.build = std::string("sweep-trainer ") + SWEEP_VERSION + ", " + TorchVersion(),
                     .device = DescribeDevice(flags.trainer.device),
                     .backend = backend,
                     .build_id = BuildId(),
                     .instructions = DescribeInstructions(backend),
                     .threads = flags.trainer.threads});
    std::thread(ReadInput, &inbox).detach();  // lives until the process ends
    TrainAll(&trainer, &inbox, &output);
  } catch (const TrainingError& error) {  // no such device
    output.Send(ErrorMessage{.trial = "", .reason = error.what(), .retryable = false});
    std::cerr << "sweep-trainer: " << error.what() << '\n';
    return kExitUsage;
  }
  return 0;
}

}  // namespace
}  // namespace sweep

int main(int argc, char** argv) {
  int code = sweep::kExitFailed;
  try {
    code = sweep::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "sweep-trainer: " << error.what() << '\n';
  }
  // Not a return: the reading thread and libtorch's threads would use destroyed statics.
  _exit(code);
}
