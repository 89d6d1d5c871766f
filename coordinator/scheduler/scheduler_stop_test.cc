// Trials that the stopping rule ends.

#include "common/protocol/trial_spec.h"
#include "coordinator/scheduler/testing/scheduler_testing.h"
#include "coordinator/stopping/testing/halving_rule.h"

namespace sweep {
namespace {

using testing::HasSubstr;

constexpr char kMedianOfTwo[] = "early_terminate: {type: median, min_epochs: 2, min_trials: 2}\n";

class StopTest : public SchedulerTest {
 protected:
  // Trials 1 and 2 do well, and 3 is bad: it is to be stopped, and worker c holds it.
  LeaseToken BadTrial() {
    Submit("s", kMedianOfTwo);
    const LeaseToken good = Tokens(Call("a", {}))[0];
    const LeaseToken fair = Tokens(Call("b", {}))[0];
    const LeaseToken bad = Tokens(Call("c", {}))[0];
    EXPECT_EQ(Report(good, 1, 2, 0.9), absl::OkStatus());
    EXPECT_EQ(Report(fair, 1, 2, 0.8), absl::OkStatus());
    poll_ = Call("c", {.held = {bad}, .poll_id = 2});
    EXPECT_FALSE(poll_->Get().has_value()) << "parked";
    EXPECT_EQ(Report(bad, 1, 2, 0.3), absl::OkStatus());
    return bad;
  }

