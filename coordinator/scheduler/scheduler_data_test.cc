// Workers whose data is not that of a sweep.

#include <gmock/gmock.h>

#include "coordinator/scheduler/explanation.h"
#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kOurs(64, 'a');
const std::string kTheirs(64, 'b');

class DataTest : public SchedulerTest {
 protected:
  std::vector<LeaseToken> Take(const std::string& worker, int slots = 1) {
    return Tokens(Call(worker, {.slots = slots, .no_wait = true}));
  }
  absl::StatusOr<std::string> Tell(const LeaseToken& token, const std::string& sha256,
                                   const std::string& place = "/data") {
    return Ask<std::string>(
        [&](auto callback) { scheduler_->reports().ReportData(token, sha256, place, callback); });
  }
  // A worker that has the sweep's data, and then leaves.
  void Begin() {
    const std::vector<LeaseToken> tokens = Take("good");
    ASSERT_EQ(tokens.size(), 1u);
    EXPECT_EQ(Must(Tell(tokens[0], kOurs)), "");
    Train(tokens[0]);
  }
  std::vector<OtherData> OtherDataOf(const std::string& worker) {
    for (const WorkerInfo& info : scheduler_->insight().Workers()) {
      if (info.name == worker) return info.other_data;
    }
    ADD_FAILURE() << "no worker " << worker;
    return {};
  }
};

TEST_F(DataTest, TheFirstBelongsToTheSweepAndStandsInEveryLease) {
  Submit("s");
  const auto first = Call("w", {.slots = 1, .no_wait = true});
  ASSERT_EQ(Leases(first).size(), 1u);
  EXPECT_EQ(Leases(first)[0].data_sha256, "");
  EXPECT_EQ(Must(Tell(Tokens(first)[0], kOurs)), "");
  EXPECT_EQ(Must(Tell(Tokens(first)[0], kOurs)), "") << "an answer that was lost";
  EXPECT_EQ(Must(store_->Read(FindSweep, "s")).data_sha256, kOurs);
  EXPECT_EQ(Leases(Call("v", {.no_wait = true}))[0].data_sha256, kOurs);
  Start();
  EXPECT_EQ(Leases(Call("x", {.no_wait = true}))[0].data_sha256, kOurs) << "after a restart";
}

TEST_F(DataTest, AWorkerWithOtherDataGetsNoMoreOfTheSweepAndTheTrialCountsNoFailure) {
  Submit("s");
  Begin();
  const std::vector<LeaseToken> tokens = Take("bad", 2);
  ASSERT_EQ(tokens.size(), 2u);
  const std::string refusal = Must(Tell(tokens[0], kTheirs, "/home/me/digits"));
  EXPECT_THAT(refusal, AllOf(HasSubstr(kOurs), HasSubstr(kTheirs), HasSubstr("/home/me/digits"),
                             HasSubstr("worker bad"), HasSubstr("sweep s")));
  EXPECT_TRUE(absl::IsFailedPrecondition(Tell(tokens[0], kTheirs).status()));
  const TrialRow trial = Must(store_->Read(FindTrial, "s", tokens[0].number));
  EXPECT_EQ(trial.state, TrialState::kPending);
  EXPECT_EQ(trial.failures, 0);
  // Its other lease is under way already.
  EXPECT_THAT(Trials(Leases(Call("bad", {.held = {tokens[1]}, .slots = 2, .no_wait = true}))),
              ElementsAre("s/3#1"));
  EXPECT_NE(Must(Tell(tokens[1], kTheirs)), "");
  EXPECT_THAT(Take("bad", 2), IsEmpty());
  Pass(absl::Minutes(20));
  EXPECT_THAT(Take("bad", 2), IsEmpty()) << "not even after a while";
  EXPECT_EQ(Must(store_->Read(FindTrial, "s", 4)).attempt, 0);
  EXPECT_THAT(Trials(Leases(Call("good", {.slots = 3, .no_wait = true}))),
              ElementsAre("s/2#2", "s/3#2", "s/4#1"));
}

