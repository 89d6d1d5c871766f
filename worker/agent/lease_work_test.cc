#include "worker/agent/lease_work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sweep {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Action = LeaseWork::Action;

constexpr char kTrial[] = "sweeps/s/trials/1";
constexpr milliseconds kDoubt{100};

LeaseWork::TimePoint At(int ms) { return LeaseWork::TimePoint(milliseconds(ms)); }

TrainerProgram Trainer() { return {.command = {"/bin/trainer"}}; }
TrainerProgram OwnProgram() { return {.command = {"/bin/own"}, .of_sweep = true}; }

PreparedTrial Prepared(const TrainerProgram& program, int resumed_epoch = 0) {
  return {.trial = kTrial,
          .line = "line",
          .epochs = 10,
          .resumed_epoch = resumed_epoch,
          .program = program};
}

template <typename T>
bool Is(const Action& action) {
  return std::holds_alternative<T>(action);
}

// The end in the action; one without an outcome if the action holds none.
LeaseEnd EndOf(const Action& action) {
  const auto* end = std::get_if<LeaseWork::End>(&action);
  return end == nullptr ? LeaseEnd() : end->end;
}

v1::LeaseOutcome Outcome(const Action& action) { return EndOf(action).outcome; }

class LeaseWorkTest : public ::testing::Test {
 protected:
  // Begins a trial that a trainer works on.
  void Start(const TrainerProgram& program = Trainer(), int resumed_epoch = 0) {
    ASSERT_TRUE(Is<LeaseWork::UseTrainer>(work_.OnPrepared(Prepared(program, resumed_epoch))));
    ASSERT_TRUE(work_.waits_for_trainer());
    work_.OnSent();
    ASSERT_TRUE(work_.running());
  }
  Action Epoch(int number) {
    EXPECT_TRUE(work_.Concerns(kTrial));
    return work_.OnEpoch(number, "trainer");
  }
  Action Done(bool stopped, int epochs) {
    EXPECT_TRUE(work_.Concerns(kTrial));
    return work_.OnDone({.trial = kTrial, .epochs = epochs, .stopped = stopped}, "trainer",
                        "last words", At(0));
  }
  Action Error(bool retryable) {
    EXPECT_TRUE(work_.Concerns(kTrial));
    return work_.OnError({.trial = kTrial, .reason = "out of memory", .retryable = retryable},
                         "last words");
  }
  static TrainerEnd Crash() {
    return {.program = Trainer(), .how = "ended by signal 9", .started = true};
  }

  LeaseWork work_{Trainer(), kDoubt};
};

TEST_F(LeaseWorkTest, CompletesATrialThatIsDoneWithWhatItReached) {
  Start();
  for (int epoch = 1; epoch <= 10; ++epoch) EXPECT_TRUE(Is<LeaseWork::NoAction>(Epoch(epoch)));
  EXPECT_EQ(Outcome(Done(false, 10)), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_FALSE(work_.running());
  EXPECT_FALSE(work_.Concerns(kTrial)) << "what comes after its end is not about the lease";
}

TEST_F(LeaseWorkTest, CompletesAResumedTrialWithoutANewEpoch) {
  Start(Trainer(), /*resumed_epoch=*/10);
  EXPECT_EQ(Outcome(Done(false, 10)), v1::LEASE_OUTCOME_COMPLETED);
}

TEST_F(LeaseWorkTest, FailsATrialThatIsDoneWithEpochsThatWereNotReported) {
  Start();
  Epoch(3);
  const LeaseEnd end = EndOf(Done(false, 10));
  EXPECT_EQ(end.outcome, v1::LEASE_OUTCOME_FAILED);
  EXPECT_EQ(end.reason,
            "trainer broke the protocol: done with 10 epochs after epoch 3 of 10\nlast words");
}

TEST_F(LeaseWorkTest, KillsATrainerThatGoesBackOrTooFar) {
  Start();
  Epoch(3);
  for (const int epoch : {3, 2, 11}) {
    const Action action = Epoch(epoch);
    ASSERT_TRUE(Is<LeaseWork::FailTrainer>(action)) << epoch;
    EXPECT_THAT(std::get<LeaseWork::FailTrainer>(action).reason, HasSubstr("of 10 after epoch 3"));
  }
  EXPECT_TRUE(Is<LeaseWork::NoAction>(Epoch(10)));
}

TEST_F(LeaseWorkTest, FailsWhatCannotBePrepared) {
  const LeaseEnd end = EndOf(work_.OnPrepared(absl::NotFoundError("no images")));
  EXPECT_EQ(end.outcome, v1::LEASE_OUTCOME_FAILED);
  EXPECT_EQ(end.reason, "no images");
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.OnPrepared(Prepared(Trainer()))));
  EXPECT_FALSE(work_.waits_for_trainer()) << "it has ended";
}

