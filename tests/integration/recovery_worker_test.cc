// A worker dies, freezes or loses its network: its trial goes on elsewhere, and its later reports
// change nothing.

#include <gmock/gmock.h>
#include <signal.h>

#include "coordinator/api/server.h"
#include "coordinator/stopping/testing/halving_rule.h"
#include "tests/integration/recovery_testing.h"
#include "tests/integration/tcp_relay.h"

namespace sweep::testing {
namespace {

using ::testing::HasSubstr;

// Long enough that the trainer still trains when its worker is back after being frozen or cut off
// for a lease term of 3 s.
constexpr int kEpochs = 120;

class WorkerRecoveryTest : public RecoveryTest {
 protected:
  void StartCoordinator(const std::string& database,
                        decltype(ServerOptions::make_rule) make_rule = nullptr) {
    connection_.reset();
    server_.reset();
    auto server = CoordinatorServer::Start({.listen = "127.0.0.1:0",
                                            .database = folder_.path() + "/" + database,
                                            .lease_term = absl::Seconds(3),
                                            .poll_time = absl::Seconds(1),
                                            .make_rule = std::move(make_rule)});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ASSERT_NO_FATAL_FAILURE(ConnectTo(server_->address()));
  }

  // Begins one trial with the worker "first", which reaches the coordinator at `address`.
  void BeginWith(const std::string& address) {
    ASSERT_NO_FATAL_FAILURE(Submit(SweepText(1, kEpochs)));
    first_ = StartWorker("first", address, 1, TimerTrainer(50));
    ASSERT_TRUE(Eventually([&] { return HasEpoch(1, 4); })) << first_->Output();
  }
  // Waits until the lease has run out and the worker "second" has reported on the trial.
  void LetSecondTakeOver() {
    second_ = StartWorker("second", server_->address(), 1, TimerTrainer(30));
    ASSERT_TRUE(Eventually([&] { return !EpochsOf(1, 2).empty(); })) << second_->Output();
    reported_ = EpochsOf(1, 1);
    EXPECT_GE(EpochsOf(1, 2).front(), 3) << "it goes on from a checkpoint";
    EXPECT_LE(EpochsOf(1, 2).front(), reported_.back() + 1);
  }
  void ExpectSecondEndsIt() {
    ASSERT_TRUE(Eventually([&] { return Completed(); })) << second_->Output();
    ExpectAllCompleted(1, kEpochs);
    const std::vector<v1::Attempt> attempts = Attempts(1);
    ASSERT_EQ(attempts.size(), 2u);
    EXPECT_EQ(attempts[0].worker(), "workers/first");
    EXPECT_EQ(attempts[0].outcome(), "lost");
    EXPECT_EQ(attempts[1].worker(), "workers/second");
    EXPECT_EQ(EpochsOf(1, 1), reported_) << "a late report of attempt 1 was taken";
    EXPECT_EQ(Trial(1).failures(), 1);
  }
  // The worker is still alive, has dropped the trial and trains the next one.
  void ExpectFirstDropsItAndGoesOn() {
    ASSERT_TRUE(Eventually([&] {
      return first_->Output().find("lease dropped slot=0 trial=sweeps/s/trials/1") !=
             std::string::npos;
    })) << first_->Output();
    second_->Signal(SIGTERM);
    EXPECT_EQ(second_->Wait(), 0);
    v1::SweepSource source;
    source.set_file("t.yaml");
    std::string text = SweepText(1, 2);
    source.set_text(text.replace(text.find("name: s"), 7, "name: t"));
    ASSERT_TRUE(cli::CreateSweep(*connection_, source).ok());
    EXPECT_TRUE(Eventually([&] {
      const auto sweep = cli::GetSweep(*connection_, "t");
      return sweep.ok() && sweep->state() == v1::SWEEP_STATE_COMPLETED;
    })) << first_->Output();
    first_->Signal(SIGTERM);
    EXPECT_EQ(first_->Wait(), 0);
  }

  std::unique_ptr<CoordinatorServer> server_;
  std::unique_ptr<Process> first_, second_;
  std::vector<int> reported_;  // by attempt 1, before attempt 2 began
};

TEST_F(WorkerRecoveryTest, ATrialOfAKilledWorkerGoesOnElsewhere) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator("sweep.db"));
  ASSERT_NO_FATAL_FAILURE(BeginWith(server_->address()));
  first_->Signal(SIGKILL);
  EXPECT_EQ(first_->Wait(), 128 + SIGKILL);
  ASSERT_NO_FATAL_FAILURE(LetSecondTakeOver());
  ExpectSecondEndsIt();
}

TEST_F(WorkerRecoveryTest, AWorkerThatThawsTooLateDropsItsTrial) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator("sweep.db"));
  ASSERT_NO_FATAL_FAILURE(BeginWith(server_->address()));
  first_->Signal(SIGSTOP);
  ASSERT_NO_FATAL_FAILURE(LetSecondTakeOver());
  first_->Signal(SIGCONT);
  ExpectSecondEndsIt();
  ExpectFirstDropsItAndGoesOn();
}

