// Sweeps whose first trials all fail alike.

#include <gmock/gmock.h>

#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kReason[] = "program x exited with code 1\nImportError: no numpy";

class FailAlikeTest : public SchedulerTest {
 protected:
  std::vector<LeaseToken> Ask(const std::string& worker = "w", int slots = 1) {
    return Tokens(Call(worker, {.slots = slots, .no_wait = true}));
  }
  // Takes a trial and fails it. Its number, or 0 when there is none.
  std::int64_t FailOne(const std::string& reason = kReason,
                       LeaseOutcome outcome = LeaseOutcome::kFailed) {
    const std::vector<LeaseToken> tokens = Ask();
    if (tokens.empty()) return 0;
    EXPECT_EQ(Finish(tokens.front(), outcome, reason), absl::OkStatus());
    return tokens.front().number;
  }
  std::vector<std::int64_t> FailAll(int most = 100) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t number = FailOne(); number != 0 && most > 0; --most) {
      numbers.push_back(number);
      number = FailOne();
    }
    return numbers;
  }
};

TEST_F(FailAlikeTest, AWrongImportBurnsAFewAttemptsAndNotAll) {
  Submit("s", "replicates: 5\n");
  EXPECT_THAT(FailAll(), ElementsAre(1, 1, 1, 2, 2, 2, 3));
  EXPECT_EQ(Sweep().state, SweepState::kPaused);
  EXPECT_EQ(Sweep().pause_reason, "the first 3 trials failed alike: ImportError: no numpy");
  EXPECT_THAT(Explain(scheduler_->insight().Situation(Trial(4))).reasons.front(),
              HasSubstr("sweep s was paused because the first 3 trials failed alike"));
}

TEST_F(FailAlikeTest, ParallelSlotsPauseItWithTheThird) {
  Submit("s", "replicates: 5\n");
  const auto tokens = Ask("w", 5);
  ASSERT_EQ(tokens.size(), 5u);
  for (const LeaseToken& token : tokens) {
    EXPECT_EQ(Finish(token, LeaseOutcome::kFailed, kReason), absl::OkStatus());
  }
  EXPECT_EQ(Sweep().state, SweepState::kPaused);
  EXPECT_THAT(Ask("w", 5), IsEmpty());
  for (std::int64_t number = 1; number <= 5; ++number) EXPECT_EQ(Trial(number).failures, 1);
}

TEST_F(FailAlikeTest, AResumeMeansKeepGoing) {
  Submit("s", "replicates: 5\nmax_failures: 1\n");
  EXPECT_THAT(FailAll(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(Must(Resume()).keep_going);
  EXPECT_EQ(Sweep().pause_reason, "");
  EXPECT_EQ(FailAll().size(), 17u);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.failed, 20);
}

TEST_F(FailAlikeTest, OneThatIsToKeepGoingIsNotPaused) {
  const std::string extra = "replicates: 2\nmax_failures: 1\n";
  scheduler_->sweeps().Submit(std::make_shared<const SweepSpec>(TestSpec("s", extra)),
                              TestSource("s", extra), {.keep_going = true},
                              [](const auto& result) { EXPECT_TRUE(result->sweep.keep_going); });
  Settle();
  EXPECT_EQ(FailAll().size(), 8u);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
}

TEST_F(FailAlikeTest, AnEpochAnywhereEndsTheRule) {
  Submit("s", "replicates: 5\nmax_failures: 1\n");
  const LeaseToken trained = Ask().front();
  EXPECT_EQ(Report(trained, 1, 1), absl::OkStatus());
  EXPECT_EQ(Finish(trained, LeaseOutcome::kFailed, kReason), absl::OkStatus());
  EXPECT_EQ(FailAll().size(), 19u);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
}

TEST_F(FailAlikeTest, DivergedTrialsAndDifferentFailuresDoNotPauseIt) {
  Submit("s", "replicates: 5\nmax_failures: 1\n");
  for (int i = 0; i < 4; ++i) {
    FailOne("diverged: mean training loss is nan in epoch 1", LeaseOutcome::kFailedForGood);
  }
  for (const char* reason : {"a", "b", "a", "b", "a", "b"}) FailOne(reason);
  EXPECT_EQ(Sweep().state, SweepState::kActive);
}

TEST_F(FailAlikeTest, WhatIsKnownSurvivesARestart) {
  Submit("s", "replicates: 5\nmax_failures: 1\n");
  EXPECT_THAT((std::vector{FailOne(), FailOne()}), ElementsAre(1, 2));
  Start();
  EXPECT_EQ(FailOne(), 3);
  EXPECT_EQ(Sweep().state, SweepState::kPaused);
  Start();
  EXPECT_THAT(Ask(), IsEmpty());
  EXPECT_THAT(Explain(scheduler_->insight().Situation(Trial(4))).reasons.front(),
              HasSubstr("failed alike"));
}

TEST_F(FailAlikeTest, AnAnswerThatWasLostPausesNothingAgain) {
  Submit("s", "replicates: 5\nmax_failures: 1\n");
  EXPECT_EQ(FailOne(), 1);
  EXPECT_EQ(FailOne(), 2);
  const LeaseToken third = Ask().front();
  EXPECT_EQ(Finish(third, LeaseOutcome::kFailed, kReason), absl::OkStatus());
  EXPECT_TRUE(Resume().ok());
  EXPECT_EQ(Finish(third, LeaseOutcome::kFailed, kReason), absl::OkStatus());
  EXPECT_EQ(Sweep().state, SweepState::kActive);
}

TEST_F(FailAlikeTest, RetriedTrialsBeginAnew) {
  Submit("s", "replicates: 5\nmax_failures: 1\n");
  EXPECT_EQ(FailOne(), 1);
  EXPECT_EQ(FailOne(), 2);
  EXPECT_EQ(Must(Retry({.failed = true}, "replicates: 5\nmax_failures: 1\n")).count, 2);
  EXPECT_THAT((std::vector{FailOne(), FailOne()}), ElementsAre(1, 2));
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  EXPECT_EQ(FailOne(), 3);
  EXPECT_EQ(Sweep().state, SweepState::kPaused);
}

TEST_F(FailAlikeTest, ABadMachineBesideAGoodOneDoesNotPauseIt) {
  Submit("s", "replicates: 5\nmax_failures: 1\n");
  const auto held = Tokens(Call("good", {.no_wait = true}));
  ASSERT_EQ(held.size(), 1u);
  for (int i = 0; i < 3; ++i) FailOne("no GPU");
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  EXPECT_EQ(Finish(held.front(), LeaseOutcome::kFailed, "no GPU"), absl::OkStatus());
  EXPECT_EQ(Sweep().state, SweepState::kPaused) << "it fails everywhere";
}

}  // namespace
}  // namespace sweep
