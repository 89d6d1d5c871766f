#include "coordinator/scheduler/scheduler.h"

#include <atomic>
#include <set>

#include "coordinator/scheduler/testing/scheduler_testing.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// ---- Grants

TEST_F(SchedulerTest, FreeSlotsGetTheOldestPendingTrials) {
  Submit("s");
  const auto answer = Call("w", {.slots = 2});
  EXPECT_THAT(Trials(Leases(answer)), UnorderedElementsAre("s/1#1", "s/2#1"));
  EXPECT_EQ((*answer->Get())->lease_term, kTerm);
  const LeaseOffer offer = Leases(answer)[0];
  EXPECT_EQ(offer.token.secret.size(), 32u);
  const TrialSpec spec = TrialSpecFromJson(*offer.spec_json);
  EXPECT_EQ(spec.trial, "s/1");
  EXPECT_EQ(spec.lr, 0.01);
  EXPECT_EQ(spec.epochs, 5);
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  EXPECT_EQ(Trial(1).worker, "w");
  EXPECT_EQ(Trial(3).state, TrialState::kPending);
}

TEST_F(SchedulerTest, SweepsTakeTurns) {
  Submit("a");
  Submit("b");
  EXPECT_THAT(
      Trials(Leases(Call("w", {.slots = 5}))),
      UnorderedElementsAre("a/1#1", "a/2#1", "b/1#1", "b/2#1", testing::AnyOf("a/3#1", "b/3#1")));
}

TEST_F(SchedulerTest, AWorkerOfNamedSweepsGetsNoOthers) {
  Submit("a");
  Submit("b");
  EXPECT_THAT(Trials(Leases(Call("w", {.slots = 9, .only_sweeps = {"b"}}))),
              UnorderedElementsAre("b/1#1", "b/2#1", "b/3#1", "b/4#1"));
  EXPECT_EQ(Trial(1, "a").state, TrialState::kPending);
  EXPECT_THAT(Explain(scheduler_->insight().Situation(Trial(1, "a"))).reasons,
              ElementsAre("the connected worker trains b only (sweep run): nobody trains sweep a"));
  const auto other = Call("v", {.only_sweeps = {"c"}});
  EXPECT_FALSE(other->Get().has_value()) << "it waits for sweep c";
  EXPECT_THAT(
      Explain(scheduler_->insight().Situation(Trial(1, "a"))).reasons,
      ElementsAre("all 2 connected workers train b, c only (sweep run): nobody trains sweep "
                  "a"));
  EXPECT_EQ(Leases(Call("u", {})).size(), 1u) << "a worker of all sweeps";
}

TEST_F(SchedulerTest, ASweepThatNobodyTrainsIsNotAheadInTheQueue) {
  Submit("a");
  Submit("b");
  Call("w", {.only_sweeps = {"b"}});
  EXPECT_EQ(Explain(scheduler_->insight().Situation(Trial(2, "b"))).trials_ahead, 0);
  EXPECT_EQ(Explain(scheduler_->insight().Situation(Trial(3, "b"))).trials_ahead, 1);
}

TEST_F(SchedulerTest, ATrialIsToldWhoGoesFirstAndWhy) {
  Submit("a");
  Submit("b", "priority: 1\n");
  Submit("c", "share: 2\n");
  Call("w", {.slots = 1});
  EXPECT_THAT(Explain(scheduler_->insight().Situation(Trial(1, "a"))).reasons,
              Contains(HasSubstr("3 trials go first: 3 of sweep b; b has priority 1, this one 0")));
  // Each second slot of a's is for c, whose share is twice as large; a was submitted first.
  const Explanation last = Explain(scheduler_->insight().Situation(Trial(4, "a")));
  EXPECT_THAT(last.reasons, Contains(HasSubstr("of its own sweep, 3 of sweep b, 4 of sweep c")));
  EXPECT_EQ(last.trials_ahead, 3 + 3 + 4);
  EXPECT_THAT(Explain(scheduler_->insight().Situation(Trial(2, "b"))).reasons,
              Not(Contains(HasSubstr("first"))))
      << "one runs, and it is the next";
}

TEST_F(SchedulerTest, NewWorkIsSpreadOverParkedWorkers) {
  const auto first = Call("w1", {.slots = 4});
  const auto second = Call("w2", {.slots = 4});
  EXPECT_FALSE(first->Get().has_value());
  Submit("s");
  EXPECT_EQ(Leases(first).size(), 2u);
  EXPECT_EQ(Leases(second).size(), 2u);
}

