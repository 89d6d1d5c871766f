#include "cli/present/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/present/text.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

ProtoSummaries Summaries(const Measurements& values) {
  MeasureSummaries summaries;
  AddToSummaries(values, &summaries);
  return ToProto(summaries);
}

v1::TrialEpoch Reported(int trial, int epoch, const Measurements& values) {
  v1::TrialEpoch event;
  event.set_trial("sweeps/s/trials/" + std::to_string(trial));
  *event.mutable_epoch() = ToProto(EpochMetrics{.epoch = epoch, .values = values});
  event.mutable_epoch()->set_attempt(1);
  return event;
}

class WatchModelTest : public ::testing::Test {
 protected:
  WatchModelTest() {
    v1::WatchSweepResponse message;
    message.set_cursor("1");
    v1::Sweep* sweep = message.mutable_sweep();
    sweep->set_name("sweeps/s");
    sweep->set_state(v1::SWEEP_STATE_ACTIVE);
    sweep->set_planned_trials(2);
    sweep->set_epochs(10);
    sweep->set_metric("accuracy");
    sweep->set_maximize(true);
    sweep->add_gates("accuracy >= 0.99");
    Apply(message);
  }

  std::vector<std::string> Apply(const v1::WatchSweepResponse& message, bool epochs = false) {
    return model_.Apply(message, now_, epochs, session_);
  }

  static void Measure(v1::Trial* trial, double accuracy) {
    *trial->mutable_measures() = Summaries({{kValidationAccuracy, accuracy}});
  }

  std::vector<std::string> ApplyTrial(std::int64_t number, v1::TrialState state) {
    v1::WatchSweepResponse message;
    message.set_cursor(std::to_string(++sequence_));
    v1::Trial* trial = message.mutable_trial();
    trial->set_name("sweeps/s/trials/" + std::to_string(number));
    trial->set_number(number);
    trial->set_state(state);
    trial->set_attempt(1);
    trial->set_epochs(10);
    if (state == v1::TRIAL_STATE_COMPLETED) {
      trial->set_epoch(10);
      Measure(trial, 0.9941);
      trial->set_best_epoch(9);
      trial->set_epochs_to_target(9);
    }
    if (state == v1::TRIAL_STATE_FAILED) trial->set_reason("diverged at step 3\nlast lines");
    return Apply(message);
  }

  void ApplyProgress(std::int64_t number, int epoch, int step) {
    v1::WatchSweepResponse message;
    v1::Progress* progress = message.mutable_progress()->add_progress();
    progress->set_trial("sweeps/s/trials/" + std::to_string(number));
    progress->set_epoch(epoch);
    progress->set_step(step);
    progress->set_steps(100);
    progress->set_images_per_second(2500);
    Apply(message);
  }

  Session session_;
  WatchModel model_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  int sequence_ = 1;
};

TEST_F(WatchModelTest, SaysThatTheFileWasChanged) {
  v1::WatchSweepResponse message;
  message.mutable_sweep()->set_name("sweeps/s");
  message.mutable_sweep()->set_planned_configurations(30);
  message.mutable_sweep()->set_revision(2);
  EXPECT_THAT(Apply(message), SizeIs(0)) << "by a coordinator that did not say so before";
  message.mutable_sweep()->set_revision(3);
  EXPECT_THAT(Apply(message),
              ElementsAre("± s has another file now, revision 3: 30 configurations in all"));
  EXPECT_THAT(Apply(message), SizeIs(0));
}

TEST_F(WatchModelTest, ShowsOneBarPerRunningTrial) {
  ApplyTrial(1, v1::TRIAL_STATE_LEASED);
  ApplyTrial(2, v1::TRIAL_STATE_PENDING);
  ApplyProgress(1, 3, 50);
  const std::vector<std::string> lines = model_.Live(now_, {200, 24}, session_);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], HasSubstr("0 of 2 trials ended"));
  EXPECT_THAT(lines[1], HasSubstr("s/1"));
  EXPECT_THAT(lines[1], HasSubstr("epoch  3/10"));
  EXPECT_THAT(lines[1], HasSubstr("50/100"));
}

