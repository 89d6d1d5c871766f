// Which changes of a sweep file leave its trials comparable.

#include "common/spec/sweep_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kFile[] = R"(name: s
model: cnn-18718
dataset: synthetic
method: tpe
run_cap: 20
epochs: 5
seed: 1
require: {accuracy: ">= 0.9"}
parameters:
  lr: {min: 0.001, max: 0.1}
  schedule: {values: [constant, step]}
  step_gamma: {min: 0.1, max: 0.5, when: "schedule == 'step'"}
)";

std::string Exchanged(std::string text, const std::string& before, const std::string& after) {
  const std::size_t place = text.find(before);
  EXPECT_NE(place, std::string::npos) << before;
  return text.replace(place, before.size(), after);
}

std::vector<std::string> Refusals(const std::string& before, const std::string& after) {
  return EditRefusals(MustParse(kFile), MustParse(Exchanged(kFile, before, after)));
}

TEST(SweepEdit, WhatTrialsWouldGetOtherwiseIsRefused) {
  constexpr char kProgram[] =
      "name: s\nprogram: ./train\nmodel: cnn-18718\nmethod: random\nrun_cap: 5\nepochs: 5\n"
      "parameters: {lr: {min: 0.01, max: 0.1}}\n";
  const auto refusals = [](const std::string& before, const std::string& after) {
    return EditRefusals(MustParse(before), MustParse(after));
  };
  EXPECT_THAT(refusals(kProgram, std::string(kProgram) + "recipe: seed\n"),
              ElementsAre(HasSubstr("recipe: nothing cannot become seed")));
  const std::string without = Exchanged(kFile, "epochs: 5\n", "");
  EXPECT_THAT(refusals(without, Exchanged(without, "parameters:\n",
                                          "parameters:\n  epochs: {values: [5, 50]}\n")),
              ElementsAre(HasSubstr("epochs: ")));
}

TEST(SweepEdit, WhatIsSearchedHowAndHowLongMayChange) {
  const std::pair<const char*, const char*> changes[] = {
      {"max: 0.1}", "max: 0.7}"},
      {"{min: 0.001, max: 0.1}", "{value: 0.01}"},
      {"{min: 0.001, max: 0.1}", "{values: [0.01, 0.02]}"},
      {"[constant, step]", "[constant, step, cosine]"},
      {"[constant, step]", "[step, constant], ordered: true"},
      {"parameters:\n", "parameters:\n  momentum: {min: 0.5, max: 0.9}\n"},
      {"run_cap: 20", "run_cap: 50"},
      {"method: tpe", "method: gp"},
      {"seed: 1\n", "seed: 1\nrepeat_points: true\n"},
      {"method: tpe\n", ""},
      {"seed: 1\n", "seed: 1\ntry_first: [{lr: 0.05}]\n"},
      {"seed: 1\n", "seed: 1\nconstraints: [\"lr < 0.09\"]\n"},
      {"seed: 1\n", "seed: 1\nearly_terminate: {type: median}\n"},
      {"seed: 1\n", "seed: 1\nstop_when: {qualifying: 3}\n"},
      {"seed: 1\n", "seed: 1\nmax_failures: 9\nkeep_going: true\n"},
      {"seed: 1\n", "seed: 1\ndescription: other\nlabels: {team: vision}\n"},
  };
  for (const auto& [before, after] : changes)
    EXPECT_THAT(Refusals(before, after), IsEmpty()) << after;
}

TEST(SweepEdit, WhatIsTrainedAndHowItIsJudgedMayNot) {
  const std::tuple<const char*, const char*, const char*> changes[] = {
      {"name: s", "name: t", "name: s cannot become t; rename the sweep"},
      {"cnn-18718", "cnn-17216", "model: cnn-18718 cannot become cnn-17216; earlier trials were"},
      {"cnn-18718", "{values: [cnn-18718, cnn-17216]}",
       "model: cnn-18718 cannot become cnn-18718, cnn-17216"},
      {"seed: 1\n", "seed: 1\nrecipe: tuned\n", "recipe: seed cannot become tuned"},
      {"dataset: synthetic", "dataset: mnist", "dataset: synthetic, train 4096"},
      {"seed: 1\n", "seed: 1\nevaluate: {holdout: 100}\n",
       "evaluate: test cannot become {holdout: 100}; earlier trials were judged otherwise"},
      {"seed: 1\n", "seed: 1\nmetric: {name: validation_loss, goal: minimize}\n",
       "metric: the highest accuracy cannot become the lowest validation_loss"},
      {">= 0.9", ">= 0.95", "require: accuracy >= 0.9 cannot become accuracy >= 0.95"},
      {"seed: 1\n", "seed: 1\ngate_on: last\n", "gate_on: best cannot become last"},
      {"epochs: 5", "epochs: 6", "epochs: 5 cannot become 6"},
      {"seed: 1\n", "seed: 1\nreplicates: 2\n", "replicates: 1 cannot become 2"},
      {"seed: 1\n", "seed: 2\n", "seed: 1 cannot become 2"},
      {"seed: 1\n", "seed: 1\nwarm_start: t\n", "warm_start: nothing cannot become t"},
      {"  lr: {min: 0.001, max: 0.1}\n", "", "parameters.lr: it cannot be left out"},
      {", when: \"schedule == 'step'\"", "",
       "parameters.step_gamma.when: schedule == 'step' cannot become nothing"},
  };
  for (const auto& [before, after, refusal] : changes) {
    EXPECT_THAT(Refusals(before, after), ElementsAre(HasSubstr(refusal))) << after;
  }
}

