#include "cli/present/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/present/text.h"

namespace sweep::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

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
    Apply(message);
  }

  std::vector<std::string> Apply(const v1::WatchSweepResponse& message, bool epochs = false) {
    return model_.Apply(message, now_, epochs, session_);
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
      trial->set_best_accuracy(0.9941);
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

TEST_F(WatchModelTest, ShowsOneBarPerRunningTrial) {
  ApplyTrial(1, v1::TRIAL_STATE_LEASED);
  ApplyTrial(2, v1::TRIAL_STATE_PENDING);
  ApplyProgress(1, 3, 50);
  const std::vector<std::string> lines = model_.Live(now_, 200, session_);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], HasSubstr("0/2 trials"));
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
  EXPECT_THAT(model_.Live(now_, 200, session_)[0], HasSubstr("best so far 96.80 % (s/1)"));
  EXPECT_THAT(model_.Live(now_, 200, session_)[0], HasSubstr("about 5 min 0 s left"));
  sweep->set_best_qualifies(true);
  sweep->clear_time_left();
  Apply(message);
  EXPECT_THAT(model_.Live(now_, 200, session_)[0], HasSubstr("best that qualifies 96.80 % (s/1)"));
  EXPECT_THAT(model_.Live(now_, 200, session_)[0], Not(HasSubstr("left")));
}

TEST_F(WatchModelTest, ADivergedTrialIsCountedApartFromTheFailed) {
  ApplyTrial(1, v1::TRIAL_STATE_FAILED);
  const std::vector<std::string> lines = ApplyTrial(2, v1::TRIAL_STATE_DIVERGED);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], Not(HasSubstr("failed")));
  EXPECT_THAT(model_.Live(now_, 200, session_)[0], HasSubstr("  1 failed  1 diverged"));
}

TEST_F(WatchModelTest, ReportsTheEndOfATrialOnce) {
  ApplyTrial(1, v1::TRIAL_STATE_RUNNING);
  const std::vector<std::string> lines = ApplyTrial(1, v1::TRIAL_STATE_COMPLETED);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], HasSubstr("best 99.41 % at epoch 9"));
  EXPECT_THAT(lines[0], HasSubstr("target at epoch 9"));
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
    message.mutable_epoch()->set_trial("sweeps/s/trials/1");
    message.mutable_epoch()->mutable_epoch()->set_epoch(epoch);
    message.mutable_epoch()->mutable_epoch()->set_validation_accuracy(0.9 + epoch * 0.01);
    EXPECT_THAT(Apply(message, /*epochs=*/true), SizeIs(1));
  }
  EXPECT_THAT(model_.Live(now_, 200, session_)[1], HasSubstr("best 92.00 %"));
}

TEST_F(WatchModelTest, LinesNeverExceedTheTerminal) {
  ApplyTrial(1, v1::TRIAL_STATE_RUNNING);
  ApplyProgress(1, 3, 50);
  for (const std::string& line : model_.Live(now_, 40, session_)) EXPECT_LE(DisplayWidth(line), 39);
}

}  // namespace
}  // namespace sweep::cli
