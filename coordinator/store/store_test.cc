// The contract of Store: sweeps, leases, the ranking, threads.
#include <atomic>
#include <future>
#include <limits>
#include <thread>

#include "common/base/sha256.h"
#include "coordinator/store/testing/store_test_fixture.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Contract, StoreTest, testing::Values(StoreKind::kMemory, StoreKind::kFile),
                         [](const auto& info) {
                           return info.param == StoreKind::kMemory ? "Memory" : "File";
                         });

// --- sweeps ---

TEST_P(StoreTest, ASweepIsReadAsItWasWritten) {
  const std::string extra = "labels: {team: vision}\n";
  const SweepSpec spec = TestSpec("s", extra);
  SweepSource source = TestSource("s", extra);
  source.network_files = {{"mine.yaml", "layers: []"}, {"other.yaml", "x"}};
  bool created = false;
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    return transaction.CreateSweep(spec, source, "ada", &created).status();
                  })
                  .ok());
  EXPECT_TRUE(created);
  const SweepRow sweep = Sweep();
  EXPECT_EQ(sweep.name, "s");
  EXPECT_EQ(sweep.state, SweepState::kActive);
  EXPECT_EQ(sweep.source.file, "s.yaml");
  EXPECT_EQ(sweep.source.text, source.text);
  EXPECT_EQ(sweep.source.network_files, source.network_files);
  EXPECT_EQ(sweep.digest, spec.digest);
  EXPECT_EQ(sweep.principal, "ada");
  EXPECT_EQ(sweep.labels, spec.labels);
  EXPECT_EQ(sweep.labels.at("team"), "vision");
  EXPECT_EQ(sweep.created, clock_.Now());
  EXPECT_EQ(sweep.planned_configurations, 4);
  EXPECT_EQ(sweep.counts.total(), 0);
  EXPECT_FALSE(sweep.ended.has_value());
  EXPECT_EQ(store_->Read(FindSweepById, sweep.id)->name, "s");
}

TEST_P(StoreTest, TheSameSweepAgainIsTheSameAndAnotherUnderItsNameIsRefused) {
  MakeSweep(1);
  bool created = true;
  SweepRow again;
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    auto row = transaction.CreateSweep(spec_, TestSource("s"), "bob", &created);
                    again = *row;
                    return row.status();
                  })
                  .ok());
  EXPECT_FALSE(created);
  EXPECT_EQ(again.id, sweep_.id);
  EXPECT_EQ(again.principal, "tester");
  EXPECT_EQ(again.configurations, 1);

  const SweepSpec other = TestSpec("s", "seed: 99\n");
  const absl::Status status = store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.CreateSweep(other, TestSource("s", "seed: 99\n"), "", &created).status();
  });
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(Message(status), HasSubstr("sweep 's'"));
}

TEST_P(StoreTest, SweepsAreListedNewestFirstInPages) {
  for (const char* name : {"a", "b", "c"}) driver_->Create(TestSpec(name));
  const auto first = *store_->Read(SelectSweeps, 0, 2, /*archived=*/false);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].name, "c");
  EXPECT_EQ(first[1].name, "b");
  EXPECT_EQ(first[0].source.text, "");
  const auto second = *store_->Read(SelectSweeps, first[1].id, 2, /*archived=*/false);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].name, "a");
}

TEST_P(StoreTest, WhatDoesNotExistIsNamed) {
  MakeSweep(1);
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindSweep, "nope").status()));
  EXPECT_THAT(Message(store_->Read(FindSweep, "nope").status()), HasSubstr("'nope'"));
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindTrial, "nope", 1).status()));
  EXPECT_THAT(Message(store_->Read(FindTrial, "s", 7).status()), HasSubstr("s/7"));
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindTrialById, 99).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Read(SelectTrials, {.sweep = "nope"}).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Read(SelectEpochs, "s", 7, 0, 10).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Read(SelectRanking, "nope", 0, 10).status()));
  EXPECT_EQ(*store_->Read(FindBlobSize, std::string(64, 'a')), std::nullopt);
}

// --- configurations and budget ---

TEST_P(StoreTest, AConfigurationMakesOneTrialPerReplicate) {
  MakeSweep(2, "replicates: 3\n");
  ASSERT_EQ(trials_.size(), 6u);
  const TrialRow trial = *store_->Read(FindTrial, "s", 5);
  EXPECT_EQ(trial.number, 5);
  EXPECT_EQ(trial.configuration, 2);
  EXPECT_EQ(trial.replicate, 1);
  EXPECT_EQ(trial.state, TrialState::kPending);
  EXPECT_EQ(trial.parameters, (ParameterMap{{"lr", 0.02}}));
  EXPECT_EQ(trial.model, "cnn-18718");
  EXPECT_EQ(trial.network_parameters, 18718);
  EXPECT_FALSE(trial.fully_connected);
  EXPECT_EQ(trial.epochs, 5);
  EXPECT_EQ(trial.attempt, 0);
  EXPECT_EQ(trial.created, clock_.Now());
  EXPECT_EQ(trial.seed, spec_.MakeTrialSpec(TestConfiguration(spec_, 2), 1).seed);
  // The seed depends on the replicate alone.
  EXPECT_EQ(trial.seed, store_->Read(FindTrial, "s", 2)->seed);
  EXPECT_NE(trial.seed, store_->Read(FindTrial, "s", 4)->seed);
  EXPECT_EQ(Sweep().configurations, 2);
  EXPECT_EQ(Sweep().counts.pending, 6);
  EXPECT_THAT(Events(), ElementsAre("sweep", "trial 1", "trial 2", "trial 3", "trial 4", "trial 5",
                                    "trial 6"));
}

