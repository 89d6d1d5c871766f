// How much there is of everything, as monitoring sees it.

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <string>

#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

class CountsTest : public SchedulerTest {
 protected:
  SchedulerCounts Counts() const { return scheduler_->insight().Counts(); }
  void SayProgress(const std::string& worker, const LeaseToken& token, double images_per_second) {
    scheduler_->leases().ReportProgress(worker,
                                        {{.sweep = token.sweep,
                                          .number = token.number,
                                          .message = {.images_per_second = images_per_second}}});
  }
};

TEST_F(CountsTest, FollowATrialFromTheQueueToItsEnd) {
  Submit("s");
  const std::int64_t all = Counts().pending;
  ASSERT_GE(all, 4);
  EXPECT_EQ(Counts().queued, all);
  EXPECT_EQ(Counts().active_sweeps, 1);
  const LeaseToken token = Tokens(Call("w", {.slots = 3, .no_wait = true})).at(0);
  EXPECT_EQ(Counts().leased, 3);
  EXPECT_EQ(Counts().pending, all - 3);
  EXPECT_EQ(Counts().slots, 3);
  EXPECT_EQ(Counts().free_slots, 0);
  EXPECT_EQ(Counts().workers_connected, 1);
  EXPECT_EQ(Report(token, 1, 2), absl::OkStatus());
  EXPECT_EQ(Report(token, 1, 5), absl::OkStatus()) << "two of them again";
  EXPECT_EQ(Counts().epochs, 5);
  EXPECT_EQ(Counts().running, 1);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Finish(token, LeaseOutcome::kCompleted), absl::OkStatus());
  EXPECT_EQ(Counts().running, 0);
  EXPECT_EQ(Counts().completed, 1);
  EXPECT_EQ(Counts().attempts_completed, 1);
  EXPECT_EQ(Counts().free_slots, 1);
}

TEST_F(CountsTest, TellWhichMeasuresAreReported) {
  Submit("s");
  const LeaseToken token = Tokens(Call("w", {.slots = 1, .no_wait = true})).at(0);
  const auto report = [&](const std::vector<EpochMetrics>& epochs) {
    absl::Status answer = absl::UnknownError("no answer");
    scheduler_->reports().ReportEpochs(token, epochs, "", 0,
                                       [&answer](const absl::Status& status) { answer = status; });
    Settle();
    return answer;
  };
  const EpochMetrics first{.epoch = 1, .values = {{"val/f1", 0.5}, {"loss", std::nan("")}}};
  ASSERT_EQ(report({first}), absl::OkStatus());
  ASSERT_EQ(report({first, {.epoch = 2, .values = {{"val/f1", 0.6}}}}), absl::OkStatus());
  const auto counted = Counts().measures;
  EXPECT_EQ(counted.at("val/f1").values, 2);
  EXPECT_EQ(counted.at("val/f1").not_finite, 0);
  EXPECT_EQ(counted.at("validation_loss").not_finite, 1);
  EpochMetrics many{.epoch = 3}, more{.epoch = 4};
  for (int i = 0; i < 60; ++i) many.values.Set("m" + std::to_string(i), i);
  for (int i = 60; i < 120; ++i) more.values.Set("m" + std::to_string(i), i);
  ASSERT_EQ(report({many}), absl::OkStatus());
  ASSERT_EQ(report({more}), absl::OkStatus());
  EXPECT_EQ(Counts().measures.size(), kMaxMeasuresCounted + 1);
  EXPECT_EQ(Counts().measures.at(kOtherMeasures).values, 2 + 120 - 100);
}

