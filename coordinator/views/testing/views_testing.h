#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/sha256.h"
#include "common/tensors/safetensors.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/testing/store_testing.h"
#include "coordinator/views/views.h"
#include "nlohmann/json.hpp"

namespace sweep {

using Json = nlohmann::json;

// Views over a store in memory and a scheduler without threads.
class ViewsTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = Must(Store::Open({}));
    blobs_ = Must(BlobStore::Open(""));
    specs_ = std::make_unique<SpecCache>(store_.get());
    scheduler_ =
        Must(Scheduler::Start({.store = store_.get(), .specs = specs_.get(), .threads = false}));
    views_ = Views::Make(Options());
    driver_ = std::make_unique<StoreDriver>(store_.get());
  }
  void TearDown() override {
    views_.reset();
    scheduler_.reset();
  }

  // The parsed document. Fails the test when there is none.
  Json Get(const std::string& path, const std::string& query = "") {
    const absl::StatusOr<ViewAnswer> answer = views_->Get({.path = path, .query = query});
    EXPECT_TRUE(answer.ok()) << path << ": " << answer.status();
    return answer.ok() ? Json::parse(answer->json) : Json();
  }
  absl::Status Refusal(const std::string& path, const std::string& query = "") {
    return views_->Get({.path = path, .query = query}).status();
  }

  // Sweep `name` with four trials: 1 completed at 0.95, 2 completed at 0.5, 3 failed after an epoch
  // with a NaN loss, 4 pending.
  void Fill(const std::string& name) {
    const SweepSpec spec = TestSpec(name);
    const SweepRow sweep = driver_->Create(spec);
    driver_->Train(driver_->Add(sweep, spec, 1).at(0), spec, 0.95);
    driver_->Train(driver_->Add(sweep, spec, 2).at(0), spec, 0.5);
    const TrialRow third = driver_->Add(sweep, spec, 3).at(0);
    driver_->Add(sweep, spec, 4);
    const LeaseRow lease = driver_->Grant(third.id, "bench-7");
    EpochMetrics epoch = TestEpoch(1, 0.1);
    epoch.values.Set("train_loss", std::numeric_limits<double>::quiet_NaN());
    epoch.values.Set("loss", std::numeric_limits<double>::quiet_NaN());
    EXPECT_TRUE(driver_->Record(lease, spec, {epoch}).ok());
    EXPECT_TRUE(driver_->Finish(lease, spec, LeaseOutcome::kFailedForGood, "diverged").ok());
  }

  // Stores a file and its row.
  std::string PutBlob(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    const auto writer = Must(blobs_->Put(sha256, std::ssize(bytes)));
    EXPECT_TRUE(writer->Append(bytes).ok());
    EXPECT_TRUE(writer->Commit().ok());
    EXPECT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      return transaction.AddBlob(sha256, std::ssize(bytes));
                    })
                    .ok());
    return sha256;
  }

  // A sweep with one completed trial that has this file as `role`.
  void FillWithArtifact(const std::string& name, const std::string& role,
                        const std::string& bytes) {
    const SweepSpec spec = TestSpec(name);
    const SweepRow sweep = driver_->Create(spec);
    const LeaseRow lease = driver_->Grant(driver_->Add(sweep, spec, 1).at(0).id, "a");
    EXPECT_TRUE(driver_->Record(lease, spec, TestEpochs(1, 5, 0.9)).ok());
    const ArtifactRow artifact{
        .role = role, .sha256 = PutBlob(bytes), .size_bytes = std::ssize(bytes)};
    EXPECT_TRUE(driver_->Finish(lease, spec, LeaseOutcome::kCompleted, "", {artifact}).ok());
  }

  Views::Options Options() {
    return {.store = store_.get(),
            .scheduler = scheduler_.get(),
            .blobs = blobs_.get(),
            .specs = specs_.get(),
            .database = "sweep.db",
            .version = "0.1.0",
            .index_wait = absl::Seconds(20),
            .index_refresh = absl::ZeroDuration(),
            .index_keep = absl::ZeroDuration(),
            .index_few_trials = 0};
  }

  std::unique_ptr<Store> store_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<SpecCache> specs_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Views> views_;
  std::unique_ptr<StoreDriver> driver_;
};

}  // namespace sweep