  std::shared_ptr<Answer> poll_;
};

TEST_F(StopTest, TheHolderIsToldAndTheTrialEndsWhenItHasSaved) {
  const LeaseToken bad = BadTrial();
  const std::vector<LeaseOffer> leases = Leases(poll_);
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_TRUE(leases[0].stop);
  EXPECT_EQ(Trial(3).state, TrialState::kRunning);
  EXPECT_FALSE(Call("c", {.held = {bad}, .poll_id = 3})->Get().has_value()) << "said once";
  EXPECT_EQ(Finish(bad, LeaseOutcome::kStopped, "stopped early"), absl::OkStatus());
  EXPECT_EQ(Trial(3).state, TrialState::kStopped);
  EXPECT_EQ(Trial(3).target_epoch, 2);
  EXPECT_THAT(Trial(3).reason, HasSubstr("by the median rule"));
  EXPECT_EQ(Sweep().counts.stopped, 1);
  EXPECT_EQ(Finish(bad, LeaseOutcome::kStopped, "stopped early"), absl::OkStatus()) << "again";
}

TEST_F(StopTest, EpochsThatAreReportedMeanwhileAreTaken) {
  const LeaseToken bad = BadTrial();
  EXPECT_EQ(Report(bad, 3, 3, 0.99), absl::OkStatus());
  EXPECT_EQ(Finish(bad, LeaseOutcome::kStopped), absl::OkStatus());
  EXPECT_EQ(Trial(3).state, TrialState::kStopped) << "what was decided stays so";
  EXPECT_EQ(Trial(3).result.epoch, 3);
}

TEST_F(StopTest, OneThatWasFasterHasCompleted) {
  const LeaseToken bad = BadTrial();
  EXPECT_EQ(Report(bad, 3, 5, 0.3), absl::OkStatus());
  EXPECT_EQ(Finish(bad, LeaseOutcome::kCompleted), absl::OkStatus());
  EXPECT_EQ(Trial(3).state, TrialState::kCompleted);
}

TEST_F(StopTest, WhateverElseEndsTheAttemptTheTrialIsStopped) {
  BadTrial();
  Pass(kTerm + absl::Seconds(2));  // the worker is gone
  EXPECT_EQ(Trial(3).state, TrialState::kStopped);
  EXPECT_EQ(Must(store_->Read(SelectAttempts, "s", 3)).at(0).outcome, "lost");
  EXPECT_NE(Trial(1).state, TrialState::kStopped);
}

TEST_F(StopTest, NorIsItTriedAgainWhenItsAttemptFails) {
  const LeaseToken bad = BadTrial();
  EXPECT_EQ(Finish(bad, LeaseOutcome::kFailed, "out of memory"), absl::OkStatus());
  EXPECT_EQ(Trial(3).state, TrialState::kStopped);
  EXPECT_THAT(Trial(3).reason, HasSubstr("by the median rule"));
}

TEST_F(StopTest, NobodyStopsATrialUnasked) {
  Submit("s");
  const LeaseToken token = Tokens(Call("a", {}))[0];
  EXPECT_EQ(Report(token, 1, 2), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(Finish(token, LeaseOutcome::kStopped)));
}

TEST_F(StopTest, AStopThatTheStoreRefusesIsTriedAgain) {
  Submit("s", kMedianOfTwo);
  const LeaseToken good = Tokens(Call("a", {}))[0];
  const LeaseToken fair = Tokens(Call("b", {}))[0];
  const LeaseToken bad = Tokens(Call("c", {}))[0];
  EXPECT_EQ(Report(good, 1, 2, 0.9), absl::OkStatus());
  EXPECT_EQ(Report(fair, 1, 2, 0.8), absl::OkStatus());
  auto reported = std::make_shared<Result<absl::Status>>();
  scheduler_->reports().ReportEpochs(
      bad, TestEpochs(1, 2, 0.3), "", 0,
      [reported](const absl::Status& status) { reported->Set(status); });
  scheduler_->WaitIdle();
  faulty_->Refuse(absl::StatusCode::kUnavailable);
  Settle();
  EXPECT_FALSE(Trial(3).stopping);
  faulty_->Refuse(absl::StatusCode::kOk);
  Pass(absl::Seconds(3));
  EXPECT_TRUE(Trial(3).stopping);
}

// A person wants it again, and the rule has its say again only after a new epoch.
TEST_F(StopTest, ARetryOfACancelledTrialForgetsTheStop) {
  BadTrial();
  EXPECT_EQ(Cancel("s", 3), absl::OkStatus());
  EXPECT_EQ(Must(RetryTrial(3, "", kMedianOfTwo)).state, TrialState::kPending);
  EXPECT_FALSE(Trial(3).stopping);
  Start();  // the rule observes everything again
  Settle();
  EXPECT_EQ(Trial(3).state, TrialState::kPending);
}

// Four trials of which each rests after epoch 1; the better ones are promoted.
class HoldTest : public SchedulerTest {
 protected:
  void Begin(bool says_hold = false) {
    make_rule_ = [says_hold](const SweepSpec&) {
      return std::make_unique<HalvingRule>(std::vector<int>{1}, says_hold);
    };
    Start();
    Submit("s", kMedianOfTwo);
  }
  LeaseOffer Take(const std::string& worker) {
    std::vector<LeaseOffer> leases = Leases(Call(worker, {.no_wait = true}));
    EXPECT_EQ(leases.size(), 1u);
    return leases.empty() ? LeaseOffer() : leases[0];
  }
  // The worker gets the next trial and trains it for one epoch.
  void TrainToTarget(const std::string& worker, double accuracy) {
    const LeaseOffer lease = Take(worker);
    EXPECT_EQ(TrialSpecFromJson(*lease.spec_json).target_epoch, 1);
    EXPECT_EQ(Report(lease.token, 1, 1, accuracy), absl::OkStatus());
    EXPECT_EQ(Finish(lease.token, LeaseOutcome::kHeld), absl::OkStatus());
  }
};

TEST_F(HoldTest, TrialsRestAndTheBetterHalfGoesOnFirst) {
  Begin();
  TrainToTarget("a", 0.5);
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_EQ(scheduler_->insight().Counts().on_hold, 1);
  EXPECT_EQ(scheduler_->insight().Counts().pending, 3);
  TrainToTarget("a", 0.3);
  EXPECT_EQ(Trial(1).state, TrialState::kPending) << "the better of two";
  EXPECT_EQ(Trial(2).state, TrialState::kOnHold);
  const LeaseOffer lease = Take("a");
  EXPECT_EQ(lease.token.number, 1);
  EXPECT_EQ(TrialSpecFromJson(*lease.spec_json).target_epoch, 0);
  EXPECT_FALSE(lease.stop);
  EXPECT_EQ(Report(lease.token, 2, 5, 0.9), absl::OkStatus());
  EXPECT_EQ(Finish(lease.token, LeaseOutcome::kCompleted), absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kCompleted);
}

TEST_F(HoldTest, TheSweepEndsWhenOnlyTrialsOnHoldAreLeft) {
  Begin();
  for (const double accuracy : {0.4, 0.3}) TrainToTarget("a", accuracy);
  const LeaseOffer first = Take("b");
  EXPECT_EQ(first.token.number, 1) << "it was promoted";
  for (const double accuracy : {0.2, 0.1}) TrainToTarget("a", accuracy);
  EXPECT_EQ(Trial(2).state, TrialState::kPending);
  EXPECT_EQ(Cancel("s", 2), absl::OkStatus());
  EXPECT_EQ(Sweep().state, SweepState::kActive) << "one runs still";
  EXPECT_EQ(Trial(3).state, TrialState::kOnHold);
  EXPECT_EQ(Report(first.token, 2, 5, 0.9), absl::OkStatus());
  EXPECT_EQ(Finish(first.token, LeaseOutcome::kCompleted), absl::OkStatus());
  EXPECT_EQ(Trial(3).state, TrialState::kStopped);
  EXPECT_THAT(Trial(3).reason, HasSubstr("not promoted before the end of the sweep"));
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.stopped, 2);
  EXPECT_EQ(scheduler_->insight().Counts().on_hold, 0);
  EXPECT_EQ(scheduler_->insight().Counts().active_sweeps, 0);
}

// As a build that does not know the rule of its file.
TEST_F(HoldTest, WithoutARuleNobodyCanPromoteSoTheSweepEnds) {
  Begin();
  TrainToTarget("a", 0.1);
  const LeaseOffer second = Take("b");
  for (const int number : {3, 4}) EXPECT_EQ(Cancel("s", number), absl::OkStatus());
  make_rule_ = [](const SweepSpec&) { return nullptr; };
  Start();
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_EQ(Report(second.token, 1, 5, 0.5), absl::OkStatus());
  EXPECT_EQ(Finish(second.token, LeaseOutcome::kCompleted), absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kStopped);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
}

TEST_F(HoldTest, ARunningTrialIsToldToRest) {
  Begin(/*says_hold=*/true);
  const LeaseOffer lease = Take("a");
  const auto poll = Call("a", {.held = {lease.token}, .poll_id = 2});
  EXPECT_FALSE(poll->Get().has_value()) << "parked";
  EXPECT_EQ(Report(lease.token, 1, 1, 0.5), absl::OkStatus());
  const std::vector<LeaseOffer> told = Leases(poll);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].stop);
  EXPECT_EQ(Report(lease.token, 2, 2, 0.5), absl::OkStatus()) << "it was faster";
  EXPECT_EQ(Finish(lease.token, LeaseOutcome::kStopped), absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_EQ(Trial(1).reason, "rests at its first rung");
}

