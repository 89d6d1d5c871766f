// Random walks over all that workers and people do to a sweep, in any order, while answers get
// lost, the store refuses writes and the coordinator dies: no trial is lost, none is completed
// twice, what was acknowledged is there, an old attempt changes nothing, and the budget is exact.

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "common/base/philox.h"
#include "coordinator/scheduler/testing/scheduler_testing.h"
#include "coordinator/search/search.h"
#include "coordinator/stopping/testing/halving_rule.h"

namespace sweep {
namespace {

constexpr int kFirstBudget = 6;
constexpr int kReplicates = 2;

constexpr char kRule[] = "early_terminate: {type: median}\n";

SweepSource WalkSource(int run_cap, bool has_rule) {
  return {.file = "s.yaml",
          .text = fmt::format(
              "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: random\nrun_cap: {}\n"
              "replicates: {}\nepochs: 3\nmax_failures: 2\nparameters:\n  lr: {{min: 0.01, max: "
              "0.1}}\n{}",
              run_cap, kReplicates, has_rule ? kRule : "")};
}

std::shared_ptr<const SweepSpec> WalkSpec(int run_cap, bool has_rule) {
  Diagnostics diagnostics;
  return std::make_shared<const SweepSpec>(
      Must(SweepSpec::Parse(WalkSource(run_cap, has_rule), &diagnostics)));
}

class WalkTest : public SchedulerTest {
 protected:
  struct Worker {
    std::string name;
    int session = 0;
    std::vector<LeaseToken> held;  // what it believes
    bool told_to_drain = false;
  };

  int Below(int bound) {
    return static_cast<int>(random_->NextBelow(static_cast<std::uint32_t>(bound)));
  }

  void Begin(std::uint64_t seed) {
    random_ = std::make_unique<PhiloxStream>(seed, 0);
    runs_writes_twice_ = seed % 2 == 0;
    if (has_rule_) {
      make_rule_ = [](const SweepSpec&) {
        return std::make_unique<HalvingRule>(std::vector<int>{1, 2}, /*says_hold=*/true);
      };
    }
    Start();
    spec_ = WalkSpec(kFirstBudget, has_rule_);
    scheduler_->sweeps().Submit(spec_, WalkSource(kFirstBudget, has_rule_), {},
                                [](const auto& result) { ASSERT_TRUE(result.ok()); });
    Settle();
    for (const char* name : {"u", "v", "w"}) workers_.push_back({.name = name});
  }

  // The worker calls, and believes the answer.
  void Synchronize(Worker* worker) {
    const auto answer =
        Call(worker->name, {.held = worker->held,
                            .slots = 2,
                            .no_wait = true,
                            .session = fmt::format("{}{}", worker->name, worker->session)});
    const auto result = answer->Get();
    ASSERT_TRUE(result.has_value());
    // Its name is taken until the term is over; or the answer was lost on its way.
    if (!result->ok() || Below(10) == 0) return;
    worker->held.clear();
    worker->told_to_drain = (*result)->drain;
    for (const LeaseOffer& offer : (*result)->leases) {
      worker->held.push_back(offer.token);
      tokens_[{offer.token.number, offer.token.attempt}] = offer.token;
    }
    const bool gives_back = Below(2) == 0;
    for (const LeaseOffer& offer : (*result)->leases) {
      if (offer.stop && Below(2) == 0) {
        (void)Finish(offer.token, Below(2) == 0 ? LeaseOutcome::kStopped : LeaseOutcome::kHeld);
        continue;
      }
      if ((offer.give_back || worker->told_to_drain) && gives_back) {
        (void)Finish(offer.token, LeaseOutcome::kGivenBack);
      }
    }
    if (worker->told_to_drain && worker->held.empty()) ++worker->session;  // ends, and starts anew
  }

