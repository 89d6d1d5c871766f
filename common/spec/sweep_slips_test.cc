// Input that is easily misread: refusals, warnings, and advice that must hold.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/protocol/program_files.h"
#include "common/spec/parameters_parser.h"
#include "common/spec/search_space.h"
#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::string Own(const std::string& more) {
  return "name: s\nprogram: [sh, -c, \"true\"]\nmethod: grid\n" + more;
}

SweepSpec Parsed(const SweepSource& source) {
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(source, &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return spec.ok() ? *std::move(spec) : SweepSpec();
}

// ---- Scalars

TEST(Scalars, OfHexadecimalDigitsAreIntegers) {
  const SweepSpec spec =
      MustParse(Own("parameters:\n  a: 0x10\n  b: {min: 0x1, max: 0x10}\n"
                    "  c: {values: [0o17, 1e3]}\n"));
  EXPECT_EQ(spec.parameters[0].values, std::vector<Value>{std::int64_t{16}});
  EXPECT_EQ(spec.parameters[1].distribution, Distribution::kIntUniform);
  EXPECT_EQ(spec.parameters[1].GridSize(), 16);
  EXPECT_EQ(spec.parameters[2].values, (std::vector<Value>{std::int64_t{15}, 1000.0}));
}

TEST(Scalars, ThatCannotBeKeptAreRefusedByNameAndValue) {
  const std::string complaints =
      Complaints(Own("parameters:\n  inf: {value: .inf}\n  big: 12345678901234567890\n"
                     "  tiny: {values: [0.5, 1e-400]}\n  kernel: {values: [(64, 32), (128, 16)]}\n"
                     "  nothing: {values: [~, 1]}\n"));
  EXPECT_THAT(complaints,
              AllOf(HasSubstr("s.yaml:5: 'value' of parameter 'inf' is '.inf', a number that JSON"),
                    HasSubstr("s.yaml:6: parameter 'big' is '12345678901234567890', an integer"),
                    HasSubstr("s.yaml:7: an item of 'values' of parameter 'tiny' is '1e-400'"),
                    HasSubstr("s.yaml:8: YAML has no tuples"), HasSubstr("\"(64, 32)\""),
                    HasSubstr("s.yaml:9: an item of 'values' of parameter 'nothing' must be")));
}

TEST(Scalars, ThatOtherToolsReadAreWarnedOfOnce) {
  const std::string warnings =
      Warnings(Own("parameters:\n  flag: {values: [yes, \"no\"]}\n  count: 1_000\n"
                   "description: yes\nlabels: {a: on}\n"));
  EXPECT_EQ(
      warnings,
      "s.yaml:5: warning: an item of 'values' of parameter 'flag': 'yes' is a text; YAML 1.1 "
      "reads it as true: write true, or quote it\n"
      "s.yaml:6: warning: parameter 'count': '1_000' is a text, where YAML 1.1 reads a number: "
      "write 1000; quote it if the text is meant");
}

TEST(Scalars, OfNetworkFilesAreReadAlike) {
  SweepSource source = SourceOf(Widths("parameters: {width: 4}\n"));
  std::string& text = source.network_files["nets/widths.yaml"];
  text = absl::StrReplaceAll(text, {{"width: 4,", "width: 0x4,"}});
  EXPECT_EQ(Parsed(source).networks.at("nets/widths.yaml").defaults().at("width"),
            Value(std::int64_t{4}));
  text = absl::StrReplaceAll(text, {{"0x4,", ".inf,"}});
  EXPECT_THAT(ComplaintsOf(source), HasSubstr("nets/widths.yaml:3: 'width' is '.inf'"));
}

TEST(Scalars, OfGatesAreValuesToo) {
  const SweepSpec spec = MustParse(Grid("require: {parameters: 0x4E20, accuracy: \">= .5\"}\n"));
  EXPECT_EQ(spec.require[0].bound, Value(std::int64_t{20000}));
}

// ---- Stored sweeps

TEST(StoredSweeps, KeepTheMeaningThatTheirDigestTells) {
  SweepSource source = SourceOf(Own("parameters: {flag: {values: [.inf, (a]}, hex: 0x10}\n"));
  source.edition = 1;
  const SweepSpec before = Parsed(source);
  EXPECT_EQ(before.seed, 1u);
  source.edition = kSweepEdition;
  EXPECT_NE(ComplaintsOf(source), "");
  Diagnostics diagnostics;
  const auto stored = SweepSpec::ParseStored(source, before.digest, &diagnostics);
  ASSERT_TRUE(stored.ok()) << FormatDiagnostics(diagnostics);
  EXPECT_EQ(stored->digest, before.digest);
  EXPECT_EQ(stored->parameters[0].values[0], Value(std::string(".inf")));
  EXPECT_EQ(stored->Complete(1, {})->resolved.at("lr"), Value(0.01)) << "the trainer's default";
}

TEST(StoredSweeps, OfTodayAreReadAsToday) {
  const SweepSource source = SourceOf(Own("parameters: {x: 1}\n"));
  const SweepSpec now = Parsed(source);
  Diagnostics diagnostics;
  const auto stored = SweepSpec::ParseStored(source, now.digest, &diagnostics);
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->edition, kSweepEdition);
  EXPECT_EQ(stored->seed, now.seed);
}

