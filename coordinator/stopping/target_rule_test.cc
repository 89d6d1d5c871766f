#include "coordinator/stopping/target_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "coordinator/stopping/testing/rule_testing.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Trials of a program: constant ones come to rest early, those with cosine rise late. Their errors
// halve twice, by epoch 3 or by epoch 10, from a start between 0.04 and 0.1.
class TargetRuleTest : public testing::Test {
 protected:
  static constexpr int kEpochs = 10;

  static std::string FileWith(const std::string& rule,
                              const std::string& gates = "score: \">= 0.99\"") {
    return "name: s\nprogram: ./none\nmethod: random\nrun_cap: 100\nepochs: 10\n"
           "metric: {name: score, goal: maximize}\nmeasures: {score: {range: [0, 1]}}\n"
           "parameters: {schedule: {values: [constant, cosine]}, x: {min: 0.0, max: 1.0}}\n"
           "require: {" +
           gates + "}\nearly_terminate: {type: target" + rule + "}\n";
  }
  static ParameterMap Point(const std::string& schedule) {
    return {{"schedule", schedule}, {"x", 0.5}};
  }
  // The score of a curve: `start` is the error at epoch 1.
  static double Score(const std::string& schedule, double start, int epoch) {
    const double done =
        schedule == "constant" ? std::min(epoch - 1, 2) / 2.0 : std::pow((epoch - 1) / 9.0, 3);
    return 1 - start * std::pow(0.25, done);
  }
  // Trains until the trial is stopped or completes; returns its last epoch.
  int Train(const std::string& schedule, double start) {
    const std::int64_t trial = ++trials_;
    sweep_.Begin(trial, Point(schedule));
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
      const Measurements values = {{"score", Score(schedule, start, epoch)}};
      if (!sweep_.After(trial, epoch, values).empty()) {
        sweep_.End(trial, TrialState::kStopped);
        return epoch;
      }
    }
    sweep_.End(trial, TrialState::kCompleted);
    return kEpochs;
  }
  // The error at epoch 1 of the i-th of some trials, the first of which reaches the gate.
  static double Start(int i) { return (0.04 + 0.06 * ((i * 5) % 8) / 7.0) * (1 + 0.02 * (i % 3)); }
  void Complete(const std::string& schedule, int count) {
    for (int i = 0; i < count; ++i) {
      EXPECT_EQ(Train(schedule, Start(i)), kEpochs) << schedule << " " << i;
    }
  }

  RuleUnderTest sweep_{FileWith("")};
  std::int64_t trials_ = 0;
};

TEST_F(TargetRuleTest, StopsNothingBeforeEnoughHaveCompleted) {
  Complete("constant", 7);
  EXPECT_EQ(Train("constant", 0.5), kEpochs) << "the eighth";
}

TEST_F(TargetRuleTest, StopsWhatCannotReachTheGateAnyMore) {
  Complete("constant", 8);
  EXPECT_LE(Train("constant", 0.08), 3) << "it would end at 0.98";
  EXPECT_THAT(sweep_.reason(), AllOf(HasSubstr("stopped after epoch "),
                                     HasSubstr("score >= 0.99 by epoch 10 has a "
                                               "chance of "),
                                     HasSubstr("as 8 trials of its network and schedule went")));
  EXPECT_EQ(Train("constant", 0.038), kEpochs) << "this one reaches it";
}

TEST_F(TargetRuleTest, AScheduleThatRisesLateIsJudgedByItsOwn) {
  Complete("constant", 8);
  EXPECT_EQ(Train("cosine", 0.05), kEpochs) << "nothing is known of its schedule";
  Complete("cosine", 7);
  // Worse at epoch 5 than any constant one that fails, and good in the end.
  EXPECT_LT(Score("cosine", 0.038, 5), 0.97);
  EXPECT_EQ(Train("cosine", 0.038), kEpochs);
  EXPECT_LT(Train("cosine", 0.2), kEpochs);
}

