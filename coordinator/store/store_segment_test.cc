// Segments of a population: what they begin with, how they end, and what is shown of them.

#include <gmock/gmock.h>

#include "common/base/sha256.h"
#include "coordinator/store/check.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StoreSegmentTest : public testing::Test {
 protected:
  void SetUp() override {
    Diagnostics diagnostics;
    spec_ = Must(SweepSpec::Parse(
        {.file = "s.yaml",
         .text = "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: pbt\nepochs: 6\nseed: 4\n"
                 "pbt: {population: 2, segment_epochs: 2}\nparameters: {lr: {min: 0.01, max: "
                 "0.1}}\n"},
        &diagnostics));
    store_ = Must(Store::Open({.path = path_, .clock = &clock_}));
    driver_ = std::make_unique<StoreDriver>(store_.get());
    sweep_ = driver_->Create(spec_);
  }

  TrialRow Add(const Segment& segment, double lr) {
    std::vector<TrialRow> rows;
    const auto configuration = spec_.Complete(Sweep().configurations + 1, {{"lr", lr}});
    EXPECT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
      auto added = transaction.AddConfiguration(
          sweep_.id, spec_, *configuration,
          {.origin = SuggestionOrigin{.source = SuggestionSource::kCopied, .method = "pbt"},
           .segment = segment});
      if (added.ok()) rows = *std::move(added);
      return added.status();
    }),
              absl::OkStatus());
    return rows.empty() ? TrialRow() : rows[0];
  }
  // Its checkpoint, which is stored.
  std::string Checkpoint(const std::string& name) {
    std::string sha256 = Sha256Hex(name);
    EXPECT_EQ(store_->WriteAndWait(
                  [&](WriteTransaction& transaction) { return transaction.AddBlob(sha256, 10); }),
              absl::OkStatus());
    return sha256;
  }
  // Trains it to the end of its segment.
  TrialRow Train(const TrialRow& trial, int first, int last, const std::string& checkpoint) {
    const LeaseRow lease = driver_->Grant(trial.id, "w");
    const int saved = checkpoint.empty() ? 0 : last;
    EXPECT_TRUE(
        driver_->Record(lease, spec_, TestEpochs(first, last, 0.9), checkpoint, saved).ok());
    return Must(driver_->Finish(lease, spec_, LeaseOutcome::kHeld));
  }
  TrialRow Trial(std::int64_t number) { return Must(store_->Read(FindTrial, "s", number)); }
  SweepRow Sweep() { return Must(store_->Read(FindSweep, "s")); }

  TemporaryFolder folder_;
  const std::string path_ = folder_.File("sweep.db");
  FakeClock clock_;
  SweepSpec spec_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreDriver> driver_;
  SweepRow sweep_;
};

TEST_F(StoreSegmentTest, ASegmentBeginsWithTheCheckpointOfItsParentAndCompletesAtItsTarget) {
  const TrialRow first = Add({.member = 1, .target_epoch = 2}, 0.05);
  EXPECT_EQ(first.member, 1);
  EXPECT_EQ(first.parent, 0);
  EXPECT_EQ(first.last_epoch(), 2);
  EXPECT_EQ(first.epochs, 6);
  const std::string checkpoint = Checkpoint("first");
  EXPECT_EQ(Train(first, 1, 2, checkpoint).state, TrialState::kCompleted);
  EXPECT_EQ(Must(store_->Read(SelectAttempts, "s", 1)).at(0).outcome, "completed");

  const TrialRow second =
      Add({.member = 2, .parent = 1, .start_epoch = 2, .target_epoch = 4}, 0.06);
  EXPECT_EQ(second.checkpoint_sha256, checkpoint);
  EXPECT_EQ(second.checkpoint_epoch, 2);
  EXPECT_EQ(second.start_epoch, 2);
  EXPECT_EQ(driver_->Grant(second.id, "w").trial.checkpoint_sha256, checkpoint);
  EXPECT_EQ(Trial(2).result.epoch, 0) << "its parent's epochs are not its own";

  const std::vector<AncestorRow> lineage = Trial(2).lineage;
  ASSERT_EQ(lineage.size(), 2u);
  EXPECT_EQ(lineage[0].trial, 1);
  EXPECT_EQ(lineage[0].epoch, 2);
  EXPECT_EQ(lineage[1].trial, 2);
  EXPECT_EQ(lineage[1].start_epoch, 2);
  EXPECT_EQ(lineage[1].chosen_source, "copied");
  EXPECT_EQ(AsDouble(lineage[1].parameters.values().at("lr")), 0.06);
  EXPECT_THAT(Must(store_->Read(SelectSegments, 1, 1, 9)),
              ElementsAre(Segment{.member = 1, .target_epoch = 2},
                          Segment{.member = 2, .parent = 1, .start_epoch = 2, .target_epoch = 4}));
}

