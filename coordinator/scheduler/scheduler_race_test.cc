// `replicates: auto`: further runs of those that could be the best, as people pause, cancel, retry
// and extend the sweep.

#include <map>

#include "coordinator/scheduler/race_place.h"
#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using ::testing::HasSubstr;

// The first two could be the best, the others could not.
class RaceTest : public SchedulerTest {
 protected:
  void SubmitRace(const std::string& more = "", const std::string& race = "{max: 4}") {
    source_ = {.file = "s.yaml",
               .text =
                   "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: sobol\nrun_cap: 4\n"
                   "epochs: 2\nparameters: {lr: {min: 0.01, max: 0.1}}\nreplicates: " +
                   race + "\n" + more};
    Diagnostics diagnostics;
    spec_ = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source_, &diagnostics)));
    auto result = std::make_shared<Result<absl::Status>>();
    scheduler_->sweeps().Submit(
        spec_, source_, {.principal = "tester"},
        [result](const auto& submission) { result->Set(submission.status()); });
    Settle();
    EXPECT_EQ(result->Get(), absl::OkStatus());
  }
  double ValueOf(const TrialRow& trial) const {
    const auto place = static_cast<std::size_t>(trial.configuration - 1);
    return quality_.at(place) + (trial.replicate % 2 == 0 ? 0.002 : -0.002);
  }
  // Of one worker with one slot. False when it gets nothing.
  bool TrainNext(LeaseOutcome outcome = LeaseOutcome::kCompleted) {
    const auto tokens = Tokens(Call("w", {.no_wait = true}));
    if (tokens.empty()) return false;
    EXPECT_EQ(Report(tokens[0], 1, 2, ValueOf(Trial(tokens[0].number))), absl::OkStatus());
    EXPECT_EQ(Finish(tokens[0], outcome, "as told"), absl::OkStatus());
    return true;
  }
  void TrainAll() {
    for (int i = 0; i < 60 && TrainNext(); ++i) {
    }
  }
  std::map<std::int64_t, int> Runs() {
    std::map<std::int64_t, int> runs;
    for (const TrialRow& trial : Must(store_->Read(SelectTrials, {.sweep = "s", .limit = 100}))) {
      ++runs[trial.configuration];
    }
    return runs;
  }

  std::vector<double> quality_ = {0.95, 0.947, 0.80, 0.70, 0.60, 0.951};
  SweepSource source_;
  std::shared_ptr<const SweepSpec> spec_;
};

TEST_F(RaceTest, TheLeadersGetFurtherSeedsAndTheOthersDoNot) {
  SubmitRace();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Sweep().counts.total(), 4) << "no further run before the last first one has a slot";
    ASSERT_TRUE(TrainNext());
  }
  EXPECT_EQ(Sweep().counts.pending, 4) << "of four degrees of freedom";
  EXPECT_FALSE(Sweep().exhausted);
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  const std::map<std::int64_t, int> runs = Runs();
  EXPECT_EQ(runs.at(1), 4);
  EXPECT_EQ(runs.at(2), 4);
  EXPECT_EQ(runs.at(3), 2);
  EXPECT_EQ(runs.at(4), 2);
  std::map<int, std::uint64_t> seeds;
  for (std::int64_t number = 1; number <= Sweep().counts.total(); ++number) {
    const TrialRow trial = Trial(number);
    EXPECT_EQ(seeds.try_emplace(trial.replicate, trial.seed).first->second, trial.seed)
        << "configurations are compared with the same seeds";
  }
  EXPECT_EQ(seeds.size(), 4u);
}

TEST_F(RaceTest, OneOfACriterionWithConfidenceHasAllRunsInTheEnd) {
  quality_ = {0.95, 0.60, 0.60, 0.60};
  SubmitRace("require: {accuracy: \">= 0.9\", confidence: 0.95}\n");
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Runs().at(1), 4);
  EXPECT_EQ(Runs().at(2), 2);
  EXPECT_EQ(Sweep().qualifying, 1);
}

TEST_F(RaceTest, ItEndsAtTheLatestWhenItsSeedsAreUsedUp) {
  quality_ = {0.95, 0.95, 0.95, 0.95};
  SubmitRace("", "{max: 4, extra: 6}");
  EXPECT_EQ(spec_->MostTrials(4), 10);
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.total(), 10);
}

TEST_F(RaceTest, NothingIsHandedOutWhileItIsPaused) {
  SubmitRace();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(TrainNext());
  const auto tokens = Tokens(Call("w", {.no_wait = true}));
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_EQ(Sweep().counts.total(), 7) << "the last first run has a slot";
  ASSERT_TRUE(Pause().ok());
  EXPECT_EQ(Report(tokens[0], 1, 2, 0.70), absl::OkStatus());
  EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kCompleted), absl::OkStatus());
  EXPECT_EQ(Sweep().counts.total(), 7);
  EXPECT_EQ(Sweep().state, SweepState::kPaused) << "its race is not over";
  ASSERT_TRUE(Resume().ok());
  EXPECT_EQ(Sweep().counts.total(), 8);
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
}

// It takes its configuration out of the race, which goes on among the others.
TEST_F(RaceTest, ARunCanBeCancelled) {
  SubmitRace();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(TrainNext());
  ASSERT_EQ(Trial(6).configuration, 2);
  EXPECT_EQ(Cancel("s", 6), absl::OkStatus());
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Runs().at(2), 2);
}