TEST_F(SchedulerTest, AGridOfFourGivesExactlyFour) {
  Submit("s");
  std::set<std::string> trained;
  for (int i = 0; i < 4; ++i) {
    const auto tokens = Tokens(Call("w", {}));
    ASSERT_EQ(tokens.size(), 1u);
    trained.insert(fmt::format("{}#{}", tokens[0].number, tokens[0].attempt));
    Train(tokens[0]);
  }
  EXPECT_THAT(trained, ElementsAre("1#1", "2#1", "3#1", "4#1"));
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.completed, 4);
  EXPECT_EQ(Sweep().counts.total(), 4);
  EXPECT_FALSE(Call("w", {})->Get().has_value());
}

TEST_F(SchedulerTest, EveryReplicateIsATrial) {
  Submit("s", "replicates: 3\n");
  EXPECT_EQ(Tokens(Call("w", {.slots = 20})).size(), 12u);
  EXPECT_EQ(Trial(2).replicate, 1);
  EXPECT_EQ(Trial(2).seed, Trial(5).seed);
}

TEST_F(SchedulerTest, TheSearchStaysJustAheadOfTheWorkers) {
  Submit("s", "run_cap: 4\n");
  std::string values = "lr: {values: [";
  SweepSource source = TestSource("big");
  std::string list = "0.001";
  for (int i = 2; i <= 100; ++i) list += fmt::format(", {}", i * 0.001);
  source.text.replace(source.text.find("0.01, 0.02, 0.03, 0.04"), 22, list);
  Diagnostics diagnostics;
  auto spec = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
  scheduler_->sweeps().Submit(spec, source, {},
                              [](const auto& result) { EXPECT_TRUE(result.ok()); });
  Settle();
  EXPECT_EQ(Sweep("big").configurations, 64) << "enough while nobody is there";
  Call("w", {.slots = 10});
  // 24 slots in all: 4 trials of s and 20 of big are leased at once, and as many wait as before.
  Call("v", {.slots = 14});
  Settle();
  EXPECT_EQ(Sweep("big").configurations, 20 + 64);
}

TEST_F(SchedulerTest, AWorkerThatDrainsGetsNothingNewAndKeepsWhatItHas) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  const auto draining = Call("w", {.held = tokens, .slots = 2, .draining = true});
  EXPECT_FALSE(draining->Get().has_value());
  Pass(absl::Seconds(23));
  EXPECT_THAT(Trials(Leases(draining)), ElementsAre("s/1#1"));
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kGivenBack), absl::OkStatus());
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_THAT(Trials(Leases(Call("other", {}))), ElementsAre("s/1#2"));
}

TEST_F(SchedulerTest, AFailedAttemptIsTriedAgainUntilMaxFailures) {
  Submit("s", "max_failures: 2\n");
  ASSERT_EQ(Cancel("s", 2), absl::OkStatus());
  ASSERT_EQ(Cancel("s", 3), absl::OkStatus());
  ASSERT_EQ(Cancel("s", 4), absl::OkStatus());
  auto tokens = Tokens(Call("w", {}));
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kFailed, "no memory"), absl::OkStatus());
  tokens = Tokens(Call("w", {}));
  EXPECT_EQ(tokens[0].number, 1);
  EXPECT_EQ(tokens[0].attempt, 2);
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kFailed, "no memory"), absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kFailed);
  EXPECT_EQ(Trial(1).reason, "no memory");
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  // The answer to the last call may have been lost.
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kFailed, "no memory"), absl::OkStatus());
  EXPECT_EQ(scheduler_->insight().Workers().at(0).failed, 2);
}

// ---- Calls

TEST_F(SchedulerTest, ACallIsParkedWhenNothingHasToChangeAndReturnsAfterThePollTime) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  const auto parked = Call("w", {.held = tokens});
  Pass(absl::Seconds(17));
  EXPECT_FALSE(parked->Get().has_value());
  Pass(absl::Seconds(6));
  EXPECT_THAT(Trials(Leases(parked)), ElementsAre("s/1#1"));
}

