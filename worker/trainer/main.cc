// sweep-trainer: trains trials that arrive as JSON lines on standard input and reports as JSON
// lines on standard output (docs/protocol.md). One trial at a time; stays warm between trials.

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"
#include "worker/trainer/trainer.h"

namespace sweep {
namespace {

constexpr char kUsage[] =
    "usage: sweep-trainer [--device auto|cpu|cuda:N] [--threads N]\n"
    "Reads trials as JSON lines from standard input; see docs/protocol.md.\n";

volatile sig_atomic_t terminated = 0;

void OnTerminate(int) { terminated = 1; }

// Writes one message. A worker that is gone cannot be told anything: the process ends.
void Send(const TrainerMessage& message) {
  const std::string line = TrainerMessageToJson(message) + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t wrote = write(STDOUT_FILENO, line.data() + sent, line.size() - sent);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) _exit(1);
    sent += static_cast<std::size_t>(wrote);
  }
}

// The lines of standard input, sorted into trials to train and requests to the one that runs.
// A thread of its own reads them, so that a stop reaches a training within a step, and the end of
// input (the worker has died) ends the process at once.
class Inbox {
 public:
  void Start() {
    std::thread([this] { Read(); }).detach();  // lives until the process ends
  }

  // Blocks for the next trial; nullopt when the process has been told to end.
  std::optional<TrialSpec> NextTrial() {
    std::unique_lock lock(mutex_);
    while (trials_.empty()) {
      if (terminated != 0) return std::nullopt;
      // Looks up now and then, since a signal handler may not notify.
      arrived_.wait_for(lock, std::chrono::milliseconds(100));
    }
    TrialSpec trial = std::move(trials_.front());
    trials_.pop_front();
    current_ = trial.trial;
    // A stop that came before its trial was begun still counts.
    request_ = stopped_early_ == current_ ? TrainingRequest::kStop : TrainingRequest::kNone;
    stopped_early_.clear();
    return trial;
  }

  TrainingRequest TakeRequest() {
    if (terminated != 0) return TrainingRequest::kStop;
    std::lock_guard lock(mutex_);
    return std::exchange(request_, TrainingRequest::kNone);
  }

  void Finished() {
    std::lock_guard lock(mutex_);
    current_.clear();
  }

 private:
  void Read() {
    std::string line;
    while (std::getline(std::cin, line)) {
      if (line.empty()) continue;
      try {
        Take(line);
      } catch (const ProtocolError& error) {
        Send(ErrorMessage{.trial = "", .reason = error.what(), .retryable = false});
      }
    }
    _exit(0);
  }

  void Take(const std::string& line) {
    const std::string type = LineType(line);
    if (type == "trial") {
      TrialSpec trial = TrialSpecFromJson(line);
      std::lock_guard lock(mutex_);
      trials_.push_back(std::move(trial));
      arrived_.notify_one();
      return;
    }
    std::string trial;
    const TrainerCommand command = TrainerCommandFromJson(line, &trial);
    std::lock_guard lock(mutex_);
    if (trial == current_ && !current_.empty()) {
      const bool stopping = request_ == TrainingRequest::kStop;
      request_ = command == TrainerCommand::kStop || stopping ? TrainingRequest::kStop : TrainingRequest::kCheckpoint;
    } else if (command == TrainerCommand::kStop) {
      stopped_early_ = trial;
    }
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<TrialSpec> trials_;
  std::string current_;
  std::string stopped_early_;
  TrainingRequest request_ = TrainingRequest::kNone;
};

// Turns what happens in a training into lines.
class LineListener final : public TrainingListener {
 public:
  LineListener(const std::string& trial, Inbox* inbox) : trial_(trial), inbox_(inbox) {}
  void OnProgress(const ProgressMessage& progress) override { Send(progress); }
  void OnEpoch(const EpochMetrics& metrics) override { Send(EpochMessage{trial_, metrics}); }
  void OnCheckpoint(int epoch, const std::string& path) override {
    Send(CheckpointMessage{trial_, epoch, path});
  }
  TrainingRequest TakeRequest() override { return inbox_->TakeRequest(); }

 private:
  const std::string trial_;
  Inbox* const inbox_;
};

struct Flags {
  TrainerOptions trainer;
  std::optional<int> exit_code;  // when there is nothing more to do
};

Flags ParseFlags(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (flag == "--help") {
      std::cout << kUsage;
      flags.exit_code = 0;
    } else if (flag == "--version") {
      std::cout << "sweep-trainer " << SWEEP_VERSION << ", " << TorchVersion() << '\n';
      flags.exit_code = 0;
    } else if (flag == "--device" && !value.empty()) {
      flags.trainer.device = value;
      ++i;
    } else if (flag == "--threads" && !value.empty() && value.find_first_not_of("0123456789") == std::string::npos &&
               value.size() < 4 && std::stoi(value) > 0) {
      flags.trainer.threads = std::stoi(value);
      ++i;
    } else {
      std::cerr << "sweep-trainer: bad argument '" << flag << (value.empty() ? "" : " " + value) << "'\n" << kUsage;
      flags.exit_code = 2;
      return flags;
    }
  }
  return flags;
}

// A trainer ends with its worker, however that ends, and by nothing that the terminal sends to the
// worker's whole group.
void FollowParent() {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  struct sigaction action {};
  action.sa_handler = OnTerminate;
  sigaction(SIGTERM, &action, nullptr);
}

int Main(int argc, char** argv) {
  const Flags flags = ParseFlags(argc, argv);
  if (flags.exit_code.has_value()) return *flags.exit_code;
  FollowParent();
  Trainer trainer(flags.trainer);
  Send(ReadyMessage{.build = std::string("sweep-trainer ") + SWEEP_VERSION + ", " + TorchVersion(),
                    .device = DescribeDevice(flags.trainer.device),
                    .backend = "torch"});
  static Inbox inbox;  // its thread outlives main
  inbox.Start();
  while (std::optional<TrialSpec> trial = inbox.NextTrial()) {
    LineListener listener(trial->trial, &inbox);
    try {
      const TrainingResult result = trainer.Train(*trial, &listener);
      Send(DoneMessage{trial->trial, result.epochs, result.stopped, result.files});
    } catch (const TrainingError& error) {
      Send(ErrorMessage{trial->trial, error.what(), error.retryable()});
    }
    inbox.Finished();
  }
  return 0;
}

}  // namespace
}  // namespace sweep

int main(int argc, char** argv) {
  int code = 1;
  try {
    code = sweep::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "sweep-trainer: " << error.what() << '\n';
  }
  // Not a return: libtorch's and the reader's threads would run into destroyed statics.
  std::cout.flush();
  _exit(code);
}
