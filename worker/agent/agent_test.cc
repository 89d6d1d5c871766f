#include "worker/agent/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <semaphore>
#include <set>

#include "common/base/ids.h"
#include "common/protocol/trial_spec.h"
#include "proto/grpc_status.h"
#include "spdlog/spdlog.h"
#include "worker/agent/coordinator_client.h"
#include "worker/agent/dataset_cache.h"
#include "worker/agent/lease_reporter.h"
#include "worker/agent/testing/fake_coordinator.h"
#include "worker/agent/testing/processes.h"

namespace sweep {
namespace {

using Record = FakeCoordinator::Record;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<int> OneTo(int last) {
  std::vector<int> numbers(static_cast<std::size_t>(last));
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

class AgentTest : public ::testing::Test {
 protected:
  AgentTest() {
    spdlog::set_level(spdlog::level::off);
    options_.coordinator = coordinator_.address();
    options_.name = "w";
    options_.slots = 1;
    options_.trainer_command = {FAKE_TRAINER};
    options_.stop_grace = absl::Milliseconds(200);
    options_.work_dir = std::filesystem::temp_directory_path() / ("agent_test-" + RandomHex(8));
  }
  ~AgentTest() override {
    agent_.reset();
    std::filesystem::remove_all(options_.work_dir);
  }

  void StartAgent() {
    absl::StatusOr<std::unique_ptr<Agent>> agent = Agent::Start(options_);
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_ = *std::move(agent);
  }

  // The folder that the agent has made for itself.
  std::filesystem::path OwnFolder() const {
    return std::filesystem::directory_iterator(options_.work_dir)->path();
  }

  FakeCoordinator coordinator_;
  AgentOptions options_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentTest, ReportsEveryEpochInOrderThenTheFiles) {
  coordinator_.Offer(1, "", 40);
  StartAgent();
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  const Record record = coordinator_.record();
  EXPECT_EQ(record.EpochsOf(1), OneTo(40));
  for (const v1::ReportEpochsRequest& report : record.reports) {
    EXPECT_LE(report.epochs_size(), 16);
  }
  const v1::Epoch row = record.RowsOf(1).front();
  EXPECT_EQ(row.attempt(), 1);
  EXPECT_DOUBLE_EQ(row.validation_accuracy(), 0.901);
  EXPECT_EQ(row.train_duration().seconds(), 1);
  EXPECT_EQ(row.train_duration().nanos(), 500'000'000);
  std::map<std::string, std::string> files;
  for (const v1::Artifact& artifact : finish.artifacts()) {
    const std::string& bytes = record.blobs.at(artifact.sha256());
    EXPECT_EQ(artifact.size_bytes(), static_cast<std::int64_t>(bytes.size()));
    files[artifact.role()] = bytes;
  }
  EXPECT_EQ(files, (std::map<std::string, std::string>{{"weights_best", "weights_best of s/1"},
                                                       {"weights_last", "weights_last of s/1"},
                                                       {"predictions", "predictions of s/1"}}));
}

TEST_F(AgentTest, SaysOnceWhatTrainsAnAttempt) {
  coordinator_.Offer(1, "", 40);
  coordinator_.Offer(2, "", 2);  // the trainer is warm and does not say it again
  StartAgent();
  coordinator_.WaitForFinish(2);
  coordinator_.WaitForFinish(1);
  std::map<std::string, int> told;
  for (const v1::ReportEpochsRequest& report : coordinator_.record().reports) {
    if (report.trainer().empty()) continue;
    EXPECT_THAT(report.trainer(), HasSubstr("\"build\":\"fake_trainer\""));
    ++told[report.token().trial()];
  }
  EXPECT_EQ(told, (std::map<std::string, int>{{"sweeps/s/trials/1", 1}, {"sweeps/s/trials/2", 1}}));
}

TEST_F(AgentTest, RemovesTheFilesOfATrialThatHasEnded) {
  coordinator_.Offer(1, "", 1);
  StartAgent();
  coordinator_.WaitForFinish(1);
  const auto has_trials = [&] {
    const std::filesystem::directory_iterator entries(OwnFolder());
    return std::any_of(begin(entries), end(entries),
                       [](const auto& entry) { return entry.is_directory(); });
  };
  EXPECT_TRUE(Eventually([&] { return !has_trials(); }));
}

TEST_F(AgentTest, KeepsTheTrainerForTheNextTrial) {
  coordinator_.Offer(1, "", 1);
  StartAgent();
  coordinator_.WaitForFinish(1);
  coordinator_.Offer(2, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.WaitForTrainer(1), coordinator_.WaitForTrainer(2));
}

TEST_F(AgentTest, StartsAnotherTrainerAfterOneThatTrainsOnce) {
  coordinator_.Offer(1, "once", 1);
  StartAgent();
  coordinator_.WaitForFinish(1);
  coordinator_.Offer(2, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_NE(coordinator_.WaitForTrainer(1), coordinator_.WaitForTrainer(2));
}

TEST_F(AgentTest, SaysWhoItIsAndWhatItHolds) {
  options_.labels = {{"rack", "7"}};
  coordinator_.Offer(1, "pause=1", 5);
  StartAgent();
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& record) {
    return record.synchronized.back().held_size() == 1 &&
           record.synchronized.back().description().devices(0) == "cpu";
  }));
  const Record record = coordinator_.record();
  const v1::SynchronizeRequest& first = record.synchronized.front();
  EXPECT_TRUE(first.no_wait());
  EXPECT_EQ(first.held_size(), 0);
  EXPECT_EQ(first.worker(), "w");
  EXPECT_EQ(first.protocol(), 1);
  EXPECT_THAT(first.session(), Not(IsEmpty()));
  EXPECT_EQ(first.description().slots(), 1);
  EXPECT_EQ(first.description().pid(), getpid());
  EXPECT_EQ(first.description().labels().at("rack"), "7");
  EXPECT_EQ(record.synchronized.back().session(), first.session());
  EXPECT_EQ(record.synchronized.back().held(0).trial(), FakeTrial(1));
}

TEST_F(AgentTest, TrainsInAllSlotsAtOnce) {
  options_.slots = 3;
  for (int number = 1; number <= 3; ++number) coordinator_.Offer(number, "pause=1", 5);
  StartAgent();
  std::set<int> trainers;
  for (int number = 1; number <= 3; ++number) trainers.insert(coordinator_.WaitForTrainer(number));
  EXPECT_EQ(trainers.size(), 3u);
}

TEST_F(AgentTest, HasASlotPerCoreByDefault) {
  options_.slots = 0;
  StartAgent();
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  EXPECT_EQ(coordinator_.record().synchronized.front().description().slots(), CPU_COUNT(&set));
}

TEST_F(AgentTest, TellsProgressWithinAnEpoch) {
  coordinator_.Offer(1, "pause=2", 5);
  StartAgent();
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.progress.empty(); }));
  const v1::Progress progress = coordinator_.record().progress.front();
  EXPECT_EQ(progress.trial(), FakeTrial(1));
  EXPECT_EQ(progress.epoch(), 3);
  EXPECT_EQ(progress.step(), 7);
  EXPECT_EQ(progress.steps(), 9);
}