TEST_F(HoldTest, ALeaseThatRunsOutAtItsTargetLeavesTheTrialOnHold) {
  Begin();
  const LeaseOffer lease = Take("a");
  EXPECT_EQ(Report(lease.token, 1, 1, 0.5), absl::OkStatus());
  Pass(kTerm + absl::Seconds(2));
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_EQ(Tokens(Call("b", {.no_wait = true})).at(0).number, 2) << "it is not offered";
  // What it has is still wanted.
  EXPECT_EQ(Finish(lease.token, LeaseOutcome::kHeld), absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_EQ(Trial(1).failures, 0);
}

TEST_F(HoldTest, APausedSweepPromotesAndGrantsNothing) {
  Begin();
  TrainToTarget("a", 0.5);
  const LeaseOffer second = Take("a");
  EXPECT_TRUE(Pause(/*now=*/true).ok());
  EXPECT_EQ(Report(second.token, 1, 1, 0.3), absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Finish(second.token, LeaseOutcome::kGivenBack), absl::OkStatus());
  EXPECT_EQ(Trial(2).state, TrialState::kOnHold);
  EXPECT_TRUE(Leases(Call("a", {.no_wait = true})).empty());
  EXPECT_TRUE(Resume().ok());
  EXPECT_EQ(Take("a").token.number, 1);
}

TEST_F(HoldTest, ARestartKeepsTrialsOnHold) {
  Begin();
  TrainToTarget("a", 0.5);
  Start();
  Settle();
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_EQ(scheduler_->insight().Counts().on_hold, 1);
  TrainToTarget("a", 0.3);
  EXPECT_EQ(Trial(1).state, TrialState::kPending) << "the rule has seen both";
  const Explanation explanation = Explain(scheduler_->insight().Situation(Trial(2)));
  EXPECT_THAT(explanation.reasons.at(0), HasSubstr("it rests after 1 epoch of 5, its target"));
}

}  // namespace
}  // namespace sweep