  void Work(Worker* worker) {
    if (worker->held.empty()) return;
    const LeaseToken token =
        worker->held[static_cast<std::size_t>(Below(static_cast<int>(worker->held.size())))];
    const int epoch = Trial(token.number).result.epoch;
    switch (Below(6)) {
      case 0:
        (void)Finish(token, LeaseOutcome::kFailed, "no luck");
        break;
      case 1:
        (void)Finish(token, LeaseOutcome::kFailedForGood, "hopeless");
        break;
      case 2:
        Measure(token, 1, std::min(epoch + 1, 3));
        break;
      default:
        if (epoch < 3) Measure(token, epoch + 1, has_rule_ && Below(2) == 0 ? epoch + 1 : 3);
        if (has_rule_ && Trial(token.number).result.epoch < 3) {
          (void)Finish(token, LeaseOutcome::kHeld);
          break;
        }
        // Also when the answer was lost.
        if (Finish(token, LeaseOutcome::kCompleted).ok() && Below(2) == 0) {
          EXPECT_EQ(Finish(token, LeaseOutcome::kCompleted), absl::OkStatus()) << "sent again";
        }
        NoteCompleted(token);
    }
  }

  void Measure(const LeaseToken& token, int first, int last) {
    if (!Report(token, first, last).ok()) return;
    for (int epoch = first; epoch <= last; ++epoch) {
      acknowledged_.insert({token.number, token.attempt, epoch});
    }
  }

  // A worker that was cut off comes back with what it has done meanwhile.
  void ReportLate() {
    if (tokens_.empty()) return;
    const LeaseToken token =
        std::next(tokens_.begin(), Below(static_cast<int>(tokens_.size())))->second;
    const TrialRow before = Trial(token.number);
    if (token.attempt >= before.attempt) return;
    EXPECT_EQ(Report(token, 1, 3).code(), absl::StatusCode::kFailedPrecondition);
    for (const LeaseOutcome outcome : {LeaseOutcome::kCompleted, LeaseOutcome::kFailed,
                                       LeaseOutcome::kFailedForGood, LeaseOutcome::kGivenBack}) {
      EXPECT_EQ(Finish(token, outcome).code(), absl::StatusCode::kFailedPrecondition);
    }
    const TrialRow after = Trial(token.number);
    EXPECT_EQ(after.state, before.state);
    EXPECT_EQ(after.attempt, before.attempt);
    EXPECT_EQ(after.failures, before.failures);
    EXPECT_EQ(after.result.epoch, before.result.epoch);
  }

  // The coordinator dies: at any moment, or between a commit and its answer.
  void Die() {
    if (Below(2) == 0) {
      faulty_->KillAfterNextCommit();
      Below(2) == 0 ? Work(&workers_[static_cast<std::size_t>(Below(3))]) : Decide();
    }
    Start();
    Settle();
    CheckEpochs();
  }

  // The store refuses all writes while the others go on.
  void RefuseWrites() {
    faulty_->Refuse(Below(2) == 0 ? absl::StatusCode::kResourceExhausted
                                  : absl::StatusCode::kUnavailable);
    for (int i = 1 + Below(6); i > 0; --i) {
      Worker& worker = workers_[static_cast<std::size_t>(Below(3))];
      switch (Below(4)) {
        case 0:
          Synchronize(&worker);
          break;
        case 1:
          Work(&worker);
          break;
        case 2:
          Decide();
          break;
        default:
          Pass(absl::Seconds(1 + Below(30)));
      }
    }
    faulty_->Refuse(absl::StatusCode::kOk);
    Pass(absl::Seconds(1));
  }

  // A trial that has completed once stays as it is, whoever says what.
  void NoteCompleted(const LeaseToken& token) {
    const TrialRow trial = Trial(token.number);
    if (trial.state == TrialState::kCompleted) completed_by_.emplace(token.number, trial.attempt);
  }

  void Decide() {
    switch (Below(10)) {
      case 0:
      case 1:
        Pause(/*now=*/Below(2) == 0).IgnoreError();
        break;
      case 2:
      case 3:
      case 4:
        Resume().IgnoreError();
        break;
      case 5:
        RetryAll(/*cancelled=*/Below(2) == 0);
        break;
      case 6:
        Cancel("s", 1 + Below(14)).IgnoreError();
        break;
      case 7:
        if (Below(4) == 0) CancelSweep("s").IgnoreError();
        break;
      case 8:
        Extend();
        break;
      default:
        scheduler_->leases()
            .DrainWorker(workers_[static_cast<std::size_t>(Below(3))].name)
            .IgnoreError();
        Settle();
    }
  }