TEST_P(StoreTest, AConfigurationKeepsHowItWasChosen) {
  MakeSweep(0);
  const auto add = [&](std::int64_t number, std::optional<SuggestionOrigin> origin) {
    ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
      return transaction
          .AddConfiguration(sweep_.id, spec_, TestConfiguration(spec_, number),
                            {.seen_sequence = 0,
                             .target_epoch = 0,
                             .origin = std::move(origin),
                             .asked_number = 0})
          .status();
    }),
              absl::OkStatus());
  };
  add(1, TestOrigin());
  add(2, SuggestionOrigin{.source = SuggestionSource::kStandIn, .method = "tpe"});
  add(3, std::nullopt);
  const SuggestionOrigin modelled = store_->Read(FindTrial, "s", 1)->origin().value();
  EXPECT_EQ(modelled.source, SuggestionSource::kModel);
  EXPECT_EQ(modelled.method, "gp");
  EXPECT_EQ(modelled.expected_improvement, 0.0125);
  EXPECT_EQ(modelled.seen_results, 57);
  EXPECT_EQ(SuggestionOriginText(modelled),
            "by gp, its model, after 57 results; expected improvement 0.0125");
  const SuggestionOrigin stands_in = store_->Read(FindTrial, "s", 2)->origin().value();
  EXPECT_EQ(stands_in.source, SuggestionSource::kStandIn);
  EXPECT_EQ(stands_in.expected_improvement, std::nullopt);
  EXPECT_EQ(SuggestionOriginText(stands_in),
            "by tpe, a start-up point because its model had not answered");
  EXPECT_EQ(store_->Read(FindTrial, "s", 3)->origin().has_value(), false);
}

TEST_P(StoreTest, TheBudgetCannotBeExceeded) {
  MakeSweep(4);
  const absl::Status status = store_->WriteAndWait([&](WriteTransaction& transaction) {
    Configuration configuration = TestConfiguration(spec_, 4);
    configuration.number = 5;
    return transaction.AddConfiguration(sweep_.id, spec_, configuration).status();
  });
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(Sweep().counts.total(), 4);
}

TEST_P(StoreTest, AConfigurationMustBeTheNext) {
  MakeSweep(1);
  for (const std::int64_t number : {1, 3}) {
    const absl::Status status = store_->WriteAndWait([&](WriteTransaction& transaction) {
      return transaction.AddConfiguration(sweep_.id, spec_, TestConfiguration(spec_, number))
          .status();
    });
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  }
  EXPECT_EQ(Sweep().configurations, 1);
}

// --- leases ---

TEST_P(StoreTest, AGrantIsANewAttempt) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  EXPECT_EQ(lease.trial.attempt, 1);
  EXPECT_EQ(lease.trial.state, TrialState::kLeased);
  const TrialRow trial = *store_->Read(FindTrial, "s", 1);
  EXPECT_EQ(trial.state, TrialState::kLeased);
  EXPECT_EQ(trial.worker, "a");
  EXPECT_EQ(trial.started, clock_.Now());
  EXPECT_EQ(Sweep().counts.running, 1);
  EXPECT_EQ(Sweep().counts.pending, 0);

  const auto held = *store_->Read(SelectHeldLeases);
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].secret, lease.secret);
  EXPECT_EQ(held[0].trial.number, 1);
  EXPECT_TRUE(store_->Read(SelectUnheldTrials, sweep_.id)->empty());

  const absl::Status twice = store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.Grant(trials_[0].id, "b", "s", false).status();
  });
  EXPECT_TRUE(absl::IsFailedPrecondition(twice));
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->attempt, 1);
}