TEST_F(CountsTest, TellHowTrialsAndAttemptsEnd) {
  Submit("s", "max_failures: 2\n");
  const auto tokens = Tokens(Call("w", {.slots = 4, .no_wait = true}));
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kFailed), absl::OkStatus());
  EXPECT_EQ(Finish(tokens[1], LeaseOutcome::kFailedForGood), absl::OkStatus());
  EXPECT_EQ(Finish(tokens[2], LeaseOutcome::kGivenBack), absl::OkStatus());
  EXPECT_EQ(Counts().attempts_failed, 2);
  EXPECT_EQ(Counts().attempts_given_back, 1);
  EXPECT_EQ(Counts().failed, 1);
  Pass(kTerm + absl::Seconds(1));
  EXPECT_EQ(Counts().attempts_lost, 1);
  EXPECT_EQ(Counts().workers_lost, 1);
  EXPECT_EQ(Counts().workers_gone, 1);
  EXPECT_EQ(Counts().slots, 0);
  EXPECT_EQ(Cancel("s", tokens[0].number), absl::OkStatus());
  EXPECT_EQ(Counts().cancelled, 1);
  const std::int64_t left = Counts().pending;
  EXPECT_EQ(CancelSweep("s"), absl::OkStatus());
  EXPECT_EQ(Counts().cancelled, 1 + left);
  EXPECT_EQ(Counts().pending + Counts().active_sweeps, 0);
}

TEST_F(CountsTest, WhatIsPausedIsNotInTheQueue) {
  Submit("s");
  const std::int64_t pending = Counts().pending;
  EXPECT_TRUE(Pause().ok());
  EXPECT_EQ(Counts().pending, pending);
  EXPECT_EQ(Counts().queued, 0);
  EXPECT_EQ(Counts().to_make, 0);
  EXPECT_EQ(Counts().paused_sweeps, 1);
  EXPECT_EQ(Counts().active_sweeps, 0);
}

TEST_F(CountsTest, TheSpeedIsThatOfAllHeldTrials) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {.slots = 3, .no_wait = true}));
  ASSERT_EQ(tokens.size(), 3u);
  SayProgress("w", tokens[0], 1000.4);
  SayProgress("w", tokens[1], 500);
  SayProgress("w", tokens[1], 700);
  SayProgress("w", tokens[2], std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(Counts().images_per_second, 1700);
  SayProgress("w", tokens[2], std::numeric_limits<double>::infinity());
  EXPECT_EQ(Counts().images_per_second, 1700 + 1'000'000'000);
  EXPECT_EQ(Cancel("s", tokens[2].number), absl::OkStatus());
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kFailed), absl::OkStatus());
  EXPECT_EQ(Counts().images_per_second, 700);
  EXPECT_EQ(CancelSweep("s"), absl::OkStatus());
  EXPECT_EQ(Counts().images_per_second, 0);
}

TEST_F(CountsTest, AWorkerThatDrainsOffersNoSlots) {
  Call("w", {.slots = 2, .no_wait = true});
  EXPECT_EQ(Counts().free_slots, 2);
  Call("w", {.slots = 2, .draining = false});
  EXPECT_TRUE(scheduler_->leases().DrainWorker("w").ok());
  EXPECT_EQ(Counts().workers_draining, 1);
  EXPECT_EQ(Counts().workers_connected, 0);
  EXPECT_EQ(Counts().slots, 0);
}

TEST_F(CountsTest, AWorkerPutAsideHasNoFreeSlots) {
  Submit("s", "replicates: 5\n");
  const auto held = Tokens(Call("good", {.no_wait = true}));
  EXPECT_EQ(Report(held.at(0), 1, 1), absl::OkStatus());
  for (int i = 0; i < 3; ++i) {
    const auto tokens = Tokens(Call("bad", {.no_wait = true}));
    EXPECT_EQ(Finish(tokens.at(0), LeaseOutcome::kFailed, "no GPU"), absl::OkStatus());
  }
  EXPECT_EQ(Counts().workers_put_aside, 1);
  EXPECT_EQ(Counts().workers_connected, 1);
  EXPECT_EQ(Counts().slots, 2);
  EXPECT_EQ(Counts().free_slots, 0);
}

TEST_F(CountsTest, ALateTickIsCounted) {
  scheduler_->Tick();
  clock_.Advance(absl::Minutes(5));
  scheduler_->Tick();
  EXPECT_EQ(Counts().late_ticks, 1);
}

}  // namespace
}  // namespace sweep
