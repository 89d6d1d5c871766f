// A program reports its own measure every second epoch. People see it under its name in every
// command, and see no measure that was not reported.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Result;

constexpr char kMeasuresSweep[] = R"(name: f1
program: [python3, train.py]
files: [train.py]
method: grid
parameters:
  rate: {values: [0.25, 0.5]}
epochs: 4
metric: {name: val/f1, goal: maximize}
require: {val/f1: ">= 0.7"}
)";

constexpr char kMeasuresProgram[] = R"(import json, sys
trial = json.loads(sys.stdin.readline())
for epoch in (2, 4):
    print(json.dumps({"type": "epoch", "trial": trial["trial"], "epoch": epoch,
                      "metrics": {"val/f1": 0.25 + trial["parameters"]["rate"] * epoch / 4}}), flush=True)
)";

class MeasuresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("train.py", kMeasuresProgram);
    run_ = Sweep({"run", folder_.Write("f1.yaml", kMeasuresSweep)});
    ASSERT_EQ(run_.code, 0) << run_.output;
  }
  Result Sweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run({.command = arguments, .folder = folder_.path()});
  }
  json Json(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Result result = Sweep(arguments);
    EXPECT_EQ(result.code, 0) << result.output;
    return json::parse(result.output);
  }
  testing::TemporaryFolder folder_;
  Result run_;
};

TEST_F(MeasuresTest, NothingIsSaidOfWhatWasNotReported) {
  EXPECT_THAT(run_.output, AllOf(HasSubstr("f1/2  epoch 2  val/f1 0.5\n"),
                                 HasSubstr("✓ f1/2  best val/f1 0.75 at epoch 4, last 0.75"),
                                 HasSubstr("1 configuration meets all criteria (val/f1 >= 0.7)")));
  for (const std::vector<std::string>& command : {std::vector<std::string>{"best"},
                                                  {"trials", "f1"},
                                                  {"show"},
                                                  {"trial", "f1/1"},
                                                  {"logs", "f1/1"},
                                                  {"list"},
                                                  {"watch", "f1"},
                                                  {"explain", "f1/1"},
                                                  {"best", "--format", "json"},
                                                  {"trials", "f1", "--format", "csv"},
                                                  {"export", "--format", "csv"},
                                                  {"export", "--format", "json", "--epochs"},
                                                  {"export", "--format", "optuna"}}) {
    const Result result = Sweep(command);
    EXPECT_EQ(result.code, 0) << command[0] << ": " << result.output;
    EXPECT_THAT(result.output, Not(ContainsRegex("[Aa][Cc][Cc]|[Ll][Oo][Ss][Ss]|%"))) << command[0];
  }
}

TEST_F(MeasuresTest, TablesAndPlotsAreOfTheObjective) {
  EXPECT_THAT(Sweep({"best"}).output, AllOf(HasSubstr("#  TRIAL  val/f1"), HasSubstr("✗ by 0.2")));
  EXPECT_THAT(Sweep({"list"}).output, HasSubstr("val/f1 0.75"));
  EXPECT_THAT(Sweep({"show"}).output,
              AllOf(HasSubstr("best val/f1 by configuration"), HasSubstr("f1/2: val/f1"),
                    HasSubstr("grid for the highest val/f1")));
  const Result trial = Sweep({"trial", "f1/2", "--metric", "val/f1"});
  EXPECT_THAT(trial.output,
              AllOf(HasSubstr("val/f1   ⠒⠒ val/f1 0.75"), HasSubstr("EPOCH  ATTEMPT  val/f1\n")));
  const Result unknown = Sweep({"trial", "f1/2", "--metric", "val/f2"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.output, HasSubstr("did you mean 'val/f1'?"));
}

TEST_F(MeasuresTest, TrialsAreChosenAndOrderedByItsName) {
  const std::vector<std::string> by_name = {"trials", "f1", "--sort", "-last.val/f1"};
  EXPECT_EQ(Json(by_name)[0]["trial"], "f1/2");
  EXPECT_EQ(Json({"trials", "f1", "--sort", "best"})[0]["trial"], "f1/1");
  EXPECT_EQ(Json({"trials", "f1", "--sort", "-parameters.rate"})[0]["trial"], "f1/2");
  EXPECT_EQ(Json({"trials", "f1", "--where", "best.\"val/f1\" > 0.6"}).size(), 1u);
  EXPECT_EQ(Sweep({"trials", "f1", "--columns", "trial,best,low.val/f1,rate"}).output,
            "TRIAL  BEST  low.val/f1  rate\n"
            "f1/1    0.5       0.375  0.25\n"
            "f1/2   0.75         0.5   0.5\n");
}

TEST_F(MeasuresTest, ProgramsGetTheWordsOfTheDashboard) {
  const json best = Json({"best"})[0];
  EXPECT_EQ(best["value"], 0.75);
  EXPECT_EQ(best["values"], (json{{"val/f1", 0.75}}));
  EXPECT_EQ(best["value_epoch"], 4);
  EXPECT_TRUE(best["interval"].is_null());
  const json trial = Json({"trial", "f1/2"});
  EXPECT_EQ(trial["best"], 0.75);
  EXPECT_EQ(trial["measures"]["val/f1"], (json{{"last", 0.75}, {"low", 0.5}, {"high", 0.75}}));
  ASSERT_EQ(trial["epoch_rows"].size(), 2u) << "no epoch is made up";
  EXPECT_EQ(trial["epoch_rows"][0]["epoch"], 2);
  EXPECT_EQ(trial["epoch_rows"][0]["values"], (json{{"val/f1", 0.5}}));
  EXPECT_EQ(Json({"show"})["objectives"],
            (json::array({{{"name", "val/f1"}, {"maximize", true}}})));
  const std::string csv = Sweep({"export", "--format", "csv", "--epochs"}).output;
  EXPECT_THAT(csv, AllOf(HasSubstr(",attempt,epoch,val/f1,report_time\n"), HasSubstr(",1,2,0.5,")));
  EXPECT_THAT(Sweep({"export", "--format", "csv"}).output,
              HasSubstr(",best,best_epoch,last,last.val/f1,low.val/f1,high.val/f1,"));
}

}  // namespace
}  // namespace sweep
