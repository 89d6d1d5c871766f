// The messages about wrong sweep files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Errors, APopulationSaysWhatDoesNotGoWithIt) {
  const auto of = [](const std::string& more) {
    return Complaints("name: s\nmodel: cnn-18718\nmethod: pbt\nepochs: 8\n" + more);
  };
  EXPECT_EQ(of("parameters: {lr: {min: 0.01, max: 0.1}, dropout: {min: 0.0, max: 0.1}}\n"), "");
  const std::pair<std::string, std::string> cases[] = {
      {"replicates: 2\n", "s.yaml:5: 'replicates' does not go with method pbt: each segment"},
      {"early_terminate: {type: median}\n", "s.yaml:5: 'early_terminate' does not go with method"},
      {"repeat_points: true\n", "s.yaml:5: 'repeat_points' does not go with method pbt: whether"},
      {"metric: [accuracy, loss]\n", "s.yaml:5: 'metric' does not go with method pbt: one metric"},
      {"warm_start: earlier\n", "'warm_start' goes with a method that learns (tpe, gp, cmaes);"},
      {"require: {accuracy: \">= 0.9\"}\nstop_when: {trial_qualifies: true}\n",
       "s.yaml:6: 'stop_when' does not go with method pbt"},
      {"pbt: {population: 1}\n", "s.yaml:5: 'population' must be an integer in [2, 1000], not 1"},
      {"pbt: {quantile: 0.6}\n", "'quantile' must be a number above 0 and at most 0.5, not '0.6'"},
      {"pbt: {quantile: 0}\n", "'quantile' must be a number above 0 and at most 0.5, not '0'"},
      {"pbt: {resample: -1}\n", "'resample' must be a number from 0 to 1, not '-1'"},
      {"pbt: {synchronous: 3}\n", "'synchronous' must be true or false, not 3"},
      {"pbt: {segment_epochs: 8}\n",
       "'segment_epochs' of 'pbt' is 8 and 'epochs' 8: no member would ever copy another"},
      {"pbt: {populatoin: 4}\n", "did you mean 'population'?"},
      {"pbt: 4\n", "'pbt' must be a mapping"},
      {"run_cap: 7\n",
       "s.yaml:5: 'run_cap' is 7 and the population 8: not every member would be trained"},
      {"pbt: {population: 2}\ntry_first: [{lr: 0.1}, {lr: 0.2}, {lr: 0.3}]\n"
       "parameters: {lr: {min: 0.1, max: 1.0}}\n",
       "s.yaml:6: 'try_first' has 3 points for a population of 2"},
  };
  for (const auto& [more, complaint] : cases) {
    EXPECT_THAT(of(more), HasSubstr(complaint)) << more;
  }
  EXPECT_THAT(Complaints("name: s\ntrained_by: callers\nmethod: pbt\nepochs: 8\nmetric: {name: f, "
                         "goal: maximize}\n"),
              HasSubstr("'trained_by' does not go with method pbt: callers hand no checkpoint"));
  EXPECT_THAT(
      Complaints("name: s\nmodel: cnn-18718\nmethod: pbt\nparameters: {epochs: {values: [4, "
                 "8]}}\n"),
      HasSubstr("s.yaml:4: 'epochs' cannot be a parameter of method pbt"));
  EXPECT_THAT(Complaints("name: s\nmodel: cnn-18718\nmethod: sobol\nrun_cap: 4\npbt: {population: "
                         "4}\n"),
              HasSubstr("s.yaml:5: 'pbt' goes with method: pbt, and 'method' is sobol"));
  EXPECT_THAT(Complaints("name: s\nmodel: {values: [cnn-18718, cnn-17216]}\nmethod: pbt\n"),
              HasSubstr("'model' does not go with method pbt: a checkpoint of one network"));
}

TEST(Errors, APopulationTakesNoWeightsOverIntoAnotherShape) {
  const auto of = [](const std::string& parameters) {
    return ComplaintsOf(
        SourceOf("name: s\nmodel: nets/widths.yaml\nmethod: pbt\nepochs: 8\n"
                 "parameters:\n" +
                 parameters));
  };
  const std::string why =
      " changes the shape of the network, and method pbt goes on with the weights of one value "
      "under "
      "another; give it one value, or take another method";
  EXPECT_EQ(of("  width: {min: 4, max: 8}\n"), "s.yaml:6: parameter 'width'" + why);
  EXPECT_EQ(of("  lr: {min: 0.01, max: 0.1}\n  kernel: {values: [1, 3]}\n"),
            "s.yaml:7: parameter 'kernel'" + why);
  EXPECT_EQ(of("  width: 6\n  dropout: {min: 0.0, max: 0.5}\n"), "");
}

