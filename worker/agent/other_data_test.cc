// How a worker handles the data of its trials: it reports the digest and accepts a refusal.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <semaphore>
#include <string>

#include "common/base/ids.h"
#include "common/protocol/trial_spec.h"
#include "proto/data_manifest.h"
#include "proto/grpc_status.h"
#include "spdlog/spdlog.h"
#include "worker/agent/agent.h"
#include "worker/agent/coordinator_client.h"
#include "worker/agent/dataset_cache.h"
#include "worker/agent/lease_reporter.h"
#include "worker/agent/testing/fake_coordinator.h"
#include "worker/data/testing/data_testing.h"

namespace sweep {
namespace {

using Record = FakeCoordinator::Record;
using sweep::testing::IdxImages;
using sweep::testing::IdxLabels;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::chrono::seconds kDataPatience{20};

class OtherDataTest : public ::testing::Test {
 protected:
  OtherDataTest() {
    spdlog::set_level(spdlog::level::off);
    options_.coordinator = coordinator_.address();
    options_.name = "w";
    options_.slots = 1;
    options_.trainer_command = {FAKE_TRAINER};
    options_.stop_grace = absl::Milliseconds(200);
    options_.work_dir = data_ / "work";
    WriteLabels({0, 1});
    testing::WriteFile(data_ / "train-images-idx3-ubyte", IdxImages(2, 4, 4));
    testing::WriteFile(data_ / "train-labels-idx1-ubyte", IdxLabels({0, 1}));
    testing::WriteFile(data_ / "t10k-images-idx3-ubyte", IdxImages(2, 4, 4));
  }
  void WriteLabels(const std::vector<std::uint8_t>& labels) {
    std::filesystem::remove(data_ / "t10k-labels-idx1-ubyte");
    testing::WriteFile(data_ / "t10k-labels-idx1-ubyte", IdxLabels(labels));
  }

  void StartAgent() {
    absl::StatusOr<std::unique_ptr<Agent>> agent = Agent::Start(options_);
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_ = *std::move(agent);
  }
  // A lease on the files; `sha256`: the data that the sweep is known to be trained on.
  v1::Lease OnFiles(int number, const std::string& sha256 = "") {
    v1::Lease lease = FakeCoordinator::MakeLease(number, "", 2);
    TrialSpec spec = TrialSpecFromJson(lease.spec_json());
    spec.dataset = Files();
    lease.set_spec_json(TrialSpecToJson(spec));
    lease.set_data_sha256(sha256);
    return lease;
  }
  DatasetSpec Files() const { return {.name = "idx", .path = data_.path()}; }
  std::string Digest() const { return DataDigest(Files(), data_.path()); }

  const testing::TemporaryFolder data_;
  FakeCoordinator coordinator_;
  AgentOptions options_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(OtherDataTest, IsToldWhatItIsBeforeItIsTrainedOn) {
  StartAgent();
  coordinator_.OfferLease(OnFiles(1));
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  Record record = coordinator_.record();
  ASSERT_EQ(record.data.size(), 1u);
  EXPECT_EQ(record.data[0].data_sha256(), Digest());
  EXPECT_EQ(record.data[0].path(), data_.path());
  EXPECT_EQ(record.data[0].token().trial(), FakeTrial(1));

  coordinator_.OfferLease(OnFiles(2, Digest()));
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.record().data.size(), 1u) << "what is known is not told again";
}

TEST_F(OtherDataTest, IsNoticedWhenTheFilesAreReplaced) {
  StartAgent();
  const std::string first = Digest();
  coordinator_.OfferLease(OnFiles(1));
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  coordinator_.SetData(first);
  WriteLabels({1, 0});
  coordinator_.OfferLease(OnFiles(2, first));
  EXPECT_TRUE(coordinator_.WaitUntil([](const Record& r) { return r.data.size() == 2; }));
  EXPECT_EQ(coordinator_.record().data[1].data_sha256(), Digest());
  WriteLabels({0, 1});
  coordinator_.OfferLease(OnFiles(3, first));
  EXPECT_EQ(coordinator_.WaitForFinish(3).outcome(), v1::LEASE_OUTCOME_COMPLETED)
      << "the worker goes on when the coordinator gives it work";
  const Record record = coordinator_.record();
  EXPECT_EQ(record.FinishOf(2), nullptr) << "the coordinator has ended that lease";
  EXPECT_THAT(record.EpochsOf(2), IsEmpty());
}

TEST_F(OtherDataTest, IsReportedAsGoneWhenTheFilesWerePutRight) {
  const std::string right = Digest();
  WriteLabels({1, 0});
  const std::string wrong = Digest();
  coordinator_.SetData(right);
  StartAgent();
  coordinator_.OfferLease(OnFiles(1, right));
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return r.data.size() == 1; }));
  std::filesystem::remove(data_ / "t10k-labels-idx1-ubyte");  // as in the middle of a copy
  WriteLabels({0, 1});
  EXPECT_TRUE(coordinator_.WaitUntil([&](const Record& r) {
    return !r.synchronized.empty() && r.synchronized.back().changed_data_sha256_size() == 1 &&
           r.synchronized.back().changed_data_sha256(0) == wrong;
  }));
  coordinator_.OfferLease(OnFiles(2, right));
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.record().synchronized.back().changed_data_sha256_size(), 0)
      << "it is said once";
}