TEST(SweepEdit, EveryKeyHasItsLine) {
  const std::string other =
      Exchanged(Exchanged(kFile, "epochs: 5", "epochs: 7"), "seed: 1", "seed: 4");
  EXPECT_THAT(EditRefusals(MustParse(kFile), MustParse(other)),
              ElementsAre(HasSubstr("epochs: 5"), HasSubstr("seed: 1")));
}

TEST(SweepEdit, AProgramAndItsMeasuresStay) {
  const std::string file =
      "name: s\nprogram: [./train]\nmethod: random\nrun_cap: 3\nmetric: {name: f1, goal: "
      "maximize}\n"
      "measures: {f1: {unit: points}}\nparameters:\n  lr: {min: 0.0, max: 1.0}\n";
  const auto refusals = [&](const char* before, const char* after) {
    return EditRefusals(MustParse(file), MustParse(Exchanged(file, before, after)));
  };
  EXPECT_THAT(refusals("points", "percent"), IsEmpty()) << "a unit is for people";
  EXPECT_THAT(refusals("[./train]", "[./train, fast]"),
              ElementsAre(HasSubstr("program: ./train cannot become ./train fast")));
  EXPECT_THAT(refusals("{unit: points}", "{unit: points, range: [0, 1]}"),
              ElementsAre(HasSubstr("measures: f1")));
}

TEST(SweepEdit, NestedParametersAndListsMayChangeAsOthers) {
  const std::string file =
      "name: s\nprogram: ./train\nmethod: random\nrun_cap: 3\nparameters:\n"
      "  optimizer: {lr: {min: 0.1, max: 0.2}, name: {values: [sgd, adam]}}\n"
      "  layers: {values: [[64, 32], [128]]}\n"
      "  width: {values: [1, 2], when: {layers: [[128]]}}\n";
  const auto refusals = [&](const char* before, const char* after) {
    return EditRefusals(MustParse(file), MustParse(Exchanged(file, before, after)));
  };
  EXPECT_THAT(refusals("max: 0.2", "max: 0.9"), IsEmpty());
  EXPECT_THAT(refusals("[[64, 32], [128]]}\n", "[[64, 32], [128], [1]]}\n"), IsEmpty());
  EXPECT_THAT(refusals("  optimizer: {lr: {min: 0.1, max: 0.2}, name: {values: [sgd, adam]}}\n",
                       "  optimizer.lr: {min: 0.1, max: 0.2}\n  optimizer.name: adam\n"),
              IsEmpty())
      << "flat is the same as nested";
  EXPECT_THAT(refusals(", name: {values: [sgd, adam]}", ""),
              ElementsAre(HasSubstr("parameters.optimizer.name: it cannot be left out")));
  EXPECT_THAT(refusals("when: {layers: [[128]]}", "when: {layers: [[64, 32]]}"),
              ElementsAre(HasSubstr("parameters.width.when: ")));
}

TEST(SweepEdit, WhoTrainsStays) {
  const std::string file =
      "name: s\ntrained_by: callers\nmodel: cnn-18718\nmethod: random\nrun_cap: 3\nseed: 1\n"
      "metric: {name: accuracy, goal: maximize}\nparameters:\n  lr: {min: 0.1, max: 0.2}\n";
  const SweepSpec callers = MustParse(file);
  const SweepSpec workers = MustParse(Exchanged(file, "callers", "workers"));
  EXPECT_THAT(EditRefusals(callers, MustParse(Exchanged(file, "max: 0.2", "max: 0.4"))), IsEmpty());
  EXPECT_THAT(
      EditRefusals(callers, workers),
      Contains(HasSubstr("trained_by: callers cannot become workers; earlier trials were")));
  EXPECT_THAT(Incomparable(callers, workers),
              Contains(HasSubstr("trained_by: callers there, workers here")));
}

}  // namespace
}  // namespace sweep