TEST_P(StoreTest, EpochsAreReadAsTheyWereReported) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  EpochMetrics diverged = TestEpoch(2, 0.5);
  diverged.values.Set("train_loss", std::numeric_limits<double>::quiet_NaN());
  diverged.values.Set("validation_loss", std::numeric_limits<double>::infinity());
  diverged.values.Set("val/f1", 0.25);
  clock_.Advance(absl::Seconds(3));
  const auto recorded = driver_->Record(lease, spec_, {TestEpoch(1, 0.25), diverged});
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(recorded->state, TrialState::kRunning);
  EXPECT_EQ(recorded->result.epoch, 2);

  const auto epochs = *store_->Read(SelectEpochs, "s", 1, 0, 100);
  ASSERT_EQ(epochs.size(), 2u);
  EXPECT_EQ(epochs[0].metrics, TestEpoch(1, 0.25));
  EXPECT_EQ(epochs[0].attempt, 1);
  EXPECT_EQ(epochs[0].reported, clock_.Now());
  EXPECT_EQ(epochs[1].metrics, diverged) << "NaN, infinity and all";
  EXPECT_EQ(store_->Read(SelectEpochs, "s", 1, 1, 100)->size(), 1u);

  const TrialRow trial = *store_->Read(FindTrial, "s", 1);
  EXPECT_EQ(trial.result.epoch, 2);
  EXPECT_EQ(trial.result.Best({}), 0.5);
  EXPECT_TRUE(std::isnan(trial.result.Last("train_loss")));
  EXPECT_TRUE(std::isinf(trial.result.Last("loss")));
  EXPECT_EQ(trial.result.Last("val/f1"), 0.25);
  EXPECT_EQ(trial.result.best_epoch, 2);
  EXPECT_EQ(trial.result.Last("accuracy"), 0.5);
  EXPECT_EQ(trial.state, TrialState::kRunning);
}

TEST_P(StoreTest, ARepeatedReportChangesNothing) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 3, 0.5)).ok());
  const std::int64_t sequence = LastSequence();
  // Different numbers for a known epoch of the same attempt are ignored too.
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(2, 3, 0.7)).ok());
  const auto epochs = Must(store_->Read(SelectEpochs, "s", 1, 0, 100));
  ASSERT_EQ(epochs.size(), 3u);
  EXPECT_EQ(epochs[2].metrics, TestEpoch(3, 0.5));
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->result.Best({}), 0.5);
  EXPECT_EQ(LastSequence(), sequence);
}

TEST_P(StoreTest, ImpossibleReportsAreRefused) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  const auto refused = [&](std::vector<EpochMetrics> epochs) {
    return absl::IsInvalidArgument(driver_->Record(lease, spec_, epochs).status());
  };
  EXPECT_TRUE(refused({TestEpoch(0, 0.5)}));
  EXPECT_TRUE(refused({TestEpoch(2, 0.5), TestEpoch(1, 0.5)})) << "epochs rise";
  EXPECT_TRUE(refused({TestEpoch(1, 0.5), TestEpoch(1, 0.5)}));
  EXPECT_TRUE(refused(TestEpochs(1, 6, 0.5))) << "there are only 5";
  EXPECT_TRUE(refused({TestEpoch(1, 1.01)}));
  EXPECT_TRUE(refused({TestEpoch(1, std::numeric_limits<double>::infinity())}));
  EXPECT_TRUE(refused(std::vector<EpochMetrics>(17, TestEpoch(1, 0.5))));
  EpochMetrics endless = TestEpoch(1, 0.5);
  endless.values.Set("train_seconds", std::numeric_limits<double>::infinity());
  EXPECT_TRUE(refused({endless}));
  EXPECT_TRUE(refused({{.epoch = 1, .values = {{"val f1", 0.5}}}}));
  EpochMetrics many{.epoch = 1, .values = {}};
  for (int i = 0; i < 65; ++i) many.values.Set("m" + std::to_string(i), i);
  EXPECT_TRUE(refused({many}));
  EXPECT_EQ(StateOf(1), TrialState::kLeased);
  EXPECT_TRUE(store_->Read(SelectEpochs, "s", 1, 0, 100)->empty());
}

TEST_P(StoreTest, AnOldTokenIsRefusedAfterANewGrant) {
  MakeSweep(1);
  const LeaseRow old = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Lose(old, spec_).ok());
  const LeaseRow lease = driver_->Grant(trials_[0].id, "b");
  EXPECT_EQ(lease.trial.attempt, 2);
  EXPECT_NE(lease.secret, old.secret);
  const absl::Status report = driver_->Record(old, spec_, TestEpochs(1, 1, 0.5)).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(report));
  EXPECT_EQ(Message(report), "trial s/1: attempt 1 is over (attempt 2 was granted to worker b)");
  EXPECT_TRUE(
      absl::IsFailedPrecondition(driver_->Finish(old, spec_, LeaseOutcome::kFailed).status()));
  LeaseRow forged = lease;
  forged.secret = old.secret;
  EXPECT_TRUE(
      absl::IsFailedPrecondition(driver_->Record(forged, spec_, TestEpochs(1, 1, 0.5)).status()));
  forged = lease;
  forged.trial.attempt = 3;
  EXPECT_TRUE(
      absl::IsFailedPrecondition(driver_->Record(forged, spec_, TestEpochs(1, 1, 0.5)).status()));
  EXPECT_TRUE(store_->Read(SelectEpochs, "s", 1, 0, 100)->empty());
  EXPECT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 1, 0.5)).ok());
}

