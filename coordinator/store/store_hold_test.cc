// Trials with a target epoch: on hold, promoted, stopped at the end.

#include <gmock/gmock.h>

#include "coordinator/store/testing/store_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreHoldTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = Must(Store::Open({.clock = &clock_}));
    driver_ = std::make_unique<StoreDriver>(store_.get());
    sweep_ = driver_->Create(spec_, kRule);
  }

  template <typename T>
  absl::StatusOr<T> Write(const std::function<absl::StatusOr<T>(WriteTransaction&)>& function) {
    absl::StatusOr<T> result = absl::UnknownError("not tried");
    const absl::Status written = store_->WriteAndWait([&](WriteTransaction& transaction) {
      result = function(transaction);
      return result.status();
    });
    if (!written.ok()) return written;
    return result;
  }
  void Add(int target_epoch) {
    const auto number = Sweep().configurations + 1;
    trials_.push_back(Must(Write<std::vector<TrialRow>>([&](WriteTransaction& transaction) {
                        return transaction.AddConfiguration(sweep_.id, spec_,
                                                            TestConfiguration(spec_, number),
                                                            {.target_epoch = target_epoch});
                      })).at(0));
  }
  TrialRow Hold(std::int64_t number, int epoch) {
    return Must(Write<TrialRow>([&](WriteTransaction& transaction) {
      return transaction.HoldTrial(trials_[number - 1].id, epoch, "worse than others");
    }));
  }
  TrialRow Promote(std::int64_t number, int target_epoch) {
    return Must(Write<TrialRow>([&](WriteTransaction& transaction) {
      return transaction.PromoteTrial(trials_[number - 1].id, target_epoch);
    }));
  }
  std::vector<TrialRow> StopHeld(std::optional<std::int64_t> seen, int limit = 100) {
    return Must(Write<std::vector<TrialRow>>([&](WriteTransaction& transaction) {
      return transaction.StopHeldTrials(sweep_.id, spec_, seen, limit);
    }));
  }
  LeaseRow Grant(std::int64_t number) { return driver_->Grant(trials_[number - 1].id, "w"); }
  // Trains a trial up to its target and ends its lease.
  TrialRow Rest(std::int64_t number, LeaseOutcome outcome = LeaseOutcome::kHeld) {
    const LeaseRow lease = Grant(number);
    const TrialRow trial = Trial(number);
    EXPECT_TRUE(
        driver_->Record(lease, spec_, TestEpochs(trial.result.epoch + 1, trial.target_epoch, 0.5))
            .ok());
    return Must(driver_->Finish(lease, spec_, outcome));
  }

  TrialRow Trial(std::int64_t number) { return Must(store_->Read(FindTrial, "s", number)); }
  SweepRow Sweep() { return Must(store_->Read(FindSweep, "s")); }
  std::string LastOutcome(std::int64_t number) {
    return Must(store_->Read(SelectAttempts, "s", number)).back().outcome;
  }
  std::vector<std::string> States(std::int64_t number) {
    std::vector<std::string> states;
    for (const EventRow& event : Must(store_->Read(SelectEvents, sweep_.id, 0, 1000))) {
      if (event.number == number && event.kind == "trial") {
        states.emplace_back(TrialStateName(*event.state));
      }
    }
    return states;
  }
  std::int64_t Last() { return Must(store_->Read(FindLastSequence, sweep_.id)); }

  static constexpr char kRule[] = "early_terminate: {type: median}\n";
  FakeClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreDriver> driver_;
  const SweepSpec spec_ = TestSpec("s", kRule);
  SweepRow sweep_;
  std::vector<TrialRow> trials_;
};

TEST_F(StoreHoldTest, ATrialThatHasReachedItsTargetIsOnHold) {
  Add(2);
  Add(0);
  EXPECT_EQ(Rest(1).state, TrialState::kOnHold);
  EXPECT_EQ(LastOutcome(1), "held");
  EXPECT_EQ(Sweep().counts.on_hold, 1);
  EXPECT_EQ(Sweep().counts.pending, 1);
  EXPECT_EQ(Sweep().counts.ended(), 0);
  EXPECT_EQ(Sweep().counts.total(), 2);
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_FALSE(Trial(1).ended.has_value());
  EXPECT_EQ(States(1), (std::vector<std::string>{"pending", "leased", "running", "on_hold"}));
  EXPECT_EQ(driver_->Add(sweep_, spec_, 3).at(0).number, 3) << "its number is taken";
}