// What was uploaded is fetched, and the trainer gets its folder.
TEST_F(OtherDataTest, IsFetchedWhenItWasUploaded) {
  DataManifest manifest;
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                           "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    const std::string bytes = testing::ReadFile(data_ / name);
    manifest.files.push_back(
        {.name = name, .size_bytes = std::ssize(bytes), .pieces = {coordinator_.PutBlob(bytes)}});
  }
  const DatasetSpec uploaded{.name = "idx",
                             .path = "sha256:" + coordinator_.PutBlob(manifest.Text())};
  const auto lease_on = [](int number, const DatasetSpec& dataset) {
    v1::Lease lease = FakeCoordinator::MakeLease(number, "", 2);
    TrialSpec spec = TrialSpecFromJson(lease.spec_json());
    spec.dataset = dataset;
    lease.set_spec_json(TrialSpecToJson(spec));
    return lease;
  };
  options_.uploads.folder = data_ / "cache";
  StartAgent();
  coordinator_.OfferLease(lease_on(1, uploaded));
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  const Record record = coordinator_.record();
  ASSERT_EQ(record.data.size(), 1u);
  EXPECT_EQ(record.data[0].data_sha256(), Digest()) << "its content is that of the folder";
  EXPECT_EQ(record.data[0].path(), data_ / "cache/" + uploaded.path.substr(7));

  coordinator_.OfferLease(lease_on(2, {.name = "idx", .path = "sha256:" + std::string(64, 'a')}));
  const v1::FinishLeaseRequest lost = coordinator_.WaitForFinish(2);
  EXPECT_EQ(lost.outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(lost.reason(), AllOf(HasSubstr("data set sha256:" + std::string(64, 'a')),
                                   HasSubstr("--upload-data")));
}

// Somebody else fetches the set and does not get on.
TEST_F(OtherDataTest, IsNotWaitedForOnceTheWorkerDrains) {
  const std::string name(64, 'a'), cache = data_ / "cache";
  std::filesystem::create_directory(cache);
  const int lock = open((cache + "/" + name + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  ASSERT_EQ(flock(lock, LOCK_EX), 0);
  options_.uploads.folder = cache;
  StartAgent();
  v1::Lease lease = FakeCoordinator::MakeLease(1, "", 2);
  TrialSpec spec = TrialSpecFromJson(lease.spec_json());
  spec.dataset = {.name = "idx", .path = "sha256:" + name};
  lease.set_spec_json(TrialSpecToJson(spec));
  coordinator_.OfferLease(lease);
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) {
    return !r.synchronized.empty() && r.synchronized.back().held_size() == 1;
  }));
  agent_->Drain();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_EQ(agent_->Wait(), absl::OkStatus());
  close(lock);
}

TEST_F(OtherDataTest, EndsAWorkerThatHasNothingElseToDo) {
  options_.end_on_other_data = true;
  coordinator_.SetData(std::string(64, 'a'));
  StartAgent();
  coordinator_.OfferLease(OnFiles(1));
  const absl::Status status = agent_->Wait();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("other data"));
  EXPECT_THAT(coordinator_.record().finished, IsEmpty());
}

// The trainer met the other data and reported that the trial failed.
TEST_F(OtherDataTest, IsNoFailureOfATrialWhenItCameInTheMeantime) {
  CoordinatorClient client(MakeChannel(coordinator_.address()));
  DatasetCache datasets({});
  std::counting_semaphore<> prepared(0), released(0);
  std::string refusal;
  coordinator_.SetData(Digest());
  {
    LeaseReporter reporter({.client = &client,
                            .datasets = &datasets,
                            .trainer = {.command = {FAKE_TRAINER}},
                            .work_dir = data_ / "work"},
                           /*slot=*/0,
                           {.prepared =
                                [&](const absl::StatusOr<PreparedTrial>& trial) {
                                  EXPECT_TRUE(trial.ok()) << trial.status();
                                  prepared.release();
                                },
                            .data_refused = [&](const std::string& why) { refusal = why; },
                            .refused = [](const absl::Status&) {},
                            .released = [&] { released.release(); }});
    for (int number = 1; number <= 2; ++number) {
      reporter.Begin(OnFiles(number));
      ASSERT_TRUE(prepared.try_acquire_for(kDataPatience));
      if (number == 2) WriteLabels({1, 0});
      reporter.End({.outcome = v1::LEASE_OUTCOME_FAILED, .reason = "no luck"});
      ASSERT_TRUE(released.try_acquire_for(kDataPatience));
    }
  }
  EXPECT_EQ(coordinator_.record().FinishOf(1)->outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_EQ(coordinator_.record().FinishOf(2), nullptr);
  EXPECT_EQ(refusal, "other data");
}

}  // namespace
}  // namespace sweep