TEST_P(StoreTest, AHolderThatComesBackKeepsItsTrial) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 1, 0.5)).ok());
  ASSERT_TRUE(driver_->Lose(lease, spec_).ok());
  EXPECT_EQ(StateOf(1), TrialState::kPending);
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->failures, 1);
  EXPECT_EQ(store_->Read(SelectAttempts, "s", 1)->at(0).outcome, "lost");

  bool revived = false;
  const auto trial = driver_->Record(lease, spec_, TestEpochs(2, 2, 0.6), "", 0, &revived);
  ASSERT_TRUE(trial.ok()) << trial.status();
  EXPECT_TRUE(revived);
  EXPECT_EQ(trial->state, TrialState::kRunning);
  EXPECT_EQ(trial->failures, 0);
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->failures, 0);
  EXPECT_EQ(Sweep().counts.running, 1);
  const AttemptRow attempt = store_->Read(SelectAttempts, "s", 1)->at(0);
  EXPECT_EQ(attempt.outcome, "");
  EXPECT_FALSE(attempt.ended.has_value());
  revived = true;
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(3, 3, 0.6), "", 0, &revived).ok());
  EXPECT_FALSE(revived);
}

TEST_P(StoreTest, ReviveLeaseGivesALostLeaseBack) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Lose(lease, spec_).ok());
  for (int i = 0; i < 2; ++i) {  // again while it is held: harmless
    LeaseRow revived;
    ASSERT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      auto row = transaction.ReviveLease(StoreDriver::Token(lease), "a");
                      if (row.ok()) revived = *row;
                      return row.status();
                    })
                    .ok());
    EXPECT_EQ(revived.secret, lease.secret);
    EXPECT_EQ(revived.trial.state, TrialState::kLeased);
    EXPECT_EQ(revived.trial.attempt, 1);
    EXPECT_EQ(revived.trial.failures, 0);
  }
  EXPECT_EQ(StateOf(1), TrialState::kLeased);
}

TEST_P(StoreTest, WhatTheHolderGaveUpStaysGivenUp) {
  MakeSweep(2);
  const LeaseRow failed = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Finish(failed, spec_, LeaseOutcome::kFailed, "crash").ok());
  const LeaseRow returned = driver_->Grant(trials_[1].id, "a");
  ASSERT_TRUE(driver_->Finish(returned, spec_, LeaseOutcome::kGivenBack, "drain").ok());
  for (const LeaseRow& lease : {failed, returned}) {
    const absl::Status late = driver_->Record(lease, spec_, TestEpochs(1, 1, 0.5)).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(late)) << late;
    EXPECT_THAT(Message(late), HasSubstr("attempt 1 is over"));
  }
  EXPECT_EQ(StateOf(1), TrialState::kPending);
  EXPECT_EQ(StateOf(2), TrialState::kPending);
}

TEST_P(StoreTest, AResumedAttemptRepeatsEpochsAndOnlyTheFirstCount) {
  MakeSweep(1);
  const LeaseRow first = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Record(first, spec_, TestEpochs(1, 3, 0.5)).ok());
  ASSERT_TRUE(driver_->Lose(first, spec_).ok());
  const LeaseRow second = driver_->Grant(trials_[0].id, "b");
  EXPECT_EQ(second.trial.result.epoch, 3);
  const std::int64_t sequence = LastSequence();
  ASSERT_TRUE(driver_->Record(second, spec_, TestEpochs(2, 4, 0.8)).ok());

  const TrialRow trial = *store_->Read(FindTrial, "s", 1);
  EXPECT_EQ(trial.result.epoch, 4);
  EXPECT_EQ(trial.result.best_epoch, 4) << "the repeats of 2 and 3 count for nothing";
  EXPECT_EQ(store_->Read(SelectEpochs, "s", 1, 0, 100)->size(), 6u);
  EXPECT_THAT(Events(sequence), ElementsAre("epoch 1.4", "trial 1"));
}

// --- the end of a lease ---

TEST_P(StoreTest, ACompletedTrialEndsTheSweepOnceItIsExhausted) {
  MakeSweep(1);
  clock_.Advance(absl::Seconds(1));
  driver_->Train(trials_[0], spec_, 0.95);
  TrialRow trial = *store_->Read(FindTrial, "s", 1);
  EXPECT_EQ(trial.state, TrialState::kCompleted);
  EXPECT_EQ(trial.ended, clock_.Now());
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  EXPECT_EQ(Sweep().counts.completed, 1);
  ASSERT_TRUE(driver_->Exhaust(sweep_).ok());
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_TRUE(Sweep().exhausted);
  EXPECT_EQ(Sweep().ended, clock_.Now());
  EXPECT_EQ(Events().back(), "sweep");
  EXPECT_TRUE(store_->Read(SelectUnfinishedSweeps)->empty());
  const std::int64_t sequence = LastSequence();
  ASSERT_TRUE(driver_->Exhaust(sweep_).ok());
  EXPECT_EQ(LastSequence(), sequence) << "it ends only once";
}