TEST_F(StoreSegmentTest, TheLastSegmentCompletesAtTheLastEpochWithoutACheckpoint) {
  Train(Add({.member = 1, .target_epoch = 4}, 0.05), 1, 4, Checkpoint("first"));
  const TrialRow last = Add({.member = 1, .parent = 1, .start_epoch = 4, .target_epoch = 6}, 0.05);
  EXPECT_EQ(last.target_epoch, 0) << "the last epoch is no target";
  const LeaseRow lease = driver_->Grant(last.id, "w");
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(5, 6, 0.95)).ok());
  EXPECT_EQ(Must(driver_->Finish(lease, spec_, LeaseOutcome::kCompleted)).state,
            TrialState::kCompleted);
}

// Its last epoch was reported before the stop reached its worker.
TEST_F(StoreSegmentTest, OneThatIsBeingStoppedMayStillComplete) {
  Train(Add({.member = 1, .target_epoch = 4}, 0.05), 1, 4, Checkpoint("first"));
  const TrialRow last = Add({.member = 1, .parent = 1, .start_epoch = 4, .target_epoch = 6}, 0.05);
  const LeaseRow lease = driver_->Grant(last.id, "w");
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(5, 5, 0.95)).ok());
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.StopTrial(last.id, spec_, 5, "enough qualify").status();
  }),
            absl::OkStatus());
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(6, 6, 0.96)).ok());
  EXPECT_EQ(Must(driver_->Finish(lease, spec_, LeaseOutcome::kCompleted)).state,
            TrialState::kCompleted);
}

TEST_F(StoreSegmentTest, OneThatIsRetriedOpensASearchThatHadNoneToGoOnFrom) {
  const TrialRow first = Add({.member = 1, .target_epoch = 2}, 0.05);
  const LeaseRow lease = driver_->Grant(first.id, "w");
  ASSERT_EQ(Must(driver_->Finish(lease, spec_, LeaseOutcome::kFailedForGood)).state,
            TrialState::kFailed);
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.MarkExhausted(sweep_.id, "none to go on from").status();
  }),
            absl::OkStatus());
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.RetryTrial(spec_, 1, /*force=*/false).status();
  }),
            absl::OkStatus());
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  EXPECT_FALSE(Sweep().exhausted);
  EXPECT_EQ(Sweep().search_reason, "");
}

TEST_F(StoreSegmentTest, OneWithoutItsCheckpointIsTriedAgain) {
  const TrialRow first = Add({.member = 1, .target_epoch = 2}, 0.05);
  EXPECT_EQ(Train(first, 1, 2, "").state, TrialState::kPending);
  EXPECT_THAT(Must(store_->Read(SelectAttempts, "s", 1)).at(0).reason,
              HasSubstr("it left no checkpoint of epoch 2, the end of its segment"));
  EXPECT_EQ(Train(first, 1, 2, Checkpoint("again")).state, TrialState::kCompleted);
}

