// The real coordinator, real workers in processes of their own and the real trainer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <set>

#include "cli/calls.h"
#include "cli/connection.h"
#include "coordinator/api/server.h"
#include "tests/integration/process.h"
#include "worker/agent/canary.h"
#include "worker/agent/find_trainer.h"

namespace sweep {
namespace {

using cli::Connection;
using testing::Eventually;
using testing::Process;
using testing::TemporaryFolder;

constexpr char kServiceSweep[] = R"(
name: tiny
model: cnn-18718
dataset: {name: synthetic, train: 1024, test: 256}
method: grid
parameters:
  lr: {values: [0.02, 0.05, 0.1]}
  dropout: {values: [0.0, 0.05]}
  batch_size: {value: 64}
epochs: 6
require: {accuracy: ">= 0.5", epochs: "< 20", parameters: "< 20000"}
)";

class ServiceTest : public ::testing::Test {
 protected:
  // A short lease term, so that a dead worker is noticed within seconds.
  void StartCoordinator() {
    auto server = CoordinatorServer::Start({.listen = "127.0.0.1:0",
                                            .database = folder_.path() + "/sweep.db",
                                            .lease_term = absl::Seconds(3),
                                            .poll_time = absl::Seconds(1)});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    auto connection = Connection::To(server_->address());
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_ = *std::move(connection);
  }

  std::unique_ptr<Process> StartWorker(const std::string& name) {
    return std::make_unique<Process>(
        Process::Options{.command = {"sweep-worker", "--coordinator", server_->address(), "--name",
                                     name, "--slots", "1"},
                         .folder = folder_.path()});
  }

  void Submit(const std::string& text) {
    v1::SweepSource source;
    source.set_file("tiny.yaml");
    source.set_text(text);
    const auto created = cli::CreateSweep(*connection_, source);
    ASSERT_TRUE(created.ok()) << created.status();
  }

  bool Completed() {
    const auto sweep = cli::GetSweep(*connection_, "tiny");
    return sweep.ok() && sweep->state() == v1::SWEEP_STATE_COMPLETED;
  }

  // The trial that `worker` trains, of which it has reported at least one epoch, or "".
  std::string RunningTrialOf(const std::string& worker) {
    const auto trials = cli::ListTrials(*connection_, "tiny", {.state = v1::TRIAL_STATE_RUNNING});
    if (!trials.ok()) return "";
    for (const v1::Trial& trial : *trials) {
      if (trial.worker() == "workers/" + worker) return trial.name();
    }
    return "";
  }

  void ExpectEveryTrialCompletedOnce() {
    const auto trials = cli::ListTrials(*connection_, "tiny", {});
    ASSERT_TRUE(trials.ok()) << trials.status();
    ASSERT_EQ(trials->size(), 6u);
    std::set<std::int64_t> numbers;
    for (const v1::Trial& trial : *trials) {
      numbers.insert(trial.number());
      EXPECT_EQ(trial.state(), v1::TRIAL_STATE_COMPLETED) << trial.name() << ": " << trial.reason();
      EXPECT_EQ(trial.epoch(), 6);
      const auto attempts = cli::ListAttempts(*connection_, trial.name());
      ASSERT_TRUE(attempts.ok()) << attempts.status();
      int completed = 0;
      for (const v1::Attempt& attempt : *attempts) completed += attempt.outcome() == "completed";
      EXPECT_EQ(completed, 1) << trial.name();
      const auto epochs = cli::ListEpochs(*connection_, trial.name());
      ASSERT_TRUE(epochs.ok()) << epochs.status();
      std::set<int> measured;
      for (const v1::Epoch& epoch : *epochs) measured.insert(epoch.epoch());
      EXPECT_EQ(measured, (std::set<int>{1, 2, 3, 4, 5, 6})) << trial.name();
    }
    EXPECT_EQ(numbers, (std::set<std::int64_t>{1, 2, 3, 4, 5, 6}));
  }

