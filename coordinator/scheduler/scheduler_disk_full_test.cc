// A store that refuses all writes for a while, since its disk is full: what the scheduler has
// decided is not done, nothing is forgotten, and all goes on by itself when there is room.

#include <functional>

#include "coordinator/scheduler/testing/scheduler_testing.h"
#include "coordinator/store/testing/small_disk.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DiskFullSchedulerTest : public SchedulerTest {
 protected:
  void SetUp() override {
    store_ = Must(Store::Open({.path = folder_.File("sweep.db"), .clock = &clock_}));
    Start();
  }
  // Before the disk, on which the store closes its files.
  void TearDown() override {
    scheduler_.reset();
    store_.reset();
  }
  void Fill() { disk_.FailWrite(1, /*once=*/false); }
  void Clear() { disk_.GiveRoom(); }

  SmallDisk disk_;
  TemporaryFolder folder_;
};

TEST_F(DiskFullSchedulerTest, GrantsAreMadeWhenThereIsRoom) {
  Submit("s");
  Fill();
  const auto answer = Call("a", {.slots = 2});
  Pass(absl::Seconds(5));
  EXPECT_FALSE(answer->Get().has_value());
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  Clear();
  Pass(absl::Seconds(1));
  EXPECT_THAT(Trials(Leases(answer)), ElementsAre("s/1#1", "s/2#1"));
  EXPECT_EQ(Sweep().counts.running, 2);
}

TEST_F(DiskFullSchedulerTest, AWorkerRepeatsItsReportsUntilTheyAreStored) {
  Submit("s");
  const LeaseToken token = Tokens(Call("a", {})).at(0);
  Fill();
  EXPECT_TRUE(absl::IsUnavailable(Report(token, 1, 5)));
  EXPECT_TRUE(absl::IsUnavailable(Report(token, 1, 5)));
  EXPECT_TRUE(absl::IsUnavailable(Finish(token, LeaseOutcome::kGivenBack)));
  EXPECT_THAT(Trials(Leases(Call("a", {.held = {token}, .no_wait = true}))), ElementsAre("s/1#1"))
      << "it is not told to stop";
  Clear();
  Train(token);
  EXPECT_EQ(Trial(1).state, TrialState::kCompleted);
  EXPECT_EQ(Trial(1).failures, 0);
}

TEST_F(DiskFullSchedulerTest, ALeaseThatRanOutMeanwhileIsTakenBackOnce) {
  Submit("s");
  const LeaseToken token = Tokens(Call("a", {})).at(0);
  Fill();
  Pass(kTerm + absl::Seconds(5));
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  Clear();
  Pass(absl::Seconds(2));
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).failures, 1);
  EXPECT_THAT(Trials(Leases(Call("b", {}))), ElementsAre("s/1#2"));
}

TEST_F(DiskFullSchedulerTest, AHolderThatComesBackKeepsItsTrial) {
  Submit("s");
  const LeaseToken token = Tokens(Call("a", {})).at(0);
  Pass(kTerm + absl::Seconds(5));
  ASSERT_EQ(Trial(1).state, TrialState::kPending);
  Fill();
  EXPECT_TRUE(absl::IsUnavailable(Refusal(Call("a", {.held = {token}}))));
  Clear();
  EXPECT_THAT(Trials(Leases(Call("a", {.held = {token}, .no_wait = true}))), ElementsAre("s/1#1"));
  EXPECT_EQ(Trial(1).failures, 0);
}

// From the first write of a submission on, at every one: configurations are made later, and only
// once.
TEST_F(DiskFullSchedulerTest, ConfigurationsAreMadeWhenThereIsRoom) {
  int postponed = 0;
  for (int number = 1; number <= 40; number += 2) {
    const std::string name = fmt::format("s{}", number);
    disk_.FailWrite(number, /*once=*/false);
    absl::Status submitted = absl::UnknownError("no answer");
    const auto submit = [&] {
      scheduler_->sweeps().Submit(std::make_shared<const SweepSpec>(TestSpec(name)),
                                  TestSource(name), {},
                                  [&](const auto& result) { submitted = result.status(); });
      Settle();
    };
    submit();
    Pass(absl::Seconds(2));
    if (submitted.ok()) postponed += Sweep(name).configurations == 0;
    Clear();
    if (!submitted.ok()) {
      EXPECT_TRUE(absl::IsUnavailable(submitted)) << submitted;
      submit();
    }
    ASSERT_EQ(submitted, absl::OkStatus());
    Pass(absl::Seconds(2));
    EXPECT_EQ(Sweep(name).configurations, 4);
    EXPECT_EQ(Sweep(name).counts.pending, 4);
    EXPECT_EQ(Sweep(name).search_reason, "");
  }
  EXPECT_GT(postponed, 0) << "no submission was stored without its configurations";
}

TEST_F(DiskFullSchedulerTest, WhatAPersonAsksForIsRefusedAndChangesNothing) {
  Submit("s");
  const LeaseToken token = Tokens(Call("a", {})).at(0);
  EXPECT_EQ(Finish(token, LeaseOutcome::kFailedForGood, "no"), absl::OkStatus());
  const std::function<absl::Status()> requests[] = {
      [&] { return Pause().status(); },       [&] { return Resume().status(); },
      [&] { return RetryTrial(1).status(); }, [&] { return Cancel("s", 2); },
      [&] { return CancelSweep("s"); },
  };
  const SweepState after[] = {SweepState::kPaused, SweepState::kActive, SweepState::kActive,
                              SweepState::kActive, SweepState::kCancelled};
  for (std::size_t i = 0; i < std::size(requests); ++i) {
    SCOPED_TRACE(i);
    const SweepRow before = Sweep();
    Fill();
    EXPECT_TRUE(absl::IsUnavailable(requests[i]()));
    EXPECT_EQ(Sweep().state, before.state);
    EXPECT_EQ(Sweep().counts.failed, before.counts.failed);
    EXPECT_EQ(Sweep().counts.cancelled, before.counts.cancelled);
    Clear();
    EXPECT_EQ(requests[i](), absl::OkStatus());
    EXPECT_EQ(Sweep().state, after[i]);
  }
  EXPECT_THAT(Leases(Call("b", {.no_wait = true})), IsEmpty());
}

}  // namespace
}  // namespace sweep