  void RetryAll(bool cancelled) {
    Ask<RetriedSweep>([&](auto callback) {
      scheduler_->sweeps().RetrySweep(spec_, {.failed = true, .cancelled = cancelled}, callback);
    }).IgnoreError();
  }

  void Extend() {
    if (Below(3) != 0 || budget_ >= 12) return;
    const int budget = budget_ + 1 + Below(2);
    const auto row = Ask<SweepRow>(
        [&](auto callback) { scheduler_->sweeps().ExtendSweep(spec_, budget, "", callback); });
    // The answer may have been lost after the commit.
    if (row.ok() || Sweep().planned_configurations == budget) budget_ = budget;
  }

  void Step() {
    Worker& worker = workers_[static_cast<std::size_t>(Below(3))];
    const int what = Below(110);
    if (what >= 106) {
      RefuseWrites();
    } else if (what >= 100) {
      ReportLate();
    } else if (what < 40) {
      Synchronize(&worker);
    } else if (what < 75) {
      Work(&worker);
    } else if (what < 93) {
      Decide();
    } else if (what < 95) {
      Die();
    } else if (what < 97) {
      ++worker.session;  // a new process under the name, which knows of no lease
      worker.held.clear();
    } else {
      Pass(absl::Seconds(1 + Below(40)));
    }
  }

  // What the store counts is what it has; what has completed has done so once.
  void Check() {
    const SweepRow sweep = Sweep();
    const auto trials = Must(store_->Read(SelectTrials, {.sweep = "s", .limit = 1000}));
    EXPECT_EQ(sweep.planned_configurations, budget_);
    EXPECT_LE(sweep.configurations, budget_);
    EXPECT_EQ(std::ssize(trials), sweep.configurations * kReplicates);
    std::map<TrialState, std::int64_t> states;
    for (const TrialRow& trial : trials) {
      ++states[trial.state];
      // An attempt that failed once its target was reached does not end the trial.
      if (!has_rule_) {
        EXPECT_LT(trial.failures, trial.state == TrialState::kFailed ? 3 : 2) << trial.number;
      }
      if (trial.state == TrialState::kOnHold) {
        EXPECT_TRUE(has_rule_ && trial.is_at_target()) << trial.number;
      }
      EXPECT_EQ(IsTerminal(trial.state), trial.ended.has_value()) << trial.number;
      const auto completed = completed_by_.find(trial.number);
      if (completed == completed_by_.end()) continue;
      EXPECT_EQ(trial.state, TrialState::kCompleted) << trial.number;
      EXPECT_EQ(trial.attempt, completed->second) << "granted again after it had completed";
    }
    EXPECT_EQ(sweep.counts.pending, states[TrialState::kPending]);
    EXPECT_EQ(sweep.counts.running, states[TrialState::kLeased] + states[TrialState::kRunning]);
    EXPECT_EQ(sweep.counts.on_hold, states[TrialState::kOnHold]);
    EXPECT_EQ(sweep.counts.stopped, states[TrialState::kStopped]);
    EXPECT_EQ(sweep.counts.completed, states[TrialState::kCompleted]);
    EXPECT_EQ(sweep.counts.failed, states[TrialState::kFailed]);
    EXPECT_EQ(sweep.counts.cancelled, states[TrialState::kCancelled]);
    const SchedulerCounts counts = scheduler_->insight().Counts();
    EXPECT_EQ(counts.pending, sweep.counts.pending);
    EXPECT_EQ(counts.on_hold, sweep.counts.on_hold);
    EXPECT_EQ(counts.leased + counts.running, sweep.counts.running);
    const bool is_over = sweep.state == SweepState::kCompleted;
    if (is_over) {
      EXPECT_TRUE(sweep.exhausted && sweep.counts.ended() == sweep.counts.total());
    }
    EXPECT_EQ(sweep.ended.has_value(), is_over || sweep.state == SweepState::kCancelled);
  }