TEST_F(AgentTest, StopsATrialThatTheCoordinatorTookBackAndKeepsTheTrainer) {
  coordinator_.Offer(1, "pause=1", 5);
  StartAgent();
  const int trainer = coordinator_.WaitForTrainer(1);
  coordinator_.Revoke(1);
  coordinator_.Offer(2, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.WaitForTrainer(2), trainer);
  EXPECT_EQ(coordinator_.record().FinishOf(1), nullptr);
}

TEST_F(AgentTest, KillsATrainerThatDoesNotStopWithinTwoSeconds) {
  coordinator_.Offer(1, "deaf=1", 5);
  StartAgent();
  const int trainer = coordinator_.WaitForTrainer(1);
  coordinator_.Revoke(1);
  EXPECT_TRUE(Eventually([&] { return IsGone(trainer); }, std::chrono::seconds(2)));
  coordinator_.Offer(2, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.record().FinishOf(1), nullptr);
}

TEST_F(AgentTest, ReportsACrashWithTheSignalAndTheLastLines) {
  coordinator_.Offer(1, "crash=2", 5);
  StartAgent();
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(finish.reason(), StartsWith("trainer ended by signal 9 (Killed)"));
  EXPECT_THAT(finish.reason(), HasSubstr("about to crash"));
  EXPECT_THAT(coordinator_.record().EpochsOf(1), ElementsAre(1, 2));
  coordinator_.Offer(2, "exit=1", 5);
  EXPECT_THAT(coordinator_.WaitForFinish(2).reason(), StartsWith("trainer ended with exit code 3"));
}