TEST(Seed, IsDrawnFromTheNameUnlessItIsGiven) {
  const std::string rest = "model: cnn-18718\nrun_cap: 5\nparameters: {lr: {min: 0.1, max: 0.2}}\n";
  const SweepSpec a = MustParse("name: a\n" + rest);
  const SweepSpec copy = MustParse("name: b\n" + rest);
  EXPECT_NE(a.seed, copy.seed);
  EXPECT_EQ(a.seed, MustParse("name: a\n" + rest).seed);
  EXPECT_LT(a.seed, std::uint64_t{1} << 31);
  EXPECT_EQ(MustParse("name: b\nseed: 1\n" + rest).seed, 1u);
}

// ---- What a program gets

TEST(Program, GetsWhatItsFileSaysAndEpochs) {
  const SweepSpec spec = MustParse(Own("parameters: {width: 8, momentum: 0.5}\nepochs: 3\n"));
  const absl::StatusOr<Configuration> point =
      spec.Complete(1, {{"width", std::int64_t{8}}, {"momentum", 0.5}});
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_THAT(point->resolved,
              UnorderedElementsAre(testing::Pair("width", Value(std::int64_t{8})),
                                   testing::Pair("momentum", Value(0.5)),
                                   testing::Pair("epochs", Value(std::int64_t{3}))));
  TrialSpec trial = spec.MakeTrialSpec(*point, 0);
  trial.trial = "s/1";
  const std::string line = TrialSpecToJson(trial);
  EXPECT_THAT(line, AllOf(HasSubstr("\"momentum\":0.5"), HasSubstr("\"epochs\":3"),
                          Not(HasSubstr("\"lr\"")), Not(HasSubstr("batch_size")),
                          Not(HasSubstr("schedule")), Not(HasSubstr("normalize"))));
  // The worker passes it on like this.
  EXPECT_EQ(TrialSpecToJson(TrialSpecFromJson(line, NetworkField::kOptional)), line);
}

TEST(Program, MayGiveTheTrainersNamesOtherValues) {
  const SweepSpec spec = MustParse(Own(
      "parameters: {schedule: {values: [linear, cosine]}, dropout: 1.0, lr: 500, nesterov: true,"
      " momentum: 0}\n"));
  const absl::StatusOr<Configuration> point = spec.Complete(1, {{"schedule", std::string("linear")},
                                                                {"lr", std::int64_t{500}},
                                                                {"nesterov", true},
                                                                {"momentum", std::int64_t{0}},
                                                                {"dropout", 1.0}});
  ASSERT_TRUE(point.ok()) << point.status();
  TrialSpec trial = spec.MakeTrialSpec(*point, 0);
  trial.trial = "s/1";
  const std::string line = TrialSpecToJson(trial);
  EXPECT_THAT(line, AllOf(HasSubstr("\"schedule\":\"linear\""), Not(HasSubstr("constant"))));
  EXPECT_EQ(TrialSpecToJson(TrialSpecFromJson(line, NetworkField::kOptional)), line);
  EXPECT_THAT(Complaints(Own("parameters: {epochs: 0}\n")), HasSubstr("'epochs' must be"));
}