TEST_P(StoreTest, TheLastTrialOfAnExhaustedSweepEndsIt) {
  MakeSweep(2);
  ASSERT_TRUE(driver_->Exhaust(sweep_).ok());
  driver_->Train(trials_[0], spec_, 0.95);
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  const LeaseRow lease = driver_->Grant(trials_[1].id, "a");
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kFailedForGood, "diverged").ok());
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  const absl::Status late = store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.AddConfiguration(sweep_.id, spec_, TestConfiguration(spec_, 3)).status();
  });
  EXPECT_TRUE(absl::IsFailedPrecondition(late));
}

TEST_P(StoreTest, ATrialsTimeIsThatOfItsAttempts) {
  MakeSweep(1);
  const LeaseRow first = driver_->Grant(trials_[0].id, "a");
  clock_.Advance(absl::Seconds(32));
  ASSERT_TRUE(driver_->Finish(first, spec_, LeaseOutcome::kGivenBack).ok());
  clock_.Advance(absl::Minutes(18));  // a pause
  const LeaseRow second = driver_->Grant(trials_[0].id, "b");
  EXPECT_EQ(second.trial.AttemptTime(clock_.Now()), absl::Seconds(32));
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->AttemptTime(clock_.Now()), absl::Seconds(42))
      << "it runs";
  ASSERT_TRUE(driver_->Record(second, spec_, TestEpochs(1, 5, 0.5)).ok());
  const auto ended = driver_->Finish(second, spec_, LeaseOutcome::kCompleted);
  ASSERT_TRUE(ended.ok());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(ended->AttemptTime(clock_.Now()), absl::Seconds(42));
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->AttemptTime(clock_.Now()), absl::Seconds(42));
}

TEST_P(StoreTest, ALostAttemptEndsWhereItsWorkerWasLastHeard) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  clock_.Advance(absl::Seconds(5));
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 1, 0.5)).ok());
  clock_.Advance(absl::Seconds(2));
  const absl::Time heard = clock_.Now();
  clock_.Advance(absl::Seconds(60));
  const auto lost = driver_->Lose(lease, spec_, "no heartbeat for 60 s", heard);
  ASSERT_TRUE(lost.ok());
  EXPECT_EQ(lost->AttemptTime(clock_.Now()), absl::Seconds(7));
  EXPECT_EQ(store_->Read(SelectAttempts, "s", 1)->at(0).ended, heard);
  bool revived = false;  // its holder had never lost it
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(2, 2, 0.5), "", 0, &revived).ok());
  EXPECT_TRUE(revived);
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->AttemptTime(clock_.Now()), absl::Seconds(67));
  // After a restart of the coordinator only the last report is known.
  ASSERT_TRUE(driver_->Lose(lease, spec_, "gone", absl::InfinitePast()).ok());
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->AttemptTime(clock_.Now()), absl::Seconds(67));
}

TEST_P(StoreTest, DivergenceIsAMarkOfItsOwn) {
  MakeSweep(2);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  const auto ended = driver_->Finish(lease, spec_, LeaseOutcome::kDiverged, "diverged: nan");
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->state, TrialState::kDiverged);
  EXPECT_EQ(StateOf(1), TrialState::kDiverged);
  const LeaseRow other = driver_->Grant(trials_[1].id, "a");
  ASSERT_TRUE(driver_->Finish(other, spec_, LeaseOutcome::kFailedForGood, "no data").ok());
  EXPECT_EQ(Sweep().counts.diverged, 1);
  EXPECT_EQ(Sweep().counts.failed, 1);
  for (const auto& [state, number] :
       {std::pair(TrialState::kFailed, 2), std::pair(TrialState::kDiverged, 1)}) {
    const auto found = Must(store_->Read(SelectTrials, {.sweep = "s", .state = state}));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].number, number);
  }
  const auto retry = [&](const RetrySelection& selection) {
    std::int64_t count = -1;
    const absl::Status status = store_->WriteAndWait([&](WriteTransaction& transaction) {
      const auto retried = transaction.RetrySweep(spec_, selection);
      if (retried.ok()) count = retried->count;
      return retried.status();
    });
    EXPECT_TRUE(status.ok()) << status;
    return count;
  };
  EXPECT_EQ(retry({.failed = true}), 1) << "the same seed and values would diverge again";
  EXPECT_EQ(StateOf(1), TrialState::kDiverged);
  const auto one = [&](bool force) {
    return store_->WriteAndWait([&](WriteTransaction& transaction) {
      return transaction.RetryTrial(spec_, 1, force).status();
    });
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(one(false)));
  EXPECT_TRUE(one(true).ok());
  EXPECT_EQ(StateOf(1), TrialState::kPending);
  EXPECT_EQ(Sweep().counts.diverged, 0);
}

TEST_P(StoreTest, ATrialCannotCompleteWithoutItsLastEpoch) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 4, 0.5)).ok());
  const absl::Status status = driver_->Finish(lease, spec_, LeaseOutcome::kCompleted).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(Message(status), HasSubstr("4 of 5 epochs"));
  EXPECT_EQ(StateOf(1), TrialState::kRunning);
}