TEST(Errors, AllAreNamedAtOnceWithLineAndNearestWord) {
  const std::string complaints = Complaints(R"(name: no spaces please
modle: cnn-18718
model: cnn-18718
method: rnadom
dataset: mnits
metric: {name: accuracy, goal: minimise}
parameters:
  lr: {min: 0.3, max: 0.1}
  momentun: {value: 0.9}
  batch_size: {values: [32, 64.5]}
  schedule: {values: [cosin]}
  dropout: {distribution: log_uniform, min: 0.1, max: 0.5}
  step_gamma: {value: 0.5, when: "shedule == 'step'"}
epochs: 0
evaluate: train
require: {acuracy: ">= 0.994", epochs: "below 20"}
gate_on: maen
early_terminate: {type: envelope}
run_cap: -1
constraints: ["parameter < 20000", "lr <"]
)");
  EXPECT_EQ(
      complaints,
      R"(s.yaml:1: 'name' is 'no spaces please'; it must be 1 to 63 letters, digits, '.', '_' or '-', starting with a letter or digit
s.yaml:2: unknown key 'modle' in the sweep file; did you mean 'model'?
s.yaml:4: 'method' must be one of auto, bayes, grid, random, sobol, tpe, gp, cmaes, pbt, not 'rnadom'; did you mean 'random'?
s.yaml:5: 'dataset' must be one of mnist, synthetic, not 'mnits'; did you mean 'mnist'?
s.yaml:6: 'goal' must be one of maximize, minimize, not 'minimise'; did you mean 'minimize'?
s.yaml:8: parameter 'lr' has min 0.3 above max 0.1
s.yaml:9: parameter 'momentun' is used neither by the trainer nor by the network; did you mean 'momentum'?
s.yaml:10: 'batch_size' must be an integer in [1, 65536], not 64.5
s.yaml:11: 'schedule' must be one of constant, step, cosine, one_cycle, not 'cosin'; did you mean 'cosine'?
s.yaml:12: parameter 'dropout' has distribution log_uniform, whose ends are exponents; use log_uniform_values
s.yaml:13: 'when' of 'step_gamma' refers to unknown 'shedule'; did you mean 'schedule'?
s.yaml:14: 'epochs' must be an integer in [1, 10000], not 0
s.yaml:15: 'evaluate' is test or {holdout: N}
s.yaml:16: unknown gate 'acuracy'; did you mean 'accuracy'?
s.yaml:16: gate 'epochs' is 'below 20': column 1: expected a number, true, false or a quoted string, found 'below'
s.yaml:17: 'gate_on' must be one of best, last, mean, last_k, not 'maen'; did you mean 'mean'?
s.yaml:18: 'type' must be one of median, asha, target, hyperband, not 'envelope'
s.yaml:19: 'run_cap' must be an integer in [1, 1000000], not -1
s.yaml:20: constraint 'lr <': column 5: expected a value, found the end
s.yaml:20: constraint 'parameter < 20000' refers to unknown 'parameter'; did you mean 'parameters'?)");
}

TEST(Errors, SlipsOfHyperparametersAreNamedAlthoughTheNetworkIsUnknown) {
  EXPECT_EQ(Complaints("name: s\nmodel: cnn-18717\nrun_cap: 1\nparameters:\n"
                       "  momentun: {min: 3, max: 1}\n  width: {values: [1, 2]}\n"),
            "s.yaml:2: no built-in network 'cnn-18717'; did you mean 'cnn-18718'? (built in: "
            "cnn-18718, cnn-19046, cnn-19750, cnn-17216, cnn-16034; a network file's name ends in "
            ".yaml)\n"
            "s.yaml:5: parameter 'momentun' has min 3 above max 1\n"
            "s.yaml:5: parameter 'momentun' is used neither by the trainer nor by the network; did "
            "you mean 'momentum'?\n"
            "s.yaml:6: parameter 'width' is used neither by the trainer nor by the network")
      << "no built-in network has a width";
}

TEST(Errors, WhatIsMissingIsNamed) {
  EXPECT_THAT(Complaints("run_cap: 1\n"),
              AllOf(HasSubstr("s.yaml: 'name' is missing"), HasSubstr("s.yaml: 'model' is missing"),
                    HasSubstr("cnn-18718")));
  EXPECT_EQ(Complaints("name: s\nmodel: cnn-18718\n"),
            "s.yaml: method auto needs 'run_cap': how many configurations to try");
  EXPECT_EQ(Complaints(Random("parameters:\n  lr:\n")), "s.yaml:5: 'lr' has no value");
}

