// A coordinator that is killed after every event suggests the same points and stops the same trials
// as one that is left alone.

#include <algorithm>
#include <cmath>
#include <map>

#include "common/base/sha256.h"
#include "common/protocol/trial_spec.h"
#include "coordinator/scheduler/testing/scheduler_testing.h"
#include "coordinator/search/observations.h"
#include "coordinator/search/search.h"
#include "coordinator/search/search_replay.h"
#include "coordinator/search/search_start.h"
#include "coordinator/stopping/testing/halving_rule.h"
#include "coordinator/store/sqlite.h"

namespace sweep {
namespace {

enum class Kill {
  kNever,
  kAfterEachCall,
  kBeforeEachAnswer,  // the call's write is committed; its answer and all that follows is lost
};

// Every start of a coordinator reads it again, with the shapes of each configuration.
constexpr char kSmallNetwork[] =
    "name: small\nlayers: [{conv: {out: 10, kernel: 3}}, global_avg_pool, log_softmax]\n";

constexpr char kTwoNumbers[] = "  lr: {min: 0.001, max: 0.1}\n  momentum: {min: 0.5, max: 0.9}\n";

SweepSource SourceOf(int run_cap, int epochs, const std::string& more,
                     const std::string& method = "sobol",
                     const std::string& parameters = kTwoNumbers) {
  return {.file = "s.yaml",
          .text = fmt::format("name: s\nmodel: small.yaml\ndataset: synthetic\nmethod: {}\n"
                              "run_cap: {}\nseed: 4\nepochs: {}\nparameters:\n{}{}",
                              method, run_cap, epochs, parameters, more),
          .network_files = {{"small.yaml", kSmallNetwork}}};
}

// What a sweep came to.
struct Outcome {
  std::map<std::int64_t, ParameterMap> points;              // by configuration
  std::map<std::int64_t, std::string> trials;               // state, epochs and reason
  std::vector<std::pair<std::int64_t, int>> epochs;         // trial and epoch, in order of commits
  std::map<std::int64_t, std::vector<std::string>> states;  // of each trial, one after the other
  std::map<std::int64_t, std::pair<std::int64_t, int>> runs;  // configuration and replicate
  std::map<std::int64_t, Segment> segments;                   // of a population
  int kills = 0;

  bool operator==(const Outcome& other) const {
    return points == other.points && trials == other.trials && epochs == other.epochs &&
           states == other.states && segments == other.segments;
  }
};

class RestartTest : public SchedulerTest {
 protected:
  void SetUp() override {}

  void Open() {
    store_ = Must(Store::Open({.path = path_, .clock = &clock_}));
    Start();
  }
  // Nothing of the process is left.
  void Restart() {
    scheduler_.reset();
    faulty_.reset();
    store_.reset();
    Open();
    Settle();
    ++kills_;
  }

  void SubmitSource(const SweepSource& source) {
    Diagnostics diagnostics;
    const auto spec =
        std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
    auto result = std::make_shared<Result<absl::Status>>();
    scheduler_->sweeps().Submit(
        spec, source, {.principal = "tester"},
        [result](const auto& submission) { result->Set(submission.status()); });
    Settle();
    ASSERT_EQ(result->Get(), absl::OkStatus());
  }

  // A call that a client repeats until it is answered.
  template <typename CallOnce>
  void Do(Kill kill, CallOnce call) {
    if (kill == Kill::kBeforeEachAnswer) {
      faulty_->KillAfterNextCommit();
      call().IgnoreError();  // nobody hears the answer
      Restart();
    }
    const absl::Status status = call();
    EXPECT_TRUE(status.ok()) << status;
    if (kill == Kill::kAfterEachCall) Restart();
  }

  struct Worker {
    std::string name;
    std::vector<LeaseToken> held;
    std::map<std::string, int> last_epochs;  // by trial and attempt: what its trainer's line said
  };