TEST_F(WatchModelTest, SaysOfBestAndTimeLeftWhatTheCoordinatorDoes) {
  ApplyTrial(1, v1::TRIAL_STATE_RUNNING);
  v1::WatchSweepResponse message;
  v1::Sweep* sweep = message.mutable_progress()->mutable_sweep();
  *sweep = model_.sweep();
  sweep->set_metric("accuracy");
  sweep->add_gates("epochs < 6");
  sweep->set_best_trial("s/1");
  sweep->set_best_value(0.968);
  sweep->mutable_time_left()->set_seconds(300);
  Apply(message);
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[0], HasSubstr("best so far 96.80 % (s/1)"));
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[0], HasSubstr("about 5 min 0 s left"));
  sweep->set_best_qualifies(true);
  sweep->clear_time_left();
  Apply(message);
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[0],
              HasSubstr("best that qualifies 96.80 % (s/1)"));
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[0], Not(HasSubstr("left")));
}

TEST_F(WatchModelTest, ADivergedTrialIsCountedApartFromTheFailed) {
  ApplyTrial(1, v1::TRIAL_STATE_FAILED);
  const std::vector<std::string> lines = ApplyTrial(2, v1::TRIAL_STATE_DIVERGED);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], Not(HasSubstr("failed")));
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[0], HasSubstr("  1 failed  1 diverged"));
}

TEST_F(WatchModelTest, ATrialOnHoldIsCountedUntilItGoesOnOrEnds) {
  for (const int number : {1, 2}) ApplyTrial(number, v1::TRIAL_STATE_RUNNING);
  for (const int number : {1, 2}) {
    EXPECT_THAT(ApplyTrial(number, v1::TRIAL_STATE_ON_HOLD), SizeIs(0)) << "no end";
  }
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_), SizeIs(1)) << "none has a bar";
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[0],
              AllOf(HasSubstr("0 of 2 trials ended"), HasSubstr("2 on hold")));
  ApplyTrial(1, v1::TRIAL_STATE_PENDING);
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[0], HasSubstr("1 on hold"));
  ApplyTrial(2, v1::TRIAL_STATE_STOPPED);
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[0], Not(HasSubstr("on hold")));
}

TEST_F(WatchModelTest, ReportsTheEndOfATrialOnce) {
  ApplyTrial(1, v1::TRIAL_STATE_RUNNING);
  const std::vector<std::string> lines = ApplyTrial(1, v1::TRIAL_STATE_COMPLETED);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], HasSubstr("best 99.41 % at epoch 9"));
  EXPECT_THAT(lines[0], HasSubstr("meets all criteria at epoch 9"));
  EXPECT_THAT(ApplyTrial(1, v1::TRIAL_STATE_COMPLETED), SizeIs(0));
}

TEST_F(WatchModelTest, ShowsAFailureWithItsLastLinesInOneLine) {
  const std::vector<std::string> lines = ApplyTrial(2, v1::TRIAL_STATE_FAILED);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], HasSubstr("failed: diverged at step 3 | last lines"));
}

TEST_F(WatchModelTest, AnEpochOlderThanTheTrialsRowChangesNothing) {
  ApplyTrial(1, v1::TRIAL_STATE_RUNNING);
  for (int epoch : {1, 2, 1}) {
    v1::WatchSweepResponse message;
    *message.mutable_epoch() = Reported(1, epoch, {{kValidationAccuracy, 0.9 + epoch * 0.01}});
    EXPECT_THAT(Apply(message, /*epochs=*/true), SizeIs(1));
  }
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[1], HasSubstr("best 92.00 %"));
}