TEST(Program, WithANetworkGetsItsOwnHyperparameters) {
  const std::string text = "name: s\nprogram: [sh]\nmodel: nets/widths.yaml\nmethod: grid\n";
  const auto names = [&](const std::string& more) {
    std::vector<std::string> all;
    const SweepSpec spec = MustParse(text + more);
    for (const auto& [name, value] : BaseParameters(spec, "nets/widths.yaml")) all.push_back(name);
    return all;
  };
  EXPECT_THAT(names(""), UnorderedElementsAre("dropout", "epochs", "kernel", "model", "width"));
  EXPECT_THAT(names("recipe: seed\n"),
              UnorderedElementsAre("batch_size", "dropout", "epochs", "kernel", "lr", "model",
                                   "momentum", "width"));
}

TEST(Program, HasNoNamesInConstraintsThatNobodyWrote) {
  EXPECT_THAT(Complaints(Own("parameters: {x: 1}\nconstraints: [\"lr < 1\"]\n")),
              HasSubstr("refers to unknown 'lr'"));
  EXPECT_EQ(Complaints(Own("parameters: {lr: 1}\nconstraints: [\"lr < 2\", \"epochs > 1\"]\n")),
            "");
}

// ---- Names

TEST(Names, ThatAreWordsOfTheLanguageAreReachedByTheirPrefix) {
  const SweepSpec spec = MustParse(Own(
      "parameters:\n  in: {values: [1, 2]}\n  \"true\": 3\n  min: 4\n  epoch: {values: [5, 9]}\n"
      "  x: {values: [1, 2], when: {in: 2}}\n"
      "constraints: [\"parameters.in + parameters.true < 6\", \"min == 4\", \"epoch < 10\","
      " \"parameters.epoch > 1\"]\n"));
  EXPECT_EQ(spec.points, 2 * (1 + 2));
  EXPECT_THAT(Complaints(Own("parameters: {x: 1}\nconstraints: [\"parameters.y < 1\"]\n")),
              HasSubstr("refers to unknown 'parameters.y'"));
  EXPECT_THAT(Complaints(Grid("constraints: [\"parameters.layers < 1\"]\n")),
              HasSubstr("a fact of the network and no hyperparameter"));
}

TEST(Names, OfAProgramMayBeModel) {
  const SweepSpec spec = MustParse(Own(
      "parameters:\n  model: {values: [resnet, vgg]}\n  depth: {min: 1, max: 2, when: \"model == "
      "'vgg'\"}\n"));
  EXPECT_EQ(spec.points, 3);
  const absl::StatusOr<Configuration> point = spec.Complete(1, {{"model", std::string("vgg")}});
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_EQ(spec.MakeTrialSpec(*point, 0).parameters.at("model"), Value(std::string("vgg")));
  EXPECT_THAT(Complaints(Grid("parameters: {model: {values: [a, b]}}\n")),
              HasSubstr("write model: {values: […]} beside 'parameters'"));
}