TEST_F(DataTest, ItGoesOnWithOtherSweepsAndAfterANewStart) {
  Submit("s");
  Begin();
  ASSERT_NE(Must(Tell(Take("bad")[0], kTheirs)), "");
  EXPECT_THAT(Take("bad"), IsEmpty());
  Submit("t");
  const auto other = Call("bad", {.slots = 4, .no_wait = true});
  EXPECT_THAT(Trials(Leases(other)), ElementsAre("t/1#1", "t/2#1", "t/3#1", "t/4#1"));
  EXPECT_EQ(Must(Tell(Tokens(other)[0], kTheirs)), "");
  for (const LeaseToken& token : Tokens(other)) Train(token);
  Pass(kTerm + absl::Seconds(1));
  EXPECT_EQ(Leases(Call("bad", {.slots = 1, .no_wait = true, .session = "another process"})).size(),
            1u);
}

TEST_F(DataTest, IsForgottenWhenTheWorkerSaysThatItWasReplaced) {
  Submit("s");
  Begin();
  ASSERT_NE(Must(Tell(Take("bad")[0], kTheirs)), "");
  const auto say = [&](const std::string& sha256) {
    return Tokens(Call("bad", {.slots = 1, .no_wait = true, .changed_data = {sha256}}));
  };
  EXPECT_THAT(say(kOurs), IsEmpty()) << "that is not what it was refused with";
  EXPECT_EQ(OtherDataOf("bad").size(), 1u);
  const std::vector<LeaseToken> tokens = say(kTheirs);
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_THAT(OtherDataOf("bad"), IsEmpty());
  EXPECT_EQ(Must(Tell(tokens[0], kOurs)), "");
  Train(tokens[0]);
}

TEST_F(DataTest, IsSaidOfWorkersAndOfTrialsThatWait) {
  Submit("s");
  Begin();
  ASSERT_NE(Must(Tell(Take("bad")[0], kTheirs, "/home/me/digits")), "");
  const std::vector<OtherData> list = OtherDataOf("bad");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].sweep, "s");
  EXPECT_EQ(list[0].sha256, kTheirs);
  EXPECT_EQ(list[0].place, "/home/me/digits");
  EXPECT_EQ(list[0].sweep_sha256, kOurs);
  EXPECT_THAT(OtherDataOf("good"), IsEmpty());

  Call("good", {.draining = true, .no_wait = true});
  const Explanation why =
      Explain(scheduler_->insight().Situation(Must(store_->Read(FindTrial, "s", 4))));
  ASSERT_FALSE(why.reasons.empty());
  EXPECT_THAT(why.reasons[0], AllOf(HasSubstr("worker bad has other data"), HasSubstr(kOurs),
                                    HasSubstr(kTheirs), HasSubstr("/home/me/digits")));
}

// Otherwise it would wait half a minute for a worker that may not take it.
TEST_F(DataTest, ATrialThatFailedDoesNotWaitForAWorkerWithOtherData) {
  Submit("s");
  Begin();
  ASSERT_NE(Must(Tell(Take("bad")[0], kTheirs)), "");
  const std::vector<LeaseToken> tokens = Take("good");
  ASSERT_EQ(tokens.size(), 1u);
  ASSERT_EQ(Finish(tokens[0], LeaseOutcome::kFailed, "no luck"), absl::OkStatus());
  EXPECT_EQ(Take("good").size(), 1u);
}

TEST_F(DataTest, StaysWithASweepThatIsExtendedAndRetried) {
  Submit("s");
  for (int i = 0; i < 4; ++i) {
    const std::vector<LeaseToken> tokens = Take("good");
    ASSERT_EQ(tokens.size(), 1u);
    EXPECT_EQ(Must(Tell(tokens[0], kOurs)), "");
    if (i < 3) {
      Train(tokens[0]);
    } else {
      EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kFailedForGood, "diverged"), absl::OkStatus());
    }
  }
  EXPECT_EQ(Must(store_->Read(FindSweep, "s")).state, SweepState::kCompleted);
  EXPECT_EQ(Must(RetryTrial(4)).state, TrialState::kPending);
  const std::vector<LeaseToken> tokens = Take("bad");
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_NE(Must(Tell(tokens[0], kTheirs)), "");
}

}  // namespace
}  // namespace sweep
