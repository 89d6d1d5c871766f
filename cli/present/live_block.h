#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/mutex.h"

namespace sweep::cli {

struct TerminalSize {
  int columns = 80;
  int lines = 24;
};
// Of standard output, at this moment.
TerminalSize CurrentTerminalSize();

// The lines at the bottom of a terminal that are drawn again and again, such as the bars of
// `watch`, below text that scrolls. At most one is there at a time, and never taller than the
// screen, so that it can be taken away whole. Whatever else is to be printed meanwhile goes through
// Print or Above: the block is taken away, the text printed, the block drawn again. Thread-safe.
class LiveBlock {
 public:
  LiveBlock();
  // Takes the block away.
  ~LiveBlock();
  LiveBlock(const LiveBlock&) = delete;
  LiveBlock& operator=(const LiveBlock&) = delete;

  // Draws `lines`, styled text, each cut to the terminal's width. Those beyond its height are left
  // out; callers who can say it better bring fewer.
  void Draw(std::vector<std::string> lines);

  // Prints `text`, which ends with a line feed, on `out`, standard output or standard error, above
  // the block if there is one.
  static void Above(std::ostream& out, std::string_view text);

 private:
  void Erase();
  void Show();

  std::vector<std::string> lines_;
  std::vector<int> drawn_;  // columns of the lines on the terminal
};

// `text`, styled, broken at blanks into lines of at most `columns`; those after the first start
// with four blanks. A number stays with its "%". 0: as it is.
std::string Wrapped(std::string_view text, int columns);

}  // namespace sweep::cli