// Applies the advice of every "did you mean 'x'?".
TEST(Names, OfOtherToolsAreAnsweredByAdviceThatHolds) {
  for (const char* name :
       {"learning_rate", "learning-rate", "LR", "lrate", "batch-size", "batchsize", "Batch_Size",
        "batch", "wd", "weight-decay", "weightDecay", "num_epochs", "label-smoothing",
        "dropout_rate", "scheduler", "momentun"}) {
    const std::string complaint =
        Complaints(Random(absl::StrCat("parameters: {", name, ": {value: 1}}\n")));
    std::size_t at = complaint.find("did you mean '");
    std::string meant;
    if (at != complaint.npos) {
      at += 14;
      meant = complaint.substr(at, complaint.find('\'', at) - at);
    } else {
      at = complaint.find("; write ");
      ASSERT_NE(at, complaint.npos) << name << ": " << complaint;
      meant = complaint.substr(at + 8, complaint.find('\n', at) - at - 8);
    }
    const std::string again =
        Complaints(Random(absl::StrCat("parameters: {", meant, ": {value: 1}}\n")));
    EXPECT_THAT(again, Not(HasSubstr("is used neither"))) << name << " → " << meant;
    EXPECT_THAT(again, Not(HasSubstr("no valid name"))) << name << " → " << meant;
  }
  EXPECT_THAT(Complaints(Random("parameters: {seed: {values: [1, 2]}}\n")),
              HasSubstr("write seed: 7 beside 'parameters', and replicates: 3"));
  EXPECT_EQ(Complaints(Random("seed: 7\nreplicates: 3\nparameters: {lr: 0.1}\n")), "");
  EXPECT_THAT(Complaints(Random("parameters: {lr: 0.1, learning_rate: 0.2}\n")),
              Not(HasSubstr("did you mean 'lr'")))
      << "there is one already";
}

TEST(Names, OfDistributionsOfOtherToolsAreAnswered) {
  const auto hint = [](const std::string& word) {
    return Complaints(
        Random("parameters: {lr: {distribution: " + word + ", min: 0.1, max: 0.2}}\n"));
  };
  EXPECT_THAT(hint("loguniform"), HasSubstr("did you mean 'log_uniform_values'?"));
  EXPECT_THAT(hint("quniform"), HasSubstr("did you mean 'q_uniform'?"));
  EXPECT_THAT(hint("qloguniform"), HasSubstr("did you mean 'q_log_uniform_values'?"));
  EXPECT_THAT(hint("randint"), HasSubstr("did you mean 'int_uniform'?"));
  // The advice says so when our values have another meaning.
  EXPECT_THAT(hint("loguniform"), HasSubstr("not exponents"));
  EXPECT_THAT(hint("randint"), HasSubstr("Its max is one of the values"));
  EXPECT_THAT(hint("quniform"), HasSubstr("multiples of q"));
  EXPECT_THAT(hint("lognormal"), HasSubstr("did you mean 'log_normal'?"));
  EXPECT_THAT(hint("qnormal"), HasSubstr("did you mean 'q_normal'?"));
  EXPECT_THAT(hint("randn"), HasSubstr("did you mean 'normal'? With mu and sigma"));
  EXPECT_THAT(hint("int_log_uniform"), HasSubstr("'q_log_uniform_values'? With q: 1"));
  for (const char* other : {"normal", "q_normal", "log_normal", "inv_log_uniform", "beta", "q_beta",
                            "inv_log_uniform_values", "expon", "half_normal"}) {
    EXPECT_THAT(hint(other), Not(HasSubstr("did you mean"))) << other;
  }
}