TEST(Errors, AMethodForNumbersRefusesEverythingElse) {
  const auto complaints = [](const std::string& parameters) {
    return Complaints("name: s\nmodel: cnn-18718\nrun_cap: 5\nmethod: cmaes\nparameters:\n" +
                      parameters);
  };
  EXPECT_EQ(
      complaints("  lr: {min: 0.1, max: 0.2}\n  schedule: {values: [step, cosine]}\n"),
      "s.yaml:7: parameter 'schedule' lists 'step', but method cmaes can search only numbers; "
      "take tpe, or write ordered: true if neighbours are similar");
  EXPECT_EQ(complaints("  schedule: {values: [step, cosine], ordered: true}\n"), "");
  EXPECT_EQ(complaints("  batch_size: {values: [32, 128, 64], ordered: true}\n"), "");
  EXPECT_EQ(complaints("  batch_size: {values: [32, 64], ordered: false}\n"),
            "s.yaml:6: parameter 'batch_size' is 'ordered: false', but method cmaes takes "
            "neighbours in the list for similar; take tpe");
  EXPECT_EQ(
      complaints("  momentum: {min: 0.1, max: 0.9, when: \"lr > 0.5\"}\n"),
      "s.yaml:6: parameter 'momentum' has a 'when', but method cmaes cannot search parameters "
      "that do not always exist; take tpe");
  EXPECT_EQ(
      complaints("  batch_size: {values: [32, 128, 64]}\n"),
      "s.yaml:6: parameter 'batch_size' lists its numbers in no order, but method cmaes takes "
      "neighbours in the list for similar; sort them, or write ordered: true if they are");
  EXPECT_EQ(complaints("  batch_size: {values: [128, 64, 32]}\n  schedule: {values: [step]}\n"),
            "");
  EXPECT_THAT(Complaints("name: s\nmodel: {values: [cnn-18718, cnn-19046]}\nrun_cap: 5\nmethod: "
                         "cmaes\n"),
              HasSubstr("parameter 'model' lists 'cnn-18718'"));
}