TEST_F(AgentTest, ReportsTheTrainersErrorsAsItJudgesThem) {
  coordinator_.Offer(1, "error=2", 5);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_FAILED_FOR_GOOD);
  EXPECT_THAT(coordinator_.WaitForFinish(1).reason(), StartsWith("loss is NaN"));
  coordinator_.Offer(2, "retryable=1", 5);
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_FAILED);
}

TEST_F(AgentTest, TakesLinesThatAreNoMessagesAsLog) {
  coordinator_.Offer(1, "garbage,flood", 3);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.record().EpochsOf(1), OneTo(3));
}

TEST_F(AgentTest, FailsATrialWhoseTrainerBreaksTheProtocol) {
  coordinator_.Offer(1, "garbage,broken=2", 5);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(coordinator_.WaitForFinish(1).reason(), HasSubstr("broke the protocol"));
  EXPECT_THAT(coordinator_.WaitForFinish(1).reason(), HasSubstr("warning: garbage"));
  coordinator_.Offer(2, "skip-back=3", 5);
  EXPECT_THAT(coordinator_.WaitForFinish(2).reason(), HasSubstr("epoch 1 of 5 after epoch 3"));
  coordinator_.Offer(3, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(3).outcome(), v1::LEASE_OUTCOME_COMPLETED);
}

TEST_F(AgentTest, ReportsAllThatHappenedWhileTheCoordinatorWasAway) {
  coordinator_.SetReportStatus(absl::UnavailableError("starting"));
  coordinator_.Offer(1, "checkpoint=40", 40);
  StartAgent();
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return r.refused_reports > 0; }));
  coordinator_.Disconnect();
  coordinator_.SetReportStatus(absl::OkStatus());
  coordinator_.Reconnect();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.record().EpochsOf(1), OneTo(40));
  EXPECT_EQ(coordinator_.record().finished.size(), 1u);
}

TEST_F(AgentTest, ComesBackToACoordinatorThatWasAway) {
  StartAgent();
  coordinator_.Disconnect();
  coordinator_.Offer(1, "", 2);
  coordinator_.Reconnect();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  const Record record = coordinator_.record();
  EXPECT_EQ(record.synchronized.front().session(), record.synchronized.back().session());
}

TEST_F(AgentTest, DropsTheWorkWhenItsTokenIsStale) {
  coordinator_.Offer(1, "pause=2", 5);
  coordinator_.SetReportStatus(absl::FailedPreconditionError("attempt 2 was granted"));
  StartAgent();
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return r.refused_reports == 1; }));
  // The lease is not held any more and not taken again, although the coordinator still lists it.
  const std::size_t calls = coordinator_.record().synchronized.size();
  ASSERT_TRUE(coordinator_.WaitUntil([&](const Record& record) {
    return record.synchronized.size() > calls + 5 && record.synchronized.back().held_size() == 0;
  }));
  EXPECT_EQ(coordinator_.record().refused_reports, 1);
  coordinator_.Revoke(1);
  coordinator_.SetReportStatus(absl::OkStatus());
  coordinator_.Offer(2, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.record().FinishOf(1), nullptr);
}

TEST_F(AgentTest, FailsATrialWhoseRowsTheCoordinatorRefuses) {
  coordinator_.Offer(1, "pause=2", 5);
  coordinator_.SetReportStatus(absl::InvalidArgumentError("accuracy 7 is above 1"));
  StartAgent();
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(finish.reason(), HasSubstr("accuracy 7 is above 1"));
}

TEST_F(AgentTest, EndsALeasePlainlyWhenItsEndIsRefused) {
  for (const absl::Status& refusal :
       {absl::UnimplementedError(""), absl::InvalidArgumentError("17 artifacts")}) {
    const int number = coordinator_.record().finished.size() + 1;
    coordinator_.SetFinishStatus(refusal);
    coordinator_.Offer(number, "", 2);
    if (agent_ == nullptr) StartAgent();
    const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(number);
    EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_FAILED);
    EXPECT_THAT(finish.reason(), StartsWith("the coordinator refused the end 'completed': " +
                                            absl::StatusCodeToString(refusal.code())));
  }
}

