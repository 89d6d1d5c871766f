#include "common/spec/criteria_parser.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace sweep {
namespace {

absl::StatusOr<SweepSpec> Parse(const std::string& text, Diagnostics* diagnostics) {
  return SweepSpec::Parse({.file = "s.yaml", .text = text, .network_files = {}}, diagnostics);
}

std::string OwnProgram(const std::string& more) {
  return "name: s\nprogram: ./train\nmethod: grid\nparameters: {lr: {values: [0.1, 0.2]}}\n"
         "epochs: 9\n" +
         more;
}

std::string OwnTrainer(const std::string& more) {
  return "name: s\nmodel: cnn-18718\nmethod: grid\nparameters: {lr: {values: [0.1]}}\n" + more;
}

std::string ErrorsOf(const std::string& text) {
  Diagnostics diagnostics;
  EXPECT_FALSE(Parse(text, &diagnostics).ok()) << text;
  return FormatDiagnostics(diagnostics);
}

SweepSpec Read(const std::string& text) {
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = Parse(text, &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return spec.ok() ? *spec : SweepSpec{};
}

TEST(Criteria, AProgramRanksByAMeasureOfItsOwn) {
  const SweepSpec spec =
      Read(OwnProgram("metric: {name: val/f1, goal: maximize}\nrequire: {val/f1: \">= 0.9\", "
                      "latency-ms: \"< 5\"}\n"));
  EXPECT_EQ(spec.objective(), (Objective{.name = "val/f1", .maximize = true}));
  EXPECT_EQ(spec.JudgedMeasures(), (std::vector<std::string>{"val/f1", "latency-ms"}));
  ASSERT_EQ(spec.require.size(), 2U);
  EXPECT_TRUE(IsMeasureGate(spec.require[1]));
}

TEST(Confidence, IsReadWithTheGatesAndMeansTheMean) {
  const std::string replicates = "replicates: 5\n";
  for (const std::string written : {"0.95", "95%", "\"95 %\"", "95 %"}) {
    const SweepSpec spec = Read(OwnTrainer(
        "require: {accuracy: \">= 99.4 %\", confidence: " + written + "}\n" + replicates));
    EXPECT_DOUBLE_EQ(spec.confidence, 0.95) << written;
    EXPECT_EQ(spec.gate_on, GateOn::kMean);
    ASSERT_EQ(spec.require.size(), 1u);
    EXPECT_EQ(GateText(spec, spec.require[0]), "accuracy >= 0.994 at 95 % confidence");
  }
  const std::string gates = "require: {accuracy: \">= 0.994\"}\n";
  const SweepSpec plain = Read(OwnTrainer(gates + "gate_on: mean\n" + replicates));
  EXPECT_EQ(plain.confidence, 0);
  EXPECT_EQ(GateText(plain, plain.require[0]), "accuracy >= 0.994");
  EXPECT_NE(plain.digest,
            Read(OwnTrainer("require: {accuracy: \">= 0.994\", confidence: 0.95}\n" + replicates))
                .digest);
}

TEST(Replicates, ARaceHasDefaultsAndMeansTheMean) {
  const SweepSpec plain = Read(OwnTrainer("replicates: auto\n"));
  ASSERT_TRUE(plain.race.has_value());
  EXPECT_EQ(plain.race->min, 1);
  EXPECT_EQ(plain.replicates, 10);
  EXPECT_EQ(plain.race->within, 0);
  EXPECT_EQ(plain.gate_on, GateOn::kMean);
  EXPECT_EQ(ReplicatesText(plain), "{min: 1, max: 10}");
  EXPECT_EQ(plain.FirstTrials(60), 60);
  EXPECT_EQ(plain.MostTrials(60), 120) << "as many again";
  EXPECT_EQ(plain.MostTrials(20), 65) << "five times nine more";
  EXPECT_EQ(plain.MostTrials(3), 30) << "all that there can be";
  for (const std::string same : {"{min: 1, max: 10}", "{}", "{max: 10, within: 0}"}) {
    const SweepSpec spec = Read(OwnTrainer("replicates: " + same + "\ngate_on: mean\n"));
    EXPECT_EQ(spec.digest, plain.digest) << same;
  }
  const SweepSpec full =
      Read(OwnTrainer("replicates: {min: 2, max: 6, extra: 30, within: \"0.05 %\"}\n"));
  EXPECT_EQ(full.FirstReplicates(), 2);
  EXPECT_EQ(full.replicates, 6);
  EXPECT_DOUBLE_EQ(full.race->within, 0.0005);
  EXPECT_EQ(full.MostTrials(60), 150);
  EXPECT_EQ(Read(OwnTrainer("replicates: 3\n")).MostTrials(60), 180);
}

// The race is run by complete trainings, of which the rule judges the first only.
TEST(Replicates, ARaceGoesWithARuleThatStopsFirstRuns) {
  for (const std::string rule :
       {"{type: asha}", "{type: hyperband, min_iter: 2}", "{type: median}"}) {
    const SweepSpec spec = Read(OwnTrainer("replicates: auto\nearly_terminate: " + rule + "\n"));
    EXPECT_TRUE(spec.early_terminate.has_value()) << rule;
  }
}

TEST(Confidence, ThatCannotBeSaidIsRefused) {
  const auto errors = [](const std::string& require, const std::string& more = "") {
    return ErrorsOf(OwnTrainer("require: {" + require + "}\nreplicates: 5\n" + more));
  };
  for (const char* wrong : {"1", "0.4", "95", "\">= 0.9\"", "high", "true", "\"\""}) {
    EXPECT_NE(errors(std::string("accuracy: \">= 0.9\", confidence: ") + wrong)
                  .find("'confidence' must be a number from 0.5 to below 1"),
              std::string::npos)
        << wrong;
  }
  EXPECT_NE(
      errors("accuracy: \">= 0.9\", confidence: 0.95", "gate_on: best\n").find("gate_on is best"),
      std::string::npos);
  EXPECT_NE(errors("parameters: \"< 20000\", confidence: 0.95").find("needs a gate on a measure"),
            std::string::npos);
  EXPECT_NE(errors("accuracy: \"!= 0.5\", confidence: 0.95").find("accuracy != 0.5"),
            std::string::npos);
}

TEST(Confidence, WithOneReplicateIsWarnedOf) {
  Diagnostics diagnostics;
  ASSERT_TRUE(
      Parse(OwnTrainer("require: {accuracy: \">= 0.9\", confidence: 0.95}\n"), &diagnostics).ok());
  ASSERT_EQ(diagnostics.size(), 1u);
  EXPECT_NE(diagnostics[0].message.find("write replicates: 5"), std::string::npos);
}

// A program could have a gate on such a measure before the word had this meaning.
TEST(Confidence, OfAProgramsOwnIsAMeasure) {
  const SweepSpec spec =
      Read(OwnProgram("metric: {name: f1, goal: maximize}\n"
                      "require: {confidence: \">= 0.9\"}\n"));
  EXPECT_EQ(spec.confidence, 0);
  EXPECT_EQ(spec.require.at(0).name, "confidence");
}

TEST(Criteria, DeclaredMeasuresBringTheirGoalAndRange) {
  const SweepSpec spec = Read(
      OwnProgram("measures: {rmse: {goal: minimize, unit: K, range: [0, 100]}}\nmetric: rmse\n"));
  EXPECT_FALSE(spec.objective().maximize);
  ASSERT_EQ(spec.measures.size(), 1U);
  EXPECT_EQ(spec.measures[0].unit, "K");
  EXPECT_EQ(spec.measures[0].max, 100);
  EXPECT_NE(spec.digest, Read(OwnProgram("metric: {name: rmse, goal: minimize}\n")).digest)
      << "what is refused differs";
}

TEST(Criteria, SeveralObjectivesStandInAList) {
  const SweepSpec spec = Read(
      OwnProgram("metric: [{name: val/f1, goal: maximize}, {name: latency, goal: minimize}]\n"));
  ASSERT_EQ(spec.objectives.size(), 2U);
  EXPECT_EQ(spec.objectives[1], (Objective{.name = "latency", .maximize = false}));
  EXPECT_NE(spec.digest, Read(OwnProgram("metric: {name: val/f1, goal: maximize}\n")).digest);
  EXPECT_NE(ErrorsOf(OwnProgram("metric: [accuracy, validation_accuracy]\n")).find("given twice"),
            std::string::npos);
  EXPECT_NE(ErrorsOf(OwnProgram("metric: []\n")).find("1 to 4"), std::string::npos);
}

TEST(Criteria, TheLastEpochsCanBeHeldAgainstTheGates) {
  const SweepSpec spec =
      Read(OwnTrainer("require: {accuracy: \">= 99.4%\"}\ngate_on: last_k\nk: 3\n"));
  EXPECT_EQ(spec.gate_on, GateOn::kLastK);
  EXPECT_EQ(spec.gate_epochs, 3);
  EXPECT_NE(spec.digest,
            Read(OwnTrainer("require: {accuracy: \">= 99.4%\"}\ngate_on: last_k\nk: 2\n")).digest);
}

TEST(Criteria, TheTrainersMeasuresCanAllBeGates) {
  const SweepSpec spec = Read(OwnTrainer("require: {loss: \"< 0.1\", train_seconds: \"< 60\"}\n"));
  EXPECT_EQ(spec.JudgedMeasures(),
            (std::vector<std::string>{"validation_accuracy", "validation_loss", "train_seconds"}));
}

TEST(Criteria, ErrorsNameTheThingAndTheValue) {
  const std::pair<std::string, const char*> table[] = {
      {OwnProgram("metric: val/f1\n"), "metric 'val/f1' needs a goal"},
      {OwnProgram("metric: {name: \"val f1\", goal: maximize}\n"), "unlike 'val f1'"},
      {OwnProgram("metric: {goal: maximize}\n"), "'metric' needs 'name'"},
      {OwnProgram("metric: {name: x, goal: up}\n"), "maximize"},
      {OwnTrainer("metric: val/f1\n"), "must be one of accuracy, loss"},
      {OwnTrainer("metric: lr\n"), "must be one of accuracy, loss"},
      {OwnTrainer("metric: {name: loss, goal: maximize}\n"), "can only have goal: minimize"},
      {OwnTrainer("measures: {a: {goal: maximize}}\n"), "'measures' describes"},
      {OwnProgram("measures: {loss: {goal: minimize}}\n"), "'validation_loss' is predefined"},
      {OwnProgram("measures: {a: {range: [1, 0]}}\n"), "[LOWEST, HIGHEST]"},
      {OwnProgram("require: {acuracy: \">= 0.9\"}\n"), "did you mean 'accuracy'"},
      {OwnProgram("metric: {name: val/f1, goal: maximize}\nrequire: {val/f2: \">= 0.9\"}\n"),
       "did you mean 'val/f1'"},
      {OwnProgram("require: {f1: 0.9}\n"), "would ask for exactly 0.9"},
      {OwnProgram("require: {f1: true}\n"), "must be held against a number"},
      {OwnTrainer("require: {f1: \">= 0.9\"}\n"), "unknown gate 'f1'"},
      {OwnTrainer("require: {train_accuracy: \">= 99\"}\n"), "accuracy is a fraction"},
      {OwnTrainer("gate_on: last_k\n"), "needs 'k'"},
      {OwnTrainer("k: 3\n"), "'k' belongs to gate_on: last_k"},
      {OwnTrainer("gate_on: last_k\nk: 0\n"), "k"},
  };
  for (const auto& [text, expected] : table) {
    const std::string errors = ErrorsOf(text);
    EXPECT_NE(errors.find(expected), std::string::npos) << text << errors;
  }
}

}  // namespace
}  // namespace sweep