// One error each, tested by a part of its message that names the thing and the value.
TEST(Errors, OneByOne) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"run_cap: 2\n", "s.yaml:4: 'run_cap' is given twice; first on line 3"},
      {"method: bohb\n",
       "'method' must be one of auto, bayes, grid, random, sobol, tpe, gp, cmaes, pbt, not 'bohb'"},
      {"early_terminate: {type: meadian}\n", "did you mean 'median'?"},
      {"early_terminate: {min_epochs: 3}\n",
       "'early_terminate' needs 'type': median, asha, target, hyperband"},
      {"early_terminate: median\n", "'early_terminate' must be a mapping"},
      {"early_terminate: {type: median, min_epochs: 0}\n",
       "'min_epochs' must be an integer in [1, 10000], not 0"},
      {"early_terminate: {type: median, patience: 3}\n", "unknown key 'patience'"},
      {"early_terminate: {type: median, eta: 3}\n",
       "'eta' of 'early_terminate' does not go with type: median, which has min_epochs, "
       "min_trials"},
      {"early_terminate: {type: asha, max_iter: 9}\n",
       "'max_iter' of 'early_terminate' does not go with type: asha, which has min_epochs, eta, "
       "form, brackets"},
      {"early_terminate: {type: asha, eta: 1}\n", "'eta' must be an integer in [2, 1000], not 1"},
      {"early_terminate: {type: asha, eta: 2.5}\n",
       "'eta' must be an integer in [2, 1000], not 2.5"},
      {"early_terminate: {type: asha, form: promote}\n",
       "'form' must be one of promotion, stopping, not 'promote'; did you mean 'promotion'?"},
      {"early_terminate: {type: asha, brackets: 0}\n",
       "'brackets' must be an integer in [1, 14], not 0"},
      {"early_terminate: {type: asha, brackets: [1]}\n",
       "'brackets' is a number of brackets, or all"},
      {"early_terminate: {type: asha, min_epochs: 9}\nepochs: 9\n",
       "'min_epochs' of 'early_terminate' is 9 and 'epochs' 9: no trial would be judged "
       "before its last epoch"},
      {"early_terminate: {type: asha}\ngate_on: mean\nreplicates: 5\n",
       "s.yaml:4: 'early_terminate' of type asha ends the replicates of a configuration at "
       "different epochs, and their mean would compare unlike runs: with replicates: 5, leave out "
       "gate_on: mean"},
      {"early_terminate: {type: asha, form: stopping}\ngate_on: mean\nreplicates: 2\n",
       "with replicates: 2, leave out gate_on: mean"},
      {"early_terminate: {type: hyperband, min_iter: 1}\ngate_on: mean\nreplicates: 2\n",
       "'early_terminate' of type hyperband ends the replicates"},
      {"early_terminate: {type: asha}\nreplicates: 5\n"
       "require: {accuracy: \">= 0.99\", confidence: 0.95}\n",
       "with replicates: 5, leave out 'confidence'"},
      {"early_terminate: {type: hyperband}\n",
       "'early_terminate' of type hyperband, which is Weights & Biases', needs 'min_iter', or "
       "'max_iter' and 's'"},
      {"early_terminate: {type: hyperband, max_iter: 9}\n",
       "'max_iter' needs 's': how many bands lie below it"},
      {"early_terminate: {type: hyperband, min_iter: 1, s: 2}\n", "'s' goes with 'max_iter'"},
      {"early_terminate: {type: hyperband, max_iter: 2, s: 1}\n",
       "'max_iter' is 2 and 'eta' 3: no band lies below it"},
      {"early_terminate: {type: hyperband, min_iter: 1, eta: 1}\n",
       "'eta' must be a number above 1 and at most 1000, not '1'"},
      {"early_terminate: {type: target}\n",
       "'early_terminate' of type target needs a gate on a measure in 'require', such as "
       "{accuracy: \">= 0.994\"}"},
      {"early_terminate: {type: target, risk: 0}\nrequire: {accuracy: \">= 0.99\"}\n",
       "'risk' must be a number above 0 and at most 0.5, not '0'"},
      {"early_terminate: {type: target, min_trials: 7}\nrequire: {accuracy: \">= 0.99\"}\n",
       "'min_trials' must be an integer in [8, 1000000], not 7"},
      {"stop_when: {qualifying: 3}\n",
       "'stop_when' goes with 'require', the criteria that are to be met"},
      {"stop_when: {}\nrequire: {accuracy: \">= 0.99\"}\n", "'stop_when' needs 'qualifying'"},
      {"stop_when: {qualifying: 0}\nrequire: {accuracy: \">= 0.99\"}\n",
       "'qualifying' must be an integer in [1, 1000000], not 0"},
      {"stop_when: {trial_qualifies: 1}\nrequire: {accuracy: \">= 0.99\"}\n",
       "'trial_qualifies' must be true or false, not 1"},
      {"stop_when: {trial_qualifies: true}\nrequire: {accuracy: \">= 0.99\"}\ngate_on: last\n",
       "'trial_qualifies' of 'stop_when' does not go with gate_on: last: each trial would end at a "
       "lucky epoch, which would be its last one; write gate_on: best, or last_k"},
      {"stop_when: {trial_qualifies: true}\nrequire: {accuracy: \">= 0.99\", confidence: 0.9}\n"
       "replicates: 5\n",
       "'trial_qualifies' of 'stop_when' does not go with gate_on: mean"},
      {"early_terminate: {type: hyperband, min_iter: 1, strict: 1}\n",
       "'strict' must be true or false, not 1"},
      {"metric: precision\n",
       "'metric' must be one of accuracy, loss, train_loss, train_accuracy, "
       "train_seconds, evaluate_seconds, images_per_second, not 'precision'"},
      {"metric: {goal: maximize}\n", "'metric' needs 'name'"},
      {"metric: {name: loss, goal: maximize}\n", "metric loss can only have goal: minimize"},
      {"dataset: {name: mnist, train: 60001}\n", "'train' must be an integer in [1, 60000]"},
      {"dataset: {name: mnist, path: x}\n", "'path' goes with format: idx only"},
      {"dataset: {format: idx}\n", "'dataset' with format: idx needs 'path'"},
      {"dataset: {format: idx, path: 'sha256:65a5'}\n",
       "'path' 'sha256:65a5' is neither a folder nor uploaded data"},
      {"dataset: {format: csv, path: x}\n", "'format' must be one of idx, not 'csv'"},
      {"dataset: {path: x}\n", "'dataset' needs either 'name'"},
      {"dataset: {name: synthetic, trian: 5}\n", "did you mean 'train'?"},
      {"evaluate: {holdout: 60000}\n", "'holdout' must be an integer in [1, 59999], not 60000"},
      {"evaluate: {}\n", "'evaluate' is test or {holdout: N}"},
      {"epochs: many\n", "'epochs' must be an integer in [1, 10000], not 'many'"},
      {"epochs: 5.0\n", "'epochs' must be an integer in [1, 10000], not 5.0"},
      {"replicates: 0\n", "'replicates' must be an integer in [1, 1000], not 0"},
      {"replicates: Auto\n", "'replicates' must be an integer in [1, 1000], not 'Auto'"},
      {"replicates: [1, 5]\n",
       "s.yaml:4: 'replicates' must be an integer, auto, or a mapping such as {max: 10}"},
      {"replicates: {min: 3, max: 3}\n",
       "s.yaml:4: 'replicates' has min: 3 and max: 3: 'max' must be larger; for as many runs of "
       "every configuration write replicates: 3"},
      {"replicates: {min: 10}\n", "'replicates' has min: 10 and max: 10"},
      {"replicates: {max: 1}\n", "'max' must be an integer in [2, 1000], not 1"},
      {"replicates: {extra: 0}\n", "'extra' must be an integer in [1, 1000000], not 0"},
      {"replicates: {maxx: 5}\n", "did you mean 'max'?"},
      {"replicates: {within: -1}\n",
       "'within' of 'replicates' must be a difference of the metric from 0 on, such as 0.0005 or "
       "0.05 %, not '-1'"},
      {"replicates: {within: close}\n", "such as 0.0005 or 0.05 %, not 'close'"},
      {"replicates: {within: \">= 1\"}\n", "such as 0.0005 or 0.05 %, not '>= 1'"},
      {"gate_on: best\nreplicates: auto\n",
       "s.yaml:4: gate_on is 'best', but 'replicates: auto' compares means, since the best of many "
       "runs is better than the best of few: write gate_on: mean, or leave it out"},
      {"replicates: auto\nmetric: [accuracy, loss]\n",
       "s.yaml:4: 'replicates: auto' is a race by one metric, and 'metric' has 2"},
      {"early_terminate: {type: asha}\nreplicates: {min: 2}\n",
       "with min: 2, leave out 'min' of 'replicates'"},
      {"stop_when: {trial_qualifies: true}\nreplicates: auto\nrequire: {accuracy: \">= 0.99\"}\n",
       "'trial_qualifies' of 'stop_when' does not go with replicates: auto, which compares the "
       "last "
       "epochs of whole runs; write {qualifying: N}"},
      {"seed: -1\n", "'seed' must be an integer in [0, 9223372036854775807], not -1"},
      {"keep_going: always\n", "'keep_going' must be true or false, not 'always'"},
      {"repeat_points: often\n", "'repeat_points' must be true or false, not 'often'"},
      {"allow_duplicates: true\n", "did you mean 'repeat_points'?"},
      {"max_failures: 0\n", "'max_failures' must be an integer in [1, 100], not 0"},
      {"recipe: tunde\n", "no recipe 'tunde'; did you mean 'tuned'? (it has seed, tuned)"},
      {"labels: {a b: c}\n", "label 'a b' must be a name"},
      {"labels: [a]\n", "'labels' must be a mapping (key: value), not a list"},
      {"require: {accuracy: 0.994}\n", "write \">= 0.994\""},
      {"require: {accuracy: 99.4%}\n", "would ask for exactly 99.4%; write \">= 99.4%\""},
      {"require: {accuracy: \">= 99.4\"}\n", "accuracy is a fraction: 0.994 or 99.4%"},
      {"require: {fully_connected: 0}\n", "must be held against true or false, not 0"},
      {"require: {parameters: true}\n", "must be held against a number, not true"},
      {"require: {accuracy: >= 0.994}\n", "a comparison must be quoted"},
      {"require: {speed: 3}\n", "unknown gate 'speed'; there are accuracy, epochs, parameters"},
      {"constraints: [\"accuracy > 0.9\"]\n", "which only training tells; use 'require'"},
      {"constraints: [\"parameters\"]\n", "expected a condition that is true or false"},
      {"constraints: [\"schedule < 3\"]\n", "constraint 'schedule < 3': column 10"},
      {"constraints: [\"parameters < 100\"]\n", "no point of the search space satisfies"},
      {"constraints: {a: b}\n", "'constraints' must be a list of values, not a mapping"},
  };
  for (const auto& [line, complaint] : cases) {
    const std::string complaints = Complaints(Random(line));
    EXPECT_THAT(complaints, AllOf(HasSubstr("s.yaml:4: "), HasSubstr(complaint))) << line;
    EXPECT_THAT(complaints, Not(HasSubstr("\n"))) << line << "gives one complaint";
  }
}