TEST_F(TargetRuleTest, MoreRiskStopsEarlier) {
  sweep_ = RuleUnderTest(FileWith(", risk: 0.5"));
  Complete("constant", 8);
  const int daring = Train("constant", 0.052);
  sweep_ = RuleUnderTest(FileWith(", risk: 1e-9"));
  trials_ = 0;
  Complete("constant", 8);
  EXPECT_LT(daring, Train("constant", 0.052));
}

TEST_F(TargetRuleTest, NothingIsJudgedBeforeMinEpochs) {
  sweep_ = RuleUnderTest(FileWith(", min_epochs: 6"));
  Complete("constant", 8);
  EXPECT_EQ(Train("constant", 0.5), 6);
}

TEST_F(TargetRuleTest, AfterTheLastPermittedEpochNothingCanHelp) {
  sweep_ = RuleUnderTest(FileWith("", "score: \">= 0.99\", epochs: \"<= 4\""));
  EXPECT_EQ(Train("constant", 0.05), 4);
  EXPECT_EQ(
      sweep_.reason(),
      "stopped after epoch 4: it has not met the criteria by epoch 4, the last one permitted");
  EXPECT_EQ(Train("constant", 0.02), kEpochs) << "it has met them";
}

// Trials of a kind that falls behind at its last epoch: with `gate_on: last` what they had met
// before counts for nothing.
TEST_F(TargetRuleTest, TheLastEpochIsJudgedWhenTheFileSaysSo) {
  const auto train = [&](double start) {
    const std::int64_t trial = ++trials_;
    sweep_.Begin(trial, Point("constant"));
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
      const double score = Score("constant", start, epoch) - (epoch == kEpochs ? 0.05 : 0);
      if (sweep_.After(trial, epoch, Measurements{{"score", score}}).empty()) continue;
      sweep_.End(trial, TrialState::kStopped);
      return epoch;
    }
    sweep_.End(trial, TrialState::kCompleted);
    return kEpochs;
  };
  for (const bool last : {false, true}) {
    sweep_ = RuleUnderTest(FileWith("") + (last ? "gate_on: last\n" : ""));
    trials_ = 0;
    for (int i = 0; i < 12; ++i) train(0.02 + 0.001 * i);
    EXPECT_EQ(train(0.025) < kEpochs, last) << "it meets the gate from epoch 3 to 9";
  }
}

// Either of two gates ends a trial that cannot meet it.
TEST_F(TargetRuleTest, EachOfTwoGatesHasToBeInReach) {
  const auto train = [&](double start, double latency) {
    const std::int64_t trial = ++trials_;
    sweep_.Begin(trial, Point("constant"));
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
      const Measurements values = {{"score", Score("constant", start, epoch)},
                                   {"latency", latency + 0.01 * (epoch % 2)}};
      if (sweep_.After(trial, epoch, values).empty()) continue;
      sweep_.End(trial, TrialState::kStopped);
      return epoch;
    }
    sweep_.End(trial, TrialState::kCompleted);
    return kEpochs;
  };
  sweep_ = RuleUnderTest(FileWith("", "score: \">= 0.99\", latency: \"< 10\""));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(train(Start(i), 5 + i), kEpochs) << i;
  EXPECT_LT(train(0.03, 40), kEpochs) << "too slow";
  EXPECT_THAT(sweep_.reason(), HasSubstr("latency < 10"));
  EXPECT_LT(train(0.3, 5), kEpochs) << "too many errors";
  EXPECT_THAT(sweep_.reason(), HasSubstr("score >= 0.99"));
  EXPECT_EQ(train(0.03, 5), kEpochs);
}

// No model of curves talks the rule into stopping what another trial came back from.
TEST_F(TargetRuleTest, WhatWasNoWorseThanASuccessGoesOn) {
  sweep_ = RuleUnderTest(FileWith(", min_trials: 60"));
  Complete("constant", 60);
  const std::int64_t late = ++trials_;
  sweep_.Begin(late, Point("constant"));
  // Its only report comes at the end, as after a trial that was retried elsewhere.
  EXPECT_EQ(sweep_.After(late, 1, Measurements{{"score", 0.9}}), "-" + std::to_string(late));
  EXPECT_EQ(sweep_.After(late, 10, Measurements{{"score", 0.995}}), "");
  sweep_.End(late, TrialState::kCompleted);
  EXPECT_EQ(Train("constant", 0.1), kEpochs);
  EXPECT_LT(Train("constant", 0.2), kEpochs);
}

