#include "coordinator/store/blob_collector.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "common/base/sha256.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

class BlobCollectorTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = Must(Store::Open({.path = folder_.File("sweep.db"), .clock = &clock_}));
    blobs_ = Must(BlobStore::Open(folder_.File("sweep.db.blobs")));
    Start();
  }
  void Start(absl::Duration min_age = absl::Hours(1)) {
    collector_ = std::make_unique<BlobCollector>(
        store_.get(), blobs_.get(), &clock_,
        BlobCollector::Options{.min_age = min_age, .thread = false});
  }

  // Stores a file without a row and returns its name.
  std::string Upload(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    auto writer = Must(blobs_->Put(sha256, static_cast<std::int64_t>(bytes.size())));
    EXPECT_TRUE(writer->Append(bytes).ok() && writer->Commit().ok());
    return sha256;
  }
  void AddRow(const std::string& sha256) {
    EXPECT_EQ(store_->WriteAndWait(
                  [&](WriteTransaction& transaction) { return transaction.AddBlob(sha256, 1); }),
              absl::OkStatus());
  }
  std::string Put(const std::string& bytes) {
    const std::string sha256 = Upload(bytes);
    AddRow(sha256);
    return sha256;
  }
  bool HasRow(const std::string& sha256) {
    return Must(store_->Read(FindBlobSize, sha256)).has_value();
  }
  // Makes the file older.
  void MakeOld(const std::string& sha256, std::chrono::minutes age) {
    fs::last_write_time(folder_.File("sweep.db.blobs/" + sha256.substr(0, 2) + "/" + sha256),
                        fs::file_time_type::clock::now() - age);
  }

  TemporaryFolder folder_;
  FakeClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<BlobCollector> collector_;
};

TEST_F(BlobCollectorTest, WhatNothingRefersToGoesAfterAnHourAndTheRestStays) {
  const SweepSpec spec = TestSpec("s");
  StoreDriver driver(store_.get());
  const TrialRow trial = driver.Add(driver.Create(spec), spec, 1).at(0);
  const LeaseRow lease = driver.Grant(trial.id, "w");
  const std::string replaced = Put("checkpoint 1"), latest = Put("checkpoint 2");
  const std::string weights = Put("weights"), unused = Put("nobody's");
  clock_.Advance(absl::Hours(2));
  ASSERT_TRUE(driver.Record(lease, spec, TestEpochs(1, 1, 0.5), replaced, 1).ok());
  ASSERT_TRUE(driver.Record(lease, spec, TestEpochs(2, 5, 0.5), latest, 2).ok());
  ASSERT_TRUE(driver
                  .Finish(lease, spec, LeaseOutcome::kCompleted, "",
                          {{.role = "weights_best", .sha256 = weights}})
                  .ok());
  EXPECT_EQ(collector_->Turn(), 1) << "what was let go of just now stays";
  EXPECT_FALSE(HasRow(unused) || blobs_->Has(unused));
  EXPECT_TRUE(HasRow(replaced) && blobs_->Has(replaced));
  clock_.Advance(absl::Minutes(61));
  EXPECT_EQ(collector_->Turn(), 1);
  EXPECT_FALSE(HasRow(replaced) || blobs_->Has(replaced));
  clock_.Advance(absl::Hours(1000));
  EXPECT_EQ(collector_->Turn(), 0);
  EXPECT_TRUE(blobs_->Has(latest) && blobs_->Has(weights));
}