TEST(Errors, OfParametersOneByOne) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"lr: [0.1, 0.2]", "parameter 'lr' is a list; write {values: […]}"},
      {"lr: {}", "parameter 'lr' needs 'value', 'values', or 'min' and 'max'"},
      {"lr: {min: 0.1}", "distribution uniform, which needs 'max'"},
      {"lr: {min: 0.1, max: 0.2, q: 0.1}", "'q' does not go; say distribution: q_uniform"},
      {"lr: {value: 0.1, values: [0.1]}", "distribution constant, with which 'values' does not go"},
      {"lr: {values: []}", "'values' of parameter 'lr' must be a list of values, not an empty one"},
      {"lr: {values: [0.1, 0.10]}", "lists 0.1 twice"},
      {"lr: {values: [[0.1]]}",
       "parameter 'lr' has a list as a value, which only a hyperparameter of a 'program' or of "
       "'trained_by: callers' can be"},
      {"lr: {min: low, max: 0.2}", "'min' must be a number, not 'low'"},
      {"lr: {vlaue: 0.1}", "did you mean 'value'?"},
      {"lr: {values: [0.1, 0.2], ordered: up}",
       "'ordered' of parameter 'lr' must be true or false, not 'up'"},
      {"lr: {values: [0.1], ordered: true}",
       "parameter 'lr' is 'ordered', but lists one value, which has no order"},
      {"lr: {value: 0.1, ordered: true}", "distribution constant, with which 'ordered' does not"},
      {"lr: {min: 0.1, max: 0.2, ordered: true}", "distribution uniform, with which 'ordered'"},
      {"lr: {values: [0.1, 0.2], probabilities: [0.7, 0.3], ordered: true}",
       "parameter 'lr' is 'ordered: true' and has 'probabilities' that differ"},
      {"lr: {values: [0.1, 0.2], probabilities: [0.5]}", "has 2 values, but 1 probability"},
      {"lr: {values: [0.1, 0.2], probabilities: [0.5, 0.4]}",
       "has probabilities with the sum 0.9; it must be 1"},
      {"lr: {values: [0.1, 0.2], probabilities: [0.5, 0.50002]}", "with the sum 1.00002; it must"},
      {"lr: {values: [0.1, 0.2], probabilities: [0, 0]}", "with the sum 0; it must be 1"},
      {"lr: {values: [0.1, 0.2], probabilities: [1.5, -0.5]}",
       "has the probability -0.5; it must be 0 or more"},
      {"lr: {values: [0.1, 0.2], probabilities: [half, half]}", "has the probability 'half'"},
      {"lr: {values: [0.1, 0.2], probabilities: 0.5}",
       "'probabilities' of parameter 'lr' must be a list of values"},
      {"lr: {min: 0.1, max: 0.2, probabilities: [1]}",
       "distribution uniform, with which 'probabilities' does not go"},
      {"lr: {distribution: categorical_w_probabilities, values: [0.1, 0.2]}",
       "distribution categorical_w_probabilities, which needs 'probabilities'"},
      {"lr: {distribution: log_uniform_values, min: 0, max: 1}", "needs one above 0"},
      {"lr: {distribution: beta, a: 1}", "has distribution 'beta'; there are constant"},
      {"lr: {distribution: normal, mu: 0}", "has distribution normal, which needs 'sigma'"},
      {"lr: {mu: 0, sigma: 1}", "needs a distribution: normal, log_normal, q_normal or"},
      {"lr: {min: 0.1, max: 0.2, mu: 0}", "distribution uniform, with which 'mu' does not go"},
      {"lr: {distribution: normal, mu: 0, sigma: 0}", "has sigma 0; it must be above 0"},
      {"lr: {distribution: normal, mu: 0.1, sigma: 0.05}",
       "has distribution normal, which reaches -0.30000000000000004: 'lr' must be a number in (0, "
       "100], not -0.30000000000000004; add min and max"},
      {"lr: {distribution: normal, mu: 0.1, sigma: 0.05, max: 0.5}", "which reaches -0.3"},
      {"lr: {distribution: log_normal, mu: 0, sigma: 1}", "which reaches 2980.9"},
      {"momentum: {distribution: normal, mu: 0.9, sigma: 0.05, min: 0.5}", "which reaches 1.3"},
      {"momentum: {distribution: normal, mu: 0.9, sigma: 0.05, min: 0.5, max: 1}",
       "'momentum' must be a number in [0, 1), not 1"},
      {"momentum: {distribution: normal, mu: 0.1, sigma: 0.01, min: 0.5, max: 0.9}",
       "has mu 0.1 and sigma 0.01, with which nearly nothing lies in [0.5, 0.9]"},
      {"momentum: {distribution: normal, mu: 0.1, sigma: 0.01, min: 0.5}", "lies in [0.5, …"},
      {"lr: {distribution: log_normal, mu: 9, sigma: 9}", "which reach beyond 1e+15; add min and"},
      {"lr: {distribution: log_normal, mu: 0, sigma: 1, min: 0, max: 1}",
       "has min 0; log_normal needs one above 0"},
      {"lr: {distribution: inv_log_uniform_values, min: 0, max: 1}",
       "has min 0; inv_log_uniform_values needs one above 0"},
      {"lr: {distribution: inv_log_uniform, min: 0, max: 1}",
       "whose ends are exponents; use inv_log_uniform_values"},
      {"lr: {distribution: q_normal, mu: 1, sigma: 1, q: 0.5, min: 0.6, max: 0.9}",
       "has no multiple of 0.5 in [0.6, 0.9]"},
      {"lr: {distribution: q_log_uniform_values, min: 1e-12, max: 1e-10, q: 1}",
       "has no multiple of 1 in"},
      {"batch_size: {distribution: log_normal, mu: 4, sigma: 1, min: 8, max: 64}",
       "takes integers, but log_normal gives fractions"},
      {"lr: {distribution: q_uniform, min: 0.1, max: 0.2, q: 0}", "has q 0; it must be above 0"},
      {"lr: {distribution: q_uniform, min: 0.11, max: 0.19, q: 0.1}", "no multiple of 0.1 in"},
      {"lr: {min: 0, max: 1}", "'lr' must be a number in (0, 100], not 0"},
      {"momentum: {min: 0.5, max: 1.5}", "'momentum' must be a number in [0, 1), not 1.5"},
      {"batch_size: {min: 16.0, max: 64}", "takes integers, but uniform gives fractions"},
      {"batch_size: {distribution: int_uniform, min: 1.5, max: 9}", "int_uniform needs integers"},
      {"nesterov: {values: [yes, no]}", "'nesterov' must be true or false, not 'yes'"},
      {"model: {values: [cnn-18718]}", "is a key of its own"},
      {"9lives: 3", "has no valid name"},
      {"accuracy: 0.5", "has a reserved name"},
      {"parameters: 5", "has a reserved name"},
      {"width: 5", "parameter 'width' is used neither by the trainer nor by the network"},
      {"lr: {value: 0.1, when: \"accuracy > 0.5\"}", "'when' of 'lr' refers to unknown 'accuracy'"},
      {"lr: {value: 0.1, when: \"parameters > 5\"}", "use 'constraints'"},
      {"lr: {value: 0.1, when: {momentum > 0 or nesterov: true}}",
       "has a 'when' with 'momentum > 0 or nesterov', which is no name"},
      {"lr: {value: 0.1, when: \"momentum >\"}", "parameter 'lr' has a bad 'when': column"},
      {"lr: {value: 0.1, when: \"lr > 0.05\"}", "'when' goes in a circle: lr → lr"},
      {"lr: {value: 0.1, when: \"momentum\"}", "'when' of 'lr': "},
  };
  for (const auto& [parameter, complaint] : cases) {
    const std::string complaints = Complaints(Random("parameters:\n  " + parameter + "\n"));
    EXPECT_THAT(complaints, AllOf(HasSubstr("s.yaml:"), HasSubstr(complaint))) << parameter;
  }
}

