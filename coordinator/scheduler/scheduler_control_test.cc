// What people decide about sweeps and workers that are there, as workers and the store see it.

#include <future>
#include <map>

#include "common/yaml/testing/yaml_loads.h"
#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// "s/1" for every lease that is to be given back.
std::vector<std::string> CalledBack(const std::vector<LeaseOffer>& leases) {
  std::vector<std::string> names;
  for (const LeaseOffer& lease : leases) {
    if (lease.give_back)
      names.push_back(fmt::format("{}/{}", lease.token.sweep, lease.token.number));
  }
  return names;
}

// ---- Pausing

TEST_F(SchedulerTest, APausedSweepGetsNoNewLeasesAndWhatRunsGoesOn) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  const auto parked = Call("w", {.held = tokens, .slots = 2});
  // The second slot takes s/2 at once, so only then nothing is to be done.
  const auto both = Tokens(parked);
  ASSERT_EQ(both.size(), 2u);
  const auto again = Call("w", {.held = both, .slots = 3, .poll_id = 3});
  ASSERT_EQ(Leases(again).size(), 3u);
  const SweepRow paused = Must(Pause());
  EXPECT_EQ(paused.state, SweepState::kPaused);
  EXPECT_FALSE(paused.give_back);
  const auto held = Tokens(again);
  const auto quiet = Call("w", {.held = held, .slots = 9, .poll_id = 4});
  EXPECT_FALSE(quiet->Get().has_value()) << "neither is anything granted nor called back";
  EXPECT_EQ(Report(tokens[0], 1, 5), absl::OkStatus());
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kCompleted), absl::OkStatus());
  EXPECT_EQ(Trial(4).state, TrialState::kPending);

  const auto idle = Call("w", {.held = {held[1], held[2]}, .slots = 9, .poll_id = 5});
  EXPECT_FALSE(idle->Get().has_value());
  EXPECT_EQ(Must(Resume()).state, SweepState::kActive);
  EXPECT_EQ(Leases(idle).size(), 3u);
}

TEST_F(SchedulerTest, PausingNowCallsBackWhatRunsAtOnceAndOnlyOnce) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {.slots = 2}));
  const auto parked = Call("w", {.held = tokens, .slots = 2});
  ASSERT_FALSE(parked->Get().has_value());
  EXPECT_TRUE(Must(Pause(/*now=*/true)).give_back);
  EXPECT_THAT(CalledBack(Leases(parked)), UnorderedElementsAre("s/1", "s/2"));
  // It still holds them while it writes its checkpoints, and is not asked in a loop.
  const auto waiting = Call("w", {.held = tokens, .slots = 2});
  EXPECT_FALSE(waiting->Get().has_value());
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kGivenBack), absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_THAT(Trials(Leases(waiting)), ElementsAre("s/2#1"));
  EXPECT_THAT(CalledBack(Leases(waiting)), ElementsAre("s/2"));
  EXPECT_EQ(Finish(tokens[1], LeaseOutcome::kGivenBack), absl::OkStatus());
  EXPECT_FALSE(Call("w", {.slots = 2})->Get().has_value()) << "paused: nothing is granted";

  const auto idle = Call("w", {.slots = 2});
  ASSERT_TRUE(Resume().ok());
  EXPECT_THAT(Trials(Leases(idle)), UnorderedElementsAre("s/1#2", "s/2#2"));
  EXPECT_THAT(CalledBack(Leases(idle)), IsEmpty());
}

TEST_F(SchedulerTest, APausedSweepCanBePausedNowAndThenStaysSo) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  ASSERT_TRUE(Pause().ok());
  const auto parked = Call("w", {.held = tokens});
  ASSERT_FALSE(parked->Get().has_value());
  ASSERT_TRUE(Pause(/*now=*/true).ok());
  EXPECT_THAT(CalledBack(Leases(parked)), ElementsAre("s/1"));
  EXPECT_TRUE(Must(Pause(/*now=*/false)).give_back);
}

TEST_F(SchedulerTest, ResumingTellsAWorkerThatItMayKeepWhatItHolds) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  ASSERT_TRUE(Pause(/*now=*/true).ok());
  ASSERT_THAT(CalledBack(Leases(Call("w", {.held = tokens}))), ElementsAre("s/1"));
  const auto parked = Call("w", {.held = tokens});
  ASSERT_TRUE(Resume().ok());
  EXPECT_THAT(Trials(Leases(parked)), ElementsAre("s/1#1"));
  EXPECT_THAT(CalledBack(Leases(parked)), IsEmpty());
}

