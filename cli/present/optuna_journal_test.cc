#include "cli/present/optuna_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

SweepSpec Spec(const std::string& metric = "accuracy") {
  SweepSpec spec;
  spec.name = "s";
  spec.objectives = {{.name = metric, .maximize = metric != "loss"}};
  const auto add = [&](Parameter parameter) { spec.parameters.push_back(std::move(parameter)); };
  add({.name = "momentum", .values = {0.9}});
  add({.name = "lr", .distribution = Distribution::kLogUniform, .min = 0.01, .max = 0.1});
  add({.name = "dropout", .distribution = Distribution::kUniform, .min = 0, .max = 0.5});
  add({.name = "width", .distribution = Distribution::kIntUniform, .min = 4, .max = 32});
  add({.name = "decay", .distribution = Distribution::kQUniform, .min = 0, .max = 1, .q = 0.1});
  add({.name = "batch",
       .distribution = Distribution::kQLogUniform,
       .min = 16,
       .max = 256,
       .q = 16});
  add({.name = "schedule",
       .distribution = Distribution::kCategorical,
       .values = {std::string("cosine"), true, std::int64_t{3}}});
  return spec;
}

v1::Trial Trial(v1::TrialState state = v1::TRIAL_STATE_COMPLETED) {
  v1::Trial trial;
  trial.set_name("sweeps/s/trials/1");
  trial.set_state(state);
  trial.set_seed(18446744073709551615u);
  trial.set_network_parameters(18718);
  trial.set_epoch(2);
  trial.set_value_epoch(2);
  MeasureSummaries summaries;
  AddToSummaries({{"accuracy", 0.99}, {"loss", 0.03}}, &summaries);
  *trial.mutable_measures() = ToProto(summaries);
  trial.mutable_create_time()->set_seconds(1'700'000'000);
  trial.mutable_start_time()->set_seconds(1'700'000'001);
  trial.mutable_end_time()->set_seconds(1'700'000'100);
  trial.mutable_end_time()->set_nanos(250'000'000);
  return trial;
}

std::vector<v1::Epoch> Epochs(const std::vector<double>& accuracies) {
  std::vector<v1::Epoch> epochs;
  for (const double accuracy : accuracies) {
    const int number = static_cast<int>(epochs.size()) + 1;
    epochs.push_back(ToProto(
        EpochMetrics{.epoch = number, .values = {{"accuracy", accuracy}, {"loss", 1 - accuracy}}}));
  }
  return epochs;
}

std::vector<json> Written(const SweepSpec& spec, const std::vector<v1::Trial>& trials,
                          const std::vector<v1::Epoch>& epochs = {}) {
  v1::Sweep sweep;
  sweep.set_name("sweeps/s");
  std::ostringstream out;
  OptunaJournal journal(spec, sweep, &out);
  for (const v1::Trial& trial : trials) journal.Write(trial, epochs);
  std::istringstream lines(out.str());
  std::vector<json> operations;
  for (std::string line; std::getline(lines, line);) operations.push_back(json::parse(line));
  return operations;
}

json WrittenTrial(const v1::Trial& trial, const std::vector<v1::Epoch>& epochs = {},
                  const std::string& metric = "accuracy") {
  return Written(Spec(metric), {trial}, epochs).back();
}

TEST(OptunaJournal, BeginsWithTheStudy) {
  const std::vector<json> operations = Written(Spec(), {});
  EXPECT_EQ(operations[0]["op_code"], 0);
  EXPECT_EQ(operations[0]["study_name"], "s");
  EXPECT_EQ(operations[0]["directions"], json::array({2}));
  EXPECT_EQ(operations[1]["system_attr"]["study:metric_names"], json::array({"accuracy"}));
  EXPECT_EQ(operations.back()["user_attr"]["fixed_parameters"]["momentum"], 0.9);
  EXPECT_EQ(Written(Spec("loss"), {})[0]["directions"], json::array({1}));
}

TEST(OptunaJournal, ParametersHaveTheDistributionsOfTheSearchSpace) {
  v1::Trial trial = Trial();
  auto& parameters = *trial.mutable_parameters();
  parameters["momentum"].set_double_value(0.9);
  parameters["lr"].set_double_value(0.05);
  parameters["dropout"].set_int_value(0);
  parameters["width"].set_int_value(7);
  parameters["decay"].set_double_value(0.1 * 3);
  parameters["batch"].set_int_value(64);
  parameters["schedule"].set_bool_value(true);
  const json record = WrittenTrial(trial);
  const auto distribution = [&](const char* name) {
    return json::parse(record["distributions"][name].get<std::string>());
  };
  EXPECT_THAT(record["params"], SizeIs(6)) << "what is fixed is not searched";
  EXPECT_EQ(record["params"]["schedule"], 1) << "the place among the choices";
  EXPECT_EQ(distribution("schedule")["attributes"]["choices"], json::array({"cosine", true, 3}));
  EXPECT_EQ(distribution("lr"), json::parse(R"({"name": "FloatDistribution", "attributes":
                            {"step": null, "low": 0.01, "high": 0.1, "log": true}})"));
  EXPECT_EQ(distribution("width"), json::parse(R"({"name": "IntDistribution", "attributes":
                            {"step": 1, "low": 4, "high": 32, "log": false}})"));
  EXPECT_EQ(distribution("dropout")["attributes"]["log"], false);
  EXPECT_EQ(distribution("decay")["name"], "FloatDistribution");
  EXPECT_EQ(distribution("batch")["name"], "IntDistribution");
  EXPECT_EQ(distribution("batch")["attributes"]["log"], true);
  EXPECT_EQ(record["params"]["batch"], 64);
}

// Optuna has no normal distribution, and its ranges have ends.
TEST(OptunaJournal, ANormalDistributionIsARangeThatHasTheValue) {
  constexpr double kOpen = std::numeric_limits<double>::infinity();
  SweepSpec spec = Spec();
  spec.parameters = {{.name = "open",
                      .distribution = Distribution::kNormal,
                      .min = -kOpen,
                      .max = kOpen,
                      .mu = 3,
                      .sigma = 1},
                     {.name = "cut",
                      .distribution = Distribution::kLogNormal,
                      .min = 0.25,
                      .max = kOpen,
                      .sigma = 1}};
  v1::Trial trial = Trial();
  (*trial.mutable_parameters())["open"].set_double_value(-4.5);
  (*trial.mutable_parameters())["cut"].set_double_value(0.5);
  const json record = Written(spec, {trial}).back();
  const auto attributes = [&](const char* name) {
    return json::parse(record["distributions"][name].get<std::string>())["attributes"];
  };
  EXPECT_EQ(attributes("open")["low"], -4.5);
  EXPECT_NEAR(attributes("open")["high"].get<double>(), 3 + 4.417, 1e-3);
  EXPECT_EQ(attributes("open")["log"], false);
  EXPECT_EQ(attributes("cut")["low"], 0.25);
  EXPECT_GT(attributes("cut")["high"].get<double>(), 50);
  EXPECT_EQ(attributes("cut")["log"], true);
}

TEST(OptunaJournal, StepsAreThoseOfTheSearchSpace) {
  SweepSpec spec;
  const auto add = [&](const char* name, double min, double max, double q) {
    spec.parameters.push_back(
        {.name = name, .distribution = Distribution::kQUniform, .min = min, .max = max, .q = q});
  };
  add("whole", 1, 10, 4);
  add("tenths", 0.05, 0.42, 0.1);
  add("thirds", 0, 1, 1.0 / 3);
  add("elsewhere", 1, 10, 4);
  v1::Trial trial = Trial();
  auto& parameters = *trial.mutable_parameters();
  parameters["whole"].set_int_value(8);
  parameters["tenths"].set_double_value(0.3);
  parameters["thirds"].set_double_value(0.333333333333333);
  parameters["elsewhere"].set_int_value(5);
  const json record = Written(spec, {trial}).back();
  const auto distribution = [&](const char* name) {
    return json::parse(record["distributions"][name].get<std::string>());
  };
  EXPECT_EQ(distribution("whole"), json::parse(R"({"name": "IntDistribution", "attributes":
                            {"step": 4, "low": 4, "high": 8, "log": false}})"));
  EXPECT_EQ(distribution("tenths"), json::parse(R"({"name": "FloatDistribution", "attributes":
                            {"step": 0.1, "low": 0.1, "high": 0.4, "log": false}})"));
  EXPECT_TRUE(distribution("thirds")["attributes"]["step"].is_null())
      << "Optuna would not find it among the steps";
  EXPECT_EQ(distribution("elsewhere")["attributes"]["step"], 1) << "a value beside the steps";
}

TEST(OptunaJournal, WhatLiesOutsideDoesNotBreakTheFile) {
  v1::Trial trial = Trial();
  (*trial.mutable_parameters())["lr"].set_double_value(0.2);
  (*trial.mutable_parameters())["width"].set_double_value(2.5);
  (*trial.mutable_parameters())["schedule"].set_string_value("unknown");
  (*trial.mutable_parameters())["dropout"].set_double_value(kNan);
  const json record = WrittenTrial(trial);
  EXPECT_THAT(record["params"], SizeIs(2));
  EXPECT_EQ(json::parse(record["distributions"]["lr"].get<std::string>())["attributes"]["high"],
            0.2);
  EXPECT_EQ(json::parse(record["distributions"]["width"].get<std::string>())["name"],
            "FloatDistribution");
}

TEST(OptunaJournal, StatesAreOptunas) {
  const std::pair<v1::TrialState, int> states[] = {
      {v1::TRIAL_STATE_PENDING, 4},   {v1::TRIAL_STATE_LEASED, 0},  {v1::TRIAL_STATE_RUNNING, 0},
      {v1::TRIAL_STATE_COMPLETED, 1}, {v1::TRIAL_STATE_STOPPED, 2}, {v1::TRIAL_STATE_FAILED, 3},
      {v1::TRIAL_STATE_CANCELLED, 3}};
  for (const auto& [state, number] : states) {
    const json record = WrittenTrial(Trial(state), Epochs({0.8, 0.7}));
    EXPECT_EQ(record["state"], number);
    EXPECT_EQ(record["value"].is_null(), number != 1 && number != 2) << number;
    EXPECT_EQ(record["datetime_start"].is_null(), number == 4) << number;
    EXPECT_EQ(record.contains("datetime_complete"), number != 4 && number != 0) << number;
  }
  EXPECT_EQ(WrittenTrial(Trial(v1::TRIAL_STATE_STOPPED), Epochs({0.8, 0.7}))["value"], 0.7);
}

TEST(OptunaJournal, HasTheMetricAfterEachEpoch) {
  const json record = WrittenTrial(Trial(), Epochs({0.9, kNan, 0.98}));
  EXPECT_EQ(record["intermediate_values"], json::parse(R"({"1": 0.9, "3": 0.98})"));
  EXPECT_EQ(record["value"], 0.99);
  EXPECT_EQ(record["datetime_start"], "2023-11-14T22:13:21.000000+00:00");
  EXPECT_EQ(record["datetime_complete"], "2023-11-14T22:15:00.250000+00:00");
  const json by_loss = WrittenTrial(Trial(), Epochs({0.75}), "loss");
  EXPECT_EQ(by_loss["intermediate_values"]["1"], 0.25);
  EXPECT_EQ(by_loss["value"], 0.03);
}

TEST(OptunaJournal, OfSeveralObjectivesItHasTheValuesOfTheRankedEpoch) {
  SweepSpec spec = Spec();
  spec.objectives.push_back({.name = "loss", .maximize = false});
  const std::vector<json> written = Written(spec, {Trial()}, Epochs({0.25, 0.5, 0.75}));
  EXPECT_EQ(written[0]["directions"], json::array({2, 1}));
  EXPECT_EQ(written[1]["system_attr"]["study:metric_names"], json::array({"accuracy", "loss"}));
  EXPECT_EQ(written.back()["values"], json::array({0.5, 0.5})) << "of epoch 2";
  EXPECT_TRUE(written.back()["value"].is_null());
  EXPECT_TRUE(written.back()["intermediate_values"].empty());
  v1::Trial incomplete = Trial();
  incomplete.mutable_measures()->erase("validation_loss");
  EXPECT_EQ(Written(spec, {incomplete}).back()["state"], 3) << "one value is not enough";
}

TEST(OptunaJournal, ACompletedTrialWithoutAFiniteValueHasFailed) {
  v1::Trial trial = Trial();
  (*trial.mutable_measures())["validation_accuracy"].set_high(kNan);
  const json record = WrittenTrial(trial);
  EXPECT_EQ(record["state"], 3);
  EXPECT_TRUE(record["value"].is_null());
}

TEST(OptunaJournal, AttributesTellWhatTheTrialIs) {
  v1::Trial trial = Trial();
  trial.set_reason("caf\xe9\nline two");
  trial.set_model("cnn-18718");
  const json attributes = WrittenTrial(trial)["user_attrs"];
  EXPECT_EQ(attributes["trial"], "s/1");
  EXPECT_EQ(attributes["seed"], "18446744073709551615");
  EXPECT_EQ(attributes["network_parameters"], 18718);
  EXPECT_THAT(attributes["reason"].get<std::string>(), HasSubstr("caf\xEF\xBF\xBD\nline two"));
}

TEST(OptunaJournal, AProgramsTrialSaysNothingOfANetwork) {
  v1::Trial trial = Trial();
  trial.set_network_parameters(0);
  const json attributes = WrittenTrial(trial)["user_attrs"];
  EXPECT_FALSE(attributes.contains("network_parameters"));
  EXPECT_FALSE(attributes.contains("fully_connected"));
}

}  // namespace
}  // namespace sweep::cli
