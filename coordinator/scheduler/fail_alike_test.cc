#include "coordinator/scheduler/fail_alike.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sweep {
namespace {

using testing::HasSubstr;

std::string Crash(const std::string& last_lines) {
  return "program python3 exited with code 1 before its first epoch\n" + last_lines;
}

// The failures of these trials on the only worker, in this order.
AlikeVerdict Judge(const std::vector<std::pair<int, std::string>>& failures) {
  AlikeVerdict verdict;
  for (const auto& [number, reason] : failures) {
    verdict = JudgeFailure(verdict.note, {.number = number, .worker = "w", .reason = reason});
  }
  return verdict;
}

TEST(FailAlike, ThreeTrialsThatFailAlikePauseTheSweep) {
  const std::string reason = Crash("ModuleNotFoundError: No module named 'torchh'");
  EXPECT_EQ(Judge({{1, reason}, {2, reason}}).pause_reason, "");
  EXPECT_EQ(Judge({{1, reason}, {2, reason}, {3, reason}}).pause_reason,
            "the first 3 trials failed alike: ModuleNotFoundError: No module named 'torchh'");
}

TEST(FailAlike, AttemptsOfOneTrialAreOneFailure) {
  const std::string reason = Crash("RuntimeError: out of memory");
  EXPECT_EQ(Judge({{1, reason}, {1, reason}, {1, reason}, {2, reason}, {2, reason}}).pause_reason,
            "");
  EXPECT_NE(Judge({{1, reason}, {1, reason}, {2, reason}, {3, reason}}).pause_reason, "");
}

TEST(FailAlike, AFailureToldTwiceChangesNothing) {
  const Failure failure{.number = 1, .worker = "w", .reason = "no"};
  const AlikeVerdict once = JudgeFailure("", failure);
  EXPECT_EQ(JudgeFailure(once.note, failure).note, once.note);
}

TEST(FailAlike, FailuresOfOneMachineDoNotCountWhileAnotherCouldDoItsWork) {
  AlikeVerdict verdict;
  const auto fail = [&](int number, const std::string& worker, bool others_could) {
    verdict = JudgeFailure(
        verdict.note,
        {.number = number, .worker = worker, .others_could = others_could, .reason = "no GPU"});
    return verdict.pause_reason;
  };
  for (int number = 1; number <= 10; ++number) EXPECT_EQ(fail(number, "bad", true), "");
  EXPECT_LT(verdict.note.size(), 30u);
  AlikeVerdict before = verdict;
  EXPECT_NE(fail(11, "bad", false), "") << "the other one has gone";
  verdict = before;
  EXPECT_NE(fail(11, "good", true), "") << "it fails there, too";
}

TEST(FailAlike, AnotherFailureBeginsAnew) {
  EXPECT_EQ(Judge({{1, "a"}, {2, "a"}, {3, "b"}, {4, "a"}, {5, "a"}}).pause_reason, "");
  EXPECT_NE(Judge({{1, "a"}, {3, "b"}, {4, "b"}, {5, "b"}}).pause_reason, "");
}

TEST(FailAlike, DivergenceNeverCounts) {
  const std::string reason = "diverged: mean training loss is nan in epoch 1 (lr 5, momentum 0.9)";
  const AlikeVerdict verdict = Judge({{1, reason}, {2, reason}, {3, reason}});
  EXPECT_EQ(verdict.pause_reason, "");
  EXPECT_EQ(verdict.note, "");
  EXPECT_EQ(Judge({{1, "a"}, {2, "a"}, {3, reason}, {4, "a"}}).pause_reason, "");
}

TEST(FailAlike, AFailureWithoutAReasonIsLikeNoOther) {
  EXPECT_EQ(Judge({{1, ""}, {2, " \n"}, {3, ""}}).pause_reason, "");
}

TEST(FailAlike, WhatDiffersBetweenAttemptsIsNotCompared) {
  const auto alike = [](const std::string& a, const std::string& b) {
    return FailureSignature(Crash(a)) == FailureSignature(Crash(b));
  };
  EXPECT_TRUE(
      alike("  File \"/tmp/sweep-worker-a1/programs/0f3c/t.py\", line 3\nValueError: bad lr",
            "  File \"/var/w-9xQ/programs/77aa/t.py\", line 3\nValueError: bad lr"));
  EXPECT_TRUE(alike("ValueError: lr 0.0134 is too large", "ValueError: lr 1e-05 is too large"));
  EXPECT_TRUE(alike("Segmentation fault at 0x7ffe01ab", "Segmentation fault at 0x55d0c3"));
  EXPECT_TRUE(
      alike("OSError: [Errno 98] 10.0.0.7:4711 in use", "OSError: [Errno 98] 10.0.0.9:99 in use"));
  EXPECT_TRUE(
      alike("FileNotFoundError: '/tmp/a1/data.npy'", "FileNotFoundError: '/tmp/b2/data.npy'"));
  // The order of its two outputs is a matter of luck.
  EXPECT_TRUE(alike("epoch 1\nImportError: no numpy\nbye", "ImportError: no numpy\nepoch 1\nbye"));
  EXPECT_FALSE(alike("ImportError: no numpy", "ImportError: no torch"));
  EXPECT_FALSE(alike("KeyError: 'adam'", "KeyError: 'sgd'"));
}

TEST(FailAlike, TheHeadlineIsTheLineThatTellsOfAnError) {
  EXPECT_EQ(FailureHeadline(Crash("Traceback (most recent call last):\nKeyError: 'lr'\ndone")),
            "KeyError: 'lr'");
  EXPECT_EQ(FailureHeadline("program x: no such program"), "program x: no such program");
  EXPECT_EQ(FailureHeadline(""), "");
  EXPECT_EQ(FailureHeadline("was killed\nhello\nworld"), "world");
}

TEST(FailAlike, HostileReasonsStayShort) {
  const std::string reason = std::string(100'000, 'x') + "\n" + std::string(100'000, '\xff');
  EXPECT_LE(FailureSignature(reason).size(), 200u);
  EXPECT_LE(JudgeFailure("", {.number = 1, .worker = "w", .reason = reason}).note.size(), 220u);
  EXPECT_THAT(
      JudgeFailure("garbage without a line", {.number = 7, .worker = "w", .reason = "r"}).note,
      HasSubstr("7\nw\n"));
}

}  // namespace
}  // namespace sweep