TEST_F(LeaseWorkTest, LearnsItsProgramWhenItIsPrepared) {
  LeaseWork work(std::nullopt, kDoubt);
  EXPECT_FALSE(work.program().has_value());
  work.OnPrepared(Prepared(OwnProgram()));
  EXPECT_EQ(work.program(), OwnProgram());
}

// Each way to end early, in each phase.
TEST_F(LeaseWorkTest, IsDroppedAtOnceWhileNoTrainerHasIt) {
  LeaseWork preparing(Trainer(), kDoubt);
  EXPECT_TRUE(Is<LeaseWork::Drop>(preparing.Revoke()));
  work_.OnPrepared(Prepared(Trainer()));
  const Action action = work_.Revoke();
  ASSERT_TRUE(Is<LeaseWork::Drop>(action));
  EXPECT_FALSE(std::get<LeaseWork::Drop>(action).ended);
  EXPECT_FALSE(work_.waits_for_trainer());
}

TEST_F(LeaseWorkTest, IsDroppedAfterItsTrainerHasStopped) {
  Start();
  const Action action = work_.Revoke();
  ASSERT_TRUE(Is<LeaseWork::StopTrial>(action));
  EXPECT_FALSE(std::get<LeaseWork::StopTrial>(action).keep);
  EXPECT_TRUE(work_.stopping());
  EXPECT_TRUE(Is<LeaseWork::Drop>(Done(true, 3)));
}

TEST_F(LeaseWorkTest, ARevokeHurriesATrainerThatWasGivenTimeForACheckpoint) {
  Start();
  const Action action = work_.GiveBack("the worker drains");
  ASSERT_TRUE(Is<LeaseWork::StopTrial>(action));
  EXPECT_TRUE(std::get<LeaseWork::StopTrial>(action).keep);
  EXPECT_TRUE(Is<LeaseWork::ShortenTrainerDeadline>(work_.Revoke()));
  EXPECT_TRUE(Is<LeaseWork::Drop>(work_.OnTrainerEnd(Crash(), At(0))));
}

TEST_F(LeaseWorkTest, ARevokeOfAnEndedLeaseSaysSo) {
  Start();
  Error(true);
  const Action action = work_.Revoke();
  ASSERT_TRUE(Is<LeaseWork::Drop>(action));
  EXPECT_TRUE(std::get<LeaseWork::Drop>(action).ended);
}

TEST_F(LeaseWorkTest, IsGivenBackAtOnceWhileNoTrainerHasIt) {
  const LeaseEnd end = EndOf(work_.GiveBack("the worker drains"));
  EXPECT_EQ(end.outcome, v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_EQ(end.reason, "the worker drains");
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.GiveBack("again")));
}

TEST_F(LeaseWorkTest, IsGivenBackWhenItsTrainerHasStoppedOrEnded) {
  Start();
  work_.GiveBack("the worker drains");
  EXPECT_TRUE(Is<LeaseWork::NoAction>(Epoch(4))) << "it may end its epoch";
  EXPECT_EQ(EndOf(Done(true, 4)).reason, "the worker drains");

  LeaseWork other(Trainer(), kDoubt);
  other.OnPrepared(Prepared(Trainer()));
  other.OnSent();
  other.GiveBack("the worker drains");
  EXPECT_EQ(Outcome(other.OnTrainerEnd(Crash(), At(0))), v1::LEASE_OUTCOME_GIVEN_BACK);
}

TEST_F(LeaseWorkTest, AnEarlyStopKeepsWhatTheTrainerLeaves) {
  Start();
  const Action action = work_.StopEarly();
  ASSERT_TRUE(Is<LeaseWork::StopTrial>(action));
  EXPECT_TRUE(std::get<LeaseWork::StopTrial>(action).keep);
  const DoneMessage done{
      .trial = kTrial, .epochs = 4, .stopped = true, .files = {{"weights_last", "/out/w"}}};
  const LeaseEnd end = EndOf(work_.OnDone(done, "a trainer", "", At(0)));
  EXPECT_EQ(end.outcome, v1::LEASE_OUTCOME_STOPPED);
  EXPECT_EQ(end.files, done.files);

  LeaseWork waiting(Trainer(), kDoubt);
  EXPECT_EQ(Outcome(waiting.StopEarly()), v1::LEASE_OUTCOME_STOPPED);
}