TEST_F(StoreHoldTest, ATrialOnHoldIsNeitherGrantedNorLost) {
  Add(2);
  const LeaseRow lease = Grant(1);
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 2, 0.5)).ok());
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kHeld).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Write<LeaseRow>([&](WriteTransaction& transaction) {
                                           return transaction.Grant(trials_[0].id, "w", "x", false);
                                         }).status()));
  EXPECT_EQ(Must(driver_->Lose(lease, spec_)).state, TrialState::kOnHold);
  EXPECT_EQ(Trial(1).failures, 0);
  const auto again = driver_->Finish(lease, spec_, LeaseOutcome::kHeld);
  EXPECT_TRUE(again.ok()) << again.status() << ": the answer was lost";
  EXPECT_TRUE(
      absl::IsFailedPrecondition(driver_->Record(lease, spec_, TestEpochs(3, 3, 0.5)).status()));
  ASSERT_EQ(Must(store_->Read(SelectUnheldTrials, sweep_.id)).size(), 1u) << "a start finds it";
}

TEST_F(StoreHoldTest, APromotedTrialGoesOnFromItsCheckpoint) {
  Add(1);
  ASSERT_TRUE(store_
                  ->WriteAndWait([](WriteTransaction& transaction) {
                    return transaction.AddBlob(std::string(64, 'a'), 10);
                  })
                  .ok());
  const LeaseRow lease = Grant(1);
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 1, 0.5), std::string(64, 'a'), 1).ok());
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kHeld).ok());
  EXPECT_EQ(Promote(1, 3).state, TrialState::kPending);
  EXPECT_EQ(Sweep().counts.on_hold, 0);
  const LeaseRow second = Grant(1);
  EXPECT_EQ(second.trial.target_epoch, 3);
  EXPECT_EQ(second.trial.checkpoint_epoch, 1);
  ASSERT_TRUE(driver_->Record(second, spec_, TestEpochs(2, 3, 0.5)).ok());
  EXPECT_EQ(Must(driver_->Finish(second, spec_, LeaseOutcome::kHeld)).state, TrialState::kOnHold);
  EXPECT_EQ(Promote(1, 0).target_epoch, 0);
  const LeaseRow third = Grant(1);
  ASSERT_TRUE(driver_->Record(third, spec_, TestEpochs(4, 5, 0.95)).ok());
  EXPECT_EQ(Must(driver_->Finish(third, spec_, LeaseOutcome::kCompleted)).state,
            TrialState::kCompleted);
}

TEST_F(StoreHoldTest, APromotionNeverLowersATarget) {
  Add(2);
  Rest(1);
  EXPECT_EQ(Promote(1, 2).state, TrialState::kOnHold) << "no later one";
  EXPECT_EQ(Promote(1, 5).target_epoch, 0) << "the last epoch is no target";
  EXPECT_EQ(Promote(1, 3).target_epoch, 0);
  Add(0);
  EXPECT_EQ(Promote(2, 3).target_epoch, 0);
}

TEST_F(StoreHoldTest, AHeldTrialIsToldToRestByItsRow) {
  Add(0);
  const LeaseRow lease = Grant(1);
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 2, 0.5)).ok());
  const TrialRow holding = Hold(1, 2);
  EXPECT_EQ(holding.state, TrialState::kRunning);
  EXPECT_TRUE(holding.ends_early());
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(3, 3, 0.5)).ok()) << "reported meanwhile";
  EXPECT_EQ(Must(driver_->Finish(lease, spec_, LeaseOutcome::kStopped)).state, TrialState::kOnHold);
  EXPECT_EQ(LastOutcome(1), "held");
  EXPECT_EQ(Trial(1).reason, "worse than others");
}

TEST_F(StoreHoldTest, APendingTrialIsHeldAtOnce) {
  Add(0);
  const LeaseRow lease = Grant(1);
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 2, 0.5)).ok());
  ASSERT_TRUE(driver_->Lose(lease, spec_).ok());
  EXPECT_EQ(Hold(1, 2).state, TrialState::kOnHold);
  EXPECT_EQ(Hold(1, 2).state, TrialState::kOnHold) << "again";
  EXPECT_EQ(Hold(1, 3).target_epoch, 2) << "an earlier target stays";
}

TEST_F(StoreHoldTest, WhateverEndsTheAttemptTheTrialIsOnHold) {
  for (int i = 0; i < 4; ++i) Add(1);
  EXPECT_EQ(Rest(1, LeaseOutcome::kGivenBack).state, TrialState::kOnHold);
  EXPECT_EQ(Rest(2, LeaseOutcome::kFailed).state, TrialState::kOnHold);
  EXPECT_EQ(Trial(2).failures, 1);
  const LeaseRow lost = Grant(3);
  ASSERT_TRUE(driver_->Record(lost, spec_, TestEpochs(1, 1, 0.5)).ok());
  EXPECT_EQ(Must(driver_->Lose(lost, spec_)).state, TrialState::kOnHold);
  EXPECT_EQ(Rest(4, LeaseOutcome::kDiverged).state, TrialState::kDiverged);
}

// Its checkpoint and weights are kept.
TEST_F(StoreHoldTest, AHolderThatComesBackInTimeBringsWhatItHas) {
  Add(1);
  const LeaseRow lease = Grant(1);
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 1, 0.5)).ok());
  ASSERT_TRUE(driver_->Lose(lease, spec_).ok());
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kHeld).ok());
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_EQ(LastOutcome(1), "held");
}