// A retry after the end goes on with the race, since its run may be the best.
TEST_F(RaceTest, ARetryOpensItAgain) {
  SubmitRace();
  quality_[3] = 0.951;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(TrainNext());
  ASSERT_TRUE(TrainNext(LeaseOutcome::kFailedForGood));
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Runs().at(4), 1) << "it did not complete";
  EXPECT_EQ(Ask<TrialRow>([&](auto callback) {
              scheduler_->sweeps().RetryTrial(spec_, 4, {.diverged = false}, callback);
            }).status(),
            absl::OkStatus());
  EXPECT_EQ(Sweep().state, SweepState::kActive);
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_GT(Runs().at(4), 1);
}

// The search goes on first, then the race, with the budget of the larger sweep.
TEST_F(RaceTest, AnExtendedSweepRacesAgain) {
  SubmitRace();
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  const std::int64_t before = Sweep().counts.total();
  EXPECT_EQ(Ask<SweepRow>([&](auto callback) {
              scheduler_->sweeps().ExtendSweep(spec_, 6, "", callback);
            }).status(),
            absl::OkStatus());
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Trial(before + 1).configuration, 5);
  EXPECT_EQ(Trial(before + 2).configuration, 6);
  EXPECT_EQ(Runs().at(6), 4) << "the best came late";
  EXPECT_EQ(Runs().at(1), 4);
}

TEST_F(RaceTest, ASweepThatIsExtendedWhileItsRaceWaitsSearchesAtOnce) {
  SubmitRace();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(TrainNext());
  ASSERT_EQ(Tokens(Call("w", {.no_wait = true})).size(), 1u);
  EXPECT_EQ(Sweep().counts.total(), 7) << "and nobody gets another run before one of them ends";
  EXPECT_EQ(Ask<SweepRow>([&](auto callback) {
              scheduler_->sweeps().ExtendSweep(spec_, 6, "", callback);
            }).status(),
            absl::OkStatus());
  EXPECT_EQ(Sweep().configurations, 6);
}

TEST_F(RaceTest, CallersGetFurtherRunsToo) {
  SubmitRace("trained_by: callers\n");
  int trained = 0;
  for (; trained < 40; ++trained) {
    const absl::StatusOr<AskAnswer> answer = Ask<AskAnswer>([&](auto callback) {
      scheduler_->leases().Ask(
          {.sweep = "s", .caller = "c", .wait = absl::Seconds(5), .id = trained + 1u}, callback);
    });
    if (!answer.ok() || !answer->trial) break;
    const LeaseToken& token = answer->trial->token;
    EXPECT_EQ(Report(token, 1, 2, ValueOf(Trial(token.number))), absl::OkStatus());
    EXPECT_EQ(Finish(token, LeaseOutcome::kCompleted), absl::OkStatus());
  }
  EXPECT_EQ(trained, 12);
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
}

TEST_F(RaceTest, ItIsSaidWhyOneGetsARunOrNone) {
  SubmitRace();
  const auto reasons = [&](std::int64_t number) {
    const TrialRow trial = Trial(number);
    std::string all;
    const auto place = Must(scheduler_->insight().Race(trial, spec_));
    for (const std::string& one : ExplainRace(trial, spec_->FirstReplicates(), *place)) {
      all += one + "\n";
    }
    return all;
  };
  EXPECT_EQ(reasons(1), "") << "nothing is known of it";
  TrainAll();
  EXPECT_EQ(reasons(1),
            "configuration 1 leads with a mean of 95.000 % over 4 runs; 1 other could be better, "
            "and it has all of its 4 runs\n");
  EXPECT_THAT(reasons(2), HasSubstr("configuration 2 could be the best: its mean of 4 runs, 94.700 "
                                    "%, is 0.300 points behind the 95.000 % of 4 runs of "
                                    "configuration 1, and more than "));
  EXPECT_THAT(
      reasons(3),
      HasSubstr("configuration 3 cannot be the best and gets no further runs: its mean of 2 "
                "runs, 80.000 %, is 15.000 points behind the 95.000 % of 4 runs of "
                "configuration 1, more than the "));
  EXPECT_THAT(reasons(6), HasSubstr("it is run 2 of configuration 2, which got it because it could "
                                    "be the best\n"));
}

TEST_F(RaceTest, TheStoreAddsTheNextRunOnly) {
  SubmitRace();
  const std::int64_t id = Sweep().id;
  const auto add = [&](std::int64_t configuration, int replicate) {
    return store_->WriteAndWait([&](WriteTransaction& transaction) {
      return transaction.AddReplicate(id, *spec_, configuration, replicate).status();
    });
  };
  for (const auto& [configuration, replicate] : {std::pair(1, 0), {1, 2}, {9, 0}, {9, 1}}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(add(configuration, replicate)))
        << configuration << " " << replicate;
  }
  for (const int replicate : {1, 2, 3}) EXPECT_EQ(add(1, replicate), absl::OkStatus());
  EXPECT_THAT(std::string(add(1, 4).message()),
              HasSubstr("configuration 1 has 4 runs of at most 4, so that run 5 is not the next"));
  EXPECT_EQ(Sweep().counts.pending, 7);
}

}  // namespace
}  // namespace sweep
