// The program sweep-worker as a process.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/ids.h"
#include "common/base/testing/is_alive.h"
#include "worker/agent/testing/fake_coordinator.h"
#include "worker/agent/testing/processes.h"

extern char** environ;

namespace sweep {
namespace {

using Record = FakeCoordinator::Record;
using ::testing::HasSubstr;

class SweepWorkerTest : public ::testing::Test {
 protected:
  SweepWorkerTest()
      : folder_(std::filesystem::temp_directory_path() / ("sweep_worker_test-" + RandomHex(8))) {
    std::filesystem::create_directories(folder_);
  }
  ~SweepWorkerTest() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }

  void StartWorker(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program_);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, stderr_path().c_str(),
                                     O_WRONLY | O_CREAT, 0600);
    // The tests may have been started by nohup.
    const auto hangup = signal(SIGHUP, ignore_hangup_ ? SIG_IGN : SIG_DFL);
    ASSERT_EQ(posix_spawn(&pid_, program_.c_str(), &actions, nullptr, argv.data(), environ), 0);
    signal(SIGHUP, hangup);
    posix_spawn_file_actions_destroy(&actions);
  }

  void StartWorkerWithFakeTrainer() {
    StartWorker({"--coordinator", coordinator_.address(), "--slots", "2", "--trainer", FAKE_TRAINER,
                 "--work-dir", folder_ / "work"});
  }

  // The exit code, or 128 + the signal.
  int WaitForExit() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  std::string stderr_path() const { return folder_ / "stderr"; }
  std::string Stderr() const {
    std::ostringstream text;
    text << std::ifstream(stderr_path()).rdbuf();
    return text.str();
  }

  bool EventuallySays(const std::string& text) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (Stderr().find(text) == std::string::npos) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  // Repeats the signal, because two that come too close together count as one.
  void PressCtrlCUntil(const std::string& text) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (Stderr().find(text) == std::string::npos && std::chrono::steady_clock::now() < until) {
      kill(pid_, SIGINT);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  static bool EventuallyEnds(int pid) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (testing::IsAlive(pid) && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return !testing::IsAlive(pid);
  }

  std::string program_ = SWEEP_WORKER;
  const std::filesystem::path folder_;
  FakeCoordinator coordinator_;
  pid_t pid_ = -1;
  bool ignore_hangup_ = false;
};

TEST_F(SweepWorkerTest, LeavesNoTrainerWhenItIsKilled) {
  coordinator_.Offer(1, "pause=1", 5);
  coordinator_.Offer(2, "deaf=1", 5);  // does not even end at the end of its input
  StartWorkerWithFakeTrainer();
  const int first = coordinator_.WaitForTrainer(1);
  const int second = coordinator_.WaitForTrainer(2);
  ASSERT_GT(first, 0);
  ASSERT_GT(second, 0);
  ASSERT_TRUE(testing::IsAlive(first) && testing::IsAlive(second));
  kill(pid_, SIGKILL);
  EXPECT_EQ(WaitForExit(), 128 + SIGKILL);
  EXPECT_TRUE(EventuallyEnds(first));
  EXPECT_TRUE(EventuallyEnds(second));
}

TEST_F(SweepWorkerTest, LeavesNothingOfAProgramWhenItIsKilled) {
  const std::string pids = folder_ / "pids";
  v1::Lease lease = FakeCoordinator::MakeLease(1, "", 5);
  for (const std::string& word :
       {std::string("sh"), std::string("-c"),
        "trap '' TERM; echo $$ > " + pids + "; setsid sh -c '(sleep 1000 & echo $! >> " + pids +
            ")'; echo started; while :; do sleep 1; done"}) {
    lease.add_program(word);
  }
  coordinator_.OfferLease(lease);
  StartWorker({"--coordinator", coordinator_.address(), "--slots", "1", "--trainer", FAKE_TRAINER,
               "--work-dir", folder_ / "work", "--allow-program"});
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.LogOf(1).empty(); }));
  kill(pid_, SIGKILL);
  WaitForExit();
  std::ifstream file(pids);
  int count = 0;
  for (int pid; file >> pid; ++count) EXPECT_TRUE(EventuallyEnds(pid)) << pid;
  EXPECT_EQ(count, 2) << "the program and its daemon";
}