TEST_F(SchedulerTest, WhatPausingNowAskedForSurvivesARestart) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  ASSERT_TRUE(Pause(/*now=*/true).ok());
  Start();
  Settle();
  const auto answer = Call("w", {.held = tokens});
  EXPECT_THAT(CalledBack(Leases(answer)), ElementsAre("s/1"));
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kGivenBack), absl::OkStatus());
  EXPECT_FALSE(Call("w", {})->Get().has_value());
}

TEST_F(SchedulerTest, TheLastTrialOfAPausedSweepCompletesIt) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {.slots = 4}));
  ASSERT_EQ(tokens.size(), 4u);
  ASSERT_TRUE(Pause().ok());
  for (const LeaseToken& token : tokens) Train(token);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_TRUE(absl::IsFailedPrecondition(Pause().status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Resume().status()));
}

TEST_F(SchedulerTest, NoConfigurationsAreMadeWhilePaused) {
  const std::string random = "method: random\nrun_cap: 200\n";
  SweepSource source = TestSource("s");
  source.text.replace(source.text.find("method: grid\n"), 13, random);
  source.text.replace(source.text.find("{values: [0.01, 0.02, 0.03, 0.04]}"), 34,
                      "{min: 0.01, max: 0.1}");
  Diagnostics diagnostics;
  auto spec = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
  scheduler_->sweeps().Submit(spec, source, {},
                              [](const auto& result) { EXPECT_TRUE(result.ok()); });
  Settle();
  const std::int64_t made = Sweep().configurations;
  ASSERT_GT(made, 0);
  ASSERT_TRUE(Pause().ok());
  Call("w", {.slots = 100});  // would be a reason to make more
  EXPECT_EQ(Sweep().configurations, made);
  ASSERT_TRUE(Resume().ok());
  EXPECT_GT(Sweep().configurations, made);
}

TEST_F(SchedulerTest, AGrantThatMeetsAPauseIsMadeAfterResuming) {
  Submit("s");
  // The store is busy, so that the pause is decided, then the grants, and both are written after.
  std::promise<void> writer_is_free;
  store_->Write(
      [&](WriteTransaction&) {
        writer_is_free.get_future().wait();
        return absl::OkStatus();
      },
      [](const absl::Status&) {});
  auto paused = std::make_shared<Result<absl::Status>>();
  scheduler_->sweeps().PauseSweep("s", false, "",
                                  [paused](const auto& r) { paused->Set(r.status()); });
  auto answer = std::make_shared<Answer>();
  scheduler_->leases().Synchronize({.session = "w",
                                    .worker = "w",
                                    .description = {.slots = 4},
                                    .protocol = kWorkerProtocolVersion},
                                   [answer](const auto& result) { answer->Set(result); });
  writer_is_free.set_value();
  Settle();
  ASSERT_EQ(paused->Get(), absl::OkStatus());
  EXPECT_EQ(Sweep().counts.pending, 4) << "no grant has passed the pause";
  EXPECT_FALSE(answer->Get().has_value());
  ASSERT_TRUE(Resume().ok());
  EXPECT_EQ(Leases(answer).size(), 4u);
}

TEST_F(SchedulerTest, ARepeatedRequestChangesNothing) {
  Submit("s");
  ASSERT_TRUE(Pause(/*now=*/false, "p1").ok());
  ASSERT_TRUE(Resume("r1").ok());
  EXPECT_EQ(Must(Pause(/*now=*/false, "p1")).state, SweepState::kActive) << "came late";
  EXPECT_EQ(Must(Pause(/*now=*/false, "p2")).state, SweepState::kPaused);
  EXPECT_EQ(Must(Resume("r1")).state, SweepState::kPaused);
  Start();
  EXPECT_EQ(Must(Resume("r1")).state, SweepState::kPaused) << "remembered over a restart";
  EXPECT_TRUE(absl::IsNotFound(Pause(false, "p", "none").status()));
}

// ---- Retrying

