#include "cli/present/live_block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace sweep::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Emulates the terminal functions that a block uses: new lines, n lines up (F), erase to the end
// (J).
class Terminal {
 public:
  Terminal() : before_(std::cout.rdbuf(written_.rdbuf())) {}
  ~Terminal() { std::cout.rdbuf(before_); }

  // The visible lines, with those that have scrolled away.
  std::vector<std::string> Lines() {
    const std::string all = written_.str();
    for (; read_ < all.size(); ++read_) Take(all);
    std::vector<std::string> lines = lines_;
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
  }

 private:
  void Take(const std::string& all) {
    if (all[read_] == '\n') {
      if (++row_ == lines_.size()) lines_.emplace_back();
    } else if (all[read_] != '\x1b') {
      lines_[row_] += all[read_];
    } else {
      const std::size_t end = all.find_first_of("FJm", read_);
      ASSERT_NE(end, std::string::npos);
      if (all[end] == 'F') row_ -= static_cast<std::size_t>(std::stoi(all.substr(read_ + 2)));
      if (all[end] == 'J') {
        lines_.resize(row_ + 1);
        lines_[row_].clear();
      }
      read_ = end;
    }
  }

  std::ostringstream written_;
  std::streambuf* const before_;
  std::size_t read_ = 0;
  std::vector<std::string> lines_ = {""};
  std::size_t row_ = 0;
};

TEST(LiveBlock, IsDrawnInPlaceAndLeavesNothing) {
  Terminal terminal;
  {
    LiveBlock block;
    block.Draw({"summary", "bar 1", "bar 2"});
    EXPECT_THAT(terminal.Lines(), ElementsAre("summary", "bar 1", "bar 2"));
    block.Draw({"summary, later", "bar 2"});
    EXPECT_THAT(terminal.Lines(), ElementsAre("summary, later", "bar 2"));
  }
  EXPECT_THAT(terminal.Lines(), IsEmpty());
}

TEST(LiveBlock, WhatIsPrintedMeanwhileStandsAboveIt) {
  Terminal terminal;
  {
    LiveBlock block;
    LiveBlock::Above(std::cout, "before the first picture\n");
    block.Draw({"summary", "bar 1"});
    LiveBlock::Above(std::cout, "warning: two\nlines\n");
    EXPECT_THAT(terminal.Lines(), ElementsAre("before the first picture", "warning: two", "lines",
                                              "summary", "bar 1"));
    block.Draw({"summary", "bar 1", "bar 2"});
  }
  LiveBlock::Above(std::cout, "after it\n");
  EXPECT_THAT(terminal.Lines(),
              ElementsAre("before the first picture", "warning: two", "lines", "after it"));
}

TEST(LiveBlock, IsNeverTallerThanTheScreenNorWiderThanALine) {
  Terminal terminal;
  const TerminalSize size = CurrentTerminalSize();
  LiveBlock block;
  block.Draw(
      std::vector<std::string>(static_cast<std::size_t>(2 * size.lines),
                               std::string(static_cast<std::size_t>(2 * size.columns), 'x')));
  const std::vector<std::string> lines = terminal.Lines();
  EXPECT_LT(std::ssize(lines), size.lines);
  for (const std::string& line : lines) EXPECT_LT(std::ssize(line), size.columns + 2);  // "…"
  block.Draw({"summary"});
  EXPECT_THAT(terminal.Lines(), ElementsAre("summary"));
}

}  // namespace
}  // namespace sweep::cli