TEST_F(LeaseWorkTest, AnEarlyStopOverrulesAGiveBackAndAFailureOnTheWayOut) {
  Start();
  work_.GiveBack("the worker drains");
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.StopEarly()));
  EXPECT_EQ(Outcome(Error(true)), v1::LEASE_OUTCOME_STOPPED);
}

// A trial of 10 epochs whose target is the fourth.
class TargetTest : public LeaseWorkTest {
 protected:
  void StartWithTarget(const TrainerProgram& program = Trainer(), int resumed_epoch = 0) {
    PreparedTrial trial = Prepared(program, resumed_epoch);
    trial.target_epoch = 4;
    ASSERT_TRUE(Is<LeaseWork::UseTrainer>(work_.OnPrepared(trial)));
    work_.OnSent();
  }
};

TEST_F(TargetTest, IsHeldWhenItHasReachedItsTarget) {
  StartWithTarget();
  for (int epoch = 1; epoch <= 4; ++epoch) EXPECT_TRUE(Is<LeaseWork::NoAction>(Epoch(epoch)));
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.StopEarly())) << "it ends by itself";
  const DoneMessage done{.trial = kTrial, .epochs = 4, .files = {{"weights_last", "/out/w"}}};
  const LeaseEnd end = EndOf(work_.OnDone(done, "a trainer", "", At(0)));
  EXPECT_EQ(end.outcome, v1::LEASE_OUTCOME_HELD);
  EXPECT_EQ(end.files, done.files);
}

TEST_F(TargetTest, IsStoppedBeforeItsTargetWhenItIsTold) {
  StartWithTarget();
  Epoch(2);
  EXPECT_TRUE(Is<LeaseWork::StopTrial>(work_.StopEarly()));
  EXPECT_EQ(Outcome(Done(true, 2)), v1::LEASE_OUTCOME_STOPPED);
}

TEST_F(TargetTest, IsHeldAtOnceWhenItsCheckpointIsThatOfItsTarget) {
  StartWithTarget(Trainer(), /*resumed_epoch=*/4);
  EXPECT_EQ(Outcome(Done(false, 4)), v1::LEASE_OUTCOME_HELD);
}

TEST_F(TargetTest, IsStoppedWhenItsTrainerGoesOn) {
  StartWithTarget(OwnProgram());
  Epoch(4);
  const Action action = Epoch(5);
  ASSERT_TRUE(Is<LeaseWork::StopTrial>(action));
  EXPECT_TRUE(std::get<LeaseWork::StopTrial>(action).keep);
  EXPECT_TRUE(Is<LeaseWork::NoAction>(Epoch(6))) << "told once";
  EXPECT_EQ(Outcome(Done(true, 6)), v1::LEASE_OUTCOME_STOPPED);
}

TEST_F(TargetTest, IsCompleteWhenItsTrainerWasFasterThanTheStop) {
  StartWithTarget(OwnProgram());
  for (int epoch = 4; epoch <= 10; ++epoch) Epoch(epoch);
  EXPECT_EQ(Outcome(Done(false, 10)), v1::LEASE_OUTCOME_COMPLETED);
}

