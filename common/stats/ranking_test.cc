#include "common/stats/ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/stats/objective.h"

namespace sweep {
namespace {

SweepSpec SpecWith(const std::string& more) {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse({.file = "s.yaml",
                                      .text = "name: s\nmodel: cnn-18718\nmethod: grid\n"
                                              "parameters: {lr: {values: [0.1]}}\n" +
                                              more,
                                      .network_files = {}},
                                     &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

constexpr char kGates[] =
    "require: {accuracy: \">= 0.994\", epochs: \"< 20\", parameters: \"< 20000\"}\n";

ReplicateResult Trained(const SweepSpec& spec, const std::vector<double>& accuracies,
                        TrialState state = TrialState::kCompleted) {
  ReplicateResult run{.state = state, .result = {}};
  for (std::size_t i = 0; i < accuracies.size(); ++i) {
    AddEpoch(spec,
             {.epoch = static_cast<int>(i) + 1,
              .values = {{"validation_loss", 1 - accuracies[i]},
                         {"validation_accuracy", accuracies[i]}}},
             &run.result);
  }
  return run;
}

ConfigurationScore Score(const SweepSpec& spec, const std::vector<ReplicateResult>& runs) {
  const auto configuration = spec.Complete(1, {{"lr", 0.1}});
  EXPECT_TRUE(configuration.ok()) << configuration.status();
  return ScoreConfiguration(spec, *configuration, runs);
}

std::vector<double> FlatThen(int flat, double value) {
  std::vector<double> accuracies(static_cast<std::size_t>(flat), 0.99);
  accuracies.push_back(value);
  return accuracies;
}

TEST(Ranking, FewerThanTwentyMeansEpochNineteenAtTheLatest) {
  const SweepSpec spec = SpecWith(kGates);
  const ConfigurationScore in_time = Score(spec, {Trained(spec, FlatThen(18, 0.9945))});
  EXPECT_TRUE(in_time.qualifies);
  EXPECT_EQ(in_time.epochs_to_target, 19);
  const ConfigurationScore late = Score(spec, {Trained(spec, FlatThen(19, 0.9945))});
  EXPECT_FALSE(late.qualifies);
  EXPECT_DOUBLE_EQ(late.metric, 0.99) << "epoch 20 does not count";
}

TEST(Ranking, ExactlyTheBoundQualifiesWhateverTheRounding) {
  const SweepSpec spec = SpecWith(kGates);
  EXPECT_TRUE(Score(spec, {Trained(spec, {9940.0 / 10000})}).qualifies);
  EXPECT_TRUE(Score(spec, {Trained(spec, {0.994 - 1e-15})}).qualifies);
  EXPECT_FALSE(Score(spec, {Trained(spec, {9939.0 / 10000})}).qualifies);
}

TEST(Ranking, AMissedGateSaysByHowMuch) {
  const SweepSpec spec = SpecWith(kGates);
  const ConfigurationScore score = Score(spec, {Trained(spec, {0.9921})});
  ASSERT_EQ(score.gates.size(), 3u);
  EXPECT_EQ(score.gates[0].gate, "accuracy >= 0.994");
  EXPECT_FALSE(score.gates[0].met);
  EXPECT_NEAR(score.gates[0].missed_by, 0.0019, 1e-12);
  EXPECT_TRUE(score.gates[1].met);
  EXPECT_TRUE(score.gates[2].met);
  EXPECT_EQ(std::get<std::int64_t>(*score.gates[2].value), 18718);
}

TEST(Ranking, ANetworkGateKeepsARunFromQualifying) {
  const SweepSpec spec = SpecWith("require: {accuracy: \">= 0.5\", parameters: \"< 18718\"}\n");
  const ConfigurationScore score = Score(spec, {Trained(spec, {0.9})});
  EXPECT_FALSE(score.qualifies);
  EXPECT_DOUBLE_EQ(score.gates[1].missed_by, 0);
  EXPECT_EQ(score.epochs_to_target, 1) << "the run itself reached accuracy in time";
}

TEST(Ranking, WithoutAnEpochNothingQualifies) {
  const SweepSpec spec = SpecWith(kGates);
  const ConfigurationScore score = Score(spec, {Trained(spec, {}, TrialState::kPending)});
  EXPECT_FALSE(score.has_value);
  EXPECT_FALSE(score.qualifies);
}

TEST(Ranking, RepeatedEpochsOfAResumedAttemptChangeNothing) {
  const SweepSpec spec = SpecWith(kGates);
  ReplicateResult run = Trained(spec, {0.99, 0.991, 0.992});
  const TrialResult before = run.result;
  AddEpoch(spec, {.epoch = 2, .values = {{"validation_accuracy", 0.999}}}, &run.result);
  EXPECT_EQ(run.result.Best(spec.objective()), before.Best(spec.objective()));
  EXPECT_EQ(run.result.Last("accuracy"), before.Last("accuracy"));
  EXPECT_EQ(run.result.epochs_to_target, 0);
}

TEST(Ranking, ANotANumberLossIsNeverTheBest) {
  const SweepSpec spec = SpecWith(kGates);
  TrialResult result;
  AddEpoch(
      spec,
      {.epoch = 1, .values = {{"validation_loss", std::nan("")}, {"validation_accuracy", 0.1}}},
      &result);
  AddEpoch(spec, {.epoch = 2, .values = {{"validation_loss", 0.5}, {"validation_accuracy", 0.2}}},
           &result);
  AddEpoch(
      spec,
      {.epoch = 3, .values = {{"validation_loss", std::nan("")}, {"validation_accuracy", 0.1}}},
      &result);
  EXPECT_DOUBLE_EQ(result.Best({.name = "loss", .maximize = false}), 0.5);
  EXPECT_TRUE(std::isnan(result.Last("loss")));
}

TEST(Ranking, BestTakesTheBestReplicatesBestEpoch) {
  const SweepSpec spec = SpecWith(std::string(kGates) + "replicates: 2\n");
  const ConfigurationScore score =
      Score(spec, {Trained(spec, {0.99, 0.992}), Trained(spec, {0.9945, 0.993})});
  EXPECT_TRUE(score.qualifies);
  EXPECT_EQ(score.best_replicate, 1);
  EXPECT_DOUBLE_EQ(score.metric, 0.9945);
  EXPECT_EQ(score.epochs_to_target, 1);
  EXPECT_NEAR(score.mean_last, 0.9925, 1e-12);
  // Two values 0.992 and 0.993: deviation 0.0005·√2, t(1) = 12.706, over √2.
  EXPECT_NEAR(score.mean_half_width, 12.706 * 0.0005, 1e-5);
}

TEST(Ranking, EpochAndIntervalAreThoseOfTheValue) {
  constexpr std::int64_t kImages = 10'000;
  std::vector<double> late = FlatThen(19, 0.996);  // the best comes after the gate
  late[7] = 0.9951;
  const SweepSpec best = SpecWith(kGates);
  ConfigurationScore score = Score(best, {Trained(best, late)});
  EXPECT_DOUBLE_EQ(score.metric, 0.9951);
  EXPECT_EQ(ValueOf(best, Trained(best, late).result).epoch, 8);
  EXPECT_DOUBLE_EQ(MetricInterval(best, score, kImages)->low, WilsonInterval(0.9951, kImages).low);
  const SweepSpec last = SpecWith(std::string(kGates) + "gate_on: last\n");
  score = Score(last, {Trained(last, {0.9945, 0.993})});
  EXPECT_EQ(ValueOf(last, Trained(last, {0.9945, 0.993}).result).epoch, 2);
  EXPECT_DOUBLE_EQ(MetricInterval(last, score, kImages)->high, WilsonInterval(0.993, kImages).high);
  const SweepSpec mean = SpecWith(std::string(kGates) + "gate_on: mean\nreplicates: 2\n");
  score = Score(mean, {Trained(mean, {0.993}), Trained(mean, {0.994})});
  EXPECT_NEAR(MetricInterval(mean, score, kImages)->low, 0.9935 - 12.706 * 0.0005, 1e-5);
  EXPECT_EQ(MetricInterval(best, Score(best, {}), kImages), std::nullopt);
}

TEST(Ranking, LastLooksAtTheLastEpochOnly) {
  const SweepSpec spec = SpecWith(std::string(kGates) + "gate_on: last\n");
  EXPECT_FALSE(Score(spec, {Trained(spec, {0.9945, 0.993})}).qualifies);
  const ConfigurationScore score = Score(spec, {Trained(spec, {0.993, 0.9941})});
  EXPECT_TRUE(score.qualifies);
  EXPECT_DOUBLE_EQ(score.metric, 0.9941);
}

TEST(Ranking, MeanLooksAtTheMeanOfEndedReplicates) {
  const SweepSpec spec = SpecWith(std::string(kGates) + "gate_on: mean\nreplicates: 3\n");
  const ReplicateResult running = Trained(spec, {0.5}, TrialState::kRunning);
  const ConfigurationScore score =
      Score(spec, {Trained(spec, {0.9938}), Trained(spec, {0.9944}), running});
  EXPECT_TRUE(score.qualifies);
  EXPECT_NEAR(score.metric, 0.9941, 1e-12);
  EXPECT_FALSE(Score(spec, {Trained(spec, {0.9938}), Trained(spec, {0.9940}), running}).qualifies);
  EXPECT_FALSE(Score(spec, {running}).qualifies);
}

// Of 0.9941, 0.9946, 0.9939, 0.9944 and 0.9942 the mean is 0.99424, and its one-sided 95 % bound
// 0.99424 - 2.131847 · 0.000270185 / √5 = 0.9939824 (SciPy: 0.9939824079727216).
TEST(Confidence, GatesOnTheWorseEndOfTheMeansOneSidedInterval) {
  const auto score = [](const std::string& gate, int ended = 5) {
    const SweepSpec spec =
        SpecWith("require: {accuracy: \"" + gate + "\", confidence: 0.95}\nreplicates: 5\n");
    std::vector<ReplicateResult> runs;
    for (const double accuracy : {0.9941, 0.9946, 0.9939, 0.9944, 0.9942}) {
      const bool has_ended = std::ssize(runs) < ended;
      runs.push_back(Trained(spec, {0.9, accuracy},
                             has_ended ? TrialState::kCompleted : TrialState::kRunning));
    }
    return Score(spec, runs);
  };
  EXPECT_TRUE(score(">= 99.398 %").qualifies);
  const ConfigurationScore missed = score(">= 99.4 %");
  EXPECT_FALSE(missed.qualifies) << "the mean is 99.424 %";
  ASSERT_EQ(missed.gates.size(), 1u);
  EXPECT_EQ(missed.gates[0].gate, "accuracy >= 0.994 at 95 % confidence");
  EXPECT_NEAR(AsDouble(*missed.gates[0].value), 0.9939824079727216, 1e-12);
  EXPECT_NEAR(missed.gates[0].missed_by, 1.759e-5, 1e-8);
  EXPECT_NEAR(missed.metric, 0.99424, 1e-12) << "it ranks by the mean";
  EXPECT_FALSE(score("<= 99.44 %").qualifies) << "the upper bound is 99.4498 %";
  EXPECT_TRUE(score("<= 99.45 %").qualifies);
  const ConfigurationScore early = score(">= 99.398 %", /*ended=*/4);
  EXPECT_FALSE(early.qualifies) << "not before all have ended";
  EXPECT_EQ(early.gates[0].value, std::nullopt);
}

TEST(Confidence, OfOneReplicateNothingIsKnown) {
  const SweepSpec spec = SpecWith("require: {accuracy: \">= 0.5\", confidence: 0.95}\n");
  const ConfigurationScore score = Score(spec, {Trained(spec, {0.9941})});
  EXPECT_FALSE(score.qualifies);
  EXPECT_EQ(score.gates.at(0).value, std::nullopt);
  EXPECT_EQ(score.gates.at(0).missed_by, 0);
}

TEST(Confidence, OneThatDivergedLeavesNoMean) {
  const SweepSpec spec =
      SpecWith("require: {accuracy: \">= 0.5\", confidence: 0.95}\nreplicates: 3\n");
  const ReplicateResult nan =
      Trained(spec, {std::numeric_limits<double>::quiet_NaN()}, TrialState::kDiverged);
  EXPECT_FALSE(Score(spec, {Trained(spec, {0.99}), Trained(spec, {0.991}), nan}).qualifies);
}

// A replicate that has only begun would pull the mean down.
TEST(Ranking, TheMeanOfLastIsThatOfEndedReplicatesOnceThereAreSome) {
  const SweepSpec spec = SpecWith(std::string(kGates) + "replicates: 3\n");
  const ReplicateResult running = Trained(spec, {0.5}, TrialState::kRunning);
  ConfigurationScore score = Score(spec, {Trained(spec, {0.992}), Trained(spec, {0.993}), running});
  EXPECT_EQ(score.replicates, 2);
  EXPECT_NEAR(score.mean_last, 0.9925, 1e-12);
  EXPECT_NEAR(DeviationOfLast(score), 0.0005 * std::sqrt(2), 1e-12);
  score = Score(spec, {running});
  EXPECT_EQ(score.replicates, 1);
  EXPECT_EQ(score.mean_last, 0.5);
  EXPECT_TRUE(std::isnan(DeviationOfLast(score)));
}

TEST(CountQualifying, HoldsEachEndedRunAgainstTheCriteria) {
  const auto count = [](const std::string& more, const std::string& gates = kGates) {
    const SweepSpec spec = SpecWith(gates + "replicates: 4\n" + more);
    const std::vector<ReplicateResult> runs = {
        Trained(spec, {0.9945, 0.993}), Trained(spec, {0.992, 0.9941}), Trained(spec, {0.99}),
        Trained(spec, {0.995}, TrialState::kRunning)};
    const RunCount made = CountQualifying(spec, Score(spec, runs), runs);
    EXPECT_EQ(made.ended, 3) << "one still trains";
    return made.qualifying;
  };
  EXPECT_EQ(count(""), 2);
  EXPECT_EQ(count("gate_on: last\n"), 1);
  EXPECT_EQ(count("gate_on: mean\n"), 1);
  EXPECT_EQ(count("", "require: {accuracy: \">= 0.994\", parameters: \"< 100\"}\n"), 0);
  EXPECT_EQ(count("", ""), 3) << "without criteria every run meets them";
}

TEST(Ranking, ALossMetricRanksByLoss) {
  const SweepSpec spec = SpecWith("metric: {name: loss, goal: minimize}\nreplicates: 2\n");
  const ConfigurationScore score = Score(spec, {Trained(spec, {0.9}), Trained(spec, {0.95})});
  EXPECT_NEAR(score.metric, 0.05, 1e-12);
  EXPECT_EQ(score.best_replicate, 1);
}

TEST(Ranking, AReplicateThatReachedTheTargetStandsForTheConfiguration) {
  const SweepSpec spec =
      SpecWith(std::string(kGates) + "metric: {name: loss, goal: minimize}\nreplicates: 2\n");
  ReplicateResult lower_loss, reached;
  AddEpoch(spec, {.epoch = 1, .values = {{"validation_loss", 0.01}, {"validation_accuracy", 0.99}}},
           &lower_loss.result);
  AddEpoch(spec,
           {.epoch = 1, .values = {{"validation_loss", 0.02}, {"validation_accuracy", 0.995}}},
           &reached.result);
  const ConfigurationScore score = Score(spec, {lower_loss, reached});
  EXPECT_TRUE(score.qualifies);
  EXPECT_EQ(score.best_replicate, 1);
}

TEST(Ranking, ANotANumberLossStandsForNothingElse) {
  const SweepSpec spec = SpecWith("metric: {name: loss, goal: minimize}\nreplicates: 2\n");
  ReplicateResult diverged, sound;
  AddEpoch(
      spec,
      {.epoch = 1, .values = {{"validation_loss", std::nan("")}, {"validation_accuracy", 0.1}}},
      &diverged.result);
  AddEpoch(spec, {.epoch = 1, .values = {{"validation_loss", 2.3}, {"validation_accuracy", 0.1}}},
           &sound.result);
  EXPECT_EQ(Score(spec, {diverged, sound}).best_replicate, 1);
  EXPECT_EQ(Score(spec, {sound, diverged}).best_replicate, 0);
}

TEST(Ranking, EveryEpochGateHoldsAtItsOwnEdge) {
  const std::pair<const char*, int> cases[] = {{"< 3", 2}, {"<= 3", 3}, {"> 1", 2}, {">= 1", 1}};
  for (const auto& [gate, reached] : cases) {
    const SweepSpec spec =
        SpecWith("require: {accuracy: \">= 0.994\", epochs: \"" + std::string(gate) + "\"}\n");
    EXPECT_EQ(Score(spec, {Trained(spec, FlatThen(reached - 1, 0.995))}).epochs_to_target, reached);
    const int beyond = gate[0] == '<' ? reached + 1 : reached - 1;
    if (beyond == 0) continue;
    const ConfigurationScore missed = Score(spec, {Trained(spec, FlatThen(beyond - 1, 0.995))});
    EXPECT_FALSE(missed.qualifies) << gate;
  }
}

TEST(Ranking, MeanWantsEveryEndedReplicateInTheEpochGate) {
  const SweepSpec spec = SpecWith(std::string(kGates) + "gate_on: mean\nreplicates: 2\n");
  const ReplicateResult in_time = Trained(spec, {0.995});
  EXPECT_TRUE(Score(spec, {in_time, Trained(spec, FlatThen(18, 0.995))}).qualifies);
  EXPECT_FALSE(Score(spec, {in_time, Trained(spec, FlatThen(19, 0.995))}).qualifies);
}

TEST(Ranking, WithoutGatesEveryMeasuredConfigurationQualifies) {
  const SweepSpec spec = SpecWith("");
  EXPECT_TRUE(Score(spec, {Trained(spec, {0.1})}).qualifies);
}

// ---- a program's own measures

SweepSpec OwnSpec(const std::string& more) {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = "name: s\nprogram: ./train\nmethod: grid\nepochs: 20\n"
               "parameters: {lr: {values: [0.1]}}\nmetric: {name: val/f1, goal: maximize}\n" +
               more,
       .network_files = {}},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

struct Row {
  int epoch;
  Measurements values;
};

ReplicateResult Reported(const SweepSpec& spec, const std::vector<Row>& rows) {
  ReplicateResult run{.state = TrialState::kCompleted, .result = {}};
  for (const Row& row : rows) {
    AddEpoch(spec, {.epoch = row.epoch, .values = row.values}, &run.result);
  }
  return run;
}

TEST(OwnMeasures, EpochsMayBeLeftOut) {
  const SweepSpec spec = OwnSpec("require: {val/f1: \">= 0.9\", epochs: \"<= 4\"}\n");
  const ReplicateResult run = Reported(spec, {{1, {{"val_loss", 1}}},
                                              {2, {{"val/f1", 0.8}}},
                                              {4, {{"val/f1", 0.92}}},
                                              {6, {{"val/f1", 0.95}}}});
  const ConfigurationScore score = Score(spec, {run});
  EXPECT_TRUE(score.qualifies);
  EXPECT_DOUBLE_EQ(score.metric, 0.92) << "epoch 6 is beyond the gate";
  EXPECT_EQ(score.epochs_to_target, 4);
  EXPECT_EQ(run.result.best_epoch, 6);
  EXPECT_EQ(ValueOf(spec, run.result).epoch, 4);
  EXPECT_EQ(MetricInterval(spec, score, 10'000), std::nullopt) << "f1 is no share of images";
}

TEST(OwnMeasures, GatesMustBeMetByOneEpoch) {
  const SweepSpec spec = OwnSpec("require: {val/f1: \">= 0.9\", latency: \"<= 5\"}\n");
  const ConfigurationScore apart =
      Score(spec, {Reported(spec, {{1, {{"val/f1", 0.95}, {"latency", 9}}},
                                   {2, {{"val/f1", 0.85}, {"latency", 4}}}})});
  EXPECT_FALSE(apart.qualifies);
  EXPECT_DOUBLE_EQ(apart.metric, 0.95) << "the best epoch stands for a run that meets no gates";
  const ConfigurationScore together =
      Score(spec, {Reported(spec, {{1, {{"val/f1", 0.95}, {"latency", 9}}},
                                   {2, {{"val/f1", 0.91}, {"latency", 4}}}})});
  EXPECT_TRUE(together.qualifies);
  EXPECT_DOUBLE_EQ(together.metric, 0.91) << "the epoch that meets the gates stands for the run";
  for (const GateOutcome& gate : together.gates) EXPECT_TRUE(gate.met) << gate.gate;
}

// Accuracy only in every second epoch, latency in every epoch.
TEST(OwnMeasures, AnEpochWithoutTheObjectiveStandsForNothing) {
  const SweepSpec spec = OwnSpec("require: {latency: \"<= 5\"}\n");
  const ReplicateResult run = Reported(
      spec, {{1, {{"val/f1", 0.8}, {"latency", 9}}}, {2, {{"latency", 4}}}, {4, {{"latency", 3}}}});
  EXPECT_EQ(run.result.standing.epoch, 1);
  const ConfigurationScore score = Score(spec, {run});
  EXPECT_DOUBLE_EQ(score.metric, 0.8) << "it has been reported";
  EXPECT_FALSE(score.qualifies) << "not in an epoch that meets the gate";
}

TEST(OwnMeasures, AGateOnWhatWasNeverReportedIsNotMetAndHasNoValue) {
  const SweepSpec spec = OwnSpec("require: {latency: \"<= 5\"}\n");
  const ConfigurationScore score = Score(spec, {Reported(spec, {{1, {{"val/f1", 0.95}}}})});
  EXPECT_FALSE(score.qualifies);
  ASSERT_EQ(score.gates.size(), 1U);
  EXPECT_EQ(score.gates[0].value, std::nullopt);
  EXPECT_EQ(score.gates[0].missed_by, 0);
}

TEST(OwnMeasures, WithoutTheObjectiveThereIsNoValue) {
  const SweepSpec spec = OwnSpec("");
  const ConfigurationScore score = Score(spec, {Reported(spec, {{1, {{"val_loss", 0.1}}}})});
  EXPECT_FALSE(score.has_value);
  EXPECT_FALSE(score.qualifies);
}

TEST(OwnMeasures, ANaNStandsBehindEveryNumber) {
  const SweepSpec spec = OwnSpec("replicates: 2\n");
  const ReplicateResult ran_away = Reported(spec, {{1, {{"val/f1", std::nan("")}}}});
  const ReplicateResult poor = Reported(spec, {{1, {{"val/f1", 0.01}}}});
  const ConfigurationScore score = Score(spec, {ran_away, poor});
  EXPECT_EQ(score.best_replicate, 1);
  EXPECT_DOUBLE_EQ(score.metric, 0.01);
  EXPECT_TRUE(std::isnan(Score(spec, {ran_away}).metric));
  EXPECT_TRUE(Score(spec, {ran_away}).has_value);
}

TEST(OwnMeasures, LastKAsksForEpochsInARow) {
  const SweepSpec spec = OwnSpec("require: {val/f1: \">= 0.9\"}\ngate_on: last_k\nk: 2\n");
  const Row good{2, {{"val/f1", 0.95}}}, poor{3, {{"val/f1", 0.85}}};
  const Row silent{4, {{"val_loss", 0.1}}}, again{5, {{"val/f1", 0.91}}};
  EXPECT_FALSE(Score(spec, {Reported(spec, {good})}).qualifies);
  EXPECT_FALSE(Score(spec, {Reported(spec, {good, poor, again})}).qualifies);
  const ConfigurationScore score = Score(spec, {Reported(spec, {good, silent, again})});
  EXPECT_TRUE(score.qualifies) << "an epoch that says nothing of f1 is passed over";
  EXPECT_DOUBLE_EQ(score.metric, 0.91) << "the last epoch ranks";
  EXPECT_EQ(score.epochs_to_target, 2);
}

TEST(OwnMeasures, LastKPassesOverEpochsThatReportOnlySomeOfTheGates) {
  const SweepSpec spec =
      OwnSpec("require: {val/f1: \">= 0.9\", latency: \"<= 5\"}\ngate_on: last_k\nk: 2\n");
  const Row good{2, {{"val/f1", 0.95}, {"latency", 4}}}, fast{3, {{"latency", 3}}};
  const Row slow{3, {{"latency", 6}}}, again{4, {{"val/f1", 0.91}, {"latency", 4}}};
  EXPECT_TRUE(Score(spec, {Reported(spec, {good, fast, again})}).qualifies);
  EXPECT_FALSE(Score(spec, {Reported(spec, {good, slow, again})}).qualifies) << "epoch 3 misses";
}

TEST(OwnMeasures, DominanceNeedsOneBetterAndNoneWorse) {
  const std::vector<Objective> objectives = {{.name = "f1", .maximize = true},
                                             {.name = "ms", .maximize = false}};
  EXPECT_TRUE(Dominates(objectives, {0.9, 5}, {0.9, 6}));
  EXPECT_TRUE(Dominates(objectives, {0.9, 5}, {0.8, 5}));
  EXPECT_FALSE(Dominates(objectives, {0.9, 5}, {0.9, 5}));
  EXPECT_FALSE(Dominates(objectives, {0.9, 5}, {0.8, 4}));
  EXPECT_TRUE(Dominates(objectives, {0.9, 5}, {0.9, std::nan("")}));
  EXPECT_FALSE(Dominates(objectives, {0.9, std::nan("")}, {0.9, std::nan("")}));
}

TEST(Intervals, StudentsTMatchesTheTables) {
  const std::pair<int, double> table[] = {{1, 12.706}, {2, 4.303}, {3, 3.182},  {4, 2.776},
                                          {5, 2.571},  {9, 2.262}, {19, 2.093}, {1000, 1.962}};
  for (const auto& [degrees, expected] : table) {
    EXPECT_NEAR(StudentQuantile(0.975, degrees), expected, 6e-4) << degrees;
  }
  EXPECT_NEAR(StudentQuantile(0.975, 10'000'000), 1.95996, 1e-4) << "the normal distribution's";
  for (int degrees = 1; degrees < 500; ++degrees) {
    EXPECT_GT(StudentQuantile(0.975, degrees), StudentQuantile(0.975, degrees + 1)) << degrees;
  }
}

TEST(MeanInterval, IsWithinWhatAnAccuracyCanBeAndNoneForOneRun) {
  EXPECT_FALSE(MeanInterval({}, 0.832, 0, 1).has_value()) << "one run has no spread";
  const std::optional<Interval> interval = MeanInterval({}, 0.978, 0.0381, 2);
  ASSERT_TRUE(interval.has_value());
  EXPECT_DOUBLE_EQ(interval->low, 0.978 - 0.0381);
  EXPECT_EQ(interval->high, 1) << "not 101.61 %";
  EXPECT_DOUBLE_EQ(MeanInterval({.name = "rmse", .maximize = false}, 2, 3, 2)->high, 5);
}

}  // namespace
}  // namespace sweep