  TemporaryFolder folder_;
  std::unique_ptr<CoordinatorServer> server_;
  std::unique_ptr<Connection> connection_;
};

// Whoever computes, the canary comes to the same losses.
TEST(Canary, EveryBackendPasses) {
  for (const std::string backend : {"lanes", "torch"}) {
    for (const int threads : {1, 2}) {
      absl::StatusOr<std::vector<std::string>> command = FindTrainer({});
      ASSERT_TRUE(command.ok()) << command.status();
      AddTrainerFlags(threads, backend, &*command);
      EXPECT_EQ(CheckTraining(*command, "cpu"), absl::OkStatus()) << backend << " " << threads;
    }
  }
}

TEST_F(ServiceTest, AKilledWorkersTrialGoesOnElsewhereAndEveryTrialIsCompletedOnce) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator());
  ASSERT_NO_FATAL_FAILURE(Submit(kServiceSweep));
  const std::unique_ptr<Process> victim = StartWorker("victim");
  const std::unique_ptr<Process> survivor = StartWorker("survivor");
  std::string lost;
  ASSERT_TRUE(Eventually([&] { return !(lost = RunningTrialOf("victim")).empty(); }))
      << victim->Output();
  const std::vector<pid_t> trainers = testing::ChildrenOf(victim->pid());
  ASSERT_FALSE(trainers.empty());
  victim->Signal(SIGKILL);
  EXPECT_EQ(victim->Wait(), 128 + SIGKILL);
  for (pid_t trainer : trainers) {
    EXPECT_TRUE(Eventually([&] { return !testing::IsAlive(trainer); }))
        << "trainer " << trainer << " is an orphan";
  }

  ASSERT_TRUE(Eventually([&] { return Completed(); }, std::chrono::seconds(90)))
      << survivor->Output();
  ExpectEveryTrialCompletedOnce();
  const auto attempts = cli::ListAttempts(*connection_, lost);
  ASSERT_TRUE(attempts.ok()) << attempts.status();
  ASSERT_GE(attempts->size(), 2u);
  EXPECT_EQ(attempts->front().worker(), "workers/victim");
  EXPECT_EQ(attempts->front().outcome(), "lost");
  EXPECT_EQ(attempts->back().worker(), "workers/survivor");
  EXPECT_EQ(attempts->back().outcome(), "completed");

  survivor->Signal(SIGTERM);
  EXPECT_EQ(survivor->Wait(), 0) << survivor->Output();
}

TEST_F(ServiceTest, ADrainedWorkerGivesItsTrialBackWithoutAFailure) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator());
  ASSERT_NO_FATAL_FAILURE(Submit(kServiceSweep));
  std::string given_back;
  {
    const std::unique_ptr<Process> first = StartWorker("first");
    ASSERT_TRUE(Eventually([&] { return !(given_back = RunningTrialOf("first")).empty(); }))
        << first->Output();
    first->Signal(SIGTERM);
    EXPECT_EQ(first->Wait(), 0) << first->Output();
  }
  const std::unique_ptr<Process> second = StartWorker("second");
  ASSERT_TRUE(Eventually([&] { return Completed(); }, std::chrono::seconds(90)))
      << second->Output();
  ExpectEveryTrialCompletedOnce();
  const auto attempts = cli::ListAttempts(*connection_, given_back);
  ASSERT_TRUE(attempts.ok()) << attempts.status();
  EXPECT_EQ(attempts->front().outcome(), "given_back");
  const auto trial = cli::GetTrial(*connection_, given_back);
  ASSERT_TRUE(trial.ok()) << trial.status();
  EXPECT_EQ(trial->trial().failures(), 0);
}

TEST_F(ServiceTest, ACancelledTrialLeavesItsTrainerWithinTwoSeconds) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator());
  ASSERT_NO_FATAL_FAILURE(Submit(kServiceSweep));
  const std::unique_ptr<Process> worker = StartWorker("w");
  std::string trial;
  ASSERT_TRUE(Eventually([&] { return !(trial = RunningTrialOf("w")).empty(); }))
      << worker->Output();
  const auto start = std::chrono::steady_clock::now();
  const auto cancelled = cli::CancelTrial(*connection_, trial);
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  // The slot is free once the trainer has answered or has been ended: then the next trial starts.
  EXPECT_TRUE(Eventually([&] {
    const auto leased = cli::ListTrials(*connection_, "tiny", {.state = v1::TRIAL_STATE_LEASED});
    const std::string running = RunningTrialOf("w");
    return (leased.ok() && !leased->empty()) || (!running.empty() && running != trial);
  }));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  const auto after = cli::GetTrial(*connection_, trial);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->trial().state(), v1::TRIAL_STATE_CANCELLED);
}

TEST_F(ServiceTest, ARestartedCoordinatorGoesOnWhereItWas) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator());
  const std::string address = server_->address();
  ASSERT_NO_FATAL_FAILURE(Submit(kServiceSweep));
  const std::unique_ptr<Process> worker = StartWorker("w");
  std::string trial;
  ASSERT_TRUE(Eventually([&] { return !(trial = RunningTrialOf("w")).empty(); }))
      << worker->Output();
  connection_.reset();
  server_->Shutdown();
  server_.reset();
  auto server = CoordinatorServer::Start({.listen = address,
                                          .database = folder_.path() + "/sweep.db",
                                          .lease_term = absl::Seconds(3),
                                          .poll_time = absl::Seconds(1)});
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  auto connection = Connection::To(address);
  ASSERT_TRUE(connection.ok()) << connection.status();
  connection_ = *std::move(connection);
  ASSERT_TRUE(Eventually([&] { return Completed(); }, std::chrono::seconds(90)))
      << worker->Output();
  ExpectEveryTrialCompletedOnce();
  const auto attempts = cli::ListAttempts(*connection_, trial);
  ASSERT_TRUE(attempts.ok()) << attempts.status();
  EXPECT_EQ(attempts->size(), 1u) << "the running trial was taken from its worker";
}

}  // namespace
}  // namespace sweep
