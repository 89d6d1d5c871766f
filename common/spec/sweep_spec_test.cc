#include "common/spec/sweep_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "common/spec/search_space.h"
#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Value Int(std::int64_t value) { return value; }

Configuration MustComplete(const SweepSpec& spec, const ParameterMap& chosen) {
  const absl::StatusOr<Configuration> configuration = spec.Complete(1, chosen);
  EXPECT_TRUE(configuration.ok()) << configuration.status();
  return configuration.ok() ? *configuration : Configuration();
}

TEST(SweepSpec, ARuleSaysInWordsWhatItDoes) {
  const std::string file = "name: s\nmodel: cnn-18718\nrun_cap: 1\n";
  EXPECT_FALSE(MustParse(file).early_terminate.has_value());
  EXPECT_EQ(MustParse(file + "early_terminate: {type: median}\n").early_terminate->ToString(),
            "the median rule, from epoch 3 on and against at least 4 others");
  const std::string one = "early_terminate: {type: median, min_epochs: 2, min_trials: 1}\n";
  EXPECT_EQ(MustParse(file + one).early_terminate->ToString(),
            "the median rule, from epoch 2 on and against at least 1 other");
}

TEST(SweepSpec, EveryRuleSaysInWordsWhatItDoes) {
  const auto words = [](const std::string& rule) {
    const SweepSpec spec = MustParse(
        "name: s\nmodel: cnn-18718\nrun_cap: 1\nrequire: {accuracy: "
        "\">= 0.99\"}\n" +
        rule + "\n");
    return StopsInWords(spec.early_terminate, spec.stop_when);
  };
  EXPECT_EQ(words(""), "");
  EXPECT_EQ(
      words("early_terminate: {type: asha}"),
      "asha: after epoch 1 and each 3 times as many, 1 trial in 3 goes on and the others rest");
  EXPECT_EQ(
      words("early_terminate: {type: asha, eta: 4, form: stopping, brackets: all}"),
      "asha: after epoch 1 and each 4 times as many, 1 trial in 4 goes on and the others stop, "
      "in all brackets");
  EXPECT_EQ(words("early_terminate: {type: hyperband, max_iter: 27, s: 2, eta: 2.5}"),
            "hyperband as in Weights & Biases: 2 bands below epoch 27, eta 2.5, by the value at a "
            "band");
  EXPECT_EQ(words("early_terminate: {type: hyperband, min_iter: 3, strict: false}"),
            "hyperband as in Weights & Biases: bands from epoch 3 on, eta 3, by the best value");
  EXPECT_EQ(
      words("early_terminate: {type: target}\nstop_when: {qualifying: 3}"),
      "target: trials that cannot meet the gates any more, but for a risk of 0.01, from epoch "
      "1 on and after 8 completed trials of the same kind; stop_when: 3 configurations "
      "qualify");
  EXPECT_EQ(words("stop_when: {qualifying: 1, trial_qualifies: true}"),
            "stop_when: 1 configuration qualifies, a trial when it qualifies");
}

TEST(SweepSpec, WhatStopsTrialsIsPartOfTheContent) {
  const auto digest = [](const std::string& rule) {
    return MustParse("name: s\nmodel: cnn-18718\nrun_cap: 1\nrequire: {accuracy: \">= 0.99\"}\n" +
                     rule + "\n")
        .digest;
  };
  std::set<std::string> digests;
  const std::vector<std::string> rules = {
      "",
      "early_terminate: {type: asha}",
      "early_terminate: {type: asha, min_epochs: 2}",
      "early_terminate: {type: asha, eta: 2}",
      "early_terminate: {type: asha, form: stopping}",
      "early_terminate: {type: asha, brackets: 2}",
      "early_terminate: {type: hyperband, min_iter: 1}",
      "early_terminate: {type: hyperband, min_iter: 1, strict: false}",
      "early_terminate: {type: hyperband, max_iter: 9, s: 2}",
      "early_terminate: {type: hyperband, max_iter: 9, s: 1}",
      "early_terminate: {type: target}",
      "early_terminate: {type: target, risk: 0.02}",
      "stop_when: {qualifying: 1}",
      "stop_when: {qualifying: 2}",
      "stop_when: {trial_qualifies: true}"};
  for (const std::string& rule : rules) EXPECT_TRUE(digests.insert(digest(rule)).second) << rule;
  EXPECT_EQ(digest("early_terminate: {type: asha}"),
            digest("early_terminate: {type: asha, eta: 3, form: promotion, brackets: 1}"));
}

