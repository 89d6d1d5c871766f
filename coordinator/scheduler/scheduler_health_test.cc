// Workers on which attempts fail again and again, and trials that fail wherever they run.

#include <gmock/gmock.h>

#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HealthTest : public SchedulerTest {
 protected:
  std::vector<LeaseToken> Ask(const std::string& worker, int slots = 1,
                              const std::vector<LeaseToken>& held = {}) {
    return Tokens(Call(worker, {.held = held, .slots = slots, .no_wait = true}));
  }
  // The worker asks for one trial and fails it. Its number, or 0 when it got none.
  std::int64_t FailOne(const std::string& worker, const std::string& reason = "no GPU") {
    const std::vector<LeaseToken> tokens = Ask(worker);
    if (tokens.empty()) return 0;
    EXPECT_EQ(Finish(tokens.front(), LeaseOutcome::kFailed, reason), absl::OkStatus());
    return tokens.front().number;
  }
  // The worker takes a trial and measures an epoch of it.
  LeaseToken Hold(const std::string& worker) {
    const std::vector<LeaseToken> tokens = Ask(worker);
    if (tokens.empty()) {
      ADD_FAILURE() << worker << " got nothing";
      return {};
    }
    EXPECT_EQ(Report(tokens.front(), 1, 1), absl::OkStatus());
    return tokens.front();
  }
  std::optional<PutAside> Aside(const std::string& worker) {
    for (const WorkerInfo& info : scheduler_->insight().Workers()) {
      if (info.name == worker) return info.put_aside;
    }
    ADD_FAILURE() << "no worker " << worker;
    return std::nullopt;
  }
  // Time passes, and `worker` goes on saying that it holds this.
  void PassWith(const std::string& worker, const LeaseToken& held, int seconds) {
    for (; seconds > 0; seconds -= 10) {
      Ask(worker, 1, {held});
      Pass(absl::Seconds(std::min(seconds, 10)));
    }
  }
};

TEST_F(HealthTest, AWorkerOnWhichEverythingFailsIsPutAsideWhileOthersWork) {
  Submit("s", "replicates: 5\n");
  const LeaseToken held = Hold("good");
  EXPECT_EQ(FailOne("bad"), 2);
  EXPECT_EQ(FailOne("bad"), 3) << "2 waits for another worker";
  EXPECT_FALSE(Aside("bad").has_value());
  EXPECT_EQ(FailOne("bad", "no GPU\nat all"), 4);
  ASSERT_TRUE(Aside("bad").has_value());
  EXPECT_EQ(Aside("bad")->failures, 3);
  EXPECT_EQ(Aside("bad")->reason, "no GPU | at all");
  EXPECT_EQ(Aside("bad")->until, clock_.Now() + absl::Seconds(30));
  EXPECT_THAT(Ask("bad"), IsEmpty());

  PassWith("good", held, 29);
  EXPECT_THAT(Ask("bad"), IsEmpty());
  PassWith("good", held, 1);
  const std::vector<LeaseToken> probe = Ask("bad", /*slots=*/3);
  ASSERT_EQ(probe.size(), 1u) << "one trial shows whether it works";
  EXPECT_EQ(Finish(probe.front(), LeaseOutcome::kFailed, "no GPU"), absl::OkStatus());
  EXPECT_EQ(Aside("bad")->until, clock_.Now() + absl::Seconds(60));
  EXPECT_THAT(Ask("bad"), IsEmpty());
  for (std::int64_t number = 2; number <= 10; ++number) EXPECT_LE(Trial(number).failures, 2);
}

TEST_F(HealthTest, AnEpochOnTrialBringsAWorkerBack) {
  Submit("s", "replicates: 5\n");
  const LeaseToken held = Hold("good");
  for (int i = 0; i < 3; ++i) FailOne("mended");
  PassWith("good", held, 30);
  const std::vector<LeaseToken> probe = Ask("mended", /*slots=*/3);
  ASSERT_EQ(probe.size(), 1u);
  EXPECT_EQ(Report(probe.front(), 1, 1), absl::OkStatus());
  EXPECT_FALSE(Aside("mended").has_value());
  EXPECT_EQ(Ask("mended", /*slots=*/3, probe).size(), 3u);
}