TEST_P(StoreTest, FinishingAgainIsHarmless) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 5, 0.5)).ok());
  const std::string sha256 = Sha256Hex("weights");
  ASSERT_TRUE(AddBlob(sha256, 7).ok());
  ASSERT_TRUE(AddBlob(sha256, 7).ok());
  const std::vector<ArtifactRow> artifacts = {{.role = "weights_best", .sha256 = sha256}};
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kCompleted, "", artifacts).ok());
  const std::int64_t sequence = LastSequence();
  const auto again = driver_->Finish(lease, spec_, LeaseOutcome::kCompleted, "", artifacts);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->state, TrialState::kCompleted);
  ASSERT_EQ(again->artifacts.size(), 1u);
  EXPECT_EQ(again->artifacts[0].size_bytes, 7);
  EXPECT_EQ(LastSequence(), sequence);
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->artifacts.at(0).role, "weights_best");
  EXPECT_EQ(*store_->Read(FindBlobSize, sha256), 7);
  EXPECT_TRUE(
      absl::IsFailedPrecondition(driver_->Finish(lease, spec_, LeaseOutcome::kFailed).status()));
}

TEST_P(StoreTest, AFailureIsTriedAgainUntilMaxFailures) {
  MakeSweep(1);
  ASSERT_EQ(spec_.max_failures, 3);
  for (int failure = 1; failure <= 3; ++failure) {
    const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
    EXPECT_EQ(lease.trial.attempt, failure);
    const auto trial = driver_->Finish(lease, spec_, LeaseOutcome::kFailed, "out of memory");
    ASSERT_TRUE(trial.ok()) << trial.status();
    EXPECT_EQ(trial->failures, failure);
    EXPECT_EQ(trial->state, failure < 3 ? TrialState::kPending : TrialState::kFailed);
    const auto repeated = driver_->Finish(lease, spec_, LeaseOutcome::kFailed, "out of memory");
    ASSERT_TRUE(repeated.ok());
    EXPECT_EQ(repeated->failures, failure) << "a repeated call is one failure";
  }
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->reason, "out of memory");
  EXPECT_EQ(Sweep().counts.failed, 1);
  const auto attempts = *store_->Read(SelectAttempts, "s", 1);
  ASSERT_EQ(attempts.size(), 3u);
  EXPECT_EQ(attempts[1].attempt, 2);
  EXPECT_EQ(attempts[1].outcome, "failed");
  EXPECT_EQ(attempts[1].reason, "out of memory");
}

TEST_P(StoreTest, ALostLeaseIsAFailureAndADrainIsNone) {
  MakeSweep(1);
  LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kGivenBack, "drain").ok());
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->failures, 0);
  for (int loss = 1; loss <= 3; ++loss) {
    lease = driver_->Grant(trials_[0].id, "a");
    const auto trial = driver_->Lose(lease, spec_, "worker a is gone");
    ASSERT_TRUE(trial.ok());
    EXPECT_EQ(trial->failures, loss);
    EXPECT_TRUE(driver_->Lose(lease, spec_).ok()) << "the trial has moved on";
    EXPECT_EQ(store_->Read(FindTrial, "s", 1)->failures, loss);
  }
  EXPECT_EQ(StateOf(1), TrialState::kFailed);
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->reason, "lost 3 times: worker a is gone");
  const absl::Status late = driver_->Record(lease, spec_, TestEpochs(1, 1, 0.5)).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(late));
  EXPECT_THAT(Message(late), HasSubstr("the trial is failed"));
}

TEST_P(StoreTest, BlobsMustBeStoredBeforeTheyAreNamed) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  const std::string sha256 = Sha256Hex("checkpoint");
  EXPECT_TRUE(absl::IsInvalidArgument(
      driver_->Record(lease, spec_, TestEpochs(1, 2, 0.5), sha256, 2).status()));
  EXPECT_EQ(StateOf(1), TrialState::kLeased) << "the epochs were not taken either";
  EXPECT_TRUE(absl::IsInvalidArgument(
      driver_->Finish(lease, spec_, LeaseOutcome::kGivenBack, "", {{.role = "x", .sha256 = sha256}})
          .status()));
  ASSERT_TRUE(AddBlob(sha256, 10).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(
      driver_->Record(lease, spec_, TestEpochs(1, 2, 0.5), sha256, 3).status()));
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 2, 0.5), sha256, 2).ok());
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->checkpoint_sha256, sha256);
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->checkpoint_epoch, 2);
  const std::string older = Sha256Hex("older");
  ASSERT_TRUE(AddBlob(older, 10).ok());
  ASSERT_TRUE(driver_->Record(lease, spec_, {}, older, 1).ok());
  EXPECT_EQ(store_->Read(FindTrial, "s", 1)->checkpoint_epoch, 2) << "the newest is kept";
  EXPECT_TRUE(absl::IsInvalidArgument(AddBlob("../x", 1)));
}