  void CheckEpochs() {
    std::set<std::tuple<std::int64_t, int, int>> stored;
    for (const TrialRow& trial : Must(store_->Read(SelectTrials, {.sweep = "s", .limit = 1000}))) {
      for (const EpochRow& row : Must(store_->Read(SelectEpochs, "s", trial.number, 0, 1000))) {
        stored.insert({trial.number, row.attempt, row.metrics.epoch});
      }
    }
    EXPECT_TRUE(
        std::includes(stored.begin(), stored.end(), acknowledged_.begin(), acknowledged_.end()))
        << acknowledged_.size() << " epochs were acknowledged, " << stored.size() << " are there";
  }

  bool AllIsDone() {
    const SweepRow sweep = Sweep();
    return sweep.state == SweepState::kCompleted &&
           sweep.counts.completed + sweep.counts.stopped == budget_ * kReplicates;
  }

  // How often a trial has come to that state.
  std::int64_t Times(TrialState state) {
    const std::vector<EventRow> events = Must(store_->Read(SelectEvents, Sweep().id, 0, 100'000));
    return std::ranges::count_if(events, [&](const EventRow& event) {
      return event.kind == "trial" && event.state == state;
    });
  }

  // Everybody behaves from now on.
  void BringToAnEnd() {
    Pass(absl::Seconds(70));  // whoever is silent loses what it holds
    for (int i = 0; i < 100 && !AllIsDone(); ++i) {
      Resume().IgnoreError();
      RetryAll(/*cancelled=*/true);
      const auto call = Call("last", {.slots = 4, .no_wait = true});
      for (const LeaseToken& token : Tokens(call)) {
        const int epoch = Trial(token.number).result.epoch;
        if (epoch < 3) {
          EXPECT_EQ(Report(token, epoch + 1, 3), absl::OkStatus());
        }
        EXPECT_EQ(Finish(token, LeaseOutcome::kCompleted), absl::OkStatus());
        NoteCompleted(token);
      }
    }
  }

  std::unique_ptr<PhiloxStream> random_;
  std::shared_ptr<const SweepSpec> spec_;
  bool has_rule_ = false;
  std::vector<Worker> workers_;
  int budget_ = kFirstBudget;
  std::map<std::int64_t, int> completed_by_;                   // attempt by trial
  std::map<std::pair<std::int64_t, int>, LeaseToken> tokens_;  // all that were granted
  std::set<std::tuple<std::int64_t, int, int>> acknowledged_;  // trial, attempt, epoch
};

class WalksTest : public WalkTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Seeds, WalksTest, testing::Range(1, 21));

TEST_P(WalksTest, NothingIsLostNothingIsDoneTwiceAndTheBudgetIsExact) {
  has_rule_ = GetParam() > 12;
  Begin(static_cast<std::uint64_t>(GetParam()));
  for (int step = 0; step < 250 && !HasFailure(); ++step) {
    SCOPED_TRACE(fmt::format("seed {}, step {}", GetParam(), step));
    Step();
    Check();
  }
  BringToAnEnd();
  SCOPED_TRACE(fmt::format("seed {}, at the end", GetParam()));
  Check();
  CheckEpochs();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().counts.completed + Sweep().counts.stopped, budget_ * kReplicates);
  EXPECT_GT(Sweep().counts.completed, 0);
  EXPECT_EQ(Times(TrialState::kOnHold) > 0, has_rule_);
  if (!has_rule_) EXPECT_EQ(Sweep().counts.stopped, 0);

  // The points are those of a sweep that had the last budget from the start.
  const auto all = WalkSpec(budget_, has_rule_);
  const std::unique_ptr<Search> search = Search::Make(all.get());
  std::set<std::int64_t> configurations;
  for (const TrialRow& trial : Must(store_->Read(SelectTrials, {.sweep = "s", .limit = 1000}))) {
    configurations.insert(trial.configuration);
    EXPECT_EQ(trial.parameters,
              (*Must(search->Suggest(trial.configuration))).configuration.parameters);
  }
  EXPECT_EQ(std::ssize(configurations), budget_);
}

}  // namespace
}  // namespace sweep