TEST_F(SchedulerTest, NoWaitIsAnsweredAtOnce) {
  EXPECT_THAT(Leases(Call("w", {.no_wait = true})), IsEmpty());
  Submit("s");
  EXPECT_THAT(Trials(Leases(Call("w", {.no_wait = true}))), ElementsAre("s/1#1"));
}

TEST_F(SchedulerTest, AWorkerThatSaysIdleWhileItHoldsALeaseIsToldAgain) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  const auto again = Leases(Call("w", {}));
  EXPECT_THAT(Trials(again), ElementsAre("s/1#1"));
  EXPECT_EQ(again[0].token.secret, tokens[0].secret);
  EXPECT_NE(again[0].spec_json, nullptr);
  EXPECT_EQ(Trial(1).attempt, 1);
}

TEST_F(SchedulerTest, AForgedOrUnknownTokenIsNotInTheAnswer) {
  Submit("s");
  auto tokens = Tokens(Call("w", {}));
  auto forged = tokens;
  forged[0].secret = "guess";
  EXPECT_THAT(Trials(Leases(Call("other", {.held = forged, .draining = true}))), IsEmpty());
  EXPECT_THAT(Trials(Leases(Call("w", {.held = {tokens[0], {.sweep = "x", .number = 9}}}))),
              ElementsAre("s/1#1"));
}

TEST_F(SchedulerTest, ANewerCallEndsTheOlderOneOfItsSession) {
  const auto older = Call("w", {.poll_id = 1});
  const auto newer = Call("w", {.poll_id = 2});
  EXPECT_EQ(Refusal(older).code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(newer->Get().has_value());
}

TEST_F(SchedulerTest, ACallerThatIsGoneIsGrantedNothing) {
  const auto parked = Call("w", {.poll_id = 5});
  scheduler_->leases().DropPoll("w", 4);
  EXPECT_FALSE(parked->Get().has_value());
  scheduler_->leases().DropPoll("w", 5);
  Submit("s");
  EXPECT_EQ(Refusal(parked).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
}

TEST_F(SchedulerTest, BadCallsAreRefused) {
  const absl::Status protocol = Refusal(Call("w", {.protocol = 2}));
  EXPECT_EQ(protocol.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(protocol.message()), HasSubstr("protocol 2"));
  EXPECT_THAT(std::string(protocol.message()), HasSubstr("protocol 1"));
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(Call("a b", {}))));
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(Call("w", {.slots = 0}))));
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(Call("w", {.session = std::string(500, 'x')}))));
}

TEST_F(SchedulerTest, AWorkerOfABuildThatIsTooOldIsRefused) {
  worker_builds_ = {.least = "0.9", .expected = "1.2.3"};
  Start();
  Submit("s");
  for (const char* const build : {"sweep-worker 0.8.9", "sweep-worker", ""}) {
    const absl::Status refusal = Refusal(Call("w", {.build = build}));
    EXPECT_EQ(refusal.code(), absl::StatusCode::kFailedPrecondition) << build;
    EXPECT_THAT(std::string(refusal.message()), HasSubstr("none before 0.9 (--min-worker-build)"));
  }
  EXPECT_THAT(Trials(Leases(Call("w", {.build = "sweep-worker 0.9.0"}))), ElementsAre("s/1#1"));
  Call("new", {.build = "sweep-worker 1.2.3"});
  std::map<std::string, std::string> expected;
  for (const WorkerInfo& worker : scheduler_->insight().Workers()) {
    expected[worker.name] = worker.expected_build;
  }
  EXPECT_EQ(expected, (std::map<std::string, std::string>{{"w", "1.2.3"}, {"new", ""}}));
}

TEST_F(SchedulerTest, WorkersBeyondTheBoundAreRefused) {
  spdlog::set_level(spdlog::level::off);  // a line for each would be too much
  for (int i = 0; i < 20'000; ++i) Call(fmt::format("w{}", i), {.no_wait = true});
  spdlog::set_level(spdlog::level::info);
  EXPECT_TRUE(absl::IsResourceExhausted(Refusal(Call("late", {.no_wait = true}))));
  EXPECT_TRUE(Leases(Call("w0", {.no_wait = true})).empty()) << "one that is known is not refused";
}

TEST_F(SchedulerTest, ASecondSessionOfALiveWorkersNameIsRefused) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {.session = "one"}));
  const absl::Status refusal = Refusal(Call("w", {.session = "two"}));
  EXPECT_EQ(refusal.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(refusal.message()), HasSubstr("here (pid 7"));
  // Once the first has been silent for a whole term its leases go to others.
  clock_.Advance(kTerm);
  EXPECT_THAT(Trials(Leases(Call("w", {.session = "two"}))), ElementsAre("s/1#2"));
  EXPECT_EQ(Trial(1).failures, 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(Report(tokens[0], 1, 1)));
}

