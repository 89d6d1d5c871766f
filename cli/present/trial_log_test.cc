#include "cli/present/trial_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sweep::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::Attempt MakeAttempt(int number, int start, int end) {
  v1::Attempt attempt;
  attempt.set_attempt(number);
  attempt.set_worker("workers/w1");
  attempt.mutable_start_time()->set_seconds(start);
  if (end > 0) {
    attempt.mutable_end_time()->set_seconds(end);
    attempt.set_outcome("completed");
  }
  return attempt;
}

v1::Epoch MakeEpoch(int attempt, int number, int time) {
  v1::Epoch epoch;
  epoch.set_attempt(attempt);
  epoch.set_epoch(number);
  (*epoch.mutable_metrics())["val/f1"] = 0.99;
  epoch.mutable_report_time()->set_seconds(time);
  return epoch;
}

v1::LogLine MakeLine(int attempt, int number, int time, const std::string& text) {
  v1::LogLine line;
  line.set_attempt(attempt);
  line.set_line(number);
  line.mutable_time()->set_seconds(time);
  line.set_text(text);
  return line;
}

std::vector<std::string> Texts(const std::vector<TrialLogEntry>& entries) {
  std::vector<std::string> texts;
  for (const TrialLogEntry& entry : entries) texts.push_back(entry.text.substr(0, 9));
  return texts;
}

TEST(TrialLog, IsInOrderOfTimeWithinAttempts) {
  TrialLog log(0, 5);
  log.AddLines(
      {MakeLine(1, 1, 15, "hello"), MakeLine(1, 2, 25, "world"), MakeLine(2, 1, 50, "again")});
  log.AddEpochs({MakeEpoch(1, 1, 20), MakeEpoch(2, 2, 60)});
  log.AddAttempts({MakeAttempt(1, 10, 40), MakeAttempt(2, 45, 0)});
  EXPECT_THAT(Texts(log.Take()), ElementsAre("attempt 1", "hello", "epoch 1/5", "world",
                                             "attempt 1", "attempt 2", "again", "epoch 2/5"));
}

TEST(TrialLog, SaysEverythingOnce) {
  TrialLog log(0, 5);
  log.AddAttempts({MakeAttempt(1, 10, 0)});
  log.AddLines({MakeLine(1, 1, 15, "hello")});
  log.AddEpochs({MakeEpoch(1, 1, 20)});
  EXPECT_EQ(log.Take().size(), 3u);
  log.AddAttempts({MakeAttempt(1, 10, 40)});
  log.AddLines({MakeLine(1, 1, 15, "hello"), MakeLine(1, 2, 16, "more")});
  log.AddEpochs({MakeEpoch(1, 1, 20), MakeEpoch(1, 2, 30)});
  EXPECT_THAT(Texts(log.Take()), ElementsAre("more", "epoch 2/5", "attempt 1"));
  EXPECT_THAT(log.Take(), IsEmpty());
}

TEST(TrialLog, AWorkersClockThatRunsBackwardsDoesNotMixItsLines) {
  TrialLog log(0, 5);
  log.AddLines(
      {MakeLine(1, 1, 100, "one"), MakeLine(1, 2, 50, "two"), MakeLine(1, 3, 120, "three")});
  EXPECT_THAT(Texts(log.Take()), ElementsAre("one", "two", "three"));
}

TEST(TrialLog, LinesOfAWorkerWhoseClockIsWrongStayWithinTheirAttempt) {
  TrialLog log(0, 5);
  log.AddAttempts({MakeAttempt(1, 1000, 2000)});
  log.AddLines({MakeLine(1, 1, 5, "early"), MakeLine(1, 2, 9999, "late")});
  EXPECT_THAT(Texts(log.Take()), ElementsAre("attempt 1", "early", "late", "attempt 1"));
}

TEST(TrialLog, AGapIsSaid) {
  TrialLog log(0, 5);
  log.AddLines({MakeLine(1, 1, 1, "a"), MakeLine(1, 5, 2, "b")});
  EXPECT_THAT(Texts(log.Take()), ElementsAre("a", "[3 lines ", "b"));
}

TEST(TrialLog, OfOneAttemptOnly) {
  TrialLog log(2, 5);
  log.AddAttempts({MakeAttempt(1, 10, 40), MakeAttempt(2, 45, 0)});
  log.AddEpochs({MakeEpoch(1, 1, 20), MakeEpoch(2, 2, 60)});
  log.AddLines({MakeLine(1, 1, 15, "hello"), MakeLine(2, 1, 50, "again")});
  EXPECT_THAT(Texts(log.Take()), ElementsAre("attempt 2", "again", "epoch 2/5"));
}

TEST(TrialLogText, TerminalEscapesOfATrainerAreNotObeyed) {
  TrialLogEntry entry{.text = "\x1b[2Jboo"};
  EXPECT_EQ(TrialLogText(entry, false), "\\x1b[2Jboo");
  EXPECT_THAT(TrialLogText(entry, true), HasSubstr("  \\x1b[2Jboo"));
}

TEST(TrialLogJson, HasTheDocumentedKeys) {
  TrialLog log(0, 5);
  log.AddEpochs({MakeEpoch(1, 2, 20)});
  const nlohmann::ordered_json row = TrialLogJson(log.Take()[0]);
  std::vector<std::string> keys;
  for (const auto& [key, value] : row.items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("time", "kind", "attempt", "number", "text", "values"));
  EXPECT_EQ(row["time"], "1970-01-01T00:00:20.000Z");
  EXPECT_EQ(row["kind"], "epoch");
  EXPECT_EQ(row["text"], "epoch 2/5  val/f1 0.99");
  EXPECT_EQ(row["values"], (nlohmann::json{{"val/f1", 0.99}}));
  EXPECT_TRUE(TrialLogJson({.text = "x"})["values"].is_null());
}

}  // namespace
}  // namespace sweep::cli