// A daemon loses its parent when the worker and its supervisor are killed together, as by `pkill -9
// sweep`.
TEST_F(SweepWorkerTest, TheNextOneEndsWhatOutlivedAKilledOneAndItsSupervisor) {
  const std::string pids = folder_ / "pids";
  v1::Lease lease = FakeCoordinator::MakeLease(1, "", 5);
  for (const std::string& word :
       {std::string("sh"), std::string("-c"),
        "echo $PPID > " + pids + "; cd /; setsid sh -c '(sleep 1000 & echo $! >> " + pids +
            ")'; echo started; while :; do sleep 1; done"}) {
    lease.add_program(word);
  }
  coordinator_.OfferLease(lease);
  const auto start = [&](const std::string& work_dir) {
    StartWorker({"--coordinator", coordinator_.address(), "--slots", "1", "--trainer", FAKE_TRAINER,
                 "--work-dir", work_dir, "--allow-program"});
  };
  start(folder_ / "work");
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.LogOf(1).empty(); }));
  pid_t supervisor = 0, daemon = 0;
  std::ifstream(pids) >> supervisor >> daemon;
  ASSERT_TRUE(testing::IsAlive(supervisor) && testing::IsAlive(daemon));
  kill(pid_, SIGSTOP);
  kill(supervisor, SIGKILL);
  kill(pid_, SIGKILL);
  WaitForExit();
  EXPECT_TRUE(EventuallyEnds(supervisor));
  EXPECT_TRUE(testing::IsAlive(daemon));
  const std::filesystem::path left = std::filesystem::directory_iterator(folder_ / "work")->path();

  start(folder_ / "." / "work");
  EXPECT_TRUE(EventuallyEnds(daemon));
  kill(daemon, SIGKILL);  // in case that failed
  EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(left); }))
      << "and the files under --work-dir are gone";
}

TEST_F(SweepWorkerTest, EndsWellWhenTheCoordinatorDrainsIt) {
  coordinator_.Offer(1, "pause=1", 5);
  StartWorkerWithFakeTrainer();
  coordinator_.WaitForTrainer(1);
  coordinator_.SetDrain(true);
  EXPECT_EQ(WaitForExit(), 0) << Stderr();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_THAT(Stderr(), HasSubstr("coordinator " + coordinator_.address() + " asks for it"));
}

TEST_F(SweepWorkerTest, DrainsOnSigterm) {
  coordinator_.Offer(1, "pause=1", 5);
  StartWorkerWithFakeTrainer();
  coordinator_.WaitForTrainer(1);
  kill(pid_, SIGTERM);
  EXPECT_EQ(WaitForExit(), 0) << Stderr();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_THAT(Stderr(), HasSubstr("draining; again to stop at once"));
}

TEST_F(SweepWorkerTest, ASignalThatIsSentTwiceStillLeavesTimeForTheCheckpoint) {
  coordinator_.Offer(1, "pause=1,slow-stop=1500", 5);
  StartWorkerWithFakeTrainer();
  const int trainer = coordinator_.WaitForTrainer(1);
  // A batch system ends a job like this: it signals everything in it, twice.
  for (int i = 0; i < 2; ++i) {
    for (const int signal : {SIGCONT, SIGTERM}) kill(pid_, signal);
    kill(trainer, SIGCONT);
    EXPECT_TRUE(EventuallySays("draining"));
  }
  EXPECT_EQ(WaitForExit(), 0) << Stderr();
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_EQ(coordinator_.record().reports.back().checkpoint_epoch(), 1) << "what took a while";
  EXPECT_EQ(Stderr().find("stopping"), std::string::npos);
}

TEST_F(SweepWorkerTest, ASecondCtrlCGivesBackAtOnce) {
  coordinator_.Offer(1, "pause=1,slow-stop=100000", 5);
  StartWorkerWithFakeTrainer();
  const int trainer = coordinator_.WaitForTrainer(1);
  kill(pid_, SIGINT);
  ASSERT_TRUE(EventuallySays("draining"));
  PressCtrlCUntil("stopping");
  EXPECT_EQ(WaitForExit(), 0) << Stderr();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_FALSE(testing::IsAlive(trainer));
}

TEST_F(SweepWorkerTest, StopsOnTheSecondSignalWhenTheCoordinatorIsAway) {
  coordinator_.Offer(1, "pause=1", 5);
  StartWorkerWithFakeTrainer();
  const int trainer = coordinator_.WaitForTrainer(1);
  coordinator_.Disconnect();  // so that it cannot give back
  kill(pid_, SIGINT);
  ASSERT_TRUE(EventuallySays("draining"));
  PressCtrlCUntil("stopping");
  EXPECT_EQ(WaitForExit(), 0) << Stderr();
  EXPECT_FALSE(testing::IsAlive(trainer));
}