TEST_F(SchedulerTest, FailedTrialsOfACompletedSweepAreTriedAgain) {
  const std::string extra = "max_failures: 1\n";
  Submit("s", extra);
  auto tokens = Tokens(Call("w", {.slots = 4}));
  ASSERT_EQ(Report(tokens[0], 1, 2), absl::OkStatus());
  ASSERT_EQ(Finish(tokens[0], LeaseOutcome::kFailed, "no memory"), absl::OkStatus());
  for (int i = 1; i < 4; ++i) Train(tokens[static_cast<std::size_t>(i)]);
  ASSERT_EQ(Sweep().state, SweepState::kCompleted);

  const RetriedSweep retried = Must(Retry({.failed = true}, extra));
  EXPECT_EQ(retried.count, 1);
  EXPECT_EQ(retried.sweep.state, SweepState::kActive);
  EXPECT_FALSE(retried.sweep.ended.has_value());
  EXPECT_EQ(retried.sweep.counts.pending, 1);
  EXPECT_EQ(retried.sweep.counts.failed, 0);
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_EQ(Trial(1).reason, "");
  EXPECT_FALSE(Trial(1).ended.has_value());
  EXPECT_EQ(Trial(1).result.epoch, 2) << "what was measured stays";

  EXPECT_TRUE(absl::IsFailedPrecondition(Report(tokens[0], 3, 3))) << "the old attempt is over";
  const auto again = Leases(Call("w", {.held = {tokens[0]}, .slots = 4}));
  EXPECT_THAT(Trials(again), ElementsAre("s/1#2"));
  Train(again[0].token);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.completed, 4);
  EXPECT_EQ(Must(Retry({.failed = true}, extra)).count, 0);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted) << "there was nothing to retry";
}

TEST_F(SchedulerTest, AHolderThatWasLostForGoodCannotReviveARetriedTrial) {
  const std::string extra = "max_failures: 1\n";
  Submit("s", extra);
  const auto tokens = Tokens(Call("w", {}));
  Pass(absl::Seconds(70));
  ASSERT_EQ(Trial(1).state, TrialState::kFailed);
  ASSERT_TRUE(RetryTrial(1, "", extra).ok());
  LeaseToken blank = tokens[0];
  blank.secret = "";
  EXPECT_TRUE(absl::IsFailedPrecondition(Report(tokens[0], 1, 1)));
  EXPECT_TRUE(absl::IsFailedPrecondition(Report(blank, 1, 1)));
  EXPECT_THAT(Trials(Leases(Call("w", {.held = tokens, .draining = true}))), IsEmpty());
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_THAT(Trials(Leases(Call("v", {}))), ElementsAre("s/1#2"));
}

TEST_F(SchedulerTest, ARetriedTrialGoesOnFromItsCheckpoint) {
  Submit("s");
  const std::string blob(64, 'a');
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& t) { return t.AddBlob(blob, 5); }),
            absl::OkStatus());
  const auto tokens = Tokens(Call("w", {}));
  auto stored = std::make_shared<Result<absl::Status>>();
  scheduler_->reports().ReportEpochs(tokens[0], TestEpochs(1, 3, 0.9), blob, 3,
                                     [stored](const absl::Status& status) { stored->Set(status); });
  Settle();
  ASSERT_EQ(stored->Get(), absl::OkStatus());
  ASSERT_EQ(Cancel("s", 1), absl::OkStatus());
  EXPECT_EQ(Must(RetryTrial(1)).state, TrialState::kPending);
  const auto offer = Leases(Call("v", {}));
  ASSERT_THAT(Trials(offer), ElementsAre("s/1#2"));
  EXPECT_EQ(offer[0].checkpoint_sha256, blob);
  EXPECT_EQ(offer[0].checkpoint_epoch, 3);
}

TEST_F(SchedulerTest, ACancelledSweepGoesOnWhereItWas) {
  const std::string replicates = "replicates: 30\n";
  Submit("s", replicates);  // 120 trials, of which the search has not made all
  const auto tokens = Tokens(Call("w", {}));
  Train(tokens[0]);
  const std::int64_t made = Sweep().configurations;
  ASSERT_LT(made, 4);
  ASSERT_EQ(CancelSweep("s"), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(Retry({.failed = true}, replicates).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Retry({}, replicates).status()));
  const RetriedSweep retried = Must(Retry({.cancelled = true}, replicates));
  EXPECT_EQ(retried.count, made * 30 - 1);
  EXPECT_EQ(retried.sweep.state, SweepState::kActive);
  for (int i = 0; i < 119; ++i) {
    const auto next = Tokens(Call("w", {}));
    ASSERT_EQ(next.size(), 1u);
    Train(next[0]);
  }
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.completed, 120);
  EXPECT_EQ(Sweep().counts.total(), 120);
}