TEST_F(HealthTest, APutAsideWorkerIsParkedAndGetsItsTrialWhenItsTimeComes) {
  Submit("s", "replicates: 5\n");
  const LeaseToken held = Hold("good");
  for (int i = 0; i < 3; ++i) FailOne("bad");
  PassWith("good", held, 15);
  const auto call = Call("bad", {});
  EXPECT_FALSE(call->Get().has_value());
  PassWith("good", held, 15);
  EXPECT_EQ(Leases(call).size(), 1u);
}

TEST_F(HealthTest, AFailedTrialPrefersAnotherWorkerForAWhile) {
  Submit("s");
  for (std::int64_t number = 2; number <= 4; ++number) {
    ASSERT_EQ(Cancel("s", number), absl::OkStatus());
  }
  Ask("other");  // takes 1
  EXPECT_EQ(Finish(Ask("other").front(), LeaseOutcome::kFailed, "hm"), absl::OkStatus());
  EXPECT_THAT(Trials(Leases(Call("other", {.no_wait = true}))), ElementsAre("s/1#2"))
      << "there is nobody else";
  EXPECT_EQ(Finish({"s", 1, 2, Ask("other").front().secret}, LeaseOutcome::kFailed, "hm"),
            absl::OkStatus());
  Ask("idle", 1);  // takes 1
  EXPECT_EQ(Trial(1).worker, "idle");
}

TEST_F(HealthTest, ATrialThatNobodyElseTakesGoesBackToTheWorkerOnWhichItFailed) {
  Submit("s", "max_failures: 5\n");
  for (const std::int64_t number : {3, 4}) ASSERT_EQ(Cancel("s", number), absl::OkStatus());
  const LeaseToken held = Hold("busy");
  EXPECT_EQ(FailOne("w"), 2);
  EXPECT_EQ(FailOne("w"), 0);
  const TrialSituation waits = scheduler_->insight().Situation(Trial(2));
  EXPECT_THAT(waits.failed_on, ElementsAre("w"));
  EXPECT_EQ(waits.waits_for_another, absl::Seconds(30));
  PassWith("busy", held, 29);
  EXPECT_EQ(FailOne("w"), 0);
  PassWith("busy", held, 1);
  EXPECT_EQ(scheduler_->insight().Situation(Trial(2)).waits_for_another, absl::ZeroDuration());
  EXPECT_EQ(FailOne("w"), 2);
  EXPECT_FALSE(Aside("w").has_value()) << "it is the only trial that failed on it";
}

TEST_F(HealthTest, ASweepThatFailsEverywhereEndsAtOnce) {
  Submit("s", "replicates: 5\nkeep_going: true\n");
  int asks = 0;
  for (; Sweep().counts.failed < 20 && asks < 200; ++asks) {
    FailOne(asks % 2 == 0 ? "v" : "w");
  }
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.failed, 20);
  EXPECT_LE(asks, 130) << "60 attempts";
}

TEST_F(HealthTest, ALoneWorkerIsNeverPutAside) {
  Submit("s", "keep_going: true\n");
  for (int i = 0; i < 12; ++i) EXPECT_NE(FailOne("w"), 0);
  EXPECT_EQ(Sweep().counts.failed, 4);
  EXPECT_FALSE(Aside("w").has_value());
}

TEST_F(HealthTest, TrialsThatFailOnWorkersThatWorkAreTheTrialsFault) {
  Submit("s", "replicates: 5\nmax_failures: 2\n");
  for (const char* worker : {"v", "w"}) {
    const LeaseToken token = Hold(worker);
    ASSERT_EQ(Report(token, 2, 5), absl::OkStatus());
    ASSERT_EQ(Finish(token, LeaseOutcome::kCompleted), absl::OkStatus());
  }
  for (int i = 0; i < 36; ++i) {
    EXPECT_NE(FailOne(i % 2 == 0 ? "v" : "w"), 0) << i;
    EXPECT_FALSE(Aside("v").has_value() || Aside("w").has_value()) << i;
  }
  EXPECT_EQ(Sweep().counts.failed, 18);
}