TEST(SweepSpec, AnOpenMethodIsChosenByTheFile) {
  const std::string program = "name: s\nprogram: ./none\nmetric: {name: a, goal: minimize}\n";
  const std::string one = "parameters: {x: {min: 0.0, max: 1.0}}\n";
  const auto chosen = [&](const std::string& text) {
    const bool has_own = text.find("parameters") != text.npos;
    const SweepSpec spec = MustParse(program + text + (has_own ? "" : one));
    EXPECT_FALSE(spec.method_reason.empty()) << text;
    return spec.method->word;
  };
  EXPECT_EQ(chosen("run_cap: 10\n"), "sobol");
  EXPECT_EQ(chosen("run_cap: 11\n"), "gp");
  EXPECT_EQ(chosen("method: auto\nrun_cap: 500\n"), "gp");
  EXPECT_EQ(chosen("run_cap: 501\n"), "cmaes");
  EXPECT_EQ(chosen("run_cap: 501\nparameters: {x: {min: 0.0, max: 1.0}, y: {values: [a, b]}}\n"),
            "tpe");
  EXPECT_EQ(chosen("run_cap: 501\nparameters: {x: {min: 0.0, max: 1.0}, "
                   "y: {min: 0.0, max: 1.0, when: x > 0.5}}\n"),
            "tpe");
  EXPECT_EQ(chosen("run_cap: 501\nparameters: {x: {min: 1, max: 1000}}\n"), "tpe")
      << "its values can be listed";
  EXPECT_EQ(chosen("run_cap: 501\nepochs: 27\nearly_terminate: {type: asha}\n"), "tpe")
      << "most trials would stay on hold";
  EXPECT_EQ(chosen("method: bayes\nrun_cap: 5\n"), "gp");
  EXPECT_EQ(chosen("method: bayes\nrun_cap: 5000\n"), "cmaes");
  std::string many = "run_cap: 100\nparameters:\n";
  for (int i = 0; i < 20; ++i) absl::StrAppend(&many, "  x", i, ": {min: 0.0, max: 1.0}\n");
  EXPECT_EQ(chosen(many), "gp");
  EXPECT_EQ(chosen(many + "  y: {min: 0, max: 1}\n"), "cmaes");
  EXPECT_EQ(chosen(many + "  y: {values: [a, b]}\n"), "tpe");
  for (const std::string method : {"", "method: bayes\n"}) {
    const SweepSpec several = MustParse(
        "name: s\nprogram: ./none\nrun_cap: 100\nmetric: [{name: a, goal: minimize}, "
        "{name: b, goal: minimize}]\n" +
        method + one);
    EXPECT_EQ(several.method->word, "sobol") << method;
    EXPECT_THAT(several.method_reason, testing::HasSubstr("no model weighs several metrics"));
  }
  const SweepSpec written = MustParse(program + "method: gp\nrun_cap: 20\n" + one);
  EXPECT_EQ(written.method_reason, "");
  EXPECT_EQ(written.digest, MustParse(program + "run_cap: 20\n" + one).digest);
  EXPECT_EQ(chosen("run_cap: 100\nparameters: {x: {values: [a, b, c]}}\n"), "sobol")
      << "there are only three points";
}

