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
// The current size of standard output's terminal.
TerminalSize CurrentTerminalSize();

// Lines at the bottom of a terminal that are redrawn again and again, such as the bars of `watch`,
// below scrolling text. At most one block exists at a time, never taller than the screen, so that
// it can be erased completely. All other output goes through Print or Above meanwhile: the block is
// erased, the text printed, the block redrawn. Thread-safe.
class LiveBlock {
 public:
  LiveBlock();
  // Erases the block.
  ~LiveBlock();
  LiveBlock(const LiveBlock&) = delete;
  LiveBlock& operator=(const LiveBlock&) = delete;

  // Draws `lines`, styled text, each cut to the terminal's width. Omits lines beyond its height;
  // callers that can summarise should pass fewer.
  void Draw(std::vector<std::string> lines);

  // Prints `text`, which ends with a line feed, on `out` (standard output or standard error), above
  // the block if there is one.
  static void Above(std::ostream& out, std::string_view text);

 private:
  void Erase();
  void Show();

  std::vector<std::string> lines_;
  std::vector<int> drawn_;  // columns of each line on the terminal
};

// Wraps styled `text` at blanks into lines of at most `columns`; later lines start with four
// blanks. Keeps a number and its "%" together. 0: unchanged.
std::string Wrapped(std::string_view text, int columns);

}  // namespace sweep::cli