// Similar names that would train something else.
TEST(Advice, NeverTrainsSomethingElse) {
  const auto parameter = [](const std::string& name) {
    return Complaints(Random("parameters: {" + name + ": {value: 1}}\n"));
  };
  for (const auto& [name, how] :
       {std::pair("warmup_steps", "in epochs, not in steps"),
        std::pair("keep_prob", "not the one that is kept"),
        std::pair("final_lr", "a fraction of lr"), std::pair("step_size", "in epochs"),
        std::pair("l2", "twice that of their squares"),
        std::pair("decay", "how the learning rate changes")}) {
    EXPECT_THAT(parameter(name), AllOf(HasSubstr(how), Not(HasSubstr("did you mean")))) << name;
  }
  for (const char* name :
       {"emnist", "kmnist", "fashion-mnist", "Fashion_MNIST", "{name: qmnist}"}) {
    EXPECT_THAT(Complaints(Random(absl::StrCat("dataset: ", name, "\n"))),
                AllOf(HasSubstr("write {format: idx"), Not(HasSubstr("did you mean"))))
        << name;
  }
  EXPECT_THAT(Complaints(Random("dataset: MNIST\n")), HasSubstr("did you mean 'mnist'?"));
  EXPECT_THAT(Complaints(Random("metric: loss_train\n")), HasSubstr("did you mean 'train_loss'?"));
  for (const auto& [word, meant] : {std::pair("seeds", "replicates"),
                                    {"count", "run_cap"},
                                    {"gates", "require"},
                                    {"criteria", "require"},
                                    {"target", "require"},
                                    {"tags", "labels"},
                                    {"params", "parameters"},
                                    {"network", "model"},
                                    {"objective", "metric"},
                                    {"script", "program"}}) {
    EXPECT_THAT(Complaints(Random(absl::StrCat(word, ": 3\n"))),
                HasSubstr(absl::StrCat("did you mean '", meant, "'?")));
  }
  EXPECT_THAT(Complaints(Random("require: {forward_flops: \"< 1000000\"}\n")),
              AllOf(HasSubstr("in millions"), Not(HasSubstr("did you mean"))));
  EXPECT_THAT(Complaints(Random("method: GRID\n")), HasSubstr("did you mean 'grid'?"));
}

TEST(ForeignFiles, ThatAreNoYamlAreNamed) {
  const std::pair<const char*, const char*> table[] = {
      {"import os\n\ndef main():\n    print('x')\n", "a Python program"},
      {"#!/usr/bin/env python3\n\"\"\"Trains.\"\"\"\nfrom torch import nn\nx = {1: 2}\n",
       "a Python program"},
      {"<!DOCTYPE html>\n<html><body>x: y</body></html>\n", "HTML"},
      {"<html>\n<head>\n</head></html>\n", "HTML"},
      {"[sweep]\nname = \"x\"\n", "TOML"},
      {"name = t\nmethod = random\n", "TOML"},
      {"apiVersion: v1\nkind: Pod\n---\napiVersion: v1\n", "Kubernetes"},
  };
  for (const auto& [text, what] : table) {
    const std::string complaint = Complaints(text);
    EXPECT_THAT(complaint, AllOf(HasSubstr("this looks like "), HasSubstr(what)));
    EXPECT_EQ(complaint.find('\n'), complaint.npos) << "one answer: " << complaint;
  }
  // A slip in a sweep file is reported as such.
  EXPECT_THAT(Complaints("name: s\nconstraints:\n- lr = 3\n- lr >= 3\nmetric: {\n"),
              HasSubstr("not valid YAML"));
  for (const char* text : {"jobs: {build: {}}\non: push\n", "services: {web: {}}\nversion: '3'\n",
                           "{\"cells\": [], \"nbformat\": 4}\n"}) {
    EXPECT_THAT(Complaints(text), HasSubstr("this looks like a file for ")) << text;
  }
}

// ---- Complaints that follow from others

TEST(Complaints, AProgramInErrorIsAProgram) {
  for (const char* program : {"[]", "\"\"", "[\"\"]", "{cmd: x}", "[[sh]]", "[sh, \"a\\0\"]"}) {
    const std::string complaints = Complaints(
        absl::StrCat("name: s\nprogram: ", program, "\nmethod: grid\nparameters: {anything: 1}\n"));
    EXPECT_THAT(complaints, HasSubstr("'program'")) << program;
    EXPECT_EQ(complaints.find('\n'), complaints.npos) << complaints;
  }
}

