#include "worker/agent/escalation.h"

#include <gtest/gtest.h>

namespace sweep {
namespace {

using std::chrono::milliseconds;
using Signal = Escalation::Signal;

constexpr milliseconds kGrace{100};

Escalation::TimePoint At(int ms) { return Escalation::TimePoint(milliseconds(ms)); }

TEST(Escalation, TerminatesThenKillsThenKillsTheSupervisor) {
  Escalation ending;
  EXPECT_TRUE(ending.idle());
  EXPECT_EQ(ending.Due(At(1'000'000), kGrace), Signal::kNone);
  ending.Ask(At(50));
  EXPECT_FALSE(ending.idle());
  EXPECT_EQ(ending.Due(At(49), kGrace), Signal::kNone);
  EXPECT_EQ(ending.Due(At(50), kGrace), Signal::kTerminate);
  EXPECT_EQ(ending.Due(At(149), kGrace), Signal::kNone);
  EXPECT_EQ(ending.Due(At(150), kGrace), Signal::kKill);
  EXPECT_EQ(ending.Due(At(151), kGrace), Signal::kKill) << "again, should the first be hidden";
  EXPECT_EQ(ending.Due(At(2149), kGrace), Signal::kKill);
  EXPECT_EQ(ending.Due(At(2150), kGrace), Signal::kKillSupervisor);
}

TEST(Escalation, IsOverWhenWhatWasAskedIsDone) {
  Escalation ending;
  ending.Ask(At(50));
  ending.Answered();
  EXPECT_TRUE(ending.idle());
  EXPECT_EQ(ending.Due(At(60), kGrace), Signal::kNone);
}

TEST(Escalation, AnAnswerAfterSigtermDoesNotSaveTheProcess) {
  Escalation ending;
  ending.Ask(At(50));
  EXPECT_EQ(ending.Due(At(50), kGrace), Signal::kTerminate);
  ending.Answered();
  EXPECT_FALSE(ending.idle());
  EXPECT_EQ(ending.Due(At(150), kGrace), Signal::kKill);
}

TEST(Escalation, ADeadlineIsShortenedNeverExtended) {
  Escalation ending;
  ending.Ask(At(500));
  ending.Shorten(At(60));
  ending.Shorten(At(900));
  EXPECT_EQ(ending.Due(At(59), kGrace), Signal::kNone);
  EXPECT_EQ(ending.Due(At(60), kGrace), Signal::kTerminate);
  ending.Shorten(At(61));
  EXPECT_EQ(ending.Due(At(159), kGrace), Signal::kNone) << "SIGTERM keeps its grace";
}

TEST(Escalation, KillsOnce) {
  Escalation ending;
  EXPECT_TRUE(ending.Kill(At(10)));
  EXPECT_FALSE(ending.Kill(At(1000)));
  EXPECT_FALSE(ending.idle());
  EXPECT_EQ(ending.Due(At(2009), kGrace), Signal::kKill);
  EXPECT_EQ(ending.Due(At(2010), kGrace), Signal::kKillSupervisor)
      << "the second call must not move the deadline";
}

}  // namespace
}  // namespace sweep