// Whether a curve of a kind ends well is known as soon as it meets the gate, and whether it ends
// badly at the last permitted epoch.
TEST_F(TargetRuleTest, LearnsFromTrialsThatStopWhenTheyQualify) {
  sweep_ = RuleUnderTest(FileWith("") + "stop_when: {trial_qualifies: true}\n");
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Train("constant", 0.032 + 0.001 * i), 3) << "qualifies";
  for (int i = 0; i < 6; ++i) EXPECT_EQ(Train("constant", 0.041 + 0.001 * i), kEpochs) << i;
  EXPECT_LE(Train("constant", 0.2), 2);
  EXPECT_THAT(sweep_.reason(), HasSubstr("as 12 trials of its network and schedule went"));
}

TEST_F(TargetRuleTest, LearnsFromTrialsThatWereStoppedAtTheLastPermittedEpoch) {
  sweep_ = RuleUnderTest(FileWith("", "score: \">= 0.99\", epochs: \"<= 5\""));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(Train("constant", 0.041 + 0.006 * i), 5) << "too late";
  EXPECT_LT(Train("constant", 0.2), 5);
}

TEST_F(TargetRuleTest, ATrialThatWasStoppedForAnotherReasonTeachesNothing) {
  for (int i = 0; i < 20; ++i) {
    const std::int64_t trial = ++trials_;
    sweep_.Begin(trial, Point("constant"));
    sweep_.After(trial, 1, Measurements{{"score", 0.9}});
    sweep_.After(trial, 2, Measurements{{"score", 0.92}});
    sweep_.End(trial, TrialState::kStopped);
  }
  EXPECT_EQ(Train("constant", 0.3), kEpochs);
}

TEST_F(TargetRuleTest, ATrialThatIsRetriedKeepsWhatItHasMet) {
  sweep_ = RuleUnderTest(FileWith("", "score: \">= 0.99\", epochs: \"<= 4\""));
  for (const TrialState end : {TrialState::kFailed, TrialState::kCancelled}) {
    const std::int64_t trial = ++trials_;
    sweep_.Begin(trial, Point("constant"));
    EXPECT_EQ(sweep_.After(trial, 2, Measurements{{"score", 0.995}}), "");
    sweep_.End(trial, end);
    sweep_.End(trial, TrialState::kPending);
    EXPECT_EQ(sweep_.After(trial, 3, Measurements{{"score", 0.98}}), "");
    EXPECT_EQ(sweep_.After(trial, 4, Measurements{{"score", 0.98}}), "") << "it has met them";
  }
}

TEST_F(TargetRuleTest, ATrialThatIsRetriedIsLearnedOnce) {
  sweep_ = RuleUnderTest(FileWith(""));
  for (int i = 0; i < 7; ++i) {
    const std::int64_t trial = ++trials_;
    sweep_.Begin(trial, Point("constant"));
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
      const double score = Score("constant", 0.04 + 0.001 * i, epoch);
      sweep_.After(trial, epoch, Measurements{{"score", score}});
    }
    sweep_.End(trial, TrialState::kFailed);  // it reported all of its epochs
    sweep_.End(trial, TrialState::kPending);
    sweep_.End(trial, TrialState::kCompleted);
  }
  EXPECT_EQ(Train("constant", 0.5), kEpochs) << "the eighth";
}

// Where few qualify, less may be risked on each: those that do are stopped no more often.
TEST_F(TargetRuleTest, TheRiskIsThatOfTheTrialsThatQualify) {
  const auto epochs = [&](int hopeless, double start) {
    sweep_ = RuleUnderTest(FileWith(", risk: 0.5"));
    trials_ = 0;
    Complete("constant", 8);
    // They teach the model nothing, only that fewer qualify.
    for (int i = 0; i < hopeless; ++i) EXPECT_LT(Train("constant", 0.9), kEpochs);
    return Train("constant", start);
  };
  int few = 0, many = 0;
  for (const double start : {0.044, 0.048, 0.052, 0.056, 0.06}) {
    few += epochs(0, start);
    many += epochs(60, start);
  }
  EXPECT_GT(many, few);
}