TEST_P(StoreTest, ATrialShowsItsCheckpointUntilItHasCompleted) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  const std::string sha256 = Sha256Hex("checkpoint");
  ASSERT_TRUE(AddBlob(sha256, 10).ok());
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 2, 0.5), sha256, 2).ok());
  const std::vector<ArtifactRow> artifacts = store_->Read(FindTrial, "s", 1)->artifacts;
  ASSERT_EQ(artifacts.size(), 1u);
  EXPECT_EQ(artifacts[0].role, "checkpoint");
  EXPECT_EQ(artifacts[0].sha256, sha256);
  EXPECT_EQ(artifacts[0].size_bytes, 10);
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(3, spec_.epochs, 0.5)).ok());
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kCompleted).ok());
  EXPECT_TRUE(store_->Read(FindTrial, "s", 1)->artifacts.empty());
}

// --- cancelling ---

TEST_P(StoreTest, CancellingASweepEndsAllThatHasNotEnded) {
  MakeSweep(3);
  driver_->Train(trials_[0], spec_, 0.95);
  const LeaseRow lease = driver_->Grant(trials_[1].id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec_, TestEpochs(1, 1, 0.5)).ok());
  SweepRow cancelled;
  for (int i = 0; i < 2; ++i) {  // again: harmless
    ASSERT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      auto row = transaction.CancelSweep("s", &spec_);
                      if (row.ok()) cancelled = *row;
                      return row.status();
                    })
                    .ok());
  }
  EXPECT_EQ(cancelled.state, SweepState::kCancelled);
  EXPECT_EQ(cancelled.counts.completed, 1);
  EXPECT_EQ(cancelled.counts.cancelled, 2);
  EXPECT_EQ(cancelled.counts.total(), 3);
  EXPECT_EQ(StateOf(1), TrialState::kCompleted);
  EXPECT_EQ(StateOf(3), TrialState::kCancelled);
  EXPECT_EQ(store_->Read(SelectAttempts, "s", 2)->at(0).outcome, "cancelled");
  EXPECT_TRUE(store_->Read(SelectHeldLeases)->empty());
  const absl::Status late = driver_->Record(lease, spec_, TestEpochs(2, 2, 0.5)).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(late));
  EXPECT_THAT(Message(late), HasSubstr("the trial is cancelled"));
}

TEST_P(StoreTest, CancellingTheLastTrialEndsAnExhaustedSweep) {
  MakeSweep(2);
  ASSERT_TRUE(driver_->Exhaust(sweep_).ok());
  driver_->Train(trials_[0], spec_, 0.95);
  const auto cancel = [&](std::int64_t number) {
    return store_->WriteAndWait([&](WriteTransaction& transaction) {
      return transaction.CancelTrial("s", number, &spec_).status();
    });
  };
  ASSERT_TRUE(cancel(2).ok());
  EXPECT_EQ(StateOf(2), TrialState::kCancelled);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  const std::int64_t events = LastSequence();
  EXPECT_TRUE(cancel(2).ok()) << "it stays so";
  EXPECT_EQ(LastSequence(), events);
  const absl::Status completed = cancel(1);
  EXPECT_TRUE(absl::IsFailedPrecondition(completed));
  EXPECT_THAT(Message(completed), HasSubstr("trial s/1"));
}

// --- ranking ---

TEST_P(StoreTest, TheBestQualifyingConfigurationComesFirst) {
  MakeSweep(4);
  driver_->Train(trials_[0], spec_, 0.5);
  driver_->Train(trials_[1], spec_, 0.95);
  driver_->Train(trials_[2], spec_, 0.92);
  const auto ranking = *store_->Read(SelectRanking, "s", 0, 10);
  std::vector<std::int64_t> order;
  for (const RankedRow& row : ranking) order.push_back(row.trial.number);
  EXPECT_THAT(order, ElementsAre(2, 3, 1, 4));
  EXPECT_EQ(ranking[0].rank, 1);
  EXPECT_TRUE(ranking[0].score.qualifies);
  EXPECT_EQ(ranking[0].score.metric, 0.95);
  EXPECT_EQ(ranking[0].score.epochs_to_target, 1);
  EXPECT_EQ(ranking[0].score.replicates, 1);
  ASSERT_EQ(ranking[0].score.gates.size(), 2u);
  EXPECT_TRUE(ranking[0].score.gates[0].met);
  EXPECT_FALSE(ranking[2].score.qualifies);
  EXPECT_TRUE(ranking[2].score.has_value);
  EXPECT_FALSE(ranking[3].score.has_value);
  EXPECT_EQ(Sweep().qualifying, 2);
  EXPECT_EQ(store_->Read(SelectRanking, "s", 0, 2)->size(), 2u);
}

TEST_P(StoreTest, TheBestReplicateStandsForItsConfiguration) {
  MakeSweep(2, "replicates: 2\n");
  driver_->Train(trials_[0], spec_, 0.91);
  driver_->Train(trials_[1], spec_, 0.97);
  driver_->Train(trials_[2], spec_, 0.95);
  const auto ranking = *store_->Read(SelectRanking, "s", 0, 10);
  ASSERT_EQ(ranking.size(), 2u);
  EXPECT_EQ(ranking[0].trial.number, 2);
  EXPECT_EQ(ranking[0].trial.replicate, 1);
  EXPECT_EQ(ranking[0].score.best_replicate, 1);
  EXPECT_EQ(ranking[0].score.replicates, 2);
  EXPECT_NEAR(ranking[0].score.mean_last, 0.94, 1e-12);
  EXPECT_GT(ranking[0].score.mean_half_width, 0);
  EXPECT_EQ(ranking[1].trial.number, 3);
}