TEST_F(SweepWorkerTest, DrainsOnSighup) {
  coordinator_.Offer(1, "pause=1,slow-stop=100", 5);
  StartWorkerWithFakeTrainer();
  coordinator_.WaitForTrainer(1);
  kill(pid_, SIGHUP);
  EXPECT_EQ(WaitForExit(), 0) << Stderr();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
}

TEST_F(SweepWorkerTest, StaysDeafToSighupUnderNohup) {
  ignore_hangup_ = true;
  StartWorkerWithFakeTrainer();
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.synchronized.empty(); }));
  coordinator_.Offer(1, "pause=1", 5);
  coordinator_.WaitForTrainer(1);
  kill(pid_, SIGHUP);
  coordinator_.Offer(2, "", 5);
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  kill(pid_, SIGTERM);
  EXPECT_EQ(WaitForExit(), 0) << Stderr();
}

TEST_F(SweepWorkerTest, DrainsWhenItsTerminalIsClosed) {
  coordinator_.Offer(1, "pause=1,slow-stop=100", 5);
  int terminal = -1;
  std::vector<std::string> words = {
      SWEEP_WORKER, "--coordinator", coordinator_.address(), "--slots",     "1",    "--trainer",
      FAKE_TRAINER, "--work-dir",    folder_ / "work",       "--log-level", "debug"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(pid_, 0);
  if (pid_ == 0) {
    signal(SIGHUP, SIG_DFL);  // also where the tests run under nohup
    execv(argv[0], argv.data());
    _exit(127);
  }
  coordinator_.WaitForTrainer(1);
  close(terminal);  // from here on every line of its log is an error
  EXPECT_EQ(WaitForExit(), 0);
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_EQ(coordinator_.record().reports.back().checkpoint_epoch(), 1);
}

TEST_F(SweepWorkerTest, DrainsWhenTheReaderOfItsLogHasGone) {
  coordinator_.Offer(1, "pause=1,slow-stop=100", 5);
  ASSERT_EQ(mkfifo(stderr_path().c_str(), 0600), 0);
  const int reader = open(stderr_path().c_str(), O_RDONLY | O_NONBLOCK);
  StartWorkerWithFakeTrainer();
  coordinator_.WaitForTrainer(1);
  close(reader);
  kill(pid_, SIGTERM);
  EXPECT_EQ(WaitForExit(), 0);
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
}

TEST_F(SweepWorkerTest, TheNextOneRemovesWhatAKilledOneHasLeft) {
  const std::filesystem::path temporary = folder_ / "tmp";
  std::filesystem::create_directories(temporary / "sweep-worker-others");
  std::ofstream(temporary / "sweep-worker-others" / "mine") << "no lock shows an owner";
  // The folder of a process that was killed before it made its lock.
  std::filesystem::create_directories(temporary / "sweep-worker-killed");
  const auto folders = [&] {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(temporary)) {
      names.insert(entry.path().filename());
    }
    return names;
  };
  // A worker's folder exists and is locked before its first call.
  const auto start = [&](const std::string& name) {
    ASSERT_EQ(setenv("TMPDIR", temporary.c_str(), 1), 0);
    StartWorker(
        {"--coordinator", coordinator_.address(), "--trainer", FAKE_TRAINER, "--name", name});
    unsetenv("TMPDIR");
    ASSERT_TRUE(coordinator_.WaitUntil([&](const FakeCoordinator::Record& record) {
      return std::any_of(record.synchronized.begin(), record.synchronized.end(),
                         [&](const auto& call) { return call.worker() == name; });
    })) << Stderr();
  };
  start("first");
  EXPECT_EQ(folders().count("sweep-worker-killed"), 0);
  EXPECT_EQ(folders().size(), 2);
  const pid_t first = std::exchange(pid_, -1);
  start("second");
  const std::set<std::string> of_both = folders();
  EXPECT_EQ(of_both.size(), 3) << "what somebody owns stays";
  kill(pid_, SIGKILL);
  WaitForExit();
  kill(first, SIGKILL);
  waitpid(first, nullptr, 0);
  EXPECT_EQ(folders(), of_both);

  start("third");
  EXPECT_EQ(folders().size(), 2);
  kill(pid_, SIGTERM);
  EXPECT_EQ(WaitForExit(), 0) << Stderr();
  EXPECT_EQ(folders(), (std::set<std::string>{"sweep-worker-others"}));
}

