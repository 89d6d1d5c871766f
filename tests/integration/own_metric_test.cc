// A program that does not report accuracy, but val/f1 every second epoch. Runs with the real
// client, coordinator and worker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::Result;

constexpr std::chrono::seconds kOwnMetricPatience{110};

// val/f1 rises with the epochs to `level`; the last epoch, the ninth, is not evaluated. It ends
// after its target epoch, when it has one.
constexpr char kOwnMetricProgram[] = R"sh(#!/bin/sh
read -r trial
id=$(printf '%s\n' "$trial" | sed -n 's/.*"trial":"\([^"]*\)".*/\1/p')
level=$(printf '%s\n' "$trial" | sed -n 's/.*"level":\([0-9.]*\).*/\1/p')
last=$(printf '%s\n' "$trial" | sed -n 's/.*"target_epoch":\([0-9]*\).*/\1/p')
[ "${last:-0}" -gt 0 ] || last=9
for epoch in 2 4 6 8; do
  [ "$epoch" -le "$last" ] || break
  f1=$(awk "BEGIN { print $level * $epoch / 8 }")
  printf '{"type":"epoch","trial":"%s","epoch":%s,"metrics":{"val/f1":%s,"grad-norm":NaN}}\n' \
    "$id" "$epoch" "$f1"
done
printf '{"type":"done","trial":"%s","epochs":%s}\n' "$id" "$last"
)sh";

constexpr char kOwnMetricSweep[] = R"yaml(name: f1
program: ["sh", "train.sh"]
files: [train.sh]
method: grid
parameters: {level: {values: [0.5, 0.8, 0.9, 0.95]}}
epochs: 9
metric: {name: val/f1, goal: maximize}
require: {val/f1: ">= 0.85", epochs: "<= 8"}
)yaml";

class OwnMetricTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Write("train.sh", kOwnMetricProgram);
    Write("f1.yaml", kOwnMetricSweep);
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() + "/" + name) << text;
  }
  std::string Read(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(folder_.path() + "/" + name).rdbuf();
    return text.str();
  }
  Result Sweep(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sweep");
    return testing::Run({.command = std::move(arguments), .folder = folder_.path()},
                        kOwnMetricPatience);
  }
  json Json(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "json"});
    return json::parse(Sweep(arguments).output, nullptr, /*allow_exceptions=*/false);
  }

  testing::TemporaryFolder folder_;
};

// The text for people must not mention measures that were never reported.
void ExpectNoOtherMeasure(const std::string& text) {
  for (const char* word : {"accuracy", "Accuracy", "ACCURACY", "loss", "LOSS"}) {
    EXPECT_EQ(text.find(word), text.npos) << word << " in:\n" << text;
  }
}

TEST_F(OwnMetricTest, IsSweptRankedGatedFilteredShownAndExported) {
  const Result run = Sweep({"run", "f1.yaml", "--slots", "2"});
  ASSERT_EQ(run.code, 0) << run.output;
  ExpectNoOtherMeasure(run.output);

  const json best = Json({"best", "f1"});
  ASSERT_EQ(best.size(), 4U) << best;
  EXPECT_EQ(best[0]["value"], 0.95);
  EXPECT_EQ(best[0]["qualifies"], true);
  EXPECT_EQ(best[1]["qualifies"], true);
  EXPECT_EQ(best[2]["qualifies"], false);
  EXPECT_EQ(best[0]["epochs_to_target"], 8);

  const json good = Json({"trials", "f1", "--where", "best.\"val/f1\" > 0.85", "--sort", "-best"});
  ASSERT_EQ(good.size(), 2U) << good;
  EXPECT_EQ(good[0]["best"], 0.95);
  EXPECT_EQ(good[0]["best_epoch"], 8);
  EXPECT_TRUE(good[0]["measures"]["grad-norm"]["last"].is_null());

  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"best", "f1"},
                                             {"trials", "f1"},
                                             {"show", "f1"},
                                             {"trial", "f1/4"},
                                             {"list"},
                                             {"export", "f1", "--format", "csv"},
                                             {"export", "f1", "--format", "csv", "--epochs"}}) {
    const Result shown = Sweep(arguments);
    EXPECT_EQ(shown.code, 0) << shown.output;
    ExpectNoOtherMeasure(shown.output);
  }
  EXPECT_THAT(Sweep({"best", "f1"}).output, HasSubstr("val/f1"));
  EXPECT_THAT(Sweep({"export", "f1", "--format", "csv", "--epochs"}).output, HasSubstr("val/f1"));
}

