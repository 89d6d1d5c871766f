// A coordinator dies, freezes or ends: its workers go on, and keep their trials.

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <filesystem>

#include "tests/integration/recovery_testing.h"

namespace sweep::testing {
namespace {

constexpr int kTrials = 4;
constexpr int kEpochs = 60;

class CoordinatorRecoveryTest : public RecoveryTest {
 protected:
  void StartCoordinator(double lease_term_seconds, const std::string& listen = "127.0.0.1:0") {
    coordinator_ = std::make_unique<Process>(Process::Options{
        .command = {"sweep-coordinator", "--http", "off", "--listen", listen, "--db", "sweep.db",
                    "--lease-term", fmt::format("{}", lease_term_seconds)},
        .folder = folder_.path()});
    address_ = WaitForAddress(*coordinator_);
    ASSERT_NO_FATAL_FAILURE(ConnectTo(address_));
  }
  // Lets two workers with two slots each train all four trials.
  void BeginTraining() {
    ASSERT_NO_FATAL_FAILURE(Submit(SweepText(kTrials, kEpochs)));
    const std::string trainer = TimerTrainer(50);
    for (const char* name : {"v", "w"}) workers_.push_back(StartWorker(name, address_, 2, trainer));
    ASSERT_TRUE(AllReach(2)) << workers_[0]->Output();
    for (const auto& worker : workers_) trainers_.push_back(ChildrenOf(worker->pid()));
  }
  bool AllReach(int epoch) {
    return Eventually([&] {
      for (int number = 1; number <= kTrials; ++number) {
        if (!HasEpoch(number, epoch)) return false;
      }
      return true;
    });
  }
  void ExpectNothingWasTakenFromAnybody() {
    ASSERT_TRUE(Eventually([&] { return Completed(); })) << coordinator_->Output();
    ExpectAllCompleted(kTrials, kEpochs);
    for (int number = 1; number <= kTrials; ++number) {
      EXPECT_EQ(Attempts(number).size(), 1u) << number;
      EXPECT_EQ(Trial(number).failures(), 0) << number;
      EXPECT_EQ(std::ssize(Epochs(number)), kEpochs) << number;
    }
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      EXPECT_EQ(ChildrenOf(workers_[i]->pid()), trainers_[i]) << "trainers were started anew";
    }
  }

  std::unique_ptr<Process> coordinator_;
  std::string address_;
  std::vector<std::unique_ptr<Process>> workers_;
  std::vector<std::vector<pid_t>> trainers_;
};

TEST_F(CoordinatorRecoveryTest, WorkersGoOnWhileItIsKilledAgainAndAgain) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator(30));
  ASSERT_NO_FATAL_FAILURE(BeginTraining());
  for (int round = 1; round <= 4; ++round) {
    coordinator_->Signal(SIGKILL);
    EXPECT_EQ(coordinator_->Wait(), 128 + SIGKILL);
    ASSERT_NO_FATAL_FAILURE(StartCoordinator(30, address_));
    ASSERT_TRUE(AllReach(2 + 10 * round)) << workers_[0]->Output();
  }
  ExpectNothingWasTakenFromAnybody();
}

TEST_F(CoordinatorRecoveryTest, WorkersKeepTheirTrialsWhileItIsFrozenLongerThanALease) {
  constexpr int kLeaseSeconds = 3;
  ASSERT_NO_FATAL_FAILURE(StartCoordinator(kLeaseSeconds));
  ASSERT_NO_FATAL_FAILURE(BeginTraining());
  coordinator_->Signal(SIGSTOP);
  const auto thaw = std::chrono::steady_clock::now() + std::chrono::seconds(2 * kLeaseSeconds);
  ASSERT_TRUE(Eventually([&] { return std::chrono::steady_clock::now() >= thaw; }));
  coordinator_->Signal(SIGCONT);
  ExpectNothingWasTakenFromAnybody();
}

TEST_F(CoordinatorRecoveryTest, CommandsThatStartAtTheSameInstantOnOneDatabaseAllAnswer) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator(60));
  ASSERT_NO_FATAL_FAILURE(Submit(SweepText(kTrials, kEpochs)));
  connection_.reset();
  coordinator_->Signal(SIGTERM);
  ASSERT_EQ(coordinator_->Wait(), 0);
  std::vector<std::unique_ptr<Process>> commands;
  for (int i = 0; i < 8; ++i) {
    commands.push_back(std::make_unique<Process>(
        Process::Options{.command = {"sweep", "list"}, .folder = folder_.path()}));
  }
  for (const auto& command : commands) {
    EXPECT_EQ(command->Wait(), 0) << command->Output();
    EXPECT_THAT(command->Output(), ::testing::HasSubstr("active"));
  }
}

TEST_F(CoordinatorRecoveryTest, EndsWithinTwoSecondsWithParkedWorkersAndOpenStreams) {
  constexpr int kWorkers = 20, kWatchers = 3;
  ASSERT_NO_FATAL_FAILURE(StartCoordinator(60));
  ASSERT_NO_FATAL_FAILURE(Submit(SweepText(kTrials, kEpochs)));
  ASSERT_TRUE(cli::PauseSweep(*connection_, "s", false).ok());
  const std::string trainer = TimerTrainer(50);
  for (int i = 0; i < kWorkers; ++i) {
    workers_.push_back(StartWorker(fmt::format("w{}", i), address_, 1, trainer));
  }
  std::vector<std::unique_ptr<Process>> watchers;
  for (int i = 0; i < kWatchers; ++i) {
    watchers.push_back(std::make_unique<Process>(
        Process::Options{.command = {"sweep", "watch", "s", "--coordinator", address_},
                         .folder = folder_.path(),
                         .terminal_columns = 80}));  // a terminal shows the sweep at once
  }
  ASSERT_TRUE(Eventually([&] {
    const auto workers = cli::ListWorkers(*connection_);
    return workers.ok() && workers->size() == std::size_t{kWorkers};
  }));
  for (const auto& watcher : watchers) {
    ASSERT_TRUE(Eventually([&] { return !watcher->Output().empty(); }));
  }
  connection_.reset();

  const auto start = std::chrono::steady_clock::now();
  coordinator_->Signal(SIGTERM);
  EXPECT_EQ(coordinator_->Wait(), 0) << coordinator_->Output();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  EXPECT_LT(taken.count(), 2.0);
  RecordProperty("shutdown_milliseconds", static_cast<int>(1000 * taken.count()));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/sweep.db-wal"))
      << "the write-ahead log was not emptied";
}

}  // namespace
}  // namespace sweep::testing
