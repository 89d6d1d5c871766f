#include "coordinator/scheduler/worker_health.h"

#include <gtest/gtest.h>

#include "common/base/clock.h"

namespace sweep {
namespace {

using State = WorkerHealth::State;

constexpr TrialKey kFirst = {1, 1};
constexpr TrialKey kSecond = {1, 2};
constexpr TrialKey kThird = {1, 3};

class WorkerHealthTest : public testing::Test {
 protected:
  absl::Duration Now() const { return clock_.Monotonic(); }
  void Fail(const TrialKey& trial) {
    health_.AddFailure(trial, "no memory");
    if (health_.fails()) health_.PutAside(Now());
  }
  void FailThree() {
    for (const TrialKey& trial : {kFirst, kSecond, kThird}) Fail(trial);
  }
  State At() const { return health_.At(Now()); }
  absl::Duration Left() const { return *health_.until() - Now(); }

  FakeClock clock_;
  WorkerHealth health_;
};

TEST_F(WorkerHealthTest, ThreeFailuresInARowOnTwoTrialsPutItAside) {
  Fail(kFirst);
  Fail(kFirst);
  EXPECT_EQ(At(), State::kGood);
  Fail(kSecond);
  EXPECT_EQ(At(), State::kAside);
  EXPECT_EQ(health_.failures(), 3);
  EXPECT_EQ(health_.reason(), "no memory");
  EXPECT_EQ(Left(), absl::Seconds(30));
}

TEST_F(WorkerHealthTest, OneTrialThatFailsOftenIsNoEvidence) {
  for (int i = 0; i < 10; ++i) Fail(kFirst);
  EXPECT_FALSE(health_.fails());
  EXPECT_EQ(At(), State::kGood);
}

TEST_F(WorkerHealthTest, AnEpochBetweenThemStartsTheCountAnew) {
  Fail(kFirst);
  Fail(kSecond);
  health_.AddSuccess();
  Fail(kThird);
  EXPECT_EQ(health_.failures(), 1);
  EXPECT_EQ(At(), State::kGood);
}

TEST_F(WorkerHealthTest, TheTimeAsideDoublesUpToTenMinutes) {
  FailThree();
  for (const int seconds : {30, 60, 120, 240, 480, 600, 600}) {
    EXPECT_EQ(Left(), absl::Seconds(seconds));
    clock_.Advance(Left() - absl::Seconds(1));
    EXPECT_EQ(At(), State::kAside);
    clock_.Advance(absl::Seconds(1));
    EXPECT_EQ(At(), State::kOnTrial);
    Fail(kFirst);
  }
}

TEST_F(WorkerHealthTest, ASuccessOnTrialClearsItAndTheTimeStartsShortAgain) {
  FailThree();
  clock_.Advance(absl::Seconds(30));
  Fail(kFirst);
  clock_.Advance(absl::Seconds(60));
  health_.AddSuccess();
  EXPECT_EQ(At(), State::kGood);
  EXPECT_EQ(health_.failures(), 0);
  FailThree();
  EXPECT_EQ(Left(), absl::Seconds(30));
}

TEST_F(WorkerHealthTest, ATrialThatFailedElsewhereTooIsNoEvidence) {
  FailThree();
  health_.Withdraw({9, 9});
  EXPECT_EQ(At(), State::kAside);
  health_.Withdraw(kSecond);
  EXPECT_EQ(At(), State::kGood);
  EXPECT_EQ(health_.failures(), 2);
}

TEST_F(WorkerHealthTest, WorksAfterASuccessUntilItFails) {
  EXPECT_FALSE(health_.works()) << "nothing is known of a new one";
  health_.AddSuccess();
  Fail(kFirst);
  EXPECT_TRUE(health_.works());
  FailThree();
  EXPECT_FALSE(health_.works());
}

TEST_F(WorkerHealthTest, CanBeTriedBeforeItsTimeIsOver) {
  health_.TryNow(Now());
  EXPECT_EQ(At(), State::kGood) << "there is nothing to show";
  FailThree();
  health_.TryNow(Now());
  EXPECT_EQ(At(), State::kOnTrial);
  Fail(kFirst);
  EXPECT_EQ(Left(), absl::Seconds(60)) << "trying early is no excuse";
}

TEST_F(WorkerHealthTest, ALoneWorkerThatFailsForDaysKeepsAShortList) {
  for (int i = 0; i < 1000; ++i) health_.AddFailure({1, i}, "no memory");
  EXPECT_EQ(health_.failures(), 100);
}

}  // namespace
}  // namespace sweep