TEST_F(AgentTest, StoresACheckpointAsItWasWhenTheTrainerSaidSo) {
  coordinator_.SetReportStatus(absl::UnavailableError("starting"));
  coordinator_.Offer(1, "checkpoint=2,pause=3", 5);
  StartAgent();
  // Progress comes after the checkpoint, so the worker has seen the checkpoint by then.
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.progress.empty(); }));
  const std::filesystem::path checkpoint = OwnFolder() / "s-1-1" / "checkpoint";
  const std::filesystem::path next = checkpoint.string() + ".next";
  std::ofstream(next) << "3 epochs";
  std::filesystem::rename(next, checkpoint);
  coordinator_.SetReportStatus(absl::OkStatus());
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& record) {
    return !record.reports.empty() && !record.reports.back().checkpoint_sha256().empty();
  }));
  const Record record = coordinator_.record();
  EXPECT_EQ(record.reports.back().checkpoint_epoch(), 2);
  EXPECT_EQ(record.blobs.at(record.reports.back().checkpoint_sha256()), "2 epochs");
}

TEST_F(AgentTest, DrainGivesBackWhatRunsWithItsCheckpoint) {
  coordinator_.Offer(1, "checkpoint=2,pause=3", 5);
  StartAgent();
  coordinator_.WaitForTrainer(1);
  agent_->Drain();
  EXPECT_TRUE(agent_->Wait().ok());
  const Record record = coordinator_.record();
  ASSERT_NE(record.FinishOf(1), nullptr);
  EXPECT_EQ(record.FinishOf(1)->outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_EQ(record.EpochsOf(1), OneTo(3));
  std::string checkpoint;
  for (const v1::ReportEpochsRequest& report : record.reports) {
    if (report.checkpoint_sha256().empty()) continue;
    EXPECT_EQ(report.checkpoint_epoch(), 2);
    checkpoint = record.blobs.at(report.checkpoint_sha256());
  }
  EXPECT_EQ(checkpoint, "2 epochs");
  EXPECT_TRUE(record.synchronized.back().draining());
}

TEST_F(AgentTest, DrainGivesBackWhatADeafTrainerHolds) {
  coordinator_.Offer(1, "deaf=1", 5);
  coordinator_.Offer(2, "pause=1", 5);  // waits for the only slot
  StartAgent();
  const int trainer = coordinator_.WaitForTrainer(1);
  agent_->Drain();
  EXPECT_TRUE(agent_->Wait().ok());
  EXPECT_TRUE(IsGone(trainer));
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
}

TEST_F(AgentTest, ADrainWaitsForASlowCheckpointAndACancelDoesNot) {
  options_.drain_grace = absl::Seconds(20);
  coordinator_.Offer(1, "pause=1,slow-stop=500", 5);
  coordinator_.Offer(2, "checkpoint=1,pause=1,slow-stop=500", 5);
  StartAgent();
  const int trainer = coordinator_.WaitForTrainer(1);
  coordinator_.Revoke(1);
  EXPECT_NE(coordinator_.WaitForTrainer(2), trainer) << "it was ended after 0.2 s";
  agent_->Drain();
  EXPECT_TRUE(agent_->Wait().ok());
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  const Record record = coordinator_.record();
  EXPECT_EQ(record.reports.back().checkpoint_epoch(), 1);
  EXPECT_EQ(record.blobs.at(record.reports.back().checkpoint_sha256()), "written late");
}

TEST_F(AgentTest, DrainIsNoFailureWhenTheTrainerEndsInsteadOfAnswering) {
  coordinator_.Offer(1, "pause=1,quit", 5);
  StartAgent();
  coordinator_.WaitForTrainer(1);
  agent_->Drain();
  EXPECT_TRUE(agent_->Wait().ok());
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
}

TEST_F(AgentTest, GivesBackWhatItHoldsAndEndsWhenTheCoordinatorDrainsIt) {
  coordinator_.Offer(1, "checkpoint=2,pause=2", 20);
  StartAgent();
  coordinator_.WaitForTrainer(1);
  coordinator_.SetDrain(true);
  EXPECT_TRUE(agent_->Wait().ok());
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_EQ(coordinator_.WaitForFinish(1).reason(), "the worker drains");
  EXPECT_EQ(coordinator_.record().reports.back().checkpoint_epoch(), 2);
  EXPECT_TRUE(coordinator_.record().synchronized.back().draining());
}

TEST_F(AgentTest, GivesBackWhatTheCoordinatorAsksForAndGoesOn) {
  options_.slots = 2;
  coordinator_.Offer(1, "checkpoint=2,pause=2", 20);
  coordinator_.Offer(2, "pause=1", 20);
  StartAgent();
  coordinator_.WaitForTrainer(1);
  const int other = coordinator_.WaitForTrainer(2);
  coordinator_.AskBack(1);
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_EQ(finish.reason(), "the sweep is paused");
  EXPECT_EQ(coordinator_.record().blobs.size(), 1u) << "the checkpoint";
  coordinator_.Offer(3, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(3).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_FALSE(IsGone(other));
  EXPECT_EQ(coordinator_.record().FinishOf(2), nullptr);
}

TEST_F(AgentTest, WhatTheStoppingRuleEndsKeepsItsWeights) {
  options_.slots = 2;
  coordinator_.Offer(1, "checkpoint=2,pause=2", 20);
  coordinator_.Offer(2, "pause=1", 20);
  StartAgent();
  coordinator_.WaitForTrainer(1);
  coordinator_.WaitForTrainer(2);
  coordinator_.AskStop(1);
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_STOPPED);
  ASSERT_EQ(finish.artifacts_size(), 3);
  EXPECT_EQ(finish.artifacts(1).role(), "weights_best");
  EXPECT_EQ(coordinator_.record().EpochsOf(1), (std::vector<int>{1, 2}));
  coordinator_.Offer(3, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(3).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.record().FinishOf(2), nullptr) << "nobody asked for it";
}

TEST_F(AgentTest, AStoppedTrialWhoseTrainerDiesIsStopped) {
  coordinator_.Offer(1, "pause=1,quit=1", 20);
  StartAgent();
  coordinator_.WaitForTrainer(1);
  coordinator_.AskStop(1);
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_STOPPED);
}