TEST_F(TargetRuleTest, WhatShapesAScheduleMakesAKind) {
  const std::string file =
      "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: random\nrun_cap: 99\nepochs: 10\n"
      "require: {accuracy: \">= 0.99\"}\nearly_terminate: {type: target}\nparameters:\n"
      "  schedule: {values: [step, cosine]}\n  step_epochs: {values: [2, 8]}\n"
      "  lr: {min: 0.01, max: 0.1}\n";
  sweep_ = RuleUnderTest(file);
  const auto train = [&](const std::string& schedule, std::int64_t step_epochs, double start) {
    const std::int64_t trial = ++trials_;
    sweep_.Begin(trial, {{"schedule", schedule}, {"step_epochs", step_epochs}, {"lr", 0.05}});
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
      const double accuracy = Score("constant", start, epoch);
      if (sweep_.After(trial, epoch, Measurements{{"accuracy", accuracy}}).empty()) continue;
      sweep_.End(trial, TrialState::kStopped);
      return epoch;
    }
    sweep_.End(trial, TrialState::kCompleted);
    return kEpochs;
  };
  for (int i = 0; i < 12; ++i) train("step", 2, Start(i));
  EXPECT_EQ(train("step", 8, 0.2), kEpochs) << "it may fall at epoch 8";
  EXPECT_LT(train("step", 2, 0.2), kEpochs);
  for (int i = 0; i < 12; ++i) train("cosine", 2 + 6 * (i % 2), Start(i));
  EXPECT_LT(train("cosine", 8, 0.2), kEpochs) << "steps do not shape it";
}

TEST_F(TargetRuleTest, WordsOfAProgramMakeAKind) {
  std::string file = FileWith("");
  file.replace(file.find("x: {"), 0, "decay: {values: [early, late]}, ");
  sweep_ = RuleUnderTest(file);
  const auto train = [&](const std::string& decay, double start) {
    const std::int64_t trial = ++trials_;
    ParameterMap point = Point("constant");
    point["decay"] = decay;
    sweep_.Begin(trial, point);
    for (int epoch = 1; epoch <= kEpochs; ++epoch) {
      const double score = Score("constant", start, epoch);
      if (!sweep_.After(trial, epoch, Measurements{{"score", score}}).empty()) return epoch;
    }
    sweep_.End(trial, TrialState::kCompleted);
    return kEpochs;
  };
  for (int i = 0; i < 12; ++i) train("early", Start(i));
  EXPECT_EQ(train("late", 0.2), kEpochs) << "it may rise yet";
  EXPECT_LT(train("early", 0.2), kEpochs);
}

TEST(GateAim, FallsAsTheMeasureGetsBetter) {
  SweepSpec spec;
  const auto aim = [&](const char* name, const char* text) {
    const absl::StatusOr<Gate> gate = Gate::Parse(name, text);
    EXPECT_TRUE(gate.ok()) << gate.status();
    return GateAim::Of(spec, *gate);
  };
  const auto accuracy = aim("accuracy", ">= 0.99");
  ASSERT_TRUE(accuracy.has_value());
  EXPECT_NEAR(accuracy->Distance(0.9), std::log(0.1 + 0.001), 1e-12);
  EXPECT_NEAR(accuracy->target(), std::log(0.01 + 0.001), 1e-12);
  const auto loss = aim("loss", "<= 0.05");
  ASSERT_TRUE(loss.has_value());
  EXPECT_NEAR(loss->Distance(0.2), std::log(0.2 + 0.005), 1e-12);
  const auto reward = aim("reward", "> 200");
  ASSERT_TRUE(reward.has_value());
  EXPECT_NEAR(reward->Distance(100), -0.5, 1e-12);
  EXPECT_NEAR(reward->target(), -1, 1e-12);
  EXPECT_FALSE(aim("accuracy", "0.99").has_value()) << "equal has no direction";
  EXPECT_FALSE(aim("epochs", "< 20").has_value());
  EXPECT_FALSE(aim("parameters", "< 20000").has_value());
}

}  // namespace
}  // namespace sweep