TEST_F(SchedulerTest, OneRetriedTrialTakesItsEndedSweepUpAgain) {
  Submit("s");
  ASSERT_EQ(Cancel("s", 3), absl::OkStatus());
  for (int i = 0; i < 3; ++i) Train(Tokens(Call("w", {}))[0]);
  ASSERT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_TRUE(absl::IsFailedPrecondition(RetryTrial(1).status())) << "it has completed";
  EXPECT_EQ(Must(RetryTrial(3, "x")).state, TrialState::kPending);
  EXPECT_EQ(Must(RetryTrial(3, "x")).state, TrialState::kPending) << "the same request";
  EXPECT_TRUE(absl::IsFailedPrecondition(RetryTrial(3, "y").status())) << "another request";
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  Train(Tokens(Call("w", {}))[0]);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_TRUE(absl::IsNotFound(RetryTrial(9).status()));
}

TEST_F(SchedulerTest, ATrialOfAPausedSweepWaitsAfterItsRetry) {
  Submit("s");
  ASSERT_EQ(Cancel("s", 1), absl::OkStatus());
  ASSERT_TRUE(Pause().ok());
  ASSERT_TRUE(RetryTrial(1).ok());
  EXPECT_EQ(Sweep().state, SweepState::kPaused);
  EXPECT_FALSE(Call("w", {})->Get().has_value());
}

TEST_F(SchedulerTest, ARepeatedCancellationDoesNotUndoARetry) {
  Submit("s");
  ASSERT_EQ(Cancel("s", 1, "t"), absl::OkStatus());
  ASSERT_TRUE(RetryTrial(1).ok());
  EXPECT_EQ(Cancel("s", 1, "t"), absl::OkStatus());
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  ASSERT_EQ(CancelSweep("s", "s"), absl::OkStatus());
  EXPECT_EQ(Cancel("s", 1), absl::OkStatus()) << "it is cancelled already";
  ASSERT_TRUE(Retry({.cancelled = true}).ok());
  EXPECT_EQ(CancelSweep("s", "s"), absl::OkStatus());
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  EXPECT_EQ(Leases(Call("w", {.slots = 4})).size(), 4u);
}

// ---- Draining

// The file of a large search space takes seconds to parse.
TEST_F(SchedulerTest, CancellingParsesNoFileOnTheThreadThatWrites) {
  for (const std::string name : {"s", "t"}) {
    SweepSource source = TestSource(name);
    source.text = "what cannot be parsed";
    scheduler_->sweeps().Submit(std::make_shared<const SweepSpec>(TestSpec(name)), source, {},
                                [](auto) {});
    Settle();
    const std::vector<LeaseToken> tokens = Tokens(Call("w" + name, {.slots = 1, .no_wait = true}));
    ASSERT_EQ(tokens.size(), 1u);
    ASSERT_EQ(tokens[0].sweep, name);
    ASSERT_EQ(Report(tokens[0], 1, 1), absl::OkStatus());
  }
  const YamlLoads loads;
  EXPECT_EQ(Cancel("s", 1), absl::OkStatus());
  EXPECT_EQ(CancelSweep("t"), absl::OkStatus());
  EXPECT_TRUE(loads.threads().empty());
}

TEST_F(SchedulerTest, AWorkerIsToldToDrainAtOnceAndGetsNothingNew) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  const auto parked = Call("w", {.held = tokens});
  const WorkerInfo info = Must(scheduler_->leases().DrainWorker("w"));
  EXPECT_TRUE(info.draining);
  EXPECT_THAT(info.trials, ElementsAre("s/1"));
  Settle();
  EXPECT_THAT(Trials(Leases(parked)), ElementsAre("s/1#1"));
  EXPECT_TRUE((*parked->Get())->drain);
  // While it writes its checkpoint it is not told again and again.
  const auto waiting = Call("w", {.held = tokens, .slots = 2});
  EXPECT_FALSE(waiting->Get().has_value());
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kGivenBack), absl::OkStatus());
  EXPECT_TRUE((*waiting->Get())->drain);
  EXPECT_THAT(Leases(waiting), IsEmpty());
  EXPECT_EQ(Trial(1).failures, 0);
  EXPECT_TRUE(scheduler_->insight().Workers().at(0).draining);
  // Its name is free, and a new process under it is not drained.
  EXPECT_EQ(Leases(Call("w", {.session = "new"})).size(), 1u);
  EXPECT_FALSE(scheduler_->insight().Workers().at(0).draining);
}

