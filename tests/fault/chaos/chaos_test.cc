// Tests the chaos command itself: its faults are repeatable, and it leaves no process behind,
// however it ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "tests/integration/process.h"

namespace sweep::testing {
namespace {

using ::testing::HasSubstr;

std::string List(const std::string& seed) {
  const TemporaryFolder folder;
  const Result result = Run(
      {.command = {"chaos", "--list", "--faults", "40", "--seed", seed}, .folder = folder.path()});
  EXPECT_EQ(result.code, 0) << result.output;
  return result.output;
}

void AddDescendants(pid_t pid, std::vector<pid_t>* found) {
  for (const pid_t child : ChildrenOf(pid)) {
    found->push_back(child);
    AddDescendants(child, found);
  }
}

std::vector<pid_t> Descendants(pid_t pid) {
  std::vector<pid_t> found;
  AddDescendants(pid, &found);
  return found;
}

bool AreGone(const std::vector<pid_t>& pids) {
  return std::none_of(pids.begin(), pids.end(), IsAlive);
}

// An endless chaos run that has begun to train and to inject faults.
class ChaosTest : public ::testing::Test {
 protected:
  void SetUp() override {
    chaos_ = std::make_unique<Process>(
        Process::Options{.command = {"chaos", "--faults", "1000000", "--seed", "2", "--workers",
                                     "2", "--pause", "0.1", "--folder", folder_.path() + "/run"},
                         .folder = folder_.path()});
    // A coordinator, two workers, and a trainer with its supervisor.
    ASSERT_TRUE(Eventually([&] {
      return Descendants(chaos_->pid()).size() >= 5 &&
             chaos_->Output().find("10 of 1000000 faults") != std::string::npos;
    })) << chaos_->Output();
  }

  TemporaryFolder folder_;
  std::unique_ptr<Process> chaos_;
};

TEST(ChaosPlan, TheSameSeedGivesTheSameFaults) {
  EXPECT_EQ(List("5"), List("5"));
  EXPECT_NE(List("5"), List("6"));
}

TEST_F(ChaosTest, KilledLeavesNoProcessBehind) {
  const std::vector<pid_t> descendants = Descendants(chaos_->pid());
  chaos_->Signal(SIGKILL);
  EXPECT_EQ(chaos_->Wait(), 128 + SIGKILL);
  EXPECT_TRUE(Eventually([&] { return AreGone(descendants); }));
}

TEST_F(ChaosTest, InterruptedStrikesNoMoreAndProvesWhatThereIs) {
  std::vector<pid_t> descendants = Descendants(chaos_->pid());
  chaos_->Signal(SIGINT);
  EXPECT_EQ(chaos_->Wait(std::chrono::seconds(100)), 0) << chaos_->Output();
  EXPECT_TRUE(AreGone(descendants));
  EXPECT_THAT(chaos_->Output(), HasSubstr("of 1000000 faults, "));
  EXPECT_THAT(chaos_->Output(), HasSubstr("\n0 violations\n"));
}

}  // namespace
}  // namespace sweep::testing