// What `method` means without a word or with `auto` and `bayes`, when it was stored.
TEST(SweepSpec, AStoredSweepKeepsTheMethodOfItsTime) {
  const auto expect = [](const std::string& lines, int edition, std::string_view then,
                         std::string_view now) {
    SweepSource source{.file = "s.yaml",
                       .text =
                           "name: s\nprogram: ./none\n"
                           "parameters: {x: {min: 0.01, max: 0.1}}\n" +
                           lines};
    source.edition = edition;
    Diagnostics diagnostics;
    const auto stored = SweepSpec::Parse(source, &diagnostics);
    ASSERT_TRUE(stored.ok()) << FormatDiagnostics(diagnostics);
    EXPECT_EQ(stored->method->word, then) << lines;
    const auto read = SweepSpec::ParseStored(source, stored->digest, &diagnostics);
    ASSERT_TRUE(read.ok()) << FormatDiagnostics(diagnostics);
    EXPECT_EQ(read->method->word, then) << lines;
    EXPECT_EQ(MustParse(source.text).method->word, now) << lines;
  };
  const std::string two =
      "metric: [{name: a, goal: minimize}, {name: b, goal: minimize}]\nrun_cap: 60\n";
  expect("run_cap: 60\n", 2, "random", "gp");
  expect("run_cap: 600\n", 3, "tpe", "cmaes");
  expect("method: bayes\nrun_cap: 600\n", 3, "tpe", "cmaes");
  expect("method: bayes\n" + two, 3, "gp", "sobol");
  expect(two, 3, "sobol", "sobol");
}

// Sweeps that were stored before go on with the points that they would have had.
TEST(SweepSpec, AStoredSweepRepeatsThePointsOfItsTime) {
  const std::string conditional =
      "name: s\nprogram: ./none\nrun_cap: 60\nparameters: {s: {values: [a, b]}, g: {min: 0.1, max: "
      "0.5, when: \"s == 'b'\"}}\n";
  const std::string narrow =
      "name: s\nprogram: ./none\nrun_cap: 60\nparameters: {x: {min: 0.1, max: "
      "0.10000000000000002}}\n";
  for (const std::string& text : {conditional, narrow}) {
    SweepSource source{.file = "s.yaml", .text = text};
    EXPECT_TRUE(TriesNoPointTwice(MustParse(text)));
    EXPECT_FALSE(TriesNoPointTwice(MustParse(text + "repeat_points: true\n")));
    source.edition = 4;
    Diagnostics diagnostics;
    const auto stored = SweepSpec::Parse(source, &diagnostics);
    ASSERT_TRUE(stored.ok()) << FormatDiagnostics(diagnostics);
    EXPECT_FALSE(TriesNoPointTwice(*stored));
    const auto read = SweepSpec::ParseStored(source, stored->digest, &diagnostics);
    ASSERT_TRUE(read.ok()) << FormatDiagnostics(diagnostics);
    EXPECT_EQ(read->edition, 4);
    EXPECT_FALSE(TriesNoPointTwice(*read));
  }
  // Where draws give no point again, nothing has changed.
  EXPECT_FALSE(TriesNoPointTwice(
      MustParse(conditional.substr(0, conditional.size() - 2) + ", x: {min: 0.0, max: 1.0}}\n")));
}

// `bayes` chose a model by the first of several metrics when it was stored.
TEST(SweepSpec, AStoredSweepOfSeveralMetricsKeepsItsModel) {
  SweepSource source{.file = "s.yaml",
                     .text =
                         "name: s\nprogram: ./none\nmethod: bayes\nrun_cap: 60\nmetric: [{name: "
                         "a, goal: minimize}, {name: b, goal: minimize}]\n"
                         "parameters: {x: {min: 0.0, max: 1.0}}\n"};
  EXPECT_EQ(MustParse(source.text).method->word, "sobol");
  source.edition = 3;
  Diagnostics diagnostics;
  const auto stored = SweepSpec::Parse(source, &diagnostics);
  ASSERT_TRUE(stored.ok()) << FormatDiagnostics(diagnostics);
  EXPECT_EQ(stored->method->word, "gp");
  const auto read = SweepSpec::ParseStored(source, stored->digest, &diagnostics);
  ASSERT_TRUE(read.ok()) << FormatDiagnostics(diagnostics);
  EXPECT_EQ(read->method->word, "gp");
  EXPECT_EQ(read->edition, 3);
}