TEST_F(BlobCollectorTest, TheDataOfASweepStaysAsLongAsTheSweep) {
  StoreDriver driver(store_.get());
  const std::int64_t sweep = driver.Create(TestSpec("s")).id;
  const std::int64_t other = driver.Create(TestSpec("t")).id;
  const std::string manifest = Put("manifest"), piece = Put("piece"), both = Put("both");
  const auto keep = [&](std::int64_t id, const std::vector<std::string>& blobs) {
    return store_->WriteAndWait(
        [&](WriteTransaction& transaction) { return transaction.KeepData(id, blobs); });
  };
  ASSERT_EQ(keep(sweep, {manifest, piece, both}), absl::OkStatus());
  ASSERT_EQ(keep(other, {both}), absl::OkStatus());
  const absl::Status missing = keep(other, {piece, Sha256Hex("never stored")});
  EXPECT_TRUE(absl::IsFailedPrecondition(missing)) << missing;
  EXPECT_THAT(std::string(missing.message()), testing::HasSubstr(Sha256Hex("never stored")));
  clock_.Advance(absl::Hours(1000));
  EXPECT_EQ(collector_->Turn(), 0);
  EXPECT_TRUE(HasRow(manifest) && blobs_->Has(piece));

  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    if (absl::Status deleted = transaction.DeleteSweep("s").status(); !deleted.ok()) return deleted;
    return transaction.PurgeDeleted(1000).status();
  }),
            absl::OkStatus());
  EXPECT_EQ(collector_->Turn(), 2);
  EXPECT_FALSE(HasRow(manifest) || blobs_->Has(piece));
  EXPECT_TRUE(HasRow(both) && blobs_->Has(both)) << "the other sweep has it too";
}

TEST_F(BlobCollectorTest, WhatIsAskedForStaysForAnotherHour) {
  const std::string known = Put("known"), unknown = Sha256Hex("unknown");
  clock_.Advance(absl::Minutes(59));
  std::vector<std::string> missing;
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    auto found = transaction.TouchBlobs({known, unknown});
    if (found.ok()) missing = *found;
    return found.status();
  }),
            absl::OkStatus());
  EXPECT_THAT(missing, testing::ElementsAre(unknown));
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(collector_->Turn(), 0);
}

TEST_F(BlobCollectorTest, WhatIsStoredAgainIsYoungAgain) {
  const std::string sha256 = Put("x");
  clock_.Advance(absl::Minutes(59));
  AddRow(sha256);
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(collector_->Turn(), 0);
  EXPECT_TRUE(HasRow(sha256) && blobs_->Has(sha256));
}

TEST_F(BlobCollectorTest, AWorkerThatWasCutOffHasAnHourAfterARestart) {
  const std::string sha256 = Put("x");
  clock_.Advance(absl::Hours(50));
  Start();
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(collector_->Turn(), 0);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(collector_->Turn(), 1);
  EXPECT_FALSE(blobs_->Has(sha256));
}

TEST_F(BlobCollectorTest, UploadsWithoutARowGoAtTheStartWhenTheyAreOld) {
  const std::string old = Upload("old"), young = Upload("young"), known = Put("known");
  MakeOld(old, std::chrono::minutes(61));
  MakeOld(young, std::chrono::minutes(59));
  MakeOld(known, std::chrono::minutes(6000));
  Start();
  EXPECT_EQ(collector_->Turn(), 1);
  EXPECT_FALSE(blobs_->Has(old));
  EXPECT_TRUE(blobs_->Has(young) && blobs_->Has(known));
}

TEST_F(BlobCollectorTest, WhatIsBeingStoredStays) {
  const std::string with_row = Put("row"), without_row = Upload("file");
  MakeOld(without_row, std::chrono::minutes(600));
  clock_.Advance(absl::Hours(2));
  {
    const auto first = blobs_->HoldBlob(with_row);
    const auto second = blobs_->HoldBlob(without_row);
    EXPECT_EQ(collector_->Turn(), 0);
  }
  EXPECT_EQ(collector_->Turn(), 2);
}