TEST_F(SchedulerTest, AWorkerThatHasDrainedLeavesItsNameAtOnce) {
  Call("w", {.draining = true, .session = "one"});
  EXPECT_FALSE(Call("w", {.session = "two"})->Get().has_value());
}

// ---- Leases

TEST_F(SchedulerTest, ExpiredLeaseIsGivenToAnotherWorker) {
  Submit("s");
  const auto lost = Tokens(Call("w1", {}));
  const auto parked = Call("w2", {.slots = 4});  // takes the other three
  const auto held = Tokens(parked);
  EXPECT_EQ(held.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    Pass(absl::Seconds(19));
    Call("w2", {.held = held, .slots = 4, .poll_id = 10});
  }
  EXPECT_EQ(Trial(1).worker, "w1");
  Pass(absl::Seconds(5));
  EXPECT_EQ(Trial(1).worker, "w2");
  EXPECT_EQ(Trial(1).attempt, 2);
  EXPECT_EQ(Trial(1).failures, 1);
  const auto attempts = Must(store_->Read(SelectAttempts, "s", 1));
  EXPECT_EQ(attempts[0].outcome, "lost");
  EXPECT_EQ(attempts[0].reason, "worker w1: no heartbeat for 60 s");
  EXPECT_FALSE(scheduler_->insight().Workers().at(1).connected);
  EXPECT_EQ(scheduler_->insight().Workers().at(1).name, "w1");

  // Fencing: the old holder is told and may write nothing.
  EXPECT_EQ(Report(lost[0], 1, 1).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Finish(lost[0], LeaseOutcome::kCompleted).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Leases(Call("w1", {.held = lost})), IsEmpty());
}

TEST_F(SchedulerTest, ACallRenewsAllLeasesOfTheWorker) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  for (int i = 0; i < 5; ++i) {
    Pass(absl::Seconds(50));
    Call("w", {.held = tokens, .poll_id = static_cast<std::uint64_t>(i)});
  }
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
}

TEST_F(SchedulerTest, ALateTickExtendsAllLeases) {
  Submit("s");
  Call("w", {});
  Pass(absl::Seconds(50));
  clock_.Advance(absl::Minutes(10));  // the process was frozen
  scheduler_->Tick();
  Settle();
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  Pass(absl::Seconds(9));
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  Pass(absl::Seconds(2));
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
}

TEST_F(SchedulerTest, AHolderThatReturnsBeforeARegrantKeepsItsTrial) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  ASSERT_EQ(Report(tokens[0], 1, 2), absl::OkStatus());
  Pass(absl::Seconds(70));
  ASSERT_EQ(Trial(1).state, TrialState::kPending);
  const auto back = Call("w", {.held = tokens});
  EXPECT_FALSE(back->Get().has_value()) << "it holds what it should";
  EXPECT_TRUE(IsHeld(Trial(1).state));
  EXPECT_EQ(Trial(1).attempt, 1);
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_EQ(Report(tokens[0], 3, 5), absl::OkStatus());
}

TEST_F(SchedulerTest, AReportAloneBringsALostTrialBack) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  Pass(absl::Seconds(70));
  ASSERT_EQ(Report(tokens[0], 1, 1), absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kRunning);
  EXPECT_THAT(Trials(Leases(Call("other", {}))), ElementsAre("s/2#1"));
  EXPECT_FALSE(Call("w", {.held = tokens})->Get().has_value());
}

TEST_F(SchedulerTest, ALossCanBeFinal) {
  Submit("s", "max_failures: 1\n");
  Call("w", {});
  Pass(absl::Seconds(70));
  EXPECT_EQ(Trial(1).state, TrialState::kFailed);
  EXPECT_THAT(Trials(Leases(Call("w", {}))), ElementsAre("s/2#1"));
}

// ---- Cancelling