TEST(SweepSpec, TheSmallestFileGetsTheDefaults) {
  const SweepSpec spec = MustParse("name: s\nmodel: cnn-18718\nrun_cap: 1\n");
  EXPECT_EQ(spec.name, "s");
  EXPECT_THAT(spec.models, ElementsAre("cnn-18718"));
  EXPECT_EQ(spec.recipe, "seed");
  EXPECT_EQ(spec.dataset, DatasetSpec());
  EXPECT_EQ(spec.dataset.name, "mnist");
  EXPECT_EQ(spec.method->word, "sobol");
  EXPECT_EQ(spec.method_reason, "auto: 1 configuration is too few to learn from");
  EXPECT_EQ(spec.objective().name, "accuracy");
  EXPECT_TRUE(spec.objective().maximize);
  EXPECT_EQ(spec.epochs, 19);
  EXPECT_TRUE(spec.epochs_by_recipe);
  EXPECT_EQ(spec.holdout, 0);
  EXPECT_EQ(spec.gate_on, GateOn::kBest);
  EXPECT_EQ(spec.replicates, 1);
  EXPECT_GT(spec.seed, 0u) << "drawn from the name";
  EXPECT_EQ(spec.max_failures, 3);
  EXPECT_EQ(spec.points, 1);
}

TEST(SweepSpec, EveryKeyArrives) {
  const SweepSpec spec = MustParse(R"(name: all.of-it_1
description: every key
labels: {team: vision, ticket: 7}
model: {values: [cnn-18718, nets/widths.yaml]}
recipe: seed
dataset: {name: synthetic, train: 100, test: 50}
method: random
metric: {name: loss, goal: minimize}
parameters:
  lr: {min: 0.01, max: 0.1}
constraints: ["lr > 0.02", "parameters < 20000"]
epochs: 4
evaluate: {holdout: 20}
require: {accuracy: ">= 99.4%", epochs: "< 20", fully_connected: false}
gate_on: mean
run_cap: 9
replicates: 3
seed: 42
max_failures: 1
)");
  EXPECT_EQ(spec.name, "all.of-it_1");
  EXPECT_EQ(spec.description, "every key");
  EXPECT_EQ(spec.labels, (std::map<std::string, std::string>{{"team", "vision"}, {"ticket", "7"}}));
  EXPECT_THAT(spec.models, ElementsAre("cnn-18718", "nets/widths.yaml"));
  EXPECT_EQ(spec.dataset,
            (DatasetSpec{.name = "synthetic", .path = "", .train_size = 100, .test_size = 50}));
  EXPECT_EQ(spec.objective().name, "loss");
  EXPECT_FALSE(spec.objective().maximize);
  ASSERT_EQ(spec.parameters.size(), 2u);
  EXPECT_EQ(spec.parameters[0].name, "model");
  EXPECT_EQ(spec.parameters[1].line, 10);
  ASSERT_EQ(spec.constraints.size(), 2u);
  EXPECT_EQ(spec.epochs, 4);
  EXPECT_FALSE(spec.epochs_by_recipe);
  EXPECT_EQ(spec.holdout, 20);
  ASSERT_EQ(spec.require.size(), 3u);
  EXPECT_EQ(spec.require[0].ToString(), ">= 0.994");
  EXPECT_EQ(spec.require[1].ToString(), "< 20");
  EXPECT_EQ(spec.require[2].ToString(), "== false");
  EXPECT_EQ(spec.gate_on, GateOn::kMean);
  EXPECT_EQ(spec.run_cap, 9);
  EXPECT_EQ(spec.replicates, 3);
  EXPECT_EQ(spec.seed, 42u);
  EXPECT_EQ(spec.max_failures, 1);
  EXPECT_EQ(spec.points, std::nullopt);
  EXPECT_EQ(spec.PlannedConfigurations(), 9);
}