TEST(Errors, ConditionsInACircleAreFollowedRound) {
  EXPECT_EQ(Complaints(Random(R"(parameters:
  lr: {value: 0.1, when: "momentum > 0"}
  momentum: {value: 0.5, when: "schedule == 'step'"}
  schedule: {value: step, when: "lr > 0.01"}
)")),
            "s.yaml:7: 'when' goes in a circle: lr → momentum → schedule → lr");
}

TEST(Errors, AGridNeedsValuesThatCanBeListed) {
  EXPECT_EQ(Complaints(Grid("repeat_points: true\n")),
            "s.yaml:4: 'repeat_points' does not go with method grid: a grid tries every point "
            "once; for several trainings of each write replicates: 3");
  EXPECT_EQ(Complaints(Grid("repeat_points: false\n")), "");
  EXPECT_EQ(Complaints(Grid("parameters:\n  lr: {min: 0.1, max: 0.2}\n")),
            "s.yaml:5: parameter 'lr' has distribution uniform, which a grid cannot enumerate; a "
            "grid needs constant, categorical, int_uniform or q_uniform");
  EXPECT_EQ(Complaints(Grid("parameters:\n  batch_size: {min: 1, max: 1000}\n"
                            "  shift_pixels: {min: 0, max: 9}\n  epochs: {min: 1, max: 11}\n")),
            "s.yaml:4: the grid has 110000 points; the limit is 100000");
}

TEST(Errors, ANetworkThatDoesNotFitIsRefusedByLineAndLayer) {
  EXPECT_EQ(Complaints(Widths("parameters:\n  kernel: {values: [3, 5, 7]}\n")),
            "nets/widths.yaml:5: layer 1 (conv 4 7×7): kernel 7 is larger than its input 5×5 (with "
            "kernel=7)");
}

TEST(Errors, WhatIsWrongInANetworkFileIsNamedBesideTheRest) {
  const auto complaints = [](const std::string& network, const std::string& more) {
    SweepSource source = SourceOf("name: s\nmodel: n.yaml\n" + more);
    source.network_files["n.yaml"] = "name: n\ninput: [1, 8, 8]\nlayers:\n" + network;
    Diagnostics diagnostics;
    EXPECT_FALSE(SweepSpec::Parse(source, &diagnostics).ok());
    return FormatDiagnostics(diagnostics);
  };
  EXPECT_THAT(complaints("  - conv: {out: 4, kernel: 9}\n", "run_cap: many\n"),
              AllOf(HasSubstr("n.yaml:4: layer 1 (conv 4 9×9)"), HasSubstr("s.yaml:3: 'run_cap'")));
  EXPECT_THAT(complaints("  - dropout\n  - global_avg_pool\n  - linear: 10\nrecipes:\n  seed:\n"
                         "    values: {momentun: 0.9, lr: -1, dropout: 5}\n",
                         "run_cap: many\n"),
              AllOf(HasSubstr("n.yaml:9: unknown hyperparameter 'momentun'; did you mean"),
                    HasSubstr("n.yaml:9: lr is -1"), HasSubstr("s.yaml:3: 'run_cap'")));
  EXPECT_THAT(complaints("  - dropout\n  - global_avg_pool\n  - linear: 10\nrecipes:\n  seed:\n"
                         "    values: {dropout: 5}\n",
                         "run_cap: 1\n"),
              HasSubstr("n.yaml:4: layer 1 (dropout 5)"));
}

TEST(Errors, PointsThatCannotBeTrainedAreRefused) {
  const std::string parameters =
      "parameters:\n  nesterov: {values: [true, false]}\n  momentum: {values: [0.0, 0.9]}\n";
  EXPECT_EQ(Complaints(Grid(parameters)),
            "s.yaml:4: 'nesterov' is true but 'momentum' is 0; it needs a momentum (with "
            "nesterov=true, momentum=0); exclude it by 'constraints'");
  EXPECT_EQ(
      MustParse(Grid(parameters + "constraints: [\"momentum > 0 or not nesterov\"]\n")).points, 3);
  EXPECT_THAT(Complaints(Random(parameters + "  lr: {min: 0.1, max: 0.2}\n")),
              HasSubstr("'nesterov' is true but 'momentum' is 0"))
      << "of an endless space, points are drawn";
}

TEST(Errors, ANetworkFileThatDidNotComeAlongIsNamed) {
  EXPECT_EQ(Complaints("name: s\nmodel: nets/other.yaml\nrun_cap: 1\n"),
            "s.yaml:2: network file 'nets/other.yaml' was not sent along");
}

TEST(HostileInput, IsRefusedInWords) {
  const std::string big(2 << 20, ' ');
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "[";
  std::string nested = "name: ";
  for (int i = 0; i < 20; ++i) nested += "{a: ";
  nested += "1" + std::string(20, '}');
  // Each line doubles the size of the one before.
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string last = std::to_string(i - 1), next = std::to_string(i);
    bomb += "a" + next + ": &a" + next + " [*a" + last + ", *a" + last + "]\n";
  }
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "is empty"},
      {"# only a comment\n", "is empty"},
      {big, "the limit is 1048576"},
      {deep, "s.yaml:"},
      {nested, "nested deeper than 16 levels"},
      {bomb, "more than 20000 values"},
      {"name: &a [*a]\n", "s.yaml:"},
      {"name: *nowhere\n", "not valid YAML"},
      {std::string("name: s\0\1\2", 10), "s.yaml"},
      {"\xff\xfe\x00name", "is not UTF-8 text"},
      {"\x7f"
       "ELF\x02\x01\x01",
       "s.yaml"},
      {"name: s\n--- \nname: t\n", "a second YAML document"},
      {"just words\n", "the sweep file must be a mapping"},
      {"- a\n- b\n", "the sweep file must be a mapping"},
      {"{[1, 2]: 3}\n", "must be a word"},
      {"<<: {name: s}\n", "'<<' merges mappings in YAML 1.1 only"},
      {"name: s\n\tmodel: x\n", "not valid YAML"},
  };
  for (const auto& [text, complaint] : cases) {
    EXPECT_THAT(Complaints(text), HasSubstr(complaint)) << text.substr(0, 60);
  }
}