TEST_F(WorkerRecoveryTest, AWorkerWhoseNetworkComesBackTooLateDropsItsTrial) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator("sweep.db"));
  TcpRelay relay(server_->address());
  ASSERT_NO_FATAL_FAILURE(BeginWith(relay.address()));
  relay.Cut();
  ASSERT_NO_FATAL_FAILURE(LetSecondTakeOver());
  relay.Mend();
  ExpectSecondEndsIt();
  ExpectFirstDropsItAndGoesOn();
}

TEST_F(WorkerRecoveryTest, AWorkerThatIsBackBeforeAnybodyElseTookItsTrialKeepsIt) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator("sweep.db"));
  ASSERT_NO_FATAL_FAILURE(BeginWith(server_->address()));
  const std::vector<pid_t> trainers = ChildrenOf(first_->pid());
  first_->Signal(SIGSTOP);
  ASSERT_TRUE(Eventually([&] { return Trial(1).state() == v1::TRIAL_STATE_PENDING; }));
  first_->Signal(SIGCONT);
  ASSERT_TRUE(Eventually([&] { return Completed(); })) << first_->Output();
  EXPECT_EQ(Attempts(1).size(), 1u);
  EXPECT_EQ(Trial(1).failures(), 0);
  EXPECT_EQ(ChildrenOf(first_->pid()), trainers);
}

// A trainer that prints a message and crashes as soon as it has a trial.
constexpr char kCrashing[] = R"sh(#!/bin/sh
echo '{"type":"ready","protocol":1}'
read -r line
echo 'Traceback (most recent call last):' >&2
echo 'RuntimeError: CUDA error: device lost' >&2
exit 1
)sh";
constexpr char kCrash[] =
    "trainer ended with exit code 1 before its first epoch | Traceback (most recent call last): | "
    "RuntimeError: CUDA error: device lost";

TEST_F(WorkerRecoveryTest, AWorkerOnWhichEverythingFailsIsPutAsideAndTheSweepCompletes) {
  constexpr int kTrials = 8, kShort = 10;
  ASSERT_NO_FATAL_FAILURE(StartCoordinator("sweep.db"));
  ASSERT_NO_FATAL_FAILURE(Submit(SweepText(kTrials, kShort)));
  first_ = StartWorker("good", server_->address(), 1, TimerTrainer(50));
  ASSERT_TRUE(Eventually([&] { return HasEpoch(1, 1); })) << first_->Output();
  second_ = StartWorker("bad", server_->address(), 1, Program("crashing", kCrashing));
  std::string workers;
  ASSERT_TRUE(Eventually([&] {
    workers = Sweep({"workers"}).output;
    return workers.find("put aside") != std::string::npos;
  })) << workers;
  EXPECT_THAT(workers, HasSubstr(fmt::format(
                           "bad is put aside (3 failures in a row: {}; tries again", kCrash)));
  ASSERT_TRUE(Eventually([&] { return Completed(); })) << workers;
  ExpectAllCompleted(kTrials, kShort);
  for (int number = 1; number <= kTrials; ++number) EXPECT_LE(Trial(number).failures(), 1);
}

TEST_F(WorkerRecoveryTest, ATrialThatAlwaysCrashesIsFailedWithItsLastLines) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator("sweep.db"));
  folder_.Write("s.yaml", SweepText(2, 3) + "max_failures: 2\n");
  first_ = StartWorker("w", server_->address(), 1, Program("crashing", kCrashing));
  const Result submitted = Sweep({"submit", "s.yaml", "--wait"});
  EXPECT_EQ(submitted.code, 1) << submitted.output;
  EXPECT_THAT(submitted.output, HasSubstr(std::string("s/1  failed: ") + kCrash));
  EXPECT_THAT(Sweep({"explain", "s/1"}).output,
              ::testing::AllOf(HasSubstr(kCrash), HasSubstr("2 of 2 permitted failures")));
  const std::string trial = Sweep({"trial", "s/1"}).output;
  EXPECT_THAT(trial, HasSubstr("reason: trainer ended with exit code 1 before its first epoch"));
  EXPECT_THAT(trial, HasSubstr("RuntimeError: CUDA error: device lost"));
}

// The exact measurements by trial and epoch.
using Numbers = std::map<std::pair<int, int>, std::vector<double>>;

std::vector<double> NumbersOf(const v1::Epoch& epoch) {
  return {epoch.train_loss(), epoch.train_accuracy(), epoch.validation_loss(),
          epoch.validation_accuracy()};
}