v1::Lease LeaseWithTarget(int number, const std::string& script, int target_epoch, int epochs) {
  v1::Lease lease = FakeCoordinator::MakeLease(number, script, epochs);
  TrialSpec spec = TrialSpecFromJson(lease.spec_json());
  spec.target_epoch = target_epoch;
  lease.set_spec_json(TrialSpecToJson(spec));
  return lease;
}

TEST_F(AgentTest, ATrialThatReachesItsTargetIsHeldWithItsCheckpointAndWeights) {
  coordinator_.OfferLease(LeaseWithTarget(1, "", 3, 10));
  StartAgent();
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_HELD);
  EXPECT_EQ(finish.artifacts_size(), 3);
  const auto record = coordinator_.record();
  EXPECT_EQ(record.EpochsOf(1), OneTo(3));
  EXPECT_EQ(record.reports.back().checkpoint_epoch(), 3) << "before the lease ended";
}

TEST_F(AgentTest, ATrainerThatKnowsNoTargetsIsStoppedAfterTheNextEpoch) {
  coordinator_.OfferLease(LeaseWithTarget(1, "eager,pause=4", 3, 10));
  StartAgent();
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_STOPPED);
  EXPECT_THAT(finish.reason(), HasSubstr("went on after its target epoch 3"));
  EXPECT_EQ(coordinator_.record().EpochsOf(1), OneTo(4));
}

TEST_F(AgentTest, StopKillsTheTrainersAtOnce) {
  coordinator_.Offer(1, "deaf=1", 5);
  StartAgent();
  const int trainer = coordinator_.WaitForTrainer(1);
  agent_->Stop();
  EXPECT_TRUE(IsGone(trainer));
  EXPECT_TRUE(agent_->Wait().ok());
  EXPECT_EQ(coordinator_.record().FinishOf(1), nullptr);
}

TEST_F(AgentTest, ResumesFromACheckpoint) {
  v1::Lease lease = FakeCoordinator::MakeLease(1, "", 5);
  lease.set_checkpoint_sha256(coordinator_.PutBlob("3 epochs"));
  lease.set_checkpoint_epoch(3);
  coordinator_.OfferLease(lease);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_THAT(coordinator_.record().EpochsOf(1), ElementsAre(4, 5));
}

TEST_F(AgentTest, StartsFromTheBeginningWhenTheCheckpointIsLost) {
  v1::Lease lease = FakeCoordinator::MakeLease(1, "", 5);
  lease.set_checkpoint_sha256(std::string(64, 'a'));
  lease.set_checkpoint_epoch(3);
  coordinator_.OfferLease(lease);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.record().EpochsOf(1), OneTo(5));
}

TEST_F(AgentTest, FailsATrialWhoseDataIsMissing) {
  options_.data.data_dir = options_.work_dir;
  v1::Lease lease = FakeCoordinator::MakeLease(1, "", 5);
  TrialSpec spec = TrialSpecFromJson(lease.spec_json());
  spec.dataset.name = "mnist";
  lease.set_spec_json(TrialSpecToJson(spec));
  coordinator_.OfferLease(lease);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(coordinator_.WaitForFinish(1).reason(), HasSubstr("train-images"));
}