TEST_F(OwnMetricTest, IsStoppedByTheMedianRule) {
  Write("f1.yaml",
        std::string(kOwnMetricSweep) + "early_terminate: {type: median, min_epochs: 2}\n");
  ASSERT_EQ(Sweep({"run", "f1.yaml", "--slots", "1"}).code, 0);
  const json trials = Json({"trials", "f1"});
  ASSERT_EQ(trials.size(), 4U) << trials;
  for (const json& trial : trials) {
    EXPECT_THAT(trial["state"], ::testing::AnyOf("completed", "stopped")) << trial;
  }
}

// A program that leaves no checkpoint begins again when it is promoted.
TEST_F(OwnMetricTest, RestsAtARungAndTheBestGoesOn) {
  Write("f1.yaml",
        std::string(kOwnMetricSweep) + "early_terminate: {type: asha, min_epochs: 4, eta: 2}\n");
  ASSERT_EQ(Sweep({"run", "f1.yaml", "--slots", "1"}).code, 0);
  const json trials = Json({"trials", "f1", "--sort", "number"});
  ASSERT_EQ(trials.size(), 4U) << trials;
  int completed = 0;
  for (const json& trial : trials) {
    completed += trial["state"] == "completed" ? 1 : 0;
    if (trial["state"] != "stopped") continue;
    EXPECT_THAT(trial["reason"].get<std::string>(),
                HasSubstr("not promoted before the end of the sweep"));
  }
  EXPECT_EQ(completed, 1) << trials;
  EXPECT_EQ(trials[3]["state"], "completed") << "the best";
  EXPECT_THAT(Sweep({"show", "f1"}).output,
              HasSubstr("by asha: after epoch 4 and each 2 times as many, 1 trial in 2 goes on"));
}

TEST_F(OwnMetricTest, EndsWhenEnoughQualify) {
  Write("f1.yaml", std::string(kOwnMetricSweep) + "stop_when: {qualifying: 1}\n");
  ASSERT_EQ(Sweep({"run", "f1.yaml", "--slots", "1"}).code, 0);
  const json trials = Json({"trials", "f1", "--sort", "number"});
  ASSERT_EQ(trials.size(), 4U) << trials;
  EXPECT_EQ(trials[0]["state"], "completed") << trials;
  EXPECT_EQ(trials[1]["state"], "completed") << trials;
  // It may have completed before the coordinator knew of trial 3.
  EXPECT_THAT(trials[3]["state"], ::testing::AnyOf("stopped", "completed")) << trials;
  if (trials[3]["state"] == "stopped") {
    EXPECT_THAT(trials[3]["reason"].get<std::string>(), HasSubstr("1 configuration qualifies"));
  }
  const std::string shown = Sweep({"show", "f1"}).output;
  EXPECT_THAT(shown, HasSubstr("by stop_when: 1 configuration qualifies"));
}

TEST_F(OwnMetricTest, AProgramWithoutItsMetricSaysWhatItReported) {
  Write("f1.yaml",
        std::string(kOwnMetricSweep)
            .replace(std::string(kOwnMetricSweep).find("name: val/f1"), 12, "name: val/mAP"));
  EXPECT_NE(Sweep({"run", "f1.yaml", "--slots", "1"}).code, 0);
  const json trial = Json({"trials", "f1"})[0];
  EXPECT_EQ(trial["state"], "failed") << trial;
  EXPECT_THAT(
      trial["reason"].get<std::string>(),
      HasSubstr("never reported the sweep's metric 'val/mAP'; it reported grad-norm, val/f1"));
}

}  // namespace
}  // namespace sweep
