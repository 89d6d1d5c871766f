// How the programs end when batch systems, closed terminals and people tell them to.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::Process;
using testing::Result;

constexpr char kEndSweep[] =
    "name: slow\n"
    "program: [sh, train.sh]\n"
    "files: [train.sh]\n"
    "method: grid\n"
    "parameters: {x: {values: [1]}}\n"
    "epochs: 5\n";

// Reports an epoch and writes its process id; at a stop it takes a second for its checkpoint.
constexpr char kProgram[] =
    "read -r line\n"
    "trial=${line#*'\"trial\":\"'}; trial=${trial%%'\"'*}\n"
    "out=${line#*'\"output_dir\":\"'}; out=${out%%'\"'*}\n"
    "trap : TERM\n"
    "echo '{\"type\":\"epoch\",\"trial\":\"'$trial'\",\"epoch\":1,\"validation_accuracy\":0.5}'\n"
    "echo $$ > FOLDER/pid\n"
    "while ! read -r stop; do :; done\n"
    "sleep 1\n"
    "echo saved > $out/c\n"
    "echo '{\"type\":\"checkpoint\",\"trial\":\"'$trial'\",\"epoch\":1,\"path\":\"'$out'/c\"}'\n"
    "echo saved > FOLDER/saved\n"
    "echo '{\"type\":\"done\",\"trial\":\"'$trial'\",\"epochs\":1,\"stopped\":true}'\n";

class EndTest : public ::testing::Test {
 protected:
  EndTest() {
    std::string program = kProgram;
    for (std::size_t at; (at = program.find("FOLDER")) != std::string::npos;) {
      program.replace(at, 6, folder_.path());
    }
    folder_.Write("train.sh", program);
    file_ = folder_.Write("slow.yaml", kEndSweep);
    // The tests may run under nohup, which ignores SIGHUP.
    before_ = signal(SIGHUP, SIG_DFL);
  }
  ~EndTest() override { signal(SIGHUP, before_); }

  Process::Options Command(std::vector<std::string> words) const {
    return {.command = std::move(words), .folder = folder_.path()};
  }
  bool Exists(const std::string& name) const {
    return std::filesystem::exists(folder_.path() + "/" + name);
  }
  // Waits for the program's process, which has then reported its epoch.
  pid_t WaitForProgram() const {
    pid_t pid = 0;
    Eventually([&] { return static_cast<bool>(std::ifstream(folder_.path() + "/pid") >> pid); });
    return pid;
  }
  json Trial() const {
    const Result result = testing::Run(Command({"sweep", "trial", "slow/1", "--format", "json"}));
    EXPECT_EQ(result.code, 0) << result.output;
    return json::parse(result.output);
  }
  void ExpectGivenBack() const {
    const json trial = Trial();
    EXPECT_EQ(trial["state"], "pending") << trial.dump(1);
    EXPECT_EQ(trial["failures"], 0);
    EXPECT_EQ(trial["epoch_rows"].size(), 1u);
  }

  testing::TemporaryFolder folder_;
  std::string file_;
  void (*before_)(int) = nullptr;
};

TEST_F(EndTest, ARunWhoseTerminalIsClosedKeepsItsCheckpoint) {
  const std::string program = testing::ProgramPath("sweep");
  std::vector<std::string> words = {program, "run", file_, "--slots", "1"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    if (chdir(folder_.path().c_str()) == 0) execv(argv[0], argv.data());
    _exit(127);
  }
  fcntl(terminal, F_SETFL, O_NONBLOCK);
  char buffer[4096];
  ASSERT_TRUE(Eventually([&] {  // read as a terminal does, so that no writer blocks
    while (read(terminal, buffer, sizeof buffer) > 0) {
    }
    return Exists("pid");
  }));
  close(terminal);
  int status = 0;
  const bool ended =
      Eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }, std::chrono::seconds(30));
  if (!ended) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), 130);
  EXPECT_TRUE(Exists("saved"));
  ExpectGivenBack();
}

TEST_F(EndTest, ARunThatABatchSystemEndsKeepsItsCheckpoint) {
  Process run(Command({"sweep", "run", file_, "--slots", "1"}));
  const pid_t program = WaitForProgram();
  ASSERT_GT(program, 0) << run.Output();
  for (int i = 0; i < 2; ++i) {
    for (const int signal : {SIGCONT, SIGTERM}) {
      run.Signal(signal);
      kill(program, signal);
    }
    ASSERT_TRUE(Eventually([&] { return run.Output().find("stopping") != std::string::npos; }));
  }
  EXPECT_EQ(run.Wait(), 130) << run.Output();
  EXPECT_TRUE(Exists("saved")) << run.Output();
  ExpectGivenBack();
}

TEST_F(EndTest, ARunAfterOneThatStillEndsWaitsForItAndSaysSo) {
  std::ifstream stream(folder_.path() + "/train.sh");
  std::string program((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  program.replace(program.find("sleep 1\n"), 8,
                  "while [ ! -e " + folder_.path() + "/go ]; do sleep 0.05; done\n");
  folder_.Write("train.sh", program);
  Process first(Command({"sweep", "run", file_, "--slots", "1"}));
  ASSERT_GT(WaitForProgram(), 0) << first.Output();
  first.Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] {
    return testing::Run(Command({"sweep", "explain", "slow/1"})).output.find("drains") !=
           std::string::npos;
  })) << first.Output();
  std::filesystem::remove(folder_.path() + "/pid");
  Process second(Command({"sweep", "run", file_, "--slots", "1"}));
  EXPECT_TRUE(Eventually([&] {
    return second.Output().find("waiting for the run before") != std::string::npos;
  })) << second.Output();
  folder_.Write("go", "");
  EXPECT_EQ(first.Wait(), 130) << first.Output();
  ASSERT_GT(WaitForProgram(), 0) << second.Output();
  second.Signal(SIGINT);
  EXPECT_EQ(second.Wait(), 130) << second.Output();
  EXPECT_EQ(Trial()["attempt"], 2);
  EXPECT_EQ(Trial()["failures"], 0);
}

TEST_F(EndTest, ASecondCtrlCInRunGivesBackAtOnce) {
  Process run(Command({"sweep", "run", file_, "--slots", "1"}));
  const pid_t program = WaitForProgram();
  ASSERT_GT(program, 0) << run.Output();
  kill(program, SIGSTOP);       // so that it never writes its checkpoint
  EXPECT_TRUE(Eventually([&] {  // repeat: signals too close together count as one
    run.Signal(SIGINT);
    return run.Wait(std::chrono::seconds(0)) >= 0;
  })) << run.Output();
  EXPECT_EQ(run.Wait(), 130) << run.Output();
  EXPECT_FALSE(Exists("saved"));
  ExpectGivenBack();
  EXPECT_FALSE(testing::IsAlive(program));
}

TEST_F(EndTest, ACoordinatorEndsInOrderByAnyOfThem) {
  for (const int signal : {SIGTERM, SIGHUP, SIGINT}) {
    Process coordinator(Command({"sweep-coordinator", "--db", folder_.path() + "/c.db", "--listen",
                                 "127.0.0.1:0", "--http", "off"}));
    testing::WaitForAddress(coordinator);
    coordinator.Signal(signal);
    ASSERT_TRUE(Eventually(
        [&] { return coordinator.Output().find("shutting down") != std::string::npos; }));
    if (signal != SIGINT) coordinator.Signal(signal);  // the same request again
    EXPECT_EQ(coordinator.Wait(), 0) << coordinator.Output();
  }
}

}  // namespace
}  // namespace sweep