TEST(HostileInput, LimitsHold) {
  std::string many = "parameters:\n", labels = "labels:\n",
              values = "parameters:\n  lr: {values: [";
  for (int i = 0; i < 101; ++i) many += "  p" + std::to_string(i) + ": 1\n";
  for (int i = 0; i < 65; ++i) labels += "  l" + std::to_string(i) + ": x\n";
  for (int i = 1; i <= 1001; ++i) values += std::to_string(i) + ".5, ";
  EXPECT_THAT(Complaints(Random(many)), HasSubstr("has 101 entries; the limit is 100"));
  EXPECT_THAT(Complaints(Random(labels)), HasSubstr("has 65 entries; the limit is 64"));
  EXPECT_THAT(Complaints(Random(values + "1]}\n")),
              HasSubstr("has 1002 values; the limit is 1000"));
  EXPECT_THAT(Complaints(Random("description: " + std::string(5000, 'x') + "\n")),
              HasSubstr("has 5000 bytes; the limit is 4096"));
  EXPECT_THAT(Complaints(Random("parameters:\n  " + std::string(100, 'x') + ": 1\n")),
              HasSubstr("has no valid name"));
  EXPECT_THAT(Complaints(Random("constraints: [\"" + std::string(5000, '(') + "\"]\n")),
              HasSubstr("5000 characters"));
  EXPECT_THAT(Complaints(Random("parameters:\n  batch_size: {min: 1, max: 9999999999999999}\n")),
              HasSubstr("the limit is 1e+15"));
}

}  // namespace
}  // namespace sweep
