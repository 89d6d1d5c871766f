#include "common/command_line/likely.h"

#include <gtest/gtest.h>

namespace sweep {
namespace {

using Words = std::vector<std::string>;

TEST(LikelyFlag, KnowsWhatOtherProgramsCallIt) {
  const Words worker = {"--help", "--version", "--slots", "--coordinator", "--log-level"};
  const Words best = {"--help", "--top", "--format", "-q"};
  for (const char* flag : {"-j", "--jobs", "--workers", "--parallel", "--concurrency"}) {
    EXPECT_EQ(LikelyFlag(flag, worker), "; did you mean '--slots'?") << flag;
  }
  EXPECT_EQ(LikelyFlag("--server", worker), "; did you mean '--coordinator'?");
  EXPECT_EQ(LikelyFlag("--verbose", worker), "; did you mean '--log-level'?");
  EXPECT_EQ(LikelyFlag("-v", worker), "; did you mean '--version'?");
  EXPECT_EQ(LikelyFlag("-n", best), "; did you mean '--top'?");
  EXPECT_EQ(LikelyFlag("--json", best), "; did you mean '--format json'?");
  EXPECT_EQ(LikelyFlag("--json", worker), "") << "it has no --format";
}

TEST(LikelyFlag, ElseTheNearestButNoOtherLetter) {
  const Words flags = {"--help", "--format", "-q", "-o", "--db"};
  EXPECT_EQ(LikelyFlag("--fromat", flags), "; did you mean '--format'?");
  EXPECT_EQ(LikelyFlag("--FORMAT", flags), "; did you mean '--format'?");
  EXPECT_EQ(LikelyFlag("-x", flags), "");
  EXPECT_EQ(LikelyFlag("--utterly-else", flags), "");
  EXPECT_EQ(LikelyFlag("--db", flags), "; behind '--' every word is a name");
}

}  // namespace
}  // namespace sweep