TEST_F(WatchModelTest, AProgramsOwnMeasureIsAllThatIsSaid) {
  v1::WatchSweepResponse message;
  *message.mutable_sweep() = model_.sweep();
  message.mutable_sweep()->set_metric("val/f1");
  message.mutable_sweep()->set_best_trial("s/1");
  message.mutable_sweep()->set_best_value(0.75);
  message.mutable_sweep()->clear_gates();
  Apply(message);
  ApplyTrial(1, v1::TRIAL_STATE_RUNNING);
  std::vector<std::string> lines;
  // The goal determines the best value, and an epoch without the measure changes nothing.
  for (const Measurements& values : {Measurements{{"val/f1", 0.5}}, Measurements{{"val/f1", 0.75}},
                                     Measurements{{"size", 3}}, Measurements{{"val/f1", 0.25}}}) {
    const int epoch = static_cast<int>(lines.size()) + 1;
    message.Clear();
    *message.mutable_epoch() = Reported(1, epoch, values);
    for (const std::string& line : Apply(message, /*epochs=*/true)) lines.push_back(line);
  }
  EXPECT_THAT(lines, ElementsAre("s/1  epoch 1  val/f1 0.5", "s/1  epoch 2  val/f1 0.75",
                                 "s/1  epoch 3  size 3", "s/1  epoch 4  val/f1 0.25"));
  const std::vector<std::string> live = model_.Live(now_, {200, 24}, session_);
  EXPECT_THAT(live[0], HasSubstr("best so far val/f1 0.75 (s/1)"));
  EXPECT_THAT(live[1], HasSubstr("last 0.25 best 0.75"));
  message.Clear();
  v1::Trial* const ended = message.mutable_trial();
  ended->set_name("sweeps/s/trials/1");
  ended->set_number(1);
  ended->set_attempt(1);
  ended->set_state(v1::TRIAL_STATE_COMPLETED);
  ended->set_best_epoch(2);
  *ended->mutable_measures() = Summaries({{"val/f1", 0.75}});
  EXPECT_THAT(Apply(message)[0], HasSubstr("✓ s/1  best val/f1 0.75 at epoch 2, last 0.75  "));
}

TEST_F(WatchModelTest, MoreTrialsThanRowsAreSummedUpBelowTheSummary) {
  for (int number = 1; number <= 30; ++number) ApplyTrial(number, v1::TRIAL_STATE_RUNNING);
  const std::vector<std::string> lines = model_.Live(now_, {80, 12}, session_);
  ASSERT_THAT(lines, SizeIs(10)) << "with a line for a notice and one for the cursor";
  EXPECT_THAT(lines[0], HasSubstr("0 of 2 trials ended"));
  EXPECT_THAT(lines[1], HasSubstr("s/1 "));
  EXPECT_THAT(lines[8], HasSubstr("s/8 "));
  EXPECT_THAT(lines[9], HasSubstr("and 22 more running"));
  EXPECT_THAT(model_.Live(now_, {80, 40}, session_), SizeIs(31));
  EXPECT_THAT(model_.Live(now_, {80, 3}, session_), SizeIs(2)) << "however small it is";
}

TEST_F(WatchModelTest, AProgramThatTellsOnlyEpochsHasItsEpochsDrawn) {
  ApplyTrial(1, v1::TRIAL_STATE_RUNNING);
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[1], HasSubstr("starting"));
  for (int epoch = 1; epoch <= 5; ++epoch) {
    v1::WatchSweepResponse message;
    *message.mutable_epoch() = Reported(1, epoch, {{kValidationAccuracy, 0.5}});
    Apply(message);
    now_ += absl::Seconds(10);
  }
  const std::vector<std::string> lines = model_.Live(now_, {200, 24}, session_);
  EXPECT_THAT(lines[1], HasSubstr("epoch  6/10 ▕████████        ▏  last 50.00 %"));
  EXPECT_THAT(lines[1], Not(HasSubstr("starting")));
}

TEST_F(WatchModelTest, WhatWasThereBeforeMakesNoLines) {
  v1::Trial ended, begun;
  ended.set_number(1);
  ended.set_state(v1::TRIAL_STATE_COMPLETED);
  ended.set_attempt(1);
  ended.set_epochs(10);
  ended.set_epoch(10);
  begun.set_number(2);
  begun.set_state(v1::TRIAL_STATE_RUNNING);
  begun.set_attempt(1);
  begun.set_epoch(2);
  begun.set_epochs(10);
  model_.SetEarlierState({ended, begun});
  EXPECT_THAT(ApplyTrial(1, v1::TRIAL_STATE_COMPLETED), SizeIs(0));
  EXPECT_THAT(model_.Live(now_, {200, 24}, session_)[0], HasSubstr("1 of 2 trials ended"));
  ApplyTrial(2, v1::TRIAL_STATE_RUNNING);
  for (int epoch = 1; epoch <= 3; ++epoch) {
    v1::WatchSweepResponse message;
    *message.mutable_epoch() = Reported(2, epoch, {{kValidationAccuracy, 0.5}});
    EXPECT_THAT(Apply(message, /*epochs=*/true), SizeIs(epoch > 2 ? 1 : 0)) << epoch;
  }
  EXPECT_THAT(ApplyTrial(2, v1::TRIAL_STATE_COMPLETED), SizeIs(1));
}

