// Trials that the stopping rule ends.

#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using testing::HasSubstr;

constexpr char kRule[] = "early_terminate: {type: median, min_epochs: 2, min_trials: 2}\n";

class StopTest : public SchedulerTest {
 protected:
  // Trials 1 and 2 do well, and 3 is bad: it is to be stopped, and worker c holds it.
  LeaseToken BadTrial() {
    Submit("s", kRule);
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
  EXPECT_EQ(Must(store_->ListAttempts("s", 3)).at(0).outcome, "lost");
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
  Submit("s", kRule);
  const LeaseToken good = Tokens(Call("a", {}))[0];
  const LeaseToken fair = Tokens(Call("b", {}))[0];
  const LeaseToken bad = Tokens(Call("c", {}))[0];
  EXPECT_EQ(Report(good, 1, 2, 0.9), absl::OkStatus());
  EXPECT_EQ(Report(fair, 1, 2, 0.8), absl::OkStatus());
  auto reported = std::make_shared<Result<absl::Status>>();
  scheduler_->ReportEpochs(bad, TestEpochs(1, 2, 0.3), "", 0,
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
  EXPECT_EQ(Must(RetryTrial(3, "", kRule)).state, TrialState::kPending);
  EXPECT_FALSE(Trial(3).stopping);
  Start();  // the rule observes everything again
  Settle();
  EXPECT_EQ(Trial(3).state, TrialState::kPending);
}

}  // namespace
}  // namespace sweep