TEST_P(StoreTest, ALossIsRankedAscendingAndNaNLast) {
  MakeSweep(3, "metric: {name: loss, goal: minimize}\n");
  std::vector<double> losses = {std::numeric_limits<double>::quiet_NaN(), 0.4, 0.2};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const LeaseRow lease = driver_->Grant(trials_[i].id, "a");
    EpochMetrics epoch = TestEpoch(1, 0.95);
    epoch.values.Set("loss", losses[i]);
    ASSERT_TRUE(driver_->Record(lease, spec_, {epoch}).ok());
  }
  std::vector<std::int64_t> order;
  for (const RankedRow& row : Must(store_->Read(SelectRanking, "s", 0, 10)))
    order.push_back(row.trial.number);
  EXPECT_THAT(order, ElementsAre(3, 2, 1));
}

// --- threads ---

TEST_P(StoreTest, AReadInsideAWriteIsRefused) {
  MakeSweep(1);
  absl::Status read;
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction&) {
                    read = store_->Read(FindSweep, "s").status();
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(read)) << read;
}

TEST_P(StoreTest, ACompletionSeesItsWrite) {
  MakeSweep(1);
  std::promise<std::int64_t> counted;
  store_->Write(
      [&](WriteTransaction& transaction) {
        return transaction.AddConfiguration(sweep_.id, spec_, TestConfiguration(spec_, 2)).status();
      },
      [&](const absl::Status&) {
        counted.set_value(store_->Read(FindSweep, "s")->configurations);
      });
  EXPECT_EQ(counted.get_future().get(), 2);
}

TEST_P(StoreTest, ReadersSeeWholeTransactionsWhileOthersWrite) {
  MakeSweep(1);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 6; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        // One write creates a configuration with its trial and updates the counts.
        const auto whole = store_->Read([](Database& database) -> absl::StatusOr<bool> {
          const auto sweep = FindSweep(database, "s");
          const auto trials = SelectTrials(database, {.sweep = "s"});
          return sweep.ok() && trials.ok() && sweep->counts.total() == sweep->configurations &&
                 std::ssize(*trials) == sweep->configurations;
        });
        if (!whole.ok() || !*whole) {
          ++torn;
        }
      }
    });
  }
  for (int number = 2; number <= 4; ++number) driver_->Add(sweep_, spec_, number);
  for (int epoch = 1; epoch <= 5; ++epoch) {
    EXPECT_TRUE(driver_->Record(lease, spec_, {TestEpoch(epoch, 0.5)}).ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
}

TEST(StoreOnDisk, AReadThatTakesTooLongIsEndedAndNamed) {
  TemporaryFolder folder;
  const auto store =
      Must(Store::Open({.path = folder.File("s.db"), .read_time_limit = absl::Milliseconds(50)}));
  const auto endless = store->Read([](Database& database) {
    return database.QueryInt(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
  });
  EXPECT_TRUE(absl::IsDeadlineExceeded(endless.status())) << endless.status();
  EXPECT_THAT(endless.status().message(), HasSubstr("no answer within 50ms: WITH RECURSIVE"));
  EXPECT_EQ(Must(store->Read(CountSweeps)), 0);
}

TEST(StoreOnDisk, AReadKeepsItsSnapshotWhileOthersWrite) {
  TemporaryFolder folder;
  const auto store = Must(Store::Open({.path = folder.File("s.db")}));
  const auto count = Must(store->Read([&](Database& database) -> absl::StatusOr<std::int64_t> {
    const std::int64_t before = Must(CountSweeps(database));
    StoreDriver(store.get()).Create(TestSpec("s"));
    return before + Must(CountSweeps(database));
  }));
  EXPECT_EQ(count, 0);
  EXPECT_EQ(Must(store->Read(CountSweeps)), 1);
}

TEST_P(StoreTest, AFailedFunctionLeavesNothingBehind) {
  MakeSweep(1);
  const absl::Status status = store_->WriteAndWait([&](WriteTransaction& transaction) {
    EXPECT_TRUE(transaction.AddConfiguration(sweep_.id, spec_, TestConfiguration(spec_, 2)).ok());
    EXPECT_TRUE(transaction.Grant(trials_[0].id, "a", "x", false).ok());
    return absl::AbortedError("no");
  });
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_EQ(Sweep().configurations, 1);
  EXPECT_EQ(StateOf(1), TrialState::kPending);
  EXPECT_THAT(Events(), ElementsAre("sweep", "trial 1"));
  // SQLite uses its ids again, which must not have the cached data of the undone rows.
  EXPECT_EQ(driver_->Add(sweep_, spec_, 2).at(0).number, 2);
}

}  // namespace
}  // namespace sweep