TEST_F(AgentTest, FailsATrialWhoseSpecCannotBeRead) {
  v1::Lease lease = FakeCoordinator::MakeLease(1, "", 5);
  lease.set_spec_json("{}");
  coordinator_.OfferLease(lease);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(coordinator_.WaitForFinish(1).reason(), HasSubstr("type is missing"));
}

TEST_F(AgentTest, FailsATrialWhenTheTrainerDoesNotBecomeReady) {
  options_.trainer_command = {FAKE_TRAINER, "never-ready"};
  options_.ready_timeout = absl::Milliseconds(100);
  coordinator_.Offer(1, "", 5);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(coordinator_.WaitForFinish(1).reason(), HasSubstr("did not say ready within 100ms"));
}

TEST_F(AgentTest, FailsATrialWhenTheTrainerSpeaksAnotherProtocol) {
  options_.trainer_command = {FAKE_TRAINER, "wrong-protocol"};
  coordinator_.Offer(1, "", 5);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(coordinator_.WaitForFinish(1).reason(), HasSubstr("speaks protocol 2"));
}

TEST_F(AgentTest, EndsWhenNoTrainerCanBeUsed) {
  options_.trainer_command = {FAKE_TRAINER, "exit-at-start"};
  StartAgent();
  for (int number = 1; number <= 3; ++number) {
    coordinator_.Offer(number, "", 5);
    EXPECT_THAT(coordinator_.WaitForFinish(number).reason(), HasSubstr("libsomething.so"));
  }
  const absl::Status status = agent_->Wait();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("exit code 127"));
}

TEST_F(AgentTest, RefusesATrainerThatIsNotThere) {
  options_.trainer_command = {"/nowhere/trainer"};
  const absl::Status status = Agent::Start(options_).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("looked at /nowhere/trainer"));
}

TEST_F(AgentTest, RefusesOptionsThatMakeNoSense) {
  for (const auto& change : std::vector<std::function<void(AgentOptions*)>>{
           [](AgentOptions* o) { o->coordinator = "http://nowhere"; },
           [](AgentOptions* o) { o->name = "a/b"; }, [](AgentOptions* o) { o->slots = -1; },
           [](AgentOptions* o) { o->device = "tpu"; }}) {
    AgentOptions options = options_;
    change(&options);
    EXPECT_TRUE(absl::IsInvalidArgument(Agent::Start(options).status()));
  }
}

TEST_F(AgentTest, NamesTheCoordinatorThatCannotBeReached) {
  coordinator_.Disconnect();
  options_.connect_timeout = absl::Milliseconds(300);
  const absl::Status status = Agent::Start(options_).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(options_.coordinator));
}

TEST_F(AgentTest, EndsWhenTheCoordinatorRefusesIt) {
  StartAgent();
  coordinator_.SetSynchronizeStatus(absl::AlreadyExistsError("worker w is connected"));
  EXPECT_TRUE(absl::IsAlreadyExists(agent_->Wait()));
  EXPECT_TRUE(absl::IsAlreadyExists(Agent::Start(options_).status()));
}

TEST(LeaseReporter, ALateAbandonDoesNotEndTheNextLease) {
  FakeCoordinator coordinator;
  CoordinatorClient client(MakeChannel(coordinator.address()));
  DatasetCache datasets({});
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("agent_test-" + RandomHex(8));
  std::counting_semaphore<> released(0);
  {
    LeaseReporter reporter({.client = &client, .datasets = &datasets, .work_dir = folder}, 0,
                           {.prepared = [](const absl::StatusOr<PreparedTrial>&) {},
                            .data_refused = [](const std::string&) {},
                            .refused = [](const absl::Status&) {},
                            .released = [&] { released.release(); }});
    reporter.Begin(FakeCoordinator::MakeLease(1, "", 5));
    reporter.End({.outcome = v1::LEASE_OUTCOME_COMPLETED});
    ASSERT_TRUE(released.try_acquire_for(std::chrono::seconds(20)));
    reporter.Abandon();
    reporter.Begin(FakeCoordinator::MakeLease(2, "", 5));
    reporter.End({.outcome = v1::LEASE_OUTCOME_COMPLETED});
    ASSERT_TRUE(released.try_acquire_for(std::chrono::seconds(20)));
  }
  EXPECT_NE(coordinator.record().FinishOf(2), nullptr);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sweep