  // With a checkpoint of that epoch.
  absl::Status ReportAndSave(const LeaseToken& token, int epoch, double value) {
    const std::string sha256 = Sha256Hex(fmt::format("{} {}", token.number, epoch));
    absl::Status status = store_->WriteAndWait(
        [&](WriteTransaction& transaction) { return transaction.AddBlob(sha256, 1); });
    if (!status.ok()) return status;
    auto result = std::make_shared<Result<absl::Status>>();
    scheduler_->reports().ReportEpochs(
        token, TestEpochs(epoch, epoch, value), sha256, epoch,
        [result](const absl::Status& reported) { result->Set(reported); });
    Settle();
    return result->Get().value_or(absl::UnknownError("no answer"));
  }

  // One call for what it should hold, and one for the trial that it holds.
  void Step(Worker* worker, int epochs, Kill kill) {
    std::vector<LeaseOffer> leases;
    Do(kills_leases_ ? kill : Kill::kNever, [&] {
      const auto answer = Call(worker->name, {.held = worker->held, .no_wait = true});
      if (const auto result = answer->Get(); result.has_value() && result->ok()) {
        leases = (*result)->leases;
      }
      return absl::OkStatus();
    });
    worker->held.clear();
    for (const LeaseOffer& lease : leases) worker->held.push_back(lease.token);
    if (leases.empty()) return;
    const LeaseToken& token = leases[0].token;
    const TrialRow trial = Trial(token.number);
    // A trainer is told once.
    const int last = worker->last_epochs
                         .try_emplace(fmt::format("{}#{}", token.number, token.attempt),
                                      TrialSpecFromJson(*leases[0].spec_json).last_epoch())
                         .first->second;
    if (leases[0].stop) {
      Do(kill, [&] { return Finish(token, LeaseOutcome::kStopped, "stopped early"); });
    } else if (trial.result.epoch < last) {
      const int epoch =
          std::min(std::max(trial.result.epoch, trial.start_epoch) + reports_every_, last);
      // Where a trial is bad, it is so from the second epoch on.
      const double quality = AsDouble(trial.parameters.values().at("momentum")) - 0.4;
      const double value = (epoch == 1 ? 0.3 : quality + 0.01 * epoch) + noise_(trial);
      const bool saves = trial.is_segment() && epoch == last && last < epochs;
      Do(kill, [&] {
        return saves ? ReportAndSave(token, epoch, value) : Report(token, epoch, epoch, value);
      });
    } else {
      const LeaseOutcome outcome = last < epochs ? LeaseOutcome::kHeld : LeaseOutcome::kCompleted;
      Do(kill, [&] { return Finish(token, outcome); });
    }
  }