TEST_F(SweepWorkerTest, NamesATemporaryFolderThatIsNone) {
  const std::string nowhere = folder_ / "nowhere";
  ASSERT_EQ(setenv("TMPDIR", nowhere.c_str(), 1), 0);
  StartWorker({"--coordinator", coordinator_.address(), "--trainer", FAKE_TRAINER});
  unsetenv("TMPDIR");
  EXPECT_EQ(WaitForExit(), 1);
  EXPECT_THAT(Stderr(), HasSubstr("TMPDIR names " + nowhere + ", which is not a folder"));
}

TEST_F(SweepWorkerTest, SaysHowManySlotsItHasAndWhy) {
  coordinator_.Offer(1, "pause=1", 5);
  StartWorker({"--coordinator", coordinator_.address(), "--trainer", FAKE_TRAINER, "--work-dir",
               folder_ / "work"});
  coordinator_.WaitForTrainer(1);
  EXPECT_THAT(Stderr(), ::testing::ContainsRegex("processors?, affinity [0-9]+.*: [0-9]+ slot"));
}

TEST_F(SweepWorkerTest, ExitsWithFourWhenTheCoordinatorCannotBeReached) {
  coordinator_.Disconnect();
  const auto start = std::chrono::steady_clock::now();
  StartWorker({"--coordinator", coordinator_.address(), "--trainer", FAKE_TRAINER});
  EXPECT_EQ(WaitForExit(), 4);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(7));
  EXPECT_THAT(Stderr(), HasSubstr(coordinator_.address()));
}

TEST_F(SweepWorkerTest, ExitsWithTwoOnBadArguments) {
  StartWorker({"--coordinator", coordinator_.address(), "--slots", "many"});
  EXPECT_EQ(WaitForExit(), 2);
  StartWorker({"--coordinator", coordinator_.address(), "--label", "=x"});
  EXPECT_EQ(WaitForExit(), 2);
  StartWorker({"--coordinator", coordinator_.address(), "--silence-timeout", "soon"});
  EXPECT_EQ(WaitForExit(), 2);
  EXPECT_THAT(Stderr(), HasSubstr("--silence-timeout: 'soon'"));
  // A host without a port is a valid address, so it is not among these.
  for (const std::string address : {"http://nowhere", "nowhere:many", "nowhere:70000", ""}) {
    StartWorker({"--coordinator", address, "--trainer", FAKE_TRAINER});
    EXPECT_EQ(WaitForExit(), 2) << address;
  }
}

TEST_F(SweepWorkerTest, ExitsWithOneWhenTheTrainerIsNotThere) {
  StartWorker({"--coordinator", coordinator_.address(), "--trainer", "/nowhere/trainer"});
  EXPECT_EQ(WaitForExit(), 1);
  EXPECT_THAT(Stderr(), HasSubstr("/nowhere/trainer"));
}

TEST_F(SweepWorkerTest, ExitsWithOneWhenTheCoordinatorRefusesIt) {
  coordinator_.SetSynchronizeStatus(absl::AlreadyExistsError("worker w is connected"));
  StartWorkerWithFakeTrainer();
  EXPECT_EQ(WaitForExit(), 1);
  EXPECT_THAT(Stderr(), HasSubstr("worker w is connected"));
}

// The trainer beside the program comes to other losses than ours.
TEST_F(SweepWorkerTest, AMachineThatComputesSomethingElseGetsNoWork) {
  const std::string worker = folder_ / "sweep-worker";
  std::filesystem::copy_file(SWEEP_WORKER, worker);
  std::filesystem::copy_file(FAKE_TRAINER, folder_ / "sweep-trainer");
  program_ = worker;
  StartWorker({"--coordinator", coordinator_.address(), "--work-dir", folder_ / "work"});
  EXPECT_EQ(WaitForExit(), 1);
  EXPECT_THAT(Stderr(), HasSubstr("the canary failed"));
  EXPECT_THAT(Stderr(), HasSubstr("a loss of 1.0000 in training and of 0.0000 afterwards, which "
                                  "should be 2.2439 and 2.2284 within 0.002"));

  StartWorker(
      {"--coordinator", coordinator_.address(), "--work-dir", folder_ / "work", "--skip-canary"});
  EXPECT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.synchronized.empty(); }));
  kill(pid_, SIGTERM);
  EXPECT_EQ(WaitForExit(), 0);
}

}  // namespace
}  // namespace sweep