// Repeated uploads of few names compete with a collector that keeps nothing. A name with a row must
// always have its file.
TEST_F(BlobCollectorTest, NoRowIsEverWithoutItsFile) {
  Start(/*min_age=*/-absl::Hours(1));
  std::atomic<bool> stop = false;
  std::atomic<int> broken = 0, stored = 0;
  {
    std::vector<std::jthread> uploaders;
    for (int i = 0; i < 3; ++i) {
      uploaders.emplace_back([&, i] {
        std::mt19937 random(static_cast<std::uint32_t>(i));
        while (!stop) {
          const std::string bytes = fmt::format("blob {}", random() % 4);
          const std::string sha256 = Sha256Hex(bytes);
          const auto hold = blobs_->HoldBlob(sha256);
          if (!blobs_->Has(sha256)) Upload(bytes);
          AddRow(sha256);
          if (!blobs_->Has(sha256)) ++broken;  // held, so it must still be there
          ++stored;
        }
      });
    }
    std::int64_t collected = 0;
    while (collected < 100 || stored < 300) collected += collector_->Turn();
    stop = true;
  }
  EXPECT_EQ(broken, 0);
  for (int i = 0; i < 4; ++i) {
    const std::string sha256 = Sha256Hex(fmt::format("blob {}", i));
    if (HasRow(sha256)) {
      EXPECT_TRUE(blobs_->Has(sha256)) << i;
    }
  }
}

TEST_F(BlobCollectorTest, ALostCheckpointIsForgottenSoThatItsTrialBeginsAnew) {
  const SweepSpec spec = TestSpec("s");
  StoreDriver driver(store_.get());
  const TrialRow trial = driver.Add(driver.Create(spec), spec, 1).at(0);
  const LeaseRow lease = driver.Grant(trial.id, "w");
  const std::string checkpoint = Put("checkpoint");
  ASSERT_TRUE(driver.Record(lease, spec, TestEpochs(1, 2, 0.5), checkpoint, 2).ok());
  GiveUpBlob(store_.get(), blobs_.get(), checkpoint, absl::DataLossError("broken"));
  ASSERT_EQ(store_->WriteAndWait([](WriteTransaction&) { return absl::OkStatus(); }),
            absl::OkStatus());
  const TrialRow after = Must(store_->Read(FindTrial, "s", 1));
  EXPECT_EQ(after.checkpoint_sha256, "");
  EXPECT_EQ(after.checkpoint_epoch, 0);
  EXPECT_EQ(after.result.epoch, 2) << "its epochs stay";
  EXPECT_FALSE(HasRow(checkpoint) || blobs_->Has(checkpoint));
  EXPECT_TRUE(fs::exists(folder_.File("sweep.db.blobs/damaged/" + checkpoint)));
  // The repeated training produces the same bytes, which can be stored and used again.
  Put("checkpoint");
  const auto again = driver.Record(lease, spec, TestEpochs(1, 2, 0.5), checkpoint, 2);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->checkpoint_sha256, checkpoint);
}

TEST_F(BlobCollectorTest, ALostArtifactStaysKnownAsLost) {
  const SweepSpec spec = TestSpec("s");
  StoreDriver driver(store_.get());
  const TrialRow trial = driver.Add(driver.Create(spec), spec, 1).at(0);
  const LeaseRow lease = driver.Grant(trial.id, "w");
  const std::string weights = Put("weights");
  ASSERT_TRUE(driver.Record(lease, spec, TestEpochs(1, 5, 0.5)).ok());
  ASSERT_TRUE(driver
                  .Finish(lease, spec, LeaseOutcome::kCompleted, "",
                          {{.role = "weights_best", .sha256 = weights}})
                  .ok());
  GiveUpBlob(store_.get(), blobs_.get(), weights, absl::DataLossError("broken"));
  ASSERT_EQ(store_->WriteAndWait([](WriteTransaction&) { return absl::OkStatus(); }),
            absl::OkStatus());
  EXPECT_TRUE(HasRow(weights));
  EXPECT_EQ(Must(store_->Read(FindTrial, "s", 1)).artifacts.size(), 1u);
}

}  // namespace
}  // namespace sweep