  Outcome Run(const SweepSource& source, int epochs, Kill kill) {
    path_ = folder_.File(fmt::format("{}.db", static_cast<int>(kill)));
    kills_ = 0;
    Open();
    SubmitSource(source);
    std::vector<Worker> workers = {{"a", {}}, {"b", {}}, {"c", {}}};
    auto edit = edit_;
    for (int step = 0; step < 2000 && Sweep().state == SweepState::kActive; ++step) {
      Step(&workers[static_cast<std::size_t>(step) % workers.size()], epochs, kill);
      if (edit && Sweep().counts.ended() >= 9) Do(kill, std::exchange(edit, nullptr));
    }
    EXPECT_EQ(Sweep().state, SweepState::kCompleted);
    Outcome outcome{.kills = kills_};
    for (const TrialRow& trial : Must(store_->Read(SelectTrials, {.sweep = "s", .limit = 1000}))) {
      outcome.points[trial.configuration] = trial.parameters;
      outcome.runs[trial.number] = {trial.configuration, trial.replicate};
      outcome.trials[trial.number] =
          fmt::format("{} after {}, target {}: {}", TrialStateName(trial.state), trial.result.epoch,
                      trial.target_epoch, trial.reason);
    }
    const std::vector<Segment> segments = Must(store_->Read(SelectSegments, Sweep().id, 1, 1000));
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (segments[i].member > 0) outcome.segments[static_cast<std::int64_t>(i) + 1] = segments[i];
    }
    for (const EventRow& event : Must(store_->Read(SelectEvents, Sweep().id, 0, 10'000))) {
      if (event.epoch > 0) outcome.epochs.emplace_back(event.number, event.epoch);
      if (event.epoch == 0 && event.number > 0) {
        outcome.states[event.number].emplace_back(TrialStateName(*event.state));
      }
    }
    scheduler_.reset();
    return outcome;
  }

  TemporaryFolder folder_;
  std::string path_;
  int kills_ = 0;
  int reports_every_ = 1;               // epochs
  bool kills_leases_ = true;            // false: only where something is observed
  std::function<absl::Status()> edit_;  // once, after nine trials
  std::function<double(const TrialRow&)> noise_ = [](const TrialRow&) { return 0.0; };
};

TEST_F(RestartTest, TheSameTrialsAreStopped) {
  const SweepSource source =
      SourceOf(10, 5, "early_terminate: {type: median, min_epochs: 2, min_trials: 2}\n");
  const Outcome undisturbed = Run(source, 5, Kill::kNever);
  EXPECT_EQ(undisturbed.kills, 0);
  int stopped = 0;
  for (const auto& [number, text] : undisturbed.trials) {
    if (text.starts_with("stopped after")) ++stopped;
  }
  EXPECT_GE(stopped, 2);
  EXPECT_LE(stopped, 8);
  for (const Kill kill : {Kill::kAfterEachCall, Kill::kBeforeEachAnswer}) {
    const Outcome disturbed = Run(source, 5, kill);
    EXPECT_GE(disturbed.kills, static_cast<int>(undisturbed.epochs.size()));
    EXPECT_EQ(disturbed.points, undisturbed.points);
    EXPECT_EQ(disturbed.trials, undisturbed.trials);
    EXPECT_EQ(disturbed.epochs, undisturbed.epochs);
  }
}

// The rules of sweep files: with the reasons, states and epochs of each trial.
struct RuleCase {
  std::string name;
  std::string text;
  int completed = 0;  // at least
  int stopped = 0;
  int trials = 8;
  int epochs = 9;
  int reports_every = 1;  // epochs
};

class RuleRestartTest : public RestartTest, public testing::WithParamInterface<RuleCase> {};

TEST_P(RuleRestartTest, TheSameIsDecided) {
  reports_every_ = GetParam().reports_every;
  const SweepSource source = SourceOf(GetParam().trials, GetParam().epochs, GetParam().text);
  const Outcome undisturbed = Run(source, GetParam().epochs, Kill::kNever);
  std::map<std::string, int> ended;
  for (const auto& [number, states] : undisturbed.states) ++ended[states.back()];
  EXPECT_GE(ended["completed"], GetParam().completed);
  EXPECT_GE(ended["stopped"], GetParam().stopped);
  EXPECT_EQ(ended["completed"] + ended["stopped"], GetParam().trials);
  for (const Kill kill : {Kill::kAfterEachCall, Kill::kBeforeEachAnswer}) {
    const Outcome disturbed = Run(source, GetParam().epochs, kill);
    EXPECT_GE(disturbed.kills, static_cast<int>(undisturbed.epochs.size()));
    EXPECT_EQ(disturbed.trials, undisturbed.trials);
    EXPECT_EQ(disturbed.epochs, undisturbed.epochs);
    EXPECT_EQ(disturbed.states, undisturbed.states);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rules, RuleRestartTest,
    testing::Values(
        // Of 8, 3 reach epoch 3, and 1 the end: the places are rounded up.
        RuleCase{"asha", "early_terminate: {type: asha}\n", 1, 7},
        RuleCase{"asha_stopping", "early_terminate: {type: asha, form: stopping}\n", 1, 4},
        RuleCase{"brackets", "early_terminate: {type: asha, brackets: all}\n", 2, 3},
        RuleCase{"hyperband", "early_terminate: {type: hyperband, min_iter: 2}\n", 1, 2},
        RuleCase{"asha_of_sparse_values", "early_terminate: {type: asha}\n", 1, 5, 8, 9, 2},
        RuleCase{"success", "require: {accuracy: \">= 0.35\"}\nstop_when: {qualifying: 2}\n", 0, 5},
        RuleCase{"trial_qualifies",
                 "require: {accuracy: \">= 0.35\"}\nstop_when: {trial_qualifies: true}\n", 2, 2, 8,
                 3},
        RuleCase{"asha_until_success",
                 "require: {accuracy: \">= 0.4\"}\nearly_terminate: {type: asha}\nstop_when: "
                 "{qualifying: 1}\n",
                 0, 8},
        // The ninth and later ones are judged by how the first eight have ended.
        RuleCase{"target",
                 "require: {accuracy: \">= 0.45\"}\nearly_terminate: {type: target, risk: 0.5}\n",
                 8, 1, 13, 3},
        RuleCase{"target_by_an_epoch",
                 "require: {accuracy: \">= 0.35\", epochs: \"<= 2\"}\nearly_terminate: {type: "
                 "target}\n",
                 2, 2, 8, 4}),
    [](const auto& info) { return info.param.name; });

// Which configurations get further seeds, and when, follows from the results.
struct RaceCase {
  std::string name;
  std::string text;
  int epochs = 2;
  int first = 1;       // runs of every configuration
  int least_more = 1;  // further runs of the sweep
};

class RaceRestartTest : public RestartTest, public testing::WithParamInterface<RaceCase> {};

TEST_P(RaceRestartTest, TheSameConfigurationsGetFurtherSeeds) {
  noise_ = [](const TrialRow& trial) {
    return 0.01 * static_cast<double>((trial.replicate * 5 + trial.configuration * 3) % 7 - 3);
  };
  const int epochs = GetParam().epochs;
  const SweepSource source = SourceOf(9, epochs, GetParam().text);
  const Outcome undisturbed = Run(source, epochs, Kill::kNever);
  std::map<std::int64_t, int> runs;  // by configuration
  for (const auto& [number, run] : undisturbed.runs) {
    EXPECT_EQ(run.second, runs[run.first]++) << "they are numbered as they are made";
  }
  ASSERT_EQ(runs.size(), 9u);
  int most = 0, total = 0;
  for (const auto& [configuration, count] : runs) {
    EXPECT_GE(count, GetParam().first);
    EXPECT_LE(count, 5);
    most = std::max(most, count);
    total += count;
  }
  EXPECT_GE(total, 9 * GetParam().first + GetParam().least_more);
  EXPECT_LT(total, 9 * 5);
  EXPECT_GT(most, GetParam().first);
  for (const Kill kill : {Kill::kAfterEachCall, Kill::kBeforeEachAnswer}) {
    const Outcome disturbed = Run(source, epochs, kill);
    EXPECT_GE(disturbed.kills, static_cast<int>(undisturbed.epochs.size()));
    EXPECT_EQ(disturbed.runs, undisturbed.runs);
    EXPECT_EQ(disturbed.trials, undisturbed.trials);
    EXPECT_EQ(disturbed.epochs, undisturbed.epochs);
    EXPECT_EQ(disturbed.states, undisturbed.states);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Races, RaceRestartTest,
    testing::Values(RaceCase{"alone", "replicates: {max: 5}\n", 2, 1, 5},
                    RaceCase{"after_two", "replicates: {min: 2, max: 5}\n", 1, 2, 3},
                    RaceCase{"with_stops",
                             "replicates: {max: 5}\nearly_terminate: {type: median, min_epochs: 2, "
                             "min_trials: 4}\n",
                             3, 1, 1},
                    RaceCase{"with_trials_on_hold",
                             "replicates: {max: 5}\nearly_terminate: {type: asha, eta: 2}\n", 4, 1,
                             1},
                    RaceCase{"with_an_end",
                             "replicates: {max: 5}\nrequire: {accuracy: \">= 0.5\"}\n"
                             "stop_when: {qualifying: 1}\n",
                             2, 1, 3}),
    [](const auto& info) { return info.param.name; });

// A population: who goes on from whom, and with what values. A coordinator that has just started
// has fewer workers, so segments may end in another order; where all are waited for, that does not
// matter.
class PopulationRestartTest : public RestartTest, public testing::WithParamInterface<bool> {};

TEST_P(PopulationRestartTest, MembersGoOnByWhatTheSearchHadSeen) {
  const SweepSource source = SourceOf(
      12, 6,
      fmt::format("pbt: {{population: 4, segment_epochs: 2, quantile: 0.5, synchronous: {}}}\n",
                  GetParam()),
      "pbt");
  Diagnostics diagnostics;
  const auto spec = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
  std::optional<Outcome> undisturbed;
  for (const Kill kill : {Kill::kNever, Kill::kAfterEachCall, Kill::kBeforeEachAnswer}) {
    SCOPED_TRACE(static_cast<int>(kill));
    const Outcome outcome = Run(source, 6, kill);
    ASSERT_EQ(outcome.points.size(), 12u);
    int copies = 0;
    for (const auto& [number, segment] : outcome.segments) {
      EXPECT_EQ(outcome.states.at(number).back(), "completed") << number;
      if (segment.parent == 0) continue;
      const Segment& parent = outcome.segments.at(segment.parent);
      EXPECT_EQ(parent.target_epoch, segment.start_epoch);
      const bool is_same = outcome.points.at(number) == outcome.points.at(segment.parent);
      EXPECT_EQ(is_same, parent.member == segment.member) << number;
      copies += is_same ? 0 : 1;
    }
    EXPECT_GE(copies, 2);
    const auto replay = Must(SearchReplay::Make(store_.get(), 1, spec, 1));
    for (const SuggestionRow& row : Must(store_->Read(SelectSuggestions, 1, 1, 12))) {
      const auto again = Must(replay->Again(row));
      ASSERT_TRUE(again.has_value()) << row.number;
      EXPECT_EQ(again->segment, outcome.segments.at(row.number)) << row.number;
      EXPECT_EQ(again->configuration.parameters, row.parameters.values()) << row.number;
    }
    if (!undisturbed) undisturbed = outcome;
    if (!GetParam()) continue;
    EXPECT_EQ(outcome.segments, undisturbed->segments);
    EXPECT_EQ(outcome.points, undisturbed->points);
  }
}

INSTANTIATE_TEST_SUITE_P(Synchronous, PopulationRestartTest, testing::Bool());

// Trials rest at epochs 1 and 3 until they are among the better half there.
class HalvingRestartTest : public RestartTest, public testing::WithParamInterface<bool> {};

TEST_P(HalvingRestartTest, TheSameTrialsRestAndArePromoted) {
  make_rule_ = [](const SweepSpec&) {
    return std::make_unique<HalvingRule>(std::vector<int>{1, 3}, /*says_hold=*/GetParam());
  };
  const SweepSource source = SourceOf(12, 5, "early_terminate: {type: median}\n");
  const Outcome undisturbed = Run(source, 5, Kill::kNever);
  std::map<std::string, int> ended;
  int promotions = 0, rests = 0;
  for (const auto& [number, states] : undisturbed.states) {
    ++ended[states.back()];
    promotions += static_cast<int>(std::count(states.begin(), states.end(), "pending")) - 1;
    rests += static_cast<int>(std::count(states.begin(), states.end(), "on_hold"));
  }
  EXPECT_EQ(ended["completed"], 3);
  EXPECT_EQ(ended["stopped"], 9);
  if (GetParam()) {
    EXPECT_GT(promotions, 0);
    EXPECT_LE(promotions, 6 + 3) << "one that is promoted as it is held trains on";
  } else {
    EXPECT_EQ(promotions, 6 + 3);
  }
  EXPECT_GE(rests, 9) << "one that is promoted before its trainer has saved does not rest";
  for (const Kill kill : {Kill::kAfterEachCall, Kill::kBeforeEachAnswer}) {
    const Outcome disturbed = Run(source, 5, kill);
    EXPECT_GE(disturbed.kills, static_cast<int>(undisturbed.epochs.size()));
    EXPECT_EQ(disturbed.points, undisturbed.points);
    EXPECT_EQ(disturbed.trials, undisturbed.trials);
    EXPECT_EQ(disturbed.epochs, undisturbed.epochs);
    EXPECT_EQ(disturbed.states, undisturbed.states);
  }
}

INSTANTIATE_TEST_SUITE_P(TargetsFromTheStartOrHolds, HalvingRestartTest, testing::Bool());

// A kind of space, in the words that a method takes.
struct SpaceKind {
  std::string name;
  std::string any;      // parameters of a sweep file
  std::string numbers;  // for a method that takes numbers only; "": it takes no such space
  std::string lists;    // for one that tries every point; the same
  int run_cap = 16;
};

const std::vector<SpaceKind>& SpaceKinds() {
  static const auto& kinds = *new std::vector<SpaceKind>{
      {.name = "numbers", .any = kTwoNumbers, .numbers = kTwoNumbers, .lists = ""},
      {.name = "mixed",
       .any = "  lr: {distribution: log_uniform_values, min: 0.001, max: 0.3}\n"
              "  momentum: {distribution: q_uniform, min: 0.5, max: 0.9, q: 0.05}\n"
              "  batch_size: {values: [16, 32, 64, 128]}\n  step_epochs: {min: 2, max: 9}\n"
              "  schedule: {values: [constant, cosine, one_cycle]}\n",
       .numbers = "  lr: {distribution: log_uniform_values, min: 0.001, max: 0.3}\n"
                  "  momentum: {distribution: q_uniform, min: 0.5, max: 0.9, q: 0.05}\n"
                  "  batch_size: {values: [16, 32, 64, 128]}\n  step_epochs: {min: 2, max: 9}\n",
       .lists = "  lr: {values: [0.003, 0.01]}\n  momentum: {values: [0.5, 0.7, 0.9]}\n"
                "  schedule: {values: [constant, cosine, one_cycle]}\n"},
      // 18 points: a sweep of more trials uses them up.
      {.name = "finite",
       .any = "  lr: {values: [0.003, 0.01, 0.03]}\n  momentum: {values: [0.5, 0.9]}\n"
              "  augmentation: {values: [none, shift, rotation]}\n",
       .numbers = "  lr: {values: [0.003, 0.01, 0.03]}\n  momentum: {values: [0.5, 0.9]}\n"
                  "  step_epochs: {min: 2, max: 4}\n",
       .lists = "  lr: {values: [0.003, 0.01, 0.03]}\n  momentum: {values: [0.5, 0.9]}\n"
                "  step_epochs: {min: 2, max: 4}\n",
       .run_cap = 20},
      {.name = "conditional",
       .any = "  lr: {min: 0.001, max: 0.1}\n  momentum: {min: 0.5, max: 0.9}\n"
              "  schedule: {values: [constant, step]}\n"
              "  step_gamma: {min: 0.1, max: 0.5, when: \"schedule == 'step'\"}\n",
       .numbers = "",
       .lists = "  lr: {values: [0.003, 0.01]}\n  momentum: {values: [0.5, 0.7, 0.9]}\n"
                "  schedule: {values: [constant, step]}\n"
                "  step_gamma: {values: [0.1, 0.5], when: \"schedule == 'step'\"}\n"},
  };
  return kinds;
}

struct MethodCase {
  const SearchMethod* method;
  const SpaceKind* kind;
  std::string parameters;
};

std::vector<MethodCase> MethodCases() {
  std::vector<MethodCase> cases;
  for (const SearchMethod& method : SearchMethods()) {
    for (const SpaceKind& kind : SpaceKinds()) {
      const std::string& parameters = method.finite         ? kind.lists
                                      : method.numbers_only ? kind.numbers
                                                            : kind.any;
      if (!parameters.empty()) cases.push_back({&method, &kind, parameters});
    }
  }
  return cases;
}

// Whatever the method and the space: what is suggested follows from what the search had seen, also
// where the process was killed with every observation.
class MethodRestartTest : public RestartTest, public testing::WithParamInterface<MethodCase> {
 protected:
  // Makes every suggestion of the sweep again, each by what its own had seen.
  void ExpectTheSameAgain(const std::shared_ptr<const SweepSpec>& spec, const Outcome& outcome) {
    const auto replay = Must(SearchReplay::Make(store_.get(), 1, spec, 1));
    int modelled = 0;
    for (const SuggestionRow& row : Must(store_->Read(SelectSuggestions, 1, 1, 100))) {
      const auto again = Must(replay->Again(row));
      ASSERT_TRUE(again.has_value()) << row.number;
      EXPECT_EQ(again->configuration.parameters, row.parameters.values())
          << row.number << " after event " << row.seen_sequence;
      if (again->segment) EXPECT_EQ(again->segment, outcome.segments.at(row.number));
      modelled += row.source == SuggestionSource::kModel ? 1 : 0;
    }
    const SearchMethod& method = *GetParam().method;
    if (method.learns && !method.has_population) EXPECT_GE(modelled, 3);
  }
};

TEST_P(MethodRestartTest, ThePointsFollowFromWhatItHadSeen) {
  const SearchMethod& method = *GetParam().method;
  const int epochs = method.has_population ? 4 : 1;
  kills_leases_ = false;
  const SweepSource source =
      SourceOf(method.has_population ? 12 : GetParam().kind->run_cap, epochs,
               method.has_population ? "pbt: {population: 6, segment_epochs: 2}\n" : "",
               std::string(method.word), GetParam().parameters);
  noise_ = [&](const TrialRow& trial) {
    // One trial diverges.
    if (trial.number == 4 && !method.has_population) return std::nan("");
    const ParameterMap& point = trial.parameters.values();
    return 0.2 * AsDouble(point.at("momentum")) + 0.5 * AsDouble(point.at("lr"));
  };
  Diagnostics diagnostics;
  const auto spec = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
  std::optional<Outcome> undisturbed;
  for (const Kill kill : {Kill::kNever, Kill::kAfterEachCall, Kill::kBeforeEachAnswer}) {
    SCOPED_TRACE(static_cast<int>(kill));
    const Outcome outcome = Run(source, epochs, kill);
    if (!undisturbed) undisturbed = outcome;
    EXPECT_EQ(outcome.points.size(), undisturbed->points.size());
    EXPECT_GE(outcome.points.size(), 12u);
    const auto observed = std::ssize(outcome.epochs) + std::ssize(outcome.trials);
    EXPECT_EQ(outcome.kills, kill == Kill::kNever ? 0 : observed);
    if (!method.learns) EXPECT_EQ(outcome.points, undisturbed->points);
    ExpectTheSameAgain(spec, outcome);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, MethodRestartTest, testing::ValuesIn(MethodCases()),
                         [](const auto& info) {
                           return fmt::format("{}_{}", info.param.method->word,
                                              info.param.kind->name);
                         });

// On another measure than the objective, which a part of the trials meets.
constexpr char kGate[] = "require: {train_accuracy: \"< 0.15\"}\n";

// The same where the gates are learned, too.
class GateRestartTest : public RestartTest, public testing::WithParamInterface<std::string> {};

TEST_P(GateRestartTest, ThePointsFollowFromWhatItHadSeen) {
  const SweepSource source = SourceOf(30, 2, kGate, GetParam());
  Diagnostics diagnostics;
  const SweepSpec spec = Must(SweepSpec::Parse(source, &diagnostics));
  for (const Kill kill : {Kill::kNever, Kill::kAfterEachCall}) {
    SCOPED_TRACE(static_cast<int>(kill));
    const Outcome outcome = Run(source, 2, kill);
    ASSERT_EQ(outcome.points.size(), 30u);
    const ObservationPage page = Must(ReadObservations(store_.get(), 1, spec, {}, 10'000));
    ASSERT_TRUE(page.is_last);
    const auto database = Must(Database::Open(path_, Database::Mode::kReadOnly));
    const std::unique_ptr<Search> search = Search::Make(&spec);
    auto next = page.observations.begin();
    int modelled = 0;
    for (const auto& [number, point] : outcome.points) {
      const std::int64_t seen = Must(database->QueryInt(
          fmt::format("SELECT seen_sequence FROM configurations WHERE number = {}", number)));
      for (; next != page.observations.end() && next->observation.sequence <= seen; ++next) {
        search->Observe(next->observation);
      }
      const auto again = Must(search->Suggest(number));
      ASSERT_TRUE(again.has_value());
      EXPECT_EQ(again->configuration.parameters, point) << number << " after " << seen;
      if (seen > 0) ++modelled;
    }
    EXPECT_GT(modelled, 20);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, GateRestartTest, testing::Values("tpe", "gp"),
                         [](const auto& info) { return info.param; });

struct EditCase {
  std::string method;
  bool has_gate = false;
};

class EditRestartTest : public RestartTest, public testing::WithParamInterface<EditCase> {};

// The same, of a sweep whose file is changed on the way: by the suggestions that it had seen, and
// those made before the edit.
TEST_P(EditRestartTest, AnEditIsNoDifferentToASearchThatStartsThere) {
  const SweepSource source = SourceOf(16, 2, GetParam().has_gate ? kGate : "", GetParam().method);
  SweepSource wider = source;
  wider.text.replace(wider.text.find("run_cap: 16"), 11, "run_cap: 30");
  wider.text.replace(wider.text.find("max: 0.1}"), 9, "max: 0.3}");
  wider.text += "try_first:\n  - {lr: 0.2, momentum: 0.9}\n";
  Diagnostics diagnostics;
  const auto after = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(wider, &diagnostics)));
  for (const Kill kill : {Kill::kNever, Kill::kBeforeEachAnswer}) {
    SCOPED_TRACE(static_cast<int>(kill));
    if (GetParam().has_gate && kill == Kill::kBeforeEachAnswer) continue;
    edit_ = [&] {
      const SweepRow row = Sweep();
      const EditRequest request{
          .name = "s",
          .spec = after,
          .source = wider,
          .plan = Must(EditPlan::Make(store_.get(), row, Must(specs_->Get("s")), after)),
          .replaces_sha256 = "",
          .request_id = "edit"};
      return Ask<SweepRow>(
                 [&](auto callback) { scheduler_->sweeps().EditSweep(request, callback); })
          .status();
    };
    const Outcome outcome = Run(source, 2, kill);
    ASSERT_EQ(outcome.points.size(), 30u);
    const std::int64_t first = Must(store_->Read(FindFirstConfiguration, 1));
    EXPECT_GT(first, 8);
    EXPECT_LE(first, 16);
    EXPECT_EQ(AsDouble(outcome.points.at(first).at("lr")), 0.2) << "the new point";
    const ObservationPage page =
        Must(ReadObservations(store_.get(), 1, *after, {.first_own = first}, 10'000));
    ASSERT_TRUE(page.is_last);
    const auto database = Must(Database::Open(path_, Database::Mode::kReadOnly));
    const std::unique_ptr<Search> search =
        Search::Make(after.get(), Must(ReadSearchStart(store_.get(), 1, *after)));
    auto next = page.observations.begin();
    for (const auto& [number, point] : outcome.points) {
      if (number < first) continue;
      const std::int64_t seen = Must(database->QueryInt(
          fmt::format("SELECT seen_sequence FROM configurations WHERE number = {}", number)));
      for (; next != page.observations.end() && next->observation.sequence <= seen; ++next) {
        search->Observe(next->observation);
      }
      const auto again = Must(search->Suggest(number));
      ASSERT_TRUE(again.has_value());
      EXPECT_EQ(again->configuration.parameters, point) << number << " after " << seen;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, EditRestartTest,
                         testing::Values(EditCase{"tpe"}, EditCase{"gp"}, EditCase{"cmaes"},
                                         EditCase{"tpe", true}, EditCase{"gp", true}),
                         [](const auto& info) {
                           return info.param.method + (info.param.has_gate ? "_with_a_gate" : "");
                         });

// More points than are made ahead.
TEST_F(RestartTest, TheSamePointsAreSuggested) {
  const SweepSource source = SourceOf(90, 1, "");
  const Outcome undisturbed = Run(source, 1, Kill::kNever);
  EXPECT_EQ(undisturbed.points.size(), 90u);
  const Outcome disturbed = Run(source, 1, Kill::kBeforeEachAnswer);
  EXPECT_GE(disturbed.kills, 90);
  EXPECT_EQ(disturbed.points, undisturbed.points);
  EXPECT_EQ(disturbed.epochs, undisturbed.epochs);
}

}  // namespace
}  // namespace sweep
