// Sweeps that an earlier build has stored, and whose files this one does not accept.

#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// "old" has a completed trial, one that waits and one that worker `gone` held.
class RefusedSweepTest : public SchedulerTest {
 protected:
  void SetUp() override {
    SchedulerTest::SetUp();
    StoreDriver driver(store_.get());
    const SweepSpec spec = TestSpec("old");
    const SweepRow row = driver.CreateRefused("old");
    driver.Train(driver.Add(row, spec, 1).at(0), spec, 0.95);
    driver.Add(row, spec, 2);
    held_ = StoreDriver::Token(driver.Grant(driver.Add(row, spec, 3).at(0).id, "gone"));
    Start();
  }

  LeaseToken held_;
};

TEST_F(RefusedSweepTest, OthersGoOnAndItDoesNot) {
  Submit("s");
  const auto offers = Leases(Call("w", {.slots = 8}));
  EXPECT_EQ(offers.size(), 4u);
  EXPECT_THAT(Trials(offers), Each(StartsWith("s/")));
  for (const LeaseOffer& offer : offers) Train(offer.token);
  EXPECT_EQ(Sweep("s").state, SweepState::kCompleted);
  EXPECT_EQ(Sweep("old").state, SweepState::kActive);
  EXPECT_EQ(Sweep("old").counts.pending, 1);
  EXPECT_EQ(Trial(2, "old").attempt, 0);
}

TEST_F(RefusedSweepTest, SaysWhyItsTrialsWait) {
  TrialSituation situation = scheduler_->insight().Situation(Trial(2, "old"));
  EXPECT_FALSE(situation.is_in_table);
  situation.file_refusal = Must(specs_->Show("old")).refusal;
  EXPECT_THAT(Explain(situation).reasons,
              ElementsAre(testing::AllOf(HasSubstr("sweep old does not run"),
                                         HasSubstr("old.yaml:"), HasSubstr("not_a_key"))));
}

TEST_F(RefusedSweepTest, IsPausedButNotResumed) {
  EXPECT_EQ(Must(Pause(false, "", "old")).state, SweepState::kPaused);
  const absl::Status refused = Resume("", "old").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()),
              testing::AllOf(StartsWith("sweep 'old': this build does not accept its file"),
                             HasSubstr("not_a_key")));
  EXPECT_EQ(Sweep("old").state, SweepState::kPaused);
}

TEST_F(RefusedSweepTest, IsCancelledArchivedAndDeleted) {
  EXPECT_EQ(Cancel("old", 2), absl::OkStatus());
  EXPECT_EQ(Trial(2, "old").state, TrialState::kCancelled);
  EXPECT_EQ(CancelSweep("old"), absl::OkStatus());
  EXPECT_EQ(Sweep("old").state, SweepState::kCancelled);
  EXPECT_EQ(Trial(3, "old").state, TrialState::kCancelled) << "its worker is not waited for";
  EXPECT_EQ(Trial(1, "old").state, TrialState::kCompleted);
  EXPECT_TRUE(Must(Ask<SweepRow>([&](auto callback) {
                scheduler_->sweeps().ArchiveSweep("old", true, "", callback);
              })).archived);
  EXPECT_EQ(Must(Ask<std::int64_t>(
                [&](auto callback) { scheduler_->sweeps().DeleteSweep("old", "", callback); })),
            3);
  // Its name is free, and means the new sweep.
  Submit("old");
  EXPECT_THAT(Trials(Leases(Call("w", {.slots = 1}))), ElementsAre("old/1#1"));
}

TEST_F(RefusedSweepTest, AHolderIsToldThatItDoesNotRun) {
  const absl::Status refused = Report(held_, 1, 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(Leases(Call("gone", {.held = {held_}, .no_wait = true})), testing::IsEmpty());
}

TEST_F(RefusedSweepTest, IsRefusedAgainAfterARestart) {
  Start();
  EXPECT_FALSE(Must(specs_->Show("old")).is_accepted());
  EXPECT_TRUE(absl::IsFailedPrecondition(Report(held_, 1, 1)));
  EXPECT_EQ(Sweep("old").counts.running, 1) << "its lease stays as it is stored";
}

}  // namespace
}  // namespace sweep