TEST(SweepSpec, AGateTakesTrueAndFalseAsYamlWritesThem) {
  for (const char* word : {"true", "True", "TRUE", "\"== true\""}) {
    const SweepSpec spec =
        MustParse(Random(absl::StrCat("require: {fully_connected: ", word, "}\n")));
    EXPECT_EQ(spec.require.at(0).ToString(), "== true") << word;
  }
}

TEST(SweepSpec, DatasetsInEveryForm) {
  const auto dataset = [](const std::string& text) {
    return MustParse(Random("dataset: " + text + "\n")).dataset;
  };
  EXPECT_EQ(dataset("mnist"), DatasetSpec());
  EXPECT_EQ(dataset("synthetic"),
            (DatasetSpec{.name = "synthetic", .path = "", .train_size = 4096, .test_size = 1000}));
  EXPECT_EQ(dataset("{name: synthetic, train: 10}"),
            (DatasetSpec{.name = "synthetic", .path = "", .train_size = 10, .test_size = 1000}));
  EXPECT_EQ(dataset("{name: mnist, train: 6000, test: 500}"),
            (DatasetSpec{.name = "mnist", .path = "", .train_size = 6000, .test_size = 500}));
  EXPECT_EQ(dataset("{format: idx, path: /data/fashion}"),
            (DatasetSpec{.name = "idx", .path = "/data/fashion"}));
}