TEST_F(WorkerRecoveryTest, ATrialThatWentOnElsewhereHasTheSameNumbersBitForBit) {
  constexpr int kTrials = 2, kRealEpochs = 6;
  Numbers undisturbed;
  ASSERT_NO_FATAL_FAILURE(StartCoordinator("undisturbed.db"));
  ASSERT_NO_FATAL_FAILURE(Submit(SweepText(kTrials, kRealEpochs)));
  {
    const std::unique_ptr<Process> worker = StartWorker("alone", server_->address());
    ASSERT_TRUE(Eventually([&] { return Completed(); }, std::chrono::seconds(200)))
        << worker->Output();
    for (int number = 1; number <= kTrials; ++number) {
      for (const v1::Epoch& epoch : Epochs(number)) {
        undisturbed[{number, epoch.epoch()}] = NumbersOf(epoch);
      }
    }
  }
  ASSERT_EQ(undisturbed.size(), std::size_t{kTrials * kRealEpochs});

  ASSERT_NO_FATAL_FAILURE(StartCoordinator("disturbed.db"));
  ASSERT_NO_FATAL_FAILURE(Submit(SweepText(kTrials, kRealEpochs)));
  first_ = StartWorker("first", server_->address());
  ASSERT_TRUE(Eventually([&] { return HasEpoch(1, 1); })) << first_->Output();
  // When called back, it leaves a checkpoint; attempt 2 and, after the kill, attempt 3 go on from
  // it.
  ASSERT_TRUE(cli::PauseSweep(*connection_, "s", /*now=*/true).ok());
  ASSERT_TRUE(Eventually([&] { return Trial(1).state() == v1::TRIAL_STATE_PENDING; }));
  ASSERT_TRUE(cli::ResumeSweep(*connection_, "s").ok());
  ASSERT_TRUE(Eventually([&] { return !EpochsOf(1, 2).empty(); })) << first_->Output();
  first_->Signal(SIGKILL);
  first_->Wait();
  second_ = StartWorker("second", server_->address());
  ASSERT_TRUE(Eventually([&] { return Completed(); }, std::chrono::seconds(200)))
      << second_->Output();
  ExpectAllCompleted(kTrials, kRealEpochs);
  EXPECT_EQ(Attempts(1).size(), 3u);
  EXPECT_GT(EpochsOf(1, 3).front(), 1) << "it began from nothing, not from a checkpoint";
  for (int number = 1; number <= kTrials; ++number) {
    for (const v1::Epoch& epoch : Epochs(number)) {
      EXPECT_EQ(NumbersOf(epoch), (undisturbed[{number, epoch.epoch()}]))
          << "trial " << number << " epoch " << epoch.epoch() << " attempt " << epoch.attempt();
    }
  }
}

std::map<std::string, std::string> ArtifactsOf(const v1::Trial& trial) {
  std::map<std::string, std::string> digests;
  for (const v1::Artifact& artifact : trial.artifacts()) {
    if (artifact.role() != "checkpoint") digests[artifact.role()] = artifact.sha256();
  }
  return digests;
}

// The schedule covers all epochs, whatever the target epoch is.
TEST_F(WorkerRecoveryTest, ATrialThatRestedHasTheSameNumbersAndWeightsBitForBit) {
  constexpr int kTrials = 4, kRealEpochs = 5;
  const std::string text = SweepText(kTrials, kRealEpochs) + "early_terminate: {type: median}\n";
  const std::string cosine = text.substr(0, text.find("  batch_size")) +
                             "  schedule: {value: cosine}\n" +
                             text.substr(text.find("  batch_size"));
  const auto train = [&](const std::string& database, decltype(ServerOptions::make_rule) rule) {
    StartCoordinator(database, std::move(rule));
    Submit(cosine);
    const std::unique_ptr<Process> worker = StartWorker("alone", server_->address());
    ASSERT_TRUE(Eventually([&] { return Completed(); }, std::chrono::seconds(200)))
        << worker->Output();
  };
  ASSERT_NO_FATAL_FAILURE(train("undisturbed.db", [](const SweepSpec&) { return nullptr; }));
  ExpectAllCompleted(kTrials, kRealEpochs);
  Numbers numbers;
  std::map<int, std::map<std::string, std::string>> artifacts;
  for (int number = 1; number <= kTrials; ++number) {
    for (const v1::Epoch& epoch : Epochs(number)) {
      numbers[{number, epoch.epoch()}] = NumbersOf(epoch);
    }
    artifacts[number] = ArtifactsOf(Trial(number));
    EXPECT_EQ(artifacts[number].size(), 3u);
  }

  ASSERT_NO_FATAL_FAILURE(train("rested.db", [](const SweepSpec&) {
    return std::make_unique<HalvingRule>(std::vector<int>{1, 3});
  }));
  int completed = 0;
  for (int number = 1; number <= kTrials; ++number) {
    SCOPED_TRACE(number);
    const v1::Trial trial = Trial(number);
    for (const v1::Epoch& epoch : Epochs(number)) {
      EXPECT_EQ(NumbersOf(epoch), (numbers[{number, epoch.epoch()}])) << epoch.epoch();
    }
    EXPECT_EQ(Attempts(number).front().outcome(), "held");
    EXPECT_EQ(ArtifactsOf(trial).size(), 3u) << "also those that were stopped at rest";
    if (trial.state() != v1::TRIAL_STATE_COMPLETED) {
      EXPECT_EQ(trial.state(), v1::TRIAL_STATE_STOPPED);
      continue;
    }
    ++completed;
    EXPECT_GE(Attempts(number).size(), 3u) << "it rested twice";
    EXPECT_EQ(ArtifactsOf(trial), artifacts[number]);
  }
  EXPECT_GE(completed, 1) << "how many depends on which are done first";
}

}  // namespace
}  // namespace sweep::testing