TEST(Complaints, DoNotFollowFromOthers) {
  const std::string metric =
      Complaints(Grid("metric: {name: val_loss, goal: minimize}\nparameters: {lr: 0.1}\n"));
  EXPECT_EQ(
      metric,
      "s.yaml:4: 'name' of 'metric' must be one of accuracy, loss, train_loss, train_accuracy, "
      "train_seconds, evaluate_seconds, images_per_second, not 'val_loss'; did you mean "
      "'loss'?");
  EXPECT_THAT(Complaints(Grid("metric: val_acc\n")), HasSubstr("did you mean 'accuracy'?"));
  EXPECT_EQ(
      Complaints(Grid("metric: {name: rmse, goal: minimize}\n")),
      "s.yaml:4: 'name' of 'metric' must be one of accuracy, loss, train_loss, train_accuracy, "
      "train_seconds, evaluate_seconds, images_per_second, not 'rmse'");
  EXPECT_THAT(Complaints(Grid("dataset: mnits\nevaluate: {holdout: 70000}\n")),
              Not(HasSubstr("holdout")));
  EXPECT_THAT(Complaints(Own("parameters: {my-x: 1}\nconstraints: [\"my_x < 3\"]\n")),
              Not(HasSubstr("refers to unknown")));
  EXPECT_THAT(Complaints(Own("parameters: [x]\nconstraints: [\"x < 3\"]\n")),
              Not(HasSubstr("refers to unknown")));
}

TEST(Complaints, AreAllToldBesideAnUnknownNetwork) {
  EXPECT_THAT(Complaints("name: s\nmodel: resnet\nmethod: grid\nparameters: {optimizer: sgd}\n"
                         "constraints: [\"depth < 3\"]\n"),
              AllOf(HasSubstr("no built-in network 'resnet'"),
                    HasSubstr("parameter 'optimizer' is"), HasSubstr("refers to unknown 'depth'")));
  // The missing network file might have these names.
  EXPECT_THAT(Complaints("name: s\nmodel: nets/none.yaml\nmethod: grid\nparameters: {depth: 3}\n"),
              Not(HasSubstr("depth")));
}

// ---- Files of other tools

TEST(ForeignFiles, AreNamedOnce) {
  const auto one = [](const std::string& text) {
    const std::string complaints = Complaints(text);
    EXPECT_EQ(complaints.find('\n'), complaints.npos) << complaints;
    return complaints;
  };
  EXPECT_THAT(
      one("apiVersion: kubeflow.org/v1beta1\nkind: Experiment\nmetadata: {name: x}\nspec: {}\n"),
      HasSubstr("looks like a file for Kubernetes or Katib ('apiVersion', 'kind')"));
  EXPECT_THAT(
      one("name: x\nhyperparameters: {lr: 0.1}\nsearcher: {name: random}\nentrypoint: t.py\n"),
      HasSubstr("Determined"));
  EXPECT_THAT(one("experimentName: x\nsearch_space: {}\ntrial_command: python t.py\n"),
              HasSubstr("NNI"));
  EXPECT_THAT(one("study_name: x\nn_trials: 5\n"), HasSubstr("Optuna"));
  EXPECT_THAT(one("name: x\nprogram: [sh]\nmethod: grid\nproject: p\nparameters: {x: 1}\n"),
              AllOf(HasSubstr("Weights & Biases ('project')"), HasSubstr("program: [")));
  EXPECT_THAT(Complaints(Grid("direction: maximize\n")), HasSubstr("unknown key 'direction'"));
}

// ---- Commands