TEST(SweepSpec, ParametersInEveryForm) {
  const SweepSpec spec = MustParse(Random(R"(parameters:
  lr: {distribution: log_uniform_values, min: 0.003, max: 0.3}
  momentum: {min: 0.8, max: 0.99}
  batch_size: {values: [32, 64, 128]}
  shift_pixels: {min: 0, max: 3}
  warmup_epochs: {distribution: q_uniform, min: 0, max: 2, q: 0.5}
  step_epochs: {distribution: q_log_uniform_values, min: 1, max: 9, q: 2}
  nesterov: {value: false}
  schedule: cosine
)"));
  const auto distribution = [&](int i) {
    return std::string(DistributionName(spec.parameters[static_cast<std::size_t>(i)].distribution));
  };
  ASSERT_EQ(spec.parameters.size(), 8u);
  EXPECT_EQ(distribution(0), "log_uniform_values");
  EXPECT_EQ(distribution(1), "uniform") << "fractions";
  EXPECT_EQ(distribution(2), "categorical");
  EXPECT_EQ(distribution(3), "int_uniform") << "both ends are whole";
  EXPECT_EQ(distribution(4), "q_uniform");
  EXPECT_EQ(distribution(5), "q_log_uniform_values");
  EXPECT_EQ(distribution(6), "constant");
  EXPECT_EQ(distribution(7), "constant");
  EXPECT_THAT(spec.parameters[6].values, ElementsAre(Value(false)));
  EXPECT_THAT(spec.parameters[7].values, ElementsAre(Value("cosine")));
}

// A sweep over everything that a write-up leaves open.
TEST(SweepSpec, AWholeSweepAsPeopleWriteIt) {
  const SweepSpec spec = MustParse(R"(name: seed-002
model: cnn-19750            # a built-in network, or a path to a network file
dataset: mnist
method: random
metric: {name: accuracy, goal: maximize}
parameters:
  lr:         {distribution: log_uniform_values, min: 0.003, max: 0.3}
  momentum:   {min: 0.8, max: 0.99}
  batch_size: {values: [32, 64, 128]}
  dropout:    {min: 0.0, max: 0.15}
  nesterov:   {value: false}
epochs: 19
evaluate: test
require: {accuracy: ">= 0.994", epochs: "< 20", parameters: "< 20000"}
gate_on: best
run_cap: 60
replicates: 1
seed: 7
)");
  EXPECT_EQ(spec.parameters.size(), 5u);
  EXPECT_EQ(spec.PlannedConfigurations(), 60);
}

TEST(Complete, WhatTheSweepSaysCountsMostThenRecipeThenNetworkThenBuiltIn) {
  const SweepSpec spec = MustParse(Widths("parameters: {lr: {values: [0.01, 0.02]}}\n"));
  const Configuration configuration = MustComplete(spec, {{"lr", 0.02}});
  EXPECT_EQ(configuration.parameters, (ParameterMap{{"lr", 0.02}}));
  const ParameterMap& resolved = configuration.resolved;
  EXPECT_EQ(resolved.at("lr"), Value(0.02)) << "over the recipe's 0.07";
  EXPECT_EQ(resolved.at("momentum"), Value(0.5)) << "the recipe's own part over the built-in 0.9";
  EXPECT_EQ(resolved.at("batch_size"), Int(16));
  EXPECT_EQ(resolved.at("epochs"), Int(7));
  EXPECT_EQ(resolved.at("width"), Int(4)) << "the network file's default";
  EXPECT_EQ(resolved.at("schedule"), Value("constant")) << "built in";
  EXPECT_EQ(resolved.at("model"), Value("nets/widths.yaml"));
  EXPECT_EQ(spec.epochs, 7);
}

TEST(Complete, AnotherRecipeAndEpochsOfTheFile) {
  const SweepSpec spec =
      MustParse(Widths("recipe: tuned\nepochs: 3\nparameters: {momentum: 0.8}\n"));
  const Configuration configuration = MustComplete(spec, {{"momentum", 0.8}});
  EXPECT_EQ(configuration.resolved.at("lr"), Value(0.09));
  EXPECT_EQ(configuration.resolved.at("width"), Int(6)) << "a recipe's over the file's default";
  EXPECT_EQ(configuration.resolved.at("dropout"), Value(0.0)) << "the recipe is silent";
  EXPECT_EQ(configuration.resolved.at("epochs"), Int(3));
  EXPECT_EQ(configuration.network.layers[0].out, 6);
}

TEST(Complete, EachNetworkHasItsOwnRecipe) {
  const SweepSpec spec =
      MustParse("name: s\nmodel: {values: [cnn-18718, nets/widths.yaml]}\nmethod: grid\n");
  EXPECT_EQ(MustComplete(spec, {{"model", "cnn-18718"}}).resolved.at("epochs"), Int(19));
  EXPECT_EQ(MustComplete(spec, {{"model", "nets/widths.yaml"}}).resolved.at("epochs"), Int(7));
  EXPECT_EQ(MustComplete(spec, {{"model", "cnn-18718"}}).network.parameters, 18718);
  EXPECT_THAT(std::string(spec.Complete(1, {{"model", "cnn-1"}}).status().message()),
              HasSubstr("no model 'cnn-1'"));
}

TEST(Complete, WidthsComeFromTheSweep) {
  const SweepSpec spec = MustParse(Widths("parameters: {width: {min: 2, max: 9}}\n"));
  for (std::int64_t width = 2; width <= 9; ++width) {
    const Network network = MustComplete(spec, {{"width", width}}).network;
    EXPECT_EQ(network.layers[0].out, width);
    EXPECT_EQ(network.parameters, width * 10 + width * 10 + 10);
  }
}

TEST(Complete, RefusesWhatIsNoPointOfTheSweep) {
  const SweepSpec spec = MustParse(Widths("parameters: {width: {min: 2, max: 9}}\n"));
  const auto complaint = [&](const ParameterMap& chosen) {
    const absl::Status status = spec.Complete(1, chosen).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_EQ(complaint({{"widht", Int(3)}}),
            "sweep s has no parameter 'widht'; did you mean 'width'?");
  EXPECT_THAT(complaint({{"width", Int(0)}}), HasSubstr("nets/widths.yaml:5: layer 1 (conv"));
  EXPECT_THAT(complaint({{"width", Value("wide")}}), HasSubstr("nets/widths.yaml:5: layer 1"));
}

TEST(When, AParameterExistsOnlyWhereItsConditionHolds) {
  for (const char* when : {"\"schedule == 'step'\"", "{schedule: step}", "{schedule: [step]}",
                           "\"schedule in ['step']\""}) {
    const SweepSpec spec = MustParse(Grid(std::string(R"(parameters:
  schedule: {values: [constant, step]}
  step_gamma: {values: [0.2, 0.5], when: )") +
                                          when + "}\n"));
    EXPECT_EQ(spec.points, 3) << when;
    const Configuration constant =
        MustComplete(spec, {{"schedule", "constant"}, {"step_gamma", 0.5}});
    EXPECT_FALSE(constant.parameters.contains("step_gamma")) << when;
    EXPECT_EQ(constant.resolved.at("step_gamma"), Value(0.1)) << "the default holds instead";
    const Configuration step = MustComplete(spec, {{"schedule", "step"}, {"step_gamma", 0.5}});
    EXPECT_EQ(step.parameters.at("step_gamma"), Value(0.5)) << when;
  }
}

TEST(When, AMappingMeansAllOfItsKeys) {
  const SweepSpec spec = MustParse(Grid(R"(parameters:
  schedule: {values: [constant, step, cosine]}
  nesterov: {values: [true, false]}
  warmup_epochs: {values: [1, 2], when: {schedule: [step, cosine], nesterov: true}}
)"));
  EXPECT_EQ(spec.points, 6 + 2) << "two of six combinations have two values each";
}

TEST(When, ConditionsMayReferToConditionalParametersAndDefaults) {
  const SweepSpec spec = MustParse(Grid(R"(parameters:
  final_lr_fraction: {values: [0.1, 0.2], when: "warmup_epochs > 1"}
  warmup_epochs: {values: [1, 2], when: "schedule == 'cosine'"}
  schedule: {values: [constant, cosine]}
)"));
  // constant: warmup_epochs has its default 0, so final_lr_fraction does not exist either.
  EXPECT_EQ(spec.points, 1 + 1 + 2);
}

TEST(Constraints, CountOnlyWhatTheyAllow) {
  const SweepSpec spec = MustParse(Widths(R"(parameters:
  width: {values: [2, 4, 8]}
  lr: {values: [0.1, 0.2]}
constraints: ["parameters < 100", "lr * width < 0.8"]
)"));
  // Widths 2 and 4 have 50 and 90 parameters; 0.2 × 4 is too much.
  EXPECT_EQ(spec.points, 3);
  EXPECT_EQ(spec.PlannedConfigurations(), 3);
  const auto allowed = [&](std::int64_t width, double lr) {
    const auto configuration = spec.CompleteIfAllowed(7, {{"width", width}, {"lr", lr}});
    EXPECT_TRUE(configuration.ok()) << configuration.status();
    return configuration->has_value() && (*configuration)->number == 7;
  };
  EXPECT_TRUE(allowed(4, 0.1));
  EXPECT_FALSE(allowed(4, 0.2));
  EXPECT_FALSE(allowed(8, 0.1));
}

TEST(Constraints, WhatHyperparametersExcludeNeedNotFit) {
  const SweepSpec spec = MustParse(
      Widths("parameters: {kernel: {values: [3, 5, 7]}}\nconstraints: [\"kernel < 6\"]\n"));
  EXPECT_EQ(spec.points, 2);
  const auto excluded = spec.CompleteIfAllowed(1, {{"kernel", Int(7)}});
  ASSERT_TRUE(excluded.ok()) << excluded.status();
  EXPECT_EQ(*excluded, std::nullopt);
}

TEST(Constraints, SeeEveryFactOfTheNetwork) {
  EXPECT_EQ(MustParse(Grid("constraints:\n  - parameters == 18718\n  - not fully_connected\n"
                           "  - train_mflop > 6.4 and train_mflop < 6.6\n"
                           "  - forward_mflop < train_mflop\n  - receptive_field > 20\n"
                           "  - layers == 27 or layers > 20\n  - model == 'cnn-18718'\n"))
                .points,
            1);
  const SweepSpec one = MustParse(Grid("constraints: parameters < 20000\n"));
  EXPECT_EQ(one.constraints.size(), 1u) << "one needs no list";
}

TEST(MakeTrialSpec, CarriesEverythingResolved) {
  const SweepSpec spec = MustParse(Widths(R"(dataset: synthetic
evaluate: {holdout: 100}
parameters: {width: 8, schedule: cosine, nesterov: true, lr: 1}
)"));
  const Configuration configuration = MustComplete(
      spec, {{"width", Int(8)}, {"schedule", "cosine"}, {"nesterov", true}, {"lr", Int(1)}});
  const TrialSpec trial = spec.MakeTrialSpec(configuration, 0);
  EXPECT_EQ(trial.trial, "");
  EXPECT_EQ(trial.lr, 1);
  EXPECT_EQ(trial.momentum, 0.5);
  EXPECT_EQ(trial.batch_size, 16);
  EXPECT_EQ(trial.epochs, 7);
  EXPECT_EQ(trial.schedule, "cosine");
  EXPECT_TRUE(trial.nesterov);
  EXPECT_EQ(trial.holdout, 100);
  EXPECT_EQ(trial.dataset, spec.dataset);
  EXPECT_EQ(trial.network.layers[0].out, 8);
  EXPECT_EQ(trial.network.layers[2].p, 0.25) << "the recipe's dropout";
}

TEST(MakeTrialSpec, ReplicatesHaveTheSameSeedsInEveryConfiguration) {
  const std::string text = Widths("parameters: {width: {values: [4, 8]}}\nreplicates: 100\n");
  const SweepSpec spec = MustParse(text);
  const Configuration narrow = MustComplete(spec, {{"width", Int(4)}});
  const Configuration wide = MustComplete(spec, {{"width", Int(8)}});
  std::set<std::uint64_t> seeds;
  for (int replicate = 0; replicate < 100; ++replicate) {
    const std::uint64_t seed = spec.MakeTrialSpec(narrow, replicate).seed;
    EXPECT_EQ(seed, spec.MakeTrialSpec(wide, replicate).seed);
    EXPECT_LT(seed, std::uint64_t{1} << 63) << "SQLite's integers are signed";
    seeds.insert(seed);
  }
  EXPECT_EQ(seeds.size(), 100u);
  const SweepSpec other = MustParse(text + "seed: 2\n");
  EXPECT_FALSE(seeds.contains(other.MakeTrialSpec(narrow, 0).seed));
}

TEST(PlannedConfigurations, TheCapCutsAGridAndAFiniteSpaceCutsTheCap) {
  const std::string parameters = "parameters: {lr: {values: [0.1, 0.2, 0.3]}}\n";
  EXPECT_EQ(MustParse(Grid(parameters)).PlannedConfigurations(), 3);
  EXPECT_EQ(MustParse(Grid(parameters + "run_cap: 2\n")).PlannedConfigurations(), 2);
  EXPECT_EQ(MustParse(Random(parameters)).PlannedConfigurations(), 3) << "run_cap is 5";
}

TEST(LookUpConfiguration, KnowsFactsAndHyperparameters) {
  const SweepSpec spec = MustParse(Widths(""));
  const Configuration configuration = MustComplete(spec, {});
  for (const std::string& fact : NetworkFactNames()) {
    EXPECT_TRUE(LookUpConfiguration(configuration, fact).has_value()) << fact;
  }
  EXPECT_EQ(LookUpConfiguration(configuration, "parameters"), Value(Int(4 * 10 + 4 * 10 + 10)));
  EXPECT_EQ(LookUpConfiguration(configuration, "fully_connected"), Value(true));
  EXPECT_EQ(LookUpConfiguration(configuration, "layers"), Value(Int(5)));
  EXPECT_EQ(LookUpConfiguration(configuration, "lr"), Value(0.07));
  EXPECT_EQ(LookUpConfiguration(configuration, "accuracy"), std::nullopt);
}

}  // namespace
}  // namespace sweep