TEST_F(StoreHoldTest, OneThatWasPromotedMeanwhileGoesOn) {
  Add(1);
  const LeaseRow lease = Grant(1);
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 1, 0.5)).ok());
  EXPECT_EQ(Promote(1, 3).state, TrialState::kRunning);
  EXPECT_EQ(Must(driver_->Finish(lease, spec_, LeaseOutcome::kHeld)).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).failures, 0);
}

TEST_F(StoreHoldTest, AStopOfATrialOnHoldEndsIt) {
  Add(1);
  Rest(1);
  const TrialRow stopped = Must(Write<TrialRow>([&](WriteTransaction& transaction) {
    return transaction.StopTrial(trials_[0].id, spec_, 1, "bad");
  }));
  EXPECT_EQ(stopped.state, TrialState::kStopped);
  EXPECT_EQ(Promote(1, 0).state, TrialState::kStopped);
  EXPECT_EQ(Hold(1, 1).state, TrialState::kStopped);
  EXPECT_EQ(Sweep().counts.on_hold, 0);
}

TEST_F(StoreHoldTest, ASweepIsNotOverWhileTrialsAreOnHold) {
  Add(1);
  Add(1);
  Rest(1);
  ASSERT_TRUE(driver_->Exhaust(sweep_).ok());
  EXPECT_THAT(StopHeld(Last()), IsEmpty()) << "the other one is open";
  Rest(2);
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  EXPECT_THAT(StopHeld(Last() - 1), IsEmpty()) << "the rule has not seen the last event";
  EXPECT_EQ(StopHeld(Last(), 1).size(), 1u);
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  const std::vector<TrialRow> stopped = StopHeld(std::nullopt);
  ASSERT_EQ(stopped.size(), 1u);
  EXPECT_EQ(stopped[0].reason, "held after epoch 1 and not promoted before the end of the sweep");
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.stopped, 2);
  EXPECT_EQ(Sweep().counts.on_hold, 0);
  EXPECT_TRUE(Must(store_->Read(SelectUnheldTrials, sweep_.id)).empty());
}

TEST_F(StoreHoldTest, ACancelledTrialOnHoldIsTrainedToItsEndWhenItIsRetried) {
  Add(1);
  Add(3);
  Rest(1);
  ASSERT_TRUE(Write<TrialRow>([&](WriteTransaction& transaction) {
                return transaction.CancelTrial("s", 1, &spec_);
              }).ok());
  ASSERT_TRUE(Write<TrialRow>([&](WriteTransaction& transaction) {
                return transaction.CancelTrial("s", 2, &spec_);
              }).ok());
  EXPECT_EQ(Trial(1).state, TrialState::kCancelled);
  EXPECT_EQ(Sweep().counts.on_hold, 0);
  const auto retry = [&](std::int64_t number) {
    return Must(Write<RetriedSweep>([&](WriteTransaction& transaction) {
             return transaction.RetryTrial(spec_, number, false);
           }))
        .trials.at(0);
  };
  EXPECT_EQ(retry(1).target_epoch, 0);
  EXPECT_EQ(retry(2).target_epoch, 3) << "it has not got there yet";
}

TEST_F(StoreHoldTest, CancellingASweepCancelsWhatIsOnHold) {
  Add(1);
  Rest(1);
  ASSERT_TRUE(Write<SweepRow>([&](WriteTransaction& transaction) {
                return transaction.CancelSweep("s", &spec_);
              }).ok());
  EXPECT_EQ(Trial(1).state, TrialState::kCancelled);
  EXPECT_EQ(Sweep().counts.on_hold, 0);
  ASSERT_TRUE(Write<SweepRow>([](WriteTransaction& transaction) {
                return transaction.DeleteSweep("s");
              }).ok());
}

TEST_F(StoreHoldTest, EventsAreReadWithWhatTheirEpochsMeasured) {
  Add(0);
  const LeaseRow lease = Grant(1);
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 2, 0.5)).ok());
  const std::vector<EventRow> events = Must(store_->Read(SelectEvents, sweep_.id, 0, 100));
  std::vector<int> measured;
  for (const EventRow& event : events) {
    if (event.epoch == 0) {
      EXPECT_TRUE(event.values.empty());
      continue;
    }
    measured.push_back(event.epoch);
    EXPECT_EQ(event.kind, "epoch");
    EXPECT_EQ(event.values, TestEpochs(1, 2, 0.5)[measured.size() - 1].values);
  }
  EXPECT_THAT(measured, ElementsAre(1, 2));
  EXPECT_EQ(Must(store_->Read(SelectEvents, sweep_.id, events[1].sequence, 1)).at(0).sequence,
            events[2].sequence);
}

}  // namespace
}  // namespace sweep
