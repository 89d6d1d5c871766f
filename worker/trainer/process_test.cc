// The real sweep-trainer, driven through pipes as a worker drives it.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"
#include "worker/trainer/testing/trainer_testing.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

// Long enough for a loaded machine; no test waits until it passes.
constexpr std::chrono::seconds kPatience{60};
constexpr int kForever = 1000;  // epochs

class TrainerChild {
 public:
  explicit TrainerChild(std::vector<std::string> arguments = {}) {
    int input[2], output[2];
    if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipes");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    arguments.insert(arguments.begin(), SWEEP_TRAINER);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int error = posix_spawn(&pid_, SWEEP_TRAINER, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(input[0]);
    close(output[1]);
    stdin_ = input[1];
    stdout_ = output[0];
    if (error != 0) throw std::runtime_error("cannot start " SWEEP_TRAINER);
  }
  ~TrainerChild() {
    CloseInput();
    CloseOutput();
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  TrainerChild(const TrainerChild&) = delete;
  TrainerChild& operator=(const TrainerChild&) = delete;

  void Send(std::string line) {
    line += '\n';
    ASSERT_EQ(write(stdin_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  }
  void Send(const TrialSpec& spec) { Send(TrialSpecToJson(spec)); }
  void CloseInput() {
    if (stdin_ >= 0) close(stdin_);
    stdin_ = -1;
  }
  void CloseOutput() {
    if (stdout_ >= 0) close(stdout_);
    stdout_ = -1;
  }
  void Signal(int signal) { kill(pid_, signal); }

  // The next line; nullopt at the end of output.
  std::optional<std::string> NextLine() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (buffer_.find('\n') == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      pollfd fd{.fd = stdout_, .events = POLLIN, .revents = 0};
      if (left.count() <= 0 || poll(&fd, 1, static_cast<int>(left.count())) <= 0) {
        throw std::runtime_error("the trainer says nothing");
      }
      char bytes[4096];
      const ssize_t got = read(stdout_, bytes, sizeof(bytes));
      if (got <= 0) return std::nullopt;
      buffer_.append(bytes, static_cast<std::size_t>(got));
    }
    const std::size_t end = buffer_.find('\n');
    const std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }
  // Throws for a line that is no message.
  TrainerMessage NextMessage() {
    const std::optional<std::string> line = NextLine();
    if (!line.has_value()) throw std::runtime_error("the trainer has ended");
    bool is_json = false;
    const TrainerMessage message = TrainerMessageFromJson(*line, &is_json);
    if (!is_json) throw std::runtime_error("not a message: " + *line);
    return message;
  }
  // Skips messages of other kinds; an unexpected error ends the test.
  template <typename Message>
  Message Next() {
    while (true) {
      const TrainerMessage message = NextMessage();
      if (const auto* wanted = std::get_if<Message>(&message)) return *wanted;
      if (const auto* error = std::get_if<ErrorMessage>(&message)) {
        throw std::runtime_error("error: " + error->reason);
      }
    }
  }
  // Waits for the process and returns its exit code, or 1000 + the signal that ended it.
  int Wait() {
    while (stdout_ >= 0 && NextLine().has_value()) {
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  std::string buffer_;
};

class TrainerProcessTest : public testing::Test {
 protected:
  TrialSpec Spec(const std::string& trial, int epochs) {
    TrialSpec spec = SmallTrial(folder_.path());
    spec.trial = trial;
    spec.epochs = epochs;
    return spec;
  }
  TemporaryFolder folder_;
};

TEST_F(TrainerProcessTest, TrainsTrialsOneAfterTheOtherInOneProcess) {
  TrainerChild trainer({"--device", "cpu"});
  const ReadyMessage ready = trainer.Next<ReadyMessage>();
  EXPECT_EQ(ready.protocol, kTrainerProtocolVersion);
  EXPECT_THAT(ready.build, AllOf(HasSubstr("sweep-trainer "), HasSubstr("libtorch ")));
  EXPECT_EQ(ready.device, "cpu");
  EXPECT_EQ(ready.backend, SWEEP_DEFAULT_BACKEND);
  for (const std::string trial : {"test/1", "test/2"}) {
    trainer.Send(Spec(trial, 2));
    for (int epoch = 1; epoch <= 2; ++epoch) {
      const EpochMessage message = trainer.Next<EpochMessage>();
      EXPECT_EQ(message.trial, trial);
      EXPECT_EQ(message.metrics.epoch, epoch);
    }
    const DoneMessage done = trainer.Next<DoneMessage>();
    EXPECT_EQ(done.trial, trial);
    EXPECT_EQ(done.epochs, 2);
    EXPECT_FALSE(done.stopped);
    EXPECT_THAT(done.files,
                UnorderedElementsAre(Key("weights_best"), Key("weights_last"), Key("predictions")));
    for (const auto& [role, path] : done.files) EXPECT_TRUE(std::filesystem::exists(path)) << role;
  }
  trainer.CloseInput();
  EXPECT_EQ(trainer.Wait(), 0);
}

TEST_F(TrainerProcessTest, TheBackendCanBeChosen) {
  TrainerChild trainer({"--device", "cpu", "--backend", "torch"});
  EXPECT_EQ(trainer.Next<ReadyMessage>().backend, "torch");
}

TEST_F(TrainerProcessTest, BadLinesAreAnsweredAndTheNextTrialIsTrained) {
  TrainerChild trainer;
  trainer.Next<ReadyMessage>();
  trainer.Send("garbage");
  EXPECT_EQ(std::get<ErrorMessage>(trainer.NextMessage()).trial, "");
  trainer.Send("{\"type\":\"trial\",\"trial\":\"test/7\"}");
  EXPECT_EQ(std::get<ErrorMessage>(trainer.NextMessage()).trial, "test/7");
  trainer.Send(std::string(3 << 20, 'x'));  // longer than a line is allowed to be
  EXPECT_EQ(std::get<ErrorMessage>(trainer.NextMessage()).trial, "");
  TrialSpec diverging = Spec("test/8", 1);
  diverging.lr = 100;
  diverging.momentum = 0.99;
  trainer.Send(diverging);
  const TrainerMessage last = trainer.NextMessage();
  EXPECT_EQ(std::get<ErrorMessage>(last).trial, "test/8");
  EXPECT_THAT(std::get<ErrorMessage>(last).reason, HasSubstr("diverged"));
  trainer.Send(Spec("test/9", 1));
  EXPECT_EQ(trainer.Next<DoneMessage>().trial, "test/9");
}

TEST_F(TrainerProcessTest, AStopEndsTheTrialAndOnlyThatOne) {
  TrainerChild trainer;
  trainer.Send(Spec("test/1", kForever));
  trainer.Next<EpochMessage>();
  trainer.Send(TrainerCommandToJson(TrainerCommand::kStop, "test/0"));
  trainer.Next<EpochMessage>();
  trainer.Send(TrainerCommandToJson(TrainerCommand::kStop, "test/1"));
  const CheckpointMessage checkpoint = trainer.Next<CheckpointMessage>();
  const DoneMessage done = trainer.Next<DoneMessage>();
  EXPECT_TRUE(done.stopped);
  EXPECT_EQ(done.epochs, checkpoint.epoch);
  EXPECT_GE(done.epochs, 2);

  TrialSpec resumed = Spec("test/1", kForever);
  resumed.resume_from = checkpoint.path;
  trainer.Send(resumed);
  EXPECT_EQ(trainer.Next<EpochMessage>().metrics.epoch, checkpoint.epoch + 1);
}

TEST_F(TrainerProcessTest, ACheckpointIsWrittenOnRequest) {
  TrainerChild trainer;
  trainer.Send(Spec("test/1", kForever));
  trainer.Next<EpochMessage>();
  trainer.Send(TrainerCommandToJson(TrainerCommand::kCheckpoint, "test/1"));
  const CheckpointMessage checkpoint = trainer.Next<CheckpointMessage>();
  EXPECT_GE(checkpoint.epoch, 1);
  EXPECT_TRUE(std::filesystem::exists(checkpoint.path));
  trainer.Next<EpochMessage>();  // goes on
}

TEST_F(TrainerProcessTest, TheEndOfInputEndsATrainingAtOnce) {
  TrainerChild trainer;
  trainer.Send(Spec("test/1", kForever));
  trainer.Next<EpochMessage>();
  trainer.CloseInput();
  EXPECT_EQ(trainer.Wait(), 0);
}

TEST_F(TrainerProcessTest, AClosedOutputEndsATraining) {
  TrainerChild trainer;
  trainer.Send(Spec("test/1", kForever));
  trainer.Next<EpochMessage>();
  trainer.CloseOutput();
  EXPECT_EQ(trainer.Wait(), 1);
}

TEST_F(TrainerProcessTest, SigtermStopsTheTrainingAndEnds) {
  TrainerChild trainer;
  trainer.Send(Spec("test/1", kForever));
  trainer.Next<EpochMessage>();
  trainer.Signal(SIGTERM);
  EXPECT_TRUE(trainer.Next<DoneMessage>().stopped);
  EXPECT_EQ(trainer.Wait(), 0);
}

TEST_F(TrainerProcessTest, SigtermEndsAnIdleOne) {
  TrainerChild trainer;
  trainer.Next<ReadyMessage>();
  trainer.Signal(SIGTERM);
  EXPECT_EQ(trainer.Wait(), 0);
}

TEST_F(TrainerProcessTest, CtrlCIsForTheWorker) {
  TrainerChild trainer;
  trainer.Next<ReadyMessage>();
  trainer.Signal(SIGINT);
  trainer.Send(Spec("test/1", 1));
  EXPECT_EQ(trainer.Next<DoneMessage>().epochs, 1);
}

// The trainer's input stays open, because this test holds the other end.
TEST_F(TrainerProcessTest, DiesWithItsParent) {
  int input[2], output[2];
  ASSERT_EQ(pipe2(input, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(output, O_CLOEXEC), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    char name[] = SWEEP_TRAINER;
    char* argv[] = {name, nullptr};
    pid_t child = -1;
    if (posix_spawn(&child, SWEEP_TRAINER, &actions, nullptr, argv, environ) != 0) _exit(1);
    while (true) pause();
  }
  close(output[1]);
  char bytes[4096];
  ASSERT_GT(read(output[0], bytes, sizeof(bytes)), 0);  // the trainer has reported ready
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  // The trainer's output loses its last writer.
  pollfd fd{.fd = output[0], .events = POLLIN, .revents = 0};
  const std::chrono::milliseconds patience = kPatience;
  EXPECT_EQ(poll(&fd, 1, static_cast<int>(patience.count())), 1);
  EXPECT_NE(fd.revents & POLLHUP, 0);
  for (const int end : {input[0], input[1], output[0]}) close(end);
}

TEST_F(TrainerProcessTest, BadFlagsAndDevicesExitWithTwo) {
  EXPECT_EQ(TrainerChild({"--colour", "red"}).Wait(), 2);
  EXPECT_EQ(TrainerChild({"--threads", "0"}).Wait(), 2);
  EXPECT_EQ(TrainerChild({"--threads"}).Wait(), 2);
  EXPECT_EQ(TrainerChild({"--backend", "fast"}).Wait(), 2);
  TrainerChild trainer({"--device", "cuda:97"});
  EXPECT_THAT(std::get<ErrorMessage>(trainer.NextMessage()).reason, HasSubstr("cuda:97"));
  EXPECT_EQ(trainer.Wait(), 2);
}

TEST_F(TrainerProcessTest, HelpAndVersionAreText) {
  TrainerChild help({"--help"});
  EXPECT_THAT(*help.NextLine(), HasSubstr("usage: sweep-trainer"));
  EXPECT_EQ(help.Wait(), 0);
  TrainerChild version({"--version"});
  EXPECT_THAT(*version.NextLine(), HasSubstr("libtorch"));
  EXPECT_EQ(version.Wait(), 0);
}

}  // namespace
}  // namespace sweep