TEST_F(TargetTest, HasFailedWhenItsProgramIsDoneWithoutAReportOfTheTarget) {
  StartWithTarget(OwnProgram());
  Epoch(3);
  const LeaseEnd end = EndOf(Done(false, 4));
  EXPECT_EQ(end.outcome, v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(end.reason, HasSubstr("has not reported its target epoch 4"));
}

TEST_F(TargetTest, IsHeldWhenItsProgramEndsAtTheTargetWithoutAWord) {
  StartWithTarget(OwnProgram());
  Epoch(4);
  EXPECT_EQ(Outcome(work_.OnTrainerEnd({.program = OwnProgram(),
                                        .how = "ended with exit code 0",
                                        .success = true,
                                        .started = true},
                                       At(0))),
            v1::LEASE_OUTCOME_HELD);
}

TEST_F(LeaseWorkTest, ATrialThatFinishesAlthoughItWasToldToStopIsComplete) {
  Start();
  work_.GiveBack("the worker drains");
  Epoch(10);
  EXPECT_EQ(Outcome(Done(false, 10)), v1::LEASE_OUTCOME_COMPLETED);
}

TEST_F(LeaseWorkTest, AnErrorOnTheWayOutCountsUnlessItIsRetryable) {
  Start();
  work_.GiveBack("the worker drains");
  EXPECT_EQ(Outcome(Error(true)), v1::LEASE_OUTCOME_GIVEN_BACK);

  LeaseWork other(Trainer(), kDoubt);
  other.OnPrepared(Prepared(Trainer()));
  other.OnSent();
  other.GiveBack("the worker drains");
  EXPECT_EQ(Outcome(other.OnError({.trial = kTrial, .reason = "x", .retryable = false}, "")),
            v1::LEASE_OUTCOME_FAILED_FOR_GOOD);
}

TEST_F(LeaseWorkTest, OnlyASweepsOwnProgramMayLeaveItsLastEpochsOut) {
  Start(OwnProgram());
  Epoch(4);
  EXPECT_EQ(Outcome(Done(false, 10)), v1::LEASE_OUTCOME_COMPLETED);

  for (const int epochs : {3, 11}) {
    LeaseWork other(OwnProgram(), kDoubt);
    other.OnPrepared(Prepared(OwnProgram()));
    other.OnSent();
    other.OnEpoch(4, "./train");
    EXPECT_EQ(Outcome(other.OnDone({.trial = kTrial, .epochs = epochs}, "./train", "", At(0))),
              v1::LEASE_OUTCOME_FAILED)
        << epochs;
  }
}

TEST_F(LeaseWorkTest, AnErrorEndsTheTrialWithTheTrainersLastLines) {
  Start();
  const LeaseEnd end = EndOf(Error(true));
  EXPECT_EQ(end.outcome, v1::LEASE_OUTCOME_FAILED);
  EXPECT_EQ(end.reason, "out of memory\nlast words");
}

TEST_F(LeaseWorkTest, ARefusedReportStopsTheTrainerAndFailsTheLease) {
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.OnReportRefused("no")));
  Start();
  EXPECT_TRUE(Is<LeaseWork::StopTrial>(work_.OnReportRefused("epoch 3 is NaN")));
  const LeaseEnd end = EndOf(Done(true, 3));
  EXPECT_EQ(end.outcome, v1::LEASE_OUTCOME_FAILED);
  EXPECT_EQ(end.reason, "epoch 3 is NaN");
}

TEST_F(LeaseWorkTest, ARefusedReportTurnsAGivenBackLeaseIntoAFailure) {
  Start();
  work_.GiveBack("the worker drains");
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.OnReportRefused("epoch 3 is NaN")));
  EXPECT_EQ(EndOf(work_.OnTrainerEnd(Crash(), At(0))).reason, "epoch 3 is NaN");
}

TEST_F(LeaseWorkTest, ARefusedReportDoesNotReviveADroppedLease) {
  Start();
  work_.Revoke();
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.OnReportRefused("epoch 3 is NaN")));
  EXPECT_TRUE(Is<LeaseWork::Drop>(Done(true, 3)));
}

TEST_F(LeaseWorkTest, ARefusedReportReplacesTheEndThatWasOrdered) {
  Start();
  Epoch(10);
  Done(false, 10);
  EXPECT_EQ(Outcome(work_.OnReportRefused("no")), v1::LEASE_OUTCOME_FAILED);
}

TEST_F(LeaseWorkTest, RefusedDataDropsTheLeaseOnlyWhileItIsPrepared) {
  LeaseWork preparing(Trainer(), kDoubt);
  EXPECT_TRUE(Is<LeaseWork::Drop>(preparing.OnDataRefused()));
  Start();
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.OnDataRefused()));
  EXPECT_TRUE(work_.running());
}

// Ends of the trainer.
TEST_F(LeaseWorkTest, ACrashFailsTheTrialAndSaysWhere) {
  Start();
  Epoch(3);
  TrainerEnd end = Crash();
  end.last_lines = "segfault";
  const Action action = work_.OnTrainerEnd(end, At(0));
  EXPECT_EQ(Outcome(action), v1::LEASE_OUTCOME_FAILED);
  EXPECT_EQ(EndOf(action).reason, "trainer ended by signal 9 after epoch 3 of 10\nsegfault");
  EXPECT_TRUE(std::get<LeaseWork::End>(action).trainer_lost);
}