TEST_F(SchedulerTest, CancellingATrialWakesItsHolder) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  const auto parked = Call("w", {.held = tokens});
  ASSERT_FALSE(parked->Get().has_value());
  EXPECT_EQ(Cancel("s", 1), absl::OkStatus());
  EXPECT_THAT(Trials(Leases(parked)), testing::Not(testing::Contains("s/1#1")));
  EXPECT_EQ(Report(tokens[0], 1, 1).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SchedulerTest, CancellingASweepWakesItsHoldersAndGrantsNoMore) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {.slots = 2}));
  const auto parked = Call("w", {.held = tokens, .slots = 2});
  ASSERT_FALSE(parked->Get().has_value());
  EXPECT_EQ(CancelSweep("s"), absl::OkStatus());
  EXPECT_THAT(Leases(parked), IsEmpty());
  EXPECT_EQ(Sweep().counts.cancelled, 4);
  EXPECT_FALSE(Call("w", {.slots = 2})->Get().has_value());
  EXPECT_EQ(Report(tokens[0], 1, 1).code(), absl::StatusCode::kFailedPrecondition);
}

// ---- Restart

TEST_F(SchedulerTest, ARestartKeepsLeasesAndPendingTrialsAndTheBudget) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {.slots = 2}));
  ASSERT_EQ(Report(tokens[0], 1, 1), absl::OkStatus());
  Start();
  Settle();
  const auto back = Call("w", {.held = tokens, .slots = 2});
  EXPECT_FALSE(back->Get().has_value()) << "it holds what it should";
  const auto other = Leases(Call("other", {.slots = 9}));
  EXPECT_THAT(Trials(other), UnorderedElementsAre("s/3#1", "s/4#1"));
  EXPECT_EQ(Report(tokens[0], 2, 5), absl::OkStatus());
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kCompleted), absl::OkStatus());
  Train(tokens[1]);
  for (const LeaseOffer& lease : other) Train(lease.token);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.total(), 4);
}

TEST_F(SchedulerTest, AfterARestartEveryLeaseHasAFullTerm) {
  Submit("s");
  Call("w", {});
  Pass(absl::Seconds(50));
  Start();
  Pass(absl::Seconds(59));
  EXPECT_EQ(Trial(1).state, TrialState::kLeased);
  Pass(absl::Seconds(2));
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_THAT(scheduler_->insight().Workers(), IsEmpty()) << "nobody has called since";
}

TEST_F(SchedulerTest, ALostTrialIsRevivedEvenAfterARestart) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  Pass(absl::Seconds(70));
  Start();
  Settle();
  EXPECT_FALSE(Call("w", {.held = tokens})->Get().has_value());
  // It can be told again, so its specification is known.
  const auto again = Leases(Call("w", {}));
  EXPECT_THAT(Trials(again), ElementsAre("s/1#1"));
  EXPECT_EQ(TrialSpecFromJson(*again[0].spec_json).trial, "s/1");
}

TEST_F(SchedulerTest, WhatADeadCoordinatorsOwnWorkerHeldIsFreeAtOnce) {
  embedded_worker_ = "own";
  Start();
  Submit("s");
  const auto own = Tokens(Call("own", {.slots = 2}));
  ASSERT_EQ(own.size(), 2u);
  ASSERT_EQ(Report(own[0], 1, 2), absl::OkStatus());
  const auto remote = Tokens(Call("remote", {}));
  ASSERT_EQ(remote.size(), 1u);
  embedded_worker_ = "";
  Start();  // in another process, as far as the store can tell
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).failures, 0);
  const auto attempts = Must(store_->Read(SelectAttempts, "s", 1));
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].outcome, "given_back");
  EXPECT_EQ(attempts[0].reason, "the process that trained it has ended");
  EXPECT_EQ(Trial(2).state, TrialState::kPending);
  EXPECT_EQ(Trial(3).state, TrialState::kLeased) << "its worker may live";
  EXPECT_THAT(Trials(Leases(Call("new", {.slots = 2}))), UnorderedElementsAre("s/1#2", "s/2#2"));
  Start();
  EXPECT_EQ(Trial(1).state, TrialState::kLeased) << "a worker of another process holds it now";
}

TEST_F(SchedulerTest, ASilentHolderIsWaitedForUntilItsTermEnds) {
  Submit("s");
  Call("w", {});
  Start();
  clock_.Advance(absl::Seconds(20));
  const TrialSituation situation = scheduler_->insight().Situation(Trial(1));
  EXPECT_EQ(situation.waits_for_holder, absl::Seconds(40));
  EXPECT_THAT(Explain(situation).reasons,
              testing::Contains("worker w has not been heard from since the coordinator started; "
                                "it is waited for 40 s more"));
}

