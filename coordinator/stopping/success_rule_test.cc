#include "coordinator/stopping/success_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "coordinator/stopping/testing/rule_testing.h"

namespace sweep {
namespace {

std::string FileWith(const std::string& more) {
  return "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: random\nrun_cap: 9\nepochs: 9\n"
         "require: {accuracy: \">= 0.99\", epochs: \"< 6\"}\n"
         "parameters:\n  lr: {min: 0.01, max: 0.1}\n" +
         more;
}

const ParameterMap& Point() {
  static const auto& point = *new ParameterMap{{"lr", 0.05}};
  return point;
}

Measurements Accuracy(double value) { return {{"accuracy", value}, {"train_loss", 0.1}}; }

TEST(SuccessRule, TheSweepEndsWhenEnoughQualify) {
  RuleUnderTest sweep(FileWith("stop_when: {qualifying: 2}\n"));
  for (int trial = 1; trial <= 4; ++trial) EXPECT_EQ(sweep.Begin(trial, Point()), "");
  EXPECT_EQ(sweep.After(1, 1, Accuracy(0.992)), "");
  EXPECT_EQ(sweep.After(1, 2, Accuracy(0.995)), "") << "counts once";
  EXPECT_EQ(sweep.After(2, 1, Accuracy(0.98)), "");
  EXPECT_EQ(sweep.End(1, TrialState::kCompleted), "");
  EXPECT_EQ(sweep.rule().SweepEnd(), "");
  EXPECT_EQ(sweep.After(3, 5, Accuracy(0.99)), "-2 -3 -4") << "the one that has ended does not";
  EXPECT_EQ(sweep.reason(), "2 configurations qualify and 'stop_when' asks for no more");
  EXPECT_EQ(sweep.rule().SweepEnd(), sweep.reason());
  EXPECT_EQ(sweep.After(2, 2, Accuracy(0.99)), "") << "said once";
  EXPECT_EQ(sweep.Begin(5, Point()), "-5") << "it was made meanwhile";
  EXPECT_EQ(sweep.End(2, TrialState::kCancelled), "");
  EXPECT_EQ(sweep.End(2, TrialState::kPending), "") << "a person wants it";
}

TEST(SuccessRule, AnEpochThatComesTooLateDoesNotQualify) {
  RuleUnderTest sweep(FileWith("stop_when: {qualifying: 1}\n"));
  sweep.Begin(1, Point());
  EXPECT_EQ(sweep.After(1, 5, Accuracy(0.98)), "");
  EXPECT_EQ(sweep.After(1, 6, Accuracy(0.999)), "");
  EXPECT_EQ(sweep.After(1, 7, Measurements{{"train_loss", 0.1}}), "") << "not reported";
}

TEST(SuccessRule, ANetworkThatMissesItsGateDoesNotQualify) {
  std::string file = FileWith("stop_when: {qualifying: 1}\n");
  file.replace(file.find("epochs: \"< 6\""), 13, "parameters: \"< 18000\"");
  RuleUnderTest sweep(file);
  sweep.Begin(1, Point());
  EXPECT_EQ(sweep.After(1, 5, Accuracy(0.999)), "");
}

TEST(SuccessRule, ATrialEndsWhenItMeetsTheCriteria) {
  RuleUnderTest sweep(FileWith("stop_when: {trial_qualifies: true}\n"));
  sweep.Begin(1, Point());
  sweep.Begin(2, Point());
  EXPECT_EQ(sweep.After(1, 1, Accuracy(0.98)), "");
  EXPECT_EQ(sweep.After(1, 2, Accuracy(0.99)), "-1");
  EXPECT_EQ(sweep.reason(), "stopped after epoch 2: it meets all criteria (stop_when)");
  EXPECT_EQ(sweep.After(2, 1, Accuracy(0.98)), "");
  EXPECT_EQ(sweep.rule().SweepEnd(), "");
}

// With the last epoch to decide, one that runs has not qualified yet.
TEST(SuccessRule, TheLastEpochDecidesWhenTheFileSaysSo) {
  std::string file = FileWith("stop_when: {qualifying: 1}\ngate_on: last\nreplicates: 2\n");
  file.replace(file.find(", epochs: \"< 6\""), 15, "");
  RuleUnderTest sweep(file);
  sweep.Begin(1, Point(), 0);
  sweep.Begin(1, Point(), 1);
  sweep.Begin(2, Point(), 0);
  EXPECT_EQ(sweep.After(1, 8, Accuracy(0.995), 0), "");
  EXPECT_EQ(sweep.After(1, 9, Accuracy(0.98), 0), "");
  EXPECT_EQ(sweep.End(1, TrialState::kCompleted, 0), "");
  EXPECT_EQ(sweep.After(1, 9, Accuracy(0.995), 1), "");
  EXPECT_EQ(sweep.End(1, TrialState::kCompleted, 1), "-2");
}

TEST(SuccessRule, TheLastEpochsInARowDecide) {
  RuleUnderTest sweep(FileWith("gate_on: last_k\nk: 2\nstop_when: {trial_qualifies: true}\n"));
  sweep.Begin(1, Point());
  EXPECT_EQ(sweep.After(1, 1, Accuracy(0.995)), "");
  EXPECT_EQ(sweep.After(1, 2, Accuracy(0.98)), "");
  EXPECT_EQ(sweep.After(1, 3, Accuracy(0.995)), "");
  EXPECT_EQ(sweep.After(1, 4, Accuracy(0.991)), "-1");
}

// One that was lost before its last epoch and tried again is one run, not two.
TEST(SuccessRule, AReplicateThatIsRetriedCountsOnce) {
  std::string file = FileWith("stop_when: {qualifying: 1}\ngate_on: mean\nreplicates: 2\n");
  file.replace(file.find(", epochs: \"< 6\""), 15, "");
  RuleUnderTest sweep(file);
  sweep.Begin(1, Point(), 0);
  sweep.Begin(1, Point(), 1);
  EXPECT_EQ(sweep.After(1, 9, Accuracy(0.995), 0), "");
  EXPECT_EQ(sweep.End(1, TrialState::kCompleted, 0), "");
  EXPECT_EQ(sweep.After(1, 3, Accuracy(0.9), 1), "");
  EXPECT_EQ(sweep.End(1, TrialState::kFailed, 1), "") << "the mean is that of one run of two";
  EXPECT_EQ(sweep.rule().SweepEnd(), "");
  EXPECT_EQ(sweep.End(1, TrialState::kPending, 1), "");
  EXPECT_EQ(sweep.After(1, 9, Accuracy(0.995), 1), "");
  EXPECT_EQ(sweep.End(1, TrialState::kCompleted, 1), "");
  EXPECT_NE(sweep.rule().SweepEnd(), "");
}

TEST(SuccessRule, AnotherRuleDecidesMeanwhile) {
  RuleUnderTest sweep(
      FileWith("stop_when: {qualifying: 1}\nearly_terminate: {type: asha, eta: 2}\n"));
  EXPECT_EQ(sweep.rule().FirstTarget(1), 1);
  sweep.Begin(1, Point());
  sweep.Begin(2, Point());
  EXPECT_EQ(sweep.After(1, 1, Accuracy(0.9)), "");
  EXPECT_EQ(sweep.After(2, 1, Accuracy(0.8)), "+1");
  EXPECT_EQ(sweep.After(1, 2, Accuracy(0.99)), "-1 -2");
  EXPECT_TRUE(sweep.rule().OnOnlyHeld().empty());
}

}  // namespace
}  // namespace sweep
