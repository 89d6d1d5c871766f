// Deleting, renaming and archiving sweeps while workers ask for work.

#include <gmock/gmock.h>

#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Without it the seed is drawn from the name.
constexpr char kSeed[] = "seed: 1\n";

class LifecycleTest : public SchedulerTest {
 protected:
  absl::StatusOr<std::int64_t> Delete(const std::string& name, const std::string& request = "") {
    return Ask<std::int64_t>(
        [&](auto callback) { scheduler_->sweeps().DeleteSweep(name, request, callback); });
  }
  absl::StatusOr<SweepRow> Rename(const std::string& name, const std::string& new_name,
                                  const std::string& request = "", bool with_spec = true) {
    RenameRequest renaming{.name = name, .new_name = new_name, .request_id = request};
    if (with_spec) {
      renaming.spec = std::make_shared<const SweepSpec>(TestSpec(new_name, kSeed));
      renaming.text = TestSource(new_name, kSeed).text;
    }
    return Ask<SweepRow>(
        [&](auto callback) { scheduler_->sweeps().RenameSweep(renaming, callback); });
  }
  std::vector<std::string> Work(int slots = 1) {
    return Trials(Leases(Call("w", {.slots = slots, .no_wait = true})));
  }
};

TEST_F(LifecycleTest, ADeletedSweepIsNotGrantedAndItsNameIsFree) {
  Submit("s");
  EXPECT_EQ(Must(Delete("s", "r")), 4);
  EXPECT_THAT(Work(), IsEmpty());
  EXPECT_EQ(Must(Delete("s", "r")), 4) << "the same request, again";
  Submit("s");
  EXPECT_EQ(Must(Delete("s", "r")), 4) << "and after the name was given again";
  EXPECT_THAT(Work(4), ElementsAre("s/1#1", "s/2#1", "s/3#1", "s/4#1"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Delete("s").status()));
  EXPECT_TRUE(absl::IsNotFound(Delete("t").status()));
}

TEST_F(LifecycleTest, ALateReportAboutADeletedSweepDoesNotReachItsSuccessor) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {.no_wait = true}));
  EXPECT_EQ(CancelSweep("s"), absl::OkStatus());
  EXPECT_TRUE(Delete("s").ok());
  Submit("s");
  EXPECT_TRUE(absl::IsFailedPrecondition(Report(tokens.at(0), 1, 1)));
  EXPECT_TRUE(absl::IsFailedPrecondition(Finish(tokens.at(0), LeaseOutcome::kFailed, "x")));
  EXPECT_EQ(Trial(1).result.epoch, 0);
}

TEST_F(LifecycleTest, WhatADeletedSweepLeavesIsRemovedAlsoAfterARestart) {
  Submit("s");
  EXPECT_TRUE(Delete("s").ok());
  EXPECT_EQ(Must(store_->Read(SelectTrialChanges, 1, 0, 10)).size(), 0u) << "its events are gone";
  // One that a coordinator left behind when it ended.
  Submit("t");
  EXPECT_EQ(store_->WriteAndWait([](WriteTransaction& transaction) {
    return transaction.DeleteSweep("t").status();
  }),
            absl::OkStatus());
  Start();
  EXPECT_THAT(Work(), IsEmpty());
  Pass(absl::Seconds(1));
  EXPECT_EQ(Must(store_->Read(SelectTrialChanges, 2, 0, 10)).size(), 0u);
}

TEST_F(LifecycleTest, ARenamedSweepGoesOnUnderItsNewName) {
  Submit("s", kSeed);
  EXPECT_EQ(Must(Rename("s", "t", "r")).name, "t");
  EXPECT_THAT(Work(2), ElementsAre("t/1#1", "t/2#1"));
  EXPECT_EQ(Must(Rename("s", "t", "r", /*with_spec=*/false)).name, "t") << "again";
  EXPECT_TRUE(absl::IsFailedPrecondition(Rename("t", "u").status())) << "two trials run";
  EXPECT_TRUE(absl::IsNotFound(Rename("s", "u", "", /*with_spec=*/false).status()));
  Submit("s");
  Start();
  EXPECT_EQ(Work(6).size(), 6u);
}

// As that of a `sweep run`, which says the name that the sweep had when it began.
TEST_F(LifecycleTest, AWorkerOfOneSweepKeepsToItWhateverItIsCalled) {
  const auto take = [&](const std::string& session = "") {
    return Tokens(
        Call("w", {.slots = 1, .no_wait = true, .only_sweeps = {"s"}, .session = session}));
  };
  Submit("s", kSeed);
  const auto first = take();
  ASSERT_EQ(first.size(), 1u);
  Train(first[0]);
  EXPECT_TRUE(Rename("s", "t").ok());
  Submit("s");
  const auto second = take();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].sweep, "t") << "and not the new one";
  Train(second[0]);
  const auto workers = scheduler_->insight().Workers();
  ASSERT_EQ(workers.size(), 1u);
  EXPECT_THAT(workers[0].description.only_sweeps, ElementsAre("t"));
  EXPECT_EQ(CancelSweep("t"), absl::OkStatus());
  EXPECT_TRUE(Rename("t", "u").ok()) << "it has ended";
  EXPECT_THAT(scheduler_->insight().Workers()[0].description.only_sweeps, ElementsAre("u"));
  EXPECT_TRUE(Delete("u").ok());
  Submit("u");
  EXPECT_THAT(take(), IsEmpty());
  Pass(kTerm + absl::Seconds(1));
  EXPECT_EQ(take("another process").at(0).sweep, "s");
}

TEST_F(LifecycleTest, AnAttemptThatWasLostBeforeTheRenamingIsOver) {
  Submit("s", kSeed);
  const auto tokens = Tokens(Call("w", {.no_wait = true}));
  Pass(kTerm + absl::Seconds(2));
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_TRUE(Rename("s", "t").ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Report(tokens.at(0), 1, 1)));
  const auto again = Tokens(Call("w", {.held = tokens, .no_wait = true}));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].sweep, "t");
  EXPECT_EQ(Report(again[0], 1, 1), absl::OkStatus());
}

TEST_F(LifecycleTest, ArchivingIsDoneOncePerRequest) {
  Submit("s");
  EXPECT_TRUE(Pause().ok());
  const auto archive = [&](bool archived, const std::string& request) {
    return Must(Ask<SweepRow>([&](auto callback) {
      scheduler_->sweeps().ArchiveSweep("s", archived, request, callback);
    }));
  };
  EXPECT_TRUE(archive(true, "1").archived);
  EXPECT_FALSE(archive(false, "2").archived);
  EXPECT_FALSE(archive(true, "1").archived) << "that was done before";
  EXPECT_TRUE(archive(true, "3").archived);
  EXPECT_TRUE(Resume().ok());
  EXPECT_FALSE(Sweep().archived);
  EXPECT_EQ(Work().size(), 1u);
}

}  // namespace
}  // namespace sweep