TEST_F(SchedulerTest, ADrainedWorkerIsGoneAsSoonAsItHoldsNothing) {
  Submit("s");
  const auto tokens = Tokens(Call("w", {}));
  Call("w", {.held = tokens, .draining = true, .no_wait = true});
  EXPECT_TRUE(scheduler_->insight().Workers().at(0).connected) << "it holds a trial";
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kGivenBack), absl::OkStatus());
  Call("w", {.draining = true, .no_wait = true});
  EXPECT_FALSE(scheduler_->insight().Workers().at(0).connected);
}

TEST_F(SchedulerTest, OnlyAConnectedWorkerCanBeDrained) {
  EXPECT_TRUE(absl::IsNotFound(scheduler_->leases().DrainWorker("w").status()));
  Call("w", {});
  EXPECT_TRUE(scheduler_->leases().DrainWorker("w").ok());
  EXPECT_TRUE(scheduler_->leases().DrainWorker("w").ok()) << "again is harmless";
  Pass(absl::Seconds(70));
  const absl::Status gone = scheduler_->leases().DrainWorker("w").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(gone));
  EXPECT_THAT(std::string(gone.message()), HasSubstr("'w' is not connected"));
}

// ---- Explaining

TEST_F(SchedulerTest, TrialsAheadAreThoseThatAreGrantedBefore) {
  for (const char* name : {"a", "b", "c"}) Submit(name);
  ASSERT_EQ(Cancel("b", 2), absl::OkStatus());
  ASSERT_EQ(Cancel("b", 3), absl::OkStatus());
  ASSERT_THAT(Trials(Leases(Call("w0", {}))), ElementsAre("a/1#1"));
  std::map<std::string, std::int64_t> ahead;
  for (const char* name : {"a", "b", "c"}) {
    for (const TrialRow& trial :
         Must(store_->Read(SelectTrials, {.sweep = name, .state = TrialState::kPending}))) {
      ahead[trial.short_name() + "#1"] =
          Explain(scheduler_->insight().Situation(trial)).trials_ahead;
    }
  }
  ASSERT_EQ(ahead.size(), 9u);
  for (std::int64_t i = 0; i < 9; ++i) {
    const auto granted = Trials(Leases(Call(fmt::format("w{}", i + 1), {})));
    ASSERT_EQ(granted.size(), 1u);
    EXPECT_EQ(ahead[granted[0]], i) << granted[0];
  }
}

TEST_F(SchedulerTest, ASituationIsThatOfItsWorkersAndItsHolder) {
  Submit("s");
  EXPECT_EQ(scheduler_->insight().Situation(Trial(1)).workers, 0);
  const auto tokens = Tokens(Call("w", {.slots = 2}));
  Call("other", {.draining = true});
  clock_.Advance(absl::Seconds(5));
  const TrialSituation waits = scheduler_->insight().Situation(Trial(4));
  EXPECT_EQ(waits.workers, 2);
  EXPECT_EQ(waits.draining, 1);
  EXPECT_EQ(waits.slots, 2);
  EXPECT_EQ(waits.busy, 2);
  EXPECT_EQ(waits.busy_with, (std::map<std::string, std::int64_t>{{"s", 2}}));
  EXPECT_EQ(waits.ahead_in_sweep, 1);
  const TrialSituation held = scheduler_->insight().Situation(Trial(1));
  EXPECT_TRUE(held.holder_is_connected);
  EXPECT_EQ(held.now - *held.holder_last_seen, absl::Seconds(5));
  ASSERT_TRUE(Pause(/*now=*/true).ok());
  EXPECT_TRUE(scheduler_->insight().Situation(Trial(1)).give_back);
  EXPECT_EQ(scheduler_->insight().Situation(Trial(1)).sweep_state, SweepState::kPaused);
  Start();
  EXPECT_FALSE(scheduler_->insight().Situation(Trial(1)).holder_last_seen.has_value());
}

}  // namespace
}  // namespace sweep