// ---- What others see

TEST_F(SchedulerTest, ListenersHearOfCommittedEvents) {
  Submit("s");
  std::atomic<int> heard{0};
  const auto subscription = scheduler_->events().Subscribe(
      Sweep().id, [&](EventBus::Signal signal) { heard += signal == EventBus::Signal::kEvents; });
  const auto tokens = Tokens(Call("w", {}));
  EXPECT_EQ(heard, 1);
  ASSERT_EQ(Report(tokens[0], 1, 1), absl::OkStatus());
  EXPECT_EQ(heard, 2);
  ASSERT_EQ(Finish(tokens[0], LeaseOutcome::kFailed), absl::OkStatus());
  EXPECT_EQ(heard, 3);
  scheduler_->events().Unsubscribe(subscription);
  ASSERT_EQ(CancelSweep("s"), absl::OkStatus());
  EXPECT_EQ(heard, 3);
}

TEST_F(SchedulerTest, ProgressIsThatOfHoldersAndGoesWithTheLease) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  Call("other", {.slots = 3});
  int signals = 0;
  scheduler_->events().Subscribe(Sweep().id, [&](EventBus::Signal signal) {
    signals += signal == EventBus::Signal::kProgress;
  });
  const TrialProgress progress{
      .sweep = "s", .number = 1, .message = {.epoch = 1, .step = 3, .images_per_second = 50}};
  scheduler_->leases().ReportProgress("other", {progress});
  EXPECT_THAT(scheduler_->insight().Progress("s"), IsEmpty());
  scheduler_->leases().ReportProgress("w", {progress});
  ASSERT_EQ(scheduler_->insight().Progress("s").size(), 1u);
  EXPECT_EQ(scheduler_->insight().Progress("s")[0].message.step, 3);
  Pass(absl::Seconds(1));
  EXPECT_EQ(signals, 1);
  const auto workers = scheduler_->insight().Workers();
  ASSERT_EQ(workers.size(), 2u);
  EXPECT_EQ(workers[1].name, "w");
  EXPECT_EQ(workers[1].images_per_second, 50);
  EXPECT_THAT(workers[1].trials, ElementsAre("s/1"));
  ASSERT_EQ(Finish(tokens[0], LeaseOutcome::kGivenBack), absl::OkStatus());
  EXPECT_THAT(scheduler_->insight().Progress("s"), IsEmpty());
}

TEST_F(SchedulerTest, StoppingAnswersParkedCallsAndRefusesNewOnes) {
  const auto parked = Call("w", {});
  scheduler_->StopServing();
  EXPECT_TRUE(absl::IsUnavailable(Refusal(parked)));
  EXPECT_TRUE(absl::IsUnavailable(Refusal(Call("v", {}))));
  scheduler_->Shutdown();
  scheduler_->Shutdown();
}

TEST_F(SchedulerTest, ItsThreadsDoTheSameByThemselves) {
  scheduler_ = Must(Scheduler::Start({.store = store_.get(),
                                      .specs = specs_.get(),
                                      .lease_term = absl::Seconds(3),
                                      .poll_time = absl::Milliseconds(50)}));
  const SweepSource source = TestSource("s");
  scheduler_->sweeps().Submit(std::make_shared<const SweepSpec>(TestSpec("s")), source, {},
                              [](const auto& result) { EXPECT_TRUE(result.ok()); });
  // The search thread makes the trials; without it the call would end after the poll time, empty.
  std::size_t granted = 0;
  for (int i = 0; i < 200 && granted == 0; ++i) {
    Mutex mutex;
    CondVar answered;
    bool done = false;
    scheduler_->leases().Synchronize(
        {.session = "w", .worker = "w", .protocol = kWorkerProtocolVersion},
        [&](const auto& answer) {
          MutexLock lock(&mutex);
          granted = answer.ok() ? answer->leases.size() : 0;
          done = true;
          answered.NotifyAll();
        });
    MutexLock lock(&mutex);
    while (!done) answered.Wait(&mutex);
  }
  EXPECT_EQ(granted, 1u);
}

}  // namespace
}  // namespace sweep
