#include "worker/agent/escalation.h"

#include <gtest/gtest.h>

namespace sweep {
namespace {

using std::chrono::milliseconds;
using Signal = Escalation::Signal;

constexpr milliseconds kGrace{100};

Escalation::TimePoint AfterMs(int ms) { return Escalation::TimePoint(milliseconds(ms)); }

TEST(Escalation, TerminatesThenKillsThenKillsTheSupervisor) {
  Escalation ending;
  EXPECT_TRUE(ending.idle());
  EXPECT_EQ(ending.Due(AfterMs(1'000'000), kGrace), Signal::kNone);
  ending.Ask(AfterMs(50));
  EXPECT_FALSE(ending.idle());
  EXPECT_EQ(ending.Due(AfterMs(49), kGrace), Signal::kNone);
  EXPECT_EQ(ending.Due(AfterMs(50), kGrace), Signal::kTerminate);
  EXPECT_EQ(ending.Due(AfterMs(149), kGrace), Signal::kNone);
  EXPECT_EQ(ending.Due(AfterMs(150), kGrace), Signal::kKill);
  EXPECT_EQ(ending.Due(AfterMs(151), kGrace), Signal::kKill) << "again, should the first be hidden";
  EXPECT_EQ(ending.Due(AfterMs(2149), kGrace), Signal::kKill);
  EXPECT_EQ(ending.Due(AfterMs(2150), kGrace), Signal::kKillSupervisor);
}

TEST(Escalation, IsOverWhenWhatWasAskedIsDone) {
  Escalation ending;
  ending.Ask(AfterMs(50));
  ending.Answered();
  EXPECT_TRUE(ending.idle());
  EXPECT_EQ(ending.Due(AfterMs(60), kGrace), Signal::kNone);
}

TEST(Escalation, AnAnswerAfterSigtermDoesNotSaveTheProcess) {
  Escalation ending;
  ending.Ask(AfterMs(50));
  EXPECT_EQ(ending.Due(AfterMs(50), kGrace), Signal::kTerminate);
  ending.Answered();
  EXPECT_FALSE(ending.idle());
  EXPECT_EQ(ending.Due(AfterMs(150), kGrace), Signal::kKill);
}

TEST(Escalation, ADeadlineIsShortenedNeverExtended) {
  Escalation ending;
  ending.Ask(AfterMs(500));
  ending.Shorten(AfterMs(60));
  ending.Shorten(AfterMs(900));
  EXPECT_EQ(ending.Due(AfterMs(59), kGrace), Signal::kNone);
  EXPECT_EQ(ending.Due(AfterMs(60), kGrace), Signal::kTerminate);
  ending.Shorten(AfterMs(61));
  EXPECT_EQ(ending.Due(AfterMs(159), kGrace), Signal::kNone) << "SIGTERM keeps its grace";
}

TEST(Escalation, KillsOnce) {
  Escalation ending;
  EXPECT_TRUE(ending.Kill(AfterMs(10)));
  EXPECT_FALSE(ending.Kill(AfterMs(1000)));
  EXPECT_FALSE(ending.idle());
  EXPECT_EQ(ending.Due(AfterMs(2009), kGrace), Signal::kKill);
  EXPECT_EQ(ending.Due(AfterMs(2010), kGrace), Signal::kKillSupervisor)
      << "the second call must not move the deadline";
}

}  // namespace
}  // namespace sweep