TEST(Command, OfOneOfTheFilesIsRefusedWithWhatToWrite) {
  const auto with = [](const std::string& program) {
    return WithFiles("name: s\nprogram: " + program + "\nfiles: [train.py]\nmethod: grid\n",
                     {{"train.py", "#!/usr/bin/env python3\nprint()\n"}});
  };
  EXPECT_EQ(ComplaintsOf(with("train.py")),
            "s.yaml:2: 'program' is 'train.py', which is one of 'files' and would be looked for on "
            "the PATH; write program: [\"python3\", \"train.py\"]");
  EXPECT_THAT(ComplaintsOf(with("[train.py, --fast]")),
              HasSubstr("write program: [\"python3\", \"train.py\", \"--fast\"]"));
  EXPECT_EQ(ComplaintsOf(with("[\"python3\", \"train.py\"]")), "");
  EXPECT_THAT(Warnings(with("other.py")),
              HasSubstr("warning: 'program' is 'other.py', which is not among 'files' (train.py)"));
  EXPECT_THAT(ComplaintsOf(with("[\"python3 train.py\"]")),
              HasSubstr("write its words as a list: [\"python3\", \"train.py\"]"));
  EXPECT_EQ(ComplaintsOf(with("[\"/opt/my tools/train\"]")), "");
  EXPECT_EQ(ComplaintsOf(with("./train.py")), "");
  EXPECT_EQ(ComplaintsOf(with("[python3, -u, ./train.py]")), "");
  EXPECT_EQ(ComplaintsOf(with("[python3, -m, http.server]")), "");
  EXPECT_EQ(ComplaintsOf(with("[python3, /opt/train.py]")), "");
  EXPECT_THAT(ComplaintsOf(with("[python3, missing.py]")),
              HasSubstr("runs 'missing.py', which is not among 'files' (train.py)"));
  EXPECT_THAT(ComplaintsOf(with("./missing.sh")),
              HasSubstr("is './missing.sh', which is not among 'files' (train.py)"));
  EXPECT_THAT(ComplaintsOf(with("python3 missing.py")), HasSubstr("not among 'files'"))
      << "beside the complaint about the spaces";
}

TEST(Command, WhoseFileCannotBeExecutedIsRefused) {
  const auto with = [](const std::string& text) {
    return ComplaintsOf(
        WithFiles("name: s\nprogram: ./t.sh\nfiles: [t.sh]\nmethod: grid\n", {{"t.sh", text}}));
  };
  EXPECT_EQ(with("#!/bin/sh\ntrue\n"), "");
  EXPECT_EQ(with("#! /usr/bin/env python3\n"), "");
  EXPECT_THAT(with("echo\n"), AllOf(HasSubstr("does not begin with #!"),
                                    HasSubstr("or write program: [\"sh\", \"t.sh\"]")));
  EXPECT_THAT(with("#!/bin/sh\r\ntrue\r\n"), HasSubstr("carriage return"));
  EXPECT_THAT(with("\xEF\xBB\xBF#!/bin/sh\n"), HasSubstr("byte order mark"));
  EXPECT_THAT(with("#!\n"), HasSubstr("names no interpreter"));
  EXPECT_THAT(with("#!python3\n"), HasSubstr("#!/usr/bin/env python3"));
}

TEST(Command, ThatNeedsAFileWhichDoesNotTravelIsWarnedOf) {
  const auto warnings = [](const std::string& program) {
    return Warnings("name: s\nprogram: " + program + "\nmethod: grid\n");
  };
  EXPECT_THAT(warnings("[python3, train.py]"), AllOf(HasSubstr("'train.py', which does not travel"),
                                                     HasSubstr("files: [train.py]")));
  EXPECT_THAT(warnings("train.py"), HasSubstr("must lie on the workers' PATH"));
  EXPECT_EQ(warnings("[python3, /opt/train.py]"), "");
  EXPECT_EQ(warnings("[python3, -m, train]"), "");
  EXPECT_EQ(warnings("my-trainer"), "");
}

// ---- Data

TEST(Dataset, OfARelativePathLiesBesideTheSweepFile) {
  SweepSource source = SourceOf(Grid("dataset: {format: idx, path: data/plain}\n"));
  source.file = "/home/me/proj/rel.yaml";
  const SweepSpec there = Parsed(source);
  EXPECT_EQ(there.dataset.path, "/home/me/proj/data/plain");
  source.file = "/elsewhere/rel.yaml";
  const SweepSpec elsewhere = Parsed(source);
  EXPECT_EQ(elsewhere.dataset.path, "/elsewhere/data/plain");
  EXPECT_EQ(elsewhere.digest, there.digest) << "the same sweep wherever its file lies";
  source.file = "rel.yaml";
  EXPECT_EQ(Parsed(source).dataset.path, "data/plain") << "where that is, the sender did not say";
}

}  // namespace
}  // namespace sweep