TEST_F(StoreSegmentTest, ItsEpochsLieWithinTheSegment) {
  Train(Add({.member = 1, .target_epoch = 2}, 0.05), 1, 2, Checkpoint("first"));
  const TrialRow second =
      Add({.member = 1, .parent = 1, .start_epoch = 2, .target_epoch = 4}, 0.05);
  const LeaseRow lease = driver_->Grant(second.id, "w");
  EXPECT_THAT(std::string(driver_->Record(lease, spec_, TestEpochs(1, 1, 0.9)).status().message()),
              HasSubstr("epoch 1: its segment goes on after epoch 2 of trial s/1"));
  EXPECT_THAT(std::string(driver_->Record(lease, spec_, TestEpochs(5, 5, 0.9)).status().message()),
              HasSubstr("epoch 5: its segment ends with epoch 4"));
  EXPECT_EQ(driver_->Finish(lease, spec_, LeaseOutcome::kHeld).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(StoreSegmentTest, ALostLeaseGoesOnWhereItWasAndALateAnswerIsRepeated) {
  const TrialRow first = Add({.member = 1, .target_epoch = 2}, 0.05);
  const LeaseRow lost = driver_->Grant(first.id, "w");
  ASSERT_TRUE(driver_->Record(lost, spec_, TestEpochs(1, 2, 0.9), Checkpoint("first"), 2).ok());
  EXPECT_EQ(Must(driver_->Lose(lost, spec_)).state, TrialState::kPending)
      << "it has its checkpoint, and not its weights";
  const LeaseRow again = driver_->Grant(first.id, "w");
  EXPECT_EQ(again.trial.checkpoint_epoch, 2);
  EXPECT_EQ(Must(driver_->Finish(again, spec_, LeaseOutcome::kHeld)).state, TrialState::kCompleted);
  EXPECT_EQ(Must(driver_->Finish(again, spec_, LeaseOutcome::kHeld)).state, TrialState::kCompleted);
}

TEST_F(StoreSegmentTest, WhoseParentHasLostItsCheckpointBeginsWithNone) {
  const std::string checkpoint = Checkpoint("first");
  Train(Add({.member = 1, .target_epoch = 2}, 0.05), 1, 2, checkpoint);
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.ForgetLostBlob(checkpoint).status();
  }),
            absl::OkStatus());
  const TrialRow second =
      Add({.member = 1, .parent = 1, .start_epoch = 2, .target_epoch = 4}, 0.05);
  EXPECT_EQ(second.checkpoint_sha256, "");
  EXPECT_EQ(second.start_epoch, 2) << "its trainer is told, and refuses";
}

TEST_F(StoreSegmentTest, ARetryKeepsTheEndOfTheSegment) {
  const TrialRow first = Add({.member = 1, .target_epoch = 2}, 0.05);
  const LeaseRow lease = driver_->Grant(first.id, "w");
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kFailedForGood, "no").ok());
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.RetryTrial(spec_, 1, false).status();
  }),
            absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).target_epoch, 2);
}

TEST_F(StoreSegmentTest, TheCheckFindsSegmentsThatDoNotFit) {
  Train(Add({.member = 1, .target_epoch = 2}, 0.05), 1, 2, Checkpoint("first"));
  Add({.member = 2, .parent = 1, .start_epoch = 2, .target_epoch = 4}, 0.06);
  driver_.reset();
  store_.reset();
  const auto faults = [&] {
    std::vector<std::string> found;
    for (const std::string& fault : Must(CheckDatabase(path_, [](const std::string&) {})).faults) {
      if (fault.find("segment") != fault.npos || fault.find("checkpoint is") != fault.npos) {
        found.push_back(fault);
      }
    }
    return found;
  };
  EXPECT_THAT(faults(), ElementsAre());
  const auto change = [&](const std::string& sql) {
    auto database = Must(Database::Open(path_, Database::Mode::kReadWrite));
    EXPECT_EQ(database->Execute(sql), absl::OkStatus());
  };
  change("UPDATE configurations SET parent = 3 WHERE number = 2");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("goes on where an earlier one has completed")));
  change("UPDATE configurations SET parent = 1, start_epoch = 1 WHERE number = 2");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("a checkpoint is that of a reported epoch")));
}

}  // namespace
}  // namespace sweep