TEST_F(LeaseWorkTest, WhyTheWorkerKilledATrainerIsTheReason) {
  Start();
  TrainerEnd end = Crash();
  end.fault = "it printed nothing";
  end.asked = true;  // but the fault says that the worker ended it
  EXPECT_EQ(EndOf(work_.OnTrainerEnd(end, At(0))).reason, "it printed nothing");
}

TEST_F(LeaseWorkTest, AnEndAsIfAskedIsAFailureOnlyAfterAMoment) {
  Start();
  TrainerEnd end = Crash();
  end.asked = true;
  EXPECT_TRUE(Is<LeaseWork::Wait>(work_.OnTrainerEnd(end, At(1000))));
  EXPECT_TRUE(work_.has_deadline());
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.Tick(At(1099))));
  EXPECT_EQ(Outcome(work_.Tick(At(1100))), v1::LEASE_OUTCOME_FAILED);
  EXPECT_FALSE(work_.has_deadline());
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.Tick(At(1101)))) << "it is told once";
}

TEST_F(LeaseWorkTest, AnEndAsIfAskedIsGivenBackWhenTheWorkerDrainsMeanwhile) {
  Start();
  TrainerEnd end = Crash();
  end.asked = true;
  work_.OnTrainerEnd(end, At(1000));
  EXPECT_EQ(Outcome(work_.GiveBack("the worker drains")), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.Tick(At(2000))));
}

TEST_F(LeaseWorkTest, ATrainerThatStopsUnaskedIsDoubtedToo) {
  Start();
  EXPECT_TRUE(Is<LeaseWork::Wait>(Done(true, 3)));
  EXPECT_EQ(EndOf(work_.Tick(At(100))).reason, "trainer stopped without being asked");
}

TEST_F(LeaseWorkTest, ATrainerThatNeverStartedIsUnusable) {
  TrainerEnd end = Crash();
  end.started = false;
  const Action action = work_.OnTrainerEnd(end, At(0));
  ASSERT_TRUE(Is<LeaseWork::EndUnusable>(action));
  EXPECT_THAT(std::get<LeaseWork::EndUnusable>(action).reason, StartsWith("trainer ended by"));
  EXPECT_TRUE(Is<LeaseWork::NoAction>(work_.OnPrepared(Prepared(Trainer()))));
}

TEST_F(LeaseWorkTest, TheEndOfAnotherProgramStartsOurs) {
  work_.OnPrepared(Prepared(Trainer()));
  TrainerEnd end = Crash();
  end.program = OwnProgram();
  end.started = false;
  EXPECT_TRUE(Is<LeaseWork::UseTrainer>(work_.OnTrainerEnd(end, At(0))));
  EXPECT_TRUE(work_.waits_for_trainer());
}

TEST_F(LeaseWorkTest, AProgramThatTrainsOnceIsStartedAgainForATrialThatItNeverSaw) {
  Start(OwnProgram());
  TrainerEnd end = Crash();
  end.program = OwnProgram();
  end.trials = 1;
  EXPECT_TRUE(Is<LeaseWork::UseTrainer>(work_.OnTrainerEnd(end, At(0))));
  work_.OnSent();
  EXPECT_TRUE(work_.Concerns(kTrial));
  EXPECT_EQ(Outcome(work_.OnTrainerEnd(end, At(0))), v1::LEASE_OUTCOME_FAILED) << "it saw it now";
}

TEST_F(LeaseWorkTest, AProgramNeedNotSayThatItIsDone) {
  Start(OwnProgram());
  Epoch(9);
  LeaseWork unfinished = work_;
  Epoch(10);
  TrainerEnd end = Crash();
  end.program = OwnProgram();
  end.success = true;
  EXPECT_EQ(Outcome(work_.OnTrainerEnd(end, At(0))), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_THAT(EndOf(unfinished.OnTrainerEnd(end, At(0))).reason,
              HasSubstr("after epoch 9 of 10, without done"));
}

TEST_F(LeaseWorkTest, NamesTheTrialThatItsTrainerSpeaksAboutInstead) {
  Start();
  EXPECT_FALSE(work_.Concerns("1"));
  EXPECT_EQ(work_.Where(/*trials=*/0),
            " before its first epoch; its lines are about trial '1' instead of "
            "'sweeps/s/trials/1'");
  EXPECT_EQ(work_.Where(/*trials=*/1), " before its first epoch")
      << "then it may be the end of the trial before";
  EXPECT_TRUE(work_.Concerns(kTrial));
  EXPECT_EQ(work_.Where(0), " before its first epoch");
}

}  // namespace
}  // namespace sweep
