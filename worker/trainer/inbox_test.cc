#include "worker/trainer/inbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace sweep {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string TrialLine(const std::string& id) {
  TrialSpec spec;
  spec.trial = id;
  spec.network.name = "tiny";
  spec.network.layers = {{.kind = LayerKind::kLinear, .out = 10}};
  EXPECT_EQ(InferShapes(&spec.network), "");
  return TrialSpecToJson(spec);
}

class InboxTest : public testing::Test {
 protected:
  std::vector<ErrorMessage> errors_;
  Inbox inbox_{[this](const ErrorMessage& error) { errors_.push_back(error); }};
};

TEST_F(InboxTest, TrialsComeInTheOrderOfTheirLines) {
  inbox_.TakeLine(TrialLine("s/1"));
  inbox_.TakeLine(TrialLine("s/2"));
  EXPECT_EQ(inbox_.NextTrial()->trial, "s/1");
  inbox_.FinishTrial();
  EXPECT_EQ(inbox_.NextTrial()->trial, "s/2");
  EXPECT_THAT(errors_, IsEmpty());
}

TEST_F(InboxTest, ARequestIsTakenOnce) {
  inbox_.TakeLine(TrialLine("s/1"));
  inbox_.NextTrial();
  EXPECT_EQ(inbox_.TakeRequest(), TrainingRequest::kNone);
  inbox_.TakeLine(TrainerCommandToJson(TrainerCommand::kCheckpoint, "s/1"));
  EXPECT_EQ(inbox_.TakeRequest(), TrainingRequest::kCheckpoint);
  EXPECT_EQ(inbox_.TakeRequest(), TrainingRequest::kNone);
}

TEST_F(InboxTest, AStopCountsMoreThanACheckpoint) {
  inbox_.TakeLine(TrialLine("s/1"));
  inbox_.NextTrial();
  inbox_.TakeLine(TrainerCommandToJson(TrainerCommand::kStop, "s/1"));
  inbox_.TakeLine(TrainerCommandToJson(TrainerCommand::kCheckpoint, "s/1"));
  EXPECT_EQ(inbox_.TakeRequest(), TrainingRequest::kStop);
}

TEST_F(InboxTest, AStopBeforeTheTrainingBeginsIsNotLost) {
  inbox_.TakeLine(TrialLine("s/1"));
  inbox_.TakeLine(TrialLine("s/2"));
  inbox_.TakeLine(TrainerCommandToJson(TrainerCommand::kStop, "s/2"));
  inbox_.NextTrial();
  EXPECT_EQ(inbox_.TakeRequest(), TrainingRequest::kNone);
  inbox_.FinishTrial();
  inbox_.NextTrial();
  EXPECT_EQ(inbox_.TakeRequest(), TrainingRequest::kStop);
}

TEST_F(InboxTest, AStopForATrialThatHasEndedDoesNotStopItsNextAttempt) {
  inbox_.TakeLine(TrialLine("s/1"));
  inbox_.NextTrial();
  inbox_.FinishTrial();
  inbox_.TakeLine(TrainerCommandToJson(TrainerCommand::kStop, "s/1"));
  inbox_.TakeLine(TrialLine("s/1"));
  inbox_.NextTrial();
  EXPECT_EQ(inbox_.TakeRequest(), TrainingRequest::kNone);
}

TEST_F(InboxTest, ALineThatIsNoMessageIsAnErrorOfNoTrial) {
  inbox_.TakeLine("hello");
  inbox_.TakeLine("{\"type\":\"dance\"}");
  ASSERT_THAT(errors_, SizeIs(2));
  EXPECT_EQ(errors_[0].trial, "");
  EXPECT_THAT(errors_[1].reason, HasSubstr("dance"));
}

TEST_F(InboxTest, ATrialThatCannotBeReadFailsUnderItsOwnId) {
  std::string line = TrialLine("s/9");
  const std::string good = "\"epochs\":19";
  ASSERT_NE(line.find(good), std::string::npos);
  line.replace(line.find(good), good.size(), "\"epochs\":-1");
  inbox_.TakeLine(line);
  ASSERT_THAT(errors_, SizeIs(1));
  EXPECT_EQ(errors_[0].trial, "s/9");
  EXPECT_FALSE(errors_[0].retryable);
  EXPECT_THAT(errors_[0].reason, HasSubstr("epochs"));
}

TEST_F(InboxTest, TheQueueIsBounded) {
  for (std::size_t i = 0; i <= Inbox::kMaxWaiting; ++i) {
    inbox_.TakeLine(TrialLine("s/" + std::to_string(i)));
  }
  EXPECT_THAT(errors_, IsEmpty());
  inbox_.TakeLine(TrialLine("s/99"));
  ASSERT_THAT(errors_, SizeIs(1));
  EXPECT_EQ(errors_[0].trial, "s/99");
  EXPECT_TRUE(errors_[0].retryable);
}

TEST_F(InboxTest, TerminateStopsTheTrainingAndWakesWhoWaits) {
  inbox_.TakeLine(TrialLine("s/1"));
  inbox_.NextTrial();
  std::thread terminator([this] { inbox_.Terminate(); });
  terminator.join();
  EXPECT_EQ(inbox_.TakeRequest(), TrainingRequest::kStop);
  inbox_.FinishTrial();
  bool ended = false;
  std::thread waiter([&] { ended = !inbox_.NextTrial().has_value(); });
  waiter.join();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace sweep