TEST_F(HealthTest, WhatFailedOnAWorkerThatIsPutAsideBringsItBackWhenItFailsElsewhereToo) {
  Submit("s", "replicates: 5\n");
  const LeaseToken first = Hold("good");
  for (int i = 0; i < 3; ++i) FailOne("w");
  ASSERT_TRUE(Aside("w").has_value());
  ASSERT_EQ(Finish(first, LeaseOutcome::kGivenBack), absl::OkStatus());
  Train(Ask("good").front());
  EXPECT_EQ(FailOne("good"), 2) << "it failed on w before";
  EXPECT_FALSE(Aside("w").has_value());
}

TEST_F(HealthTest, TheLastWorkerThatIsLeftIsTriedAtOnce) {
  Submit("s", "replicates: 5\n");
  Hold("good");
  for (int i = 0; i < 3; ++i) FailOne("bad");
  EXPECT_THAT(Ask("bad"), IsEmpty());
  EXPECT_TRUE(scheduler_->leases().DrainWorker("good").ok());
  EXPECT_EQ(Ask("bad", /*slots=*/3).size(), 1u);
}

TEST_F(HealthTest, AnIdleWorkerThatIsStartedAgainIsTriedAtOnce) {
  Submit("s", "replicates: 5\n");
  Hold("good");
  for (int i = 0; i < 3; ++i) FailOne("mended");
  Leases(Call("mended", {.draining = true, .no_wait = true}));
  const auto call = Call("mended", {.slots = 3, .no_wait = true, .session = "new"});
  EXPECT_EQ(Leases(call).size(), 1u);
}

TEST_F(HealthTest, LosingManyLeasesAtOnceIsOneFailure) {
  Submit("s", "replicates: 5\n");
  const LeaseToken held = Hold("good");
  ASSERT_EQ(Ask("cut-off", /*slots=*/4).size(), 4u);
  PassWith("good", held, 70);
  EXPECT_EQ(Sweep().counts.running, 1);
  EXPECT_FALSE(Aside("cut-off").has_value());
  EXPECT_EQ(Ask("cut-off", /*slots=*/4).size(), 4u) << "others than before";
}

TEST_F(HealthTest, AWorkerThatDiesAtItsWorkAgainAndAgainIsPutAside) {
  Submit("s", "replicates: 5\n");
  const LeaseToken held = Hold("good");
  for (const char* session : {"1", "2", "3"}) {
    const auto call = Call("dies", {.no_wait = true, .session = session});
    EXPECT_EQ(Leases(call).size(), 1u) << session;
    PassWith("good", held, 61);
  }
  ASSERT_TRUE(Aside("dies").has_value());
  EXPECT_EQ(Aside("dies")->reason, "worker dies: no heartbeat for 60 s");
}

TEST_F(HealthTest, DivergenceIsTheTrialsFault) {
  Submit("s", "replicates: 5\n");
  Hold("good");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Finish(Ask("w").front(), LeaseOutcome::kDiverged, "diverged: loss is NaN"),
              absl::OkStatus());
  }
  for (const WorkerInfo& worker : scheduler_->insight().Workers()) EXPECT_EQ(worker.failed, 0);
  EXPECT_EQ(scheduler_->insight().Counts().attempts_diverged, 5);
  EXPECT_FALSE(Aside("w").has_value());
}

TEST_F(HealthTest, ALeaseThatItsWorkerNeverTakesUpRunsOut) {
  Submit("s");
  ASSERT_EQ(Ask("w").size(), 1u);
  for (int i = 0; i < 7; ++i) {
    Pass(absl::Seconds(10));
    Ask("w");  // says that it holds nothing
  }
  EXPECT_EQ(Trial(1).failures, 1);
}

}  // namespace
}  // namespace sweep