TEST_F(WatchModelTest, ATrialThatIsRetriedAndEndsAgainIsNews) {
  v1::Trial failed;
  failed.set_number(1);
  failed.set_state(v1::TRIAL_STATE_FAILED);
  failed.set_attempt(0);
  model_.SetEarlierState({failed});
  EXPECT_THAT(ApplyTrial(1, v1::TRIAL_STATE_FAILED), SizeIs(1));
  EXPECT_EQ(model_.failures_told(), 1);
}

TEST(Wrapped, BreaksAtBlanksAndNeverWithinANumber) {
  const std::string line = "✓ s/1  best 99.80 % at epoch 5, last 99.80 %  lr=0.2469 width=12";
  EXPECT_EQ(Wrapped(line, 100), line);
  EXPECT_EQ(Wrapped(line, 44),
            "✓ s/1  best 99.80 % at epoch 5, last 99.80 %\n    lr=0.2469 width=12");
  EXPECT_EQ(Wrapped(line, 40),
            "✓ s/1  best 99.80 % at epoch 5, last\n    99.80 %  lr=0.2469 width=12");
  EXPECT_EQ(Wrapped("\x1b[32m✓\x1b[0m abc", 5), "\x1b[32m✓\x1b[0m abc") << "colours take no room";
  EXPECT_EQ(Wrapped(line, 0), line);
}

TEST_F(WatchModelTest, ANarrowTerminalKeepsTheTimeLeftAndTheHyperparameters) {
  ApplyTrial(1, v1::TRIAL_STATE_RUNNING);
  ApplyTrial(2, v1::TRIAL_STATE_FAILED);
  v1::WatchSweepResponse message;
  v1::Trial* trial = message.mutable_trial();
  trial->set_name("sweeps/s/trials/1");
  trial->set_number(1);
  trial->set_state(v1::TRIAL_STATE_RUNNING);
  trial->set_epoch(3);
  trial->set_epochs(10);
  Measure(trial, 0.97);
  (*trial->mutable_parameters())["schedule"].set_string_value("one_cycle_long");
  Apply(message);
  message.Clear();
  v1::Sweep* sweep = message.mutable_progress()->mutable_sweep();
  *sweep = model_.sweep();
  sweep->set_best_trial("s/1");
  sweep->set_best_value(0.968);
  sweep->set_best_qualifies(true);
  sweep->mutable_time_left()->set_seconds(300);
  Apply(message);
  const std::vector<std::string> lines = model_.Live(now_, {80, 24}, session_);
  EXPECT_THAT(lines[0], HasSubstr("1/2 ended  1 failed  5 min 0 s left  best 96.80 % (s/1)"));
  EXPECT_THAT(lines[1], HasSubstr("schedule=one_cycle_long"));
  EXPECT_THAT(model_.Live(now_, {60, 12}, session_)[0], HasSubstr("5 min 0 s left"));
}

TEST_F(WatchModelTest, BarsBeginInOneColumn) {
  ApplyTrial(9, v1::TRIAL_STATE_RUNNING);
  ApplyTrial(10, v1::TRIAL_STATE_RUNNING);
  const std::vector<std::string> lines = model_.Live(now_, {80, 24}, session_);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[1].find("epoch"), lines[2].find("epoch"));
}

TEST_F(WatchModelTest, APauseIsToldOnceWithACommandOnALineOfItsOwn) {
  v1::WatchSweepResponse message;
  *message.mutable_sweep() = model_.sweep();
  message.mutable_sweep()->set_state(v1::SWEEP_STATE_PAUSED);
  message.mutable_sweep()->set_pause_reason("the first 3 trials failed alike: no module");
  WatchModel silent = model_;
  silent.LeaveOutPause();
  const std::vector<std::string> lines = Apply(message);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], HasSubstr("s is paused: the first 3 trials failed alike"));
  EXPECT_EQ(lines[1], "go on with: sweep resume s");
  EXPECT_THAT(Apply(message), SizeIs(0));
  EXPECT_THAT(silent.Apply(message, now_, false, session_), SizeIs(0)) << "run tells it at its end";
}

TEST_F(WatchModelTest, LinesNeverExceedTheTerminal) {
  ApplyTrial(1, v1::TRIAL_STATE_RUNNING);
  ApplyProgress(1, 3, 50);
  for (const std::string& line : model_.Live(now_, {40, 24}, session_))
    EXPECT_LE(DisplayWidth(line), 39);
}

}  // namespace
}  // namespace sweep::cli
