#include "cli/present/source_diff.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sweep::cli {
namespace {

using testing::HasSubstr;

TEST(SourceDiff, ShowsChangedLinesWithTwoAroundThem) {
  EXPECT_EQ(UnifiedDiff("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nD\ne\nf\ng\n", "old", "new"),
            "--- old\n+++ new\n@@ -2,5 +2,6 @@\n b\n c\n-d\n+D\n e\n f\n+g\n");
  EXPECT_EQ(UnifiedDiff("a\nb\n", "a\nb\n", "old", "new"), "");
  EXPECT_EQ(UnifiedDiff("", "a\n", "old", "new"), "--- old\n+++ new\n@@ -1,0 +1,1 @@\n+a\n");
}

TEST(SourceDiff, DistantChangesAreHunksOfTheirOwn) {
  std::string before, after;
  for (int i = 1; i <= 20; ++i) {
    before += std::to_string(i) + "\n";
    after += (i == 2 || i == 18 ? "changed" : std::to_string(i)) + "\n";
  }
  EXPECT_EQ(UnifiedDiff(before, after, "o", "n"),
            "--- o\n+++ n\n@@ -1,4 +1,4 @@\n 1\n-2\n+changed\n 3\n 4\n@@ -16,5 +16,5 @@\n 16\n "
            "17\n-18\n+changed\n 19\n 20\n");
}

TEST(SourceDiff, KeepsTheTerminalSafe) {
  EXPECT_THAT(UnifiedDiff("a\n", "\x1b[31mb\n", "o", "n"), testing::Not(HasSubstr("\x1b")));
}

TEST(SourceDiff, GoesThroughAllFilesAndIsCut) {
  v1::SweepSource stored, given;
  stored.set_text("name: s\n");
  given.set_text("name: s\n");
  given.set_file("s.yaml");
  (*stored.mutable_program_files())["train.py"] = "import torchh\nrun()\n";
  (*given.mutable_program_files())["train.py"] = "import torch\nrun()\n";
  (*given.mutable_network_files())["net.yaml"] = "layers: []\n";
  const std::string diff = SourceDiff("s", stored, given, 100);
  EXPECT_THAT(diff, HasSubstr("--- train.py (stored)\n+++ train.py\n@@ -1,2 +1,2 @@\n-import "
                              "torchh\n+import torch\n run()\n"));
  EXPECT_THAT(diff, HasSubstr("+++ net.yaml\n@@ -1,0 +1,1 @@\n+layers: []\n"));
  EXPECT_THAT(SourceDiff("s", stored, given, 4), HasSubstr("… and 7 more lines\n"));
}

// Megabytes without a common line would need a table of 10^10 cells.
TEST(SourceDiff, LargeTextsAreShownAsReplaced) {
  std::string before, after;
  for (int i = 0; i < 50'000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  const std::string diff = UnifiedDiff(before, after, "o", "n");
  EXPECT_EQ(std::count(diff.begin(), diff.end(), '\n'), 100'003);
}

}  // namespace
}  // namespace sweep::cli
