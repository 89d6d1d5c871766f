#include "cli/present/live_block.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "cli/present/text.h"

namespace sweep::cli {
namespace {

struct Screen {
  Mutex mutex;
  LiveBlock* block ABSL_GUARDED_BY(mutex) = nullptr;
};

// Never destroyed: logs may be written until the process ends.
Screen& TheScreen() {
  static Screen* const screen = new Screen;
  return *screen;
}

constexpr std::string_view kIndent = "    ";

// Splits styled `text` into words, each with its preceding blanks.
std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  for (std::size_t at = 1; at < text.size(); ++at) {
    const bool starts = text[at] == ' ' && text[at - 1] != ' ';
    if (!starts) continue;
    const std::size_t next = text.find_first_not_of(' ', at);
    if (next != std::string_view::npos && text[next] == '%') continue;
    words.push_back(text.substr(begin, at - begin));
    begin = at;
  }
  words.push_back(text.substr(begin));
  return words;
}

}  // namespace

TerminalSize CurrentTerminalSize() {
  winsize size{};
  TerminalSize result;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return result;
  if (size.ws_col > 0) result.columns = size.ws_col;
  if (size.ws_row > 0) result.lines = size.ws_row;
  return result;
}

LiveBlock::LiveBlock() {
  Screen& screen = TheScreen();
  MutexLock lock(&screen.mutex);
  screen.block = this;
}

LiveBlock::~LiveBlock() {
  Screen& screen = TheScreen();
  MutexLock lock(&screen.mutex);
  Erase();
  std::cout << std::flush;
  if (screen.block == this) screen.block = nullptr;
}

void LiveBlock::Draw(std::vector<std::string> lines) {
  Screen& screen = TheScreen();
  MutexLock lock(&screen.mutex);
  Erase();
  lines_ = std::move(lines);
  Show();
}

void LiveBlock::Above(std::ostream& out, std::string_view text) {
  Screen& screen = TheScreen();
  MutexLock lock(&screen.mutex);
  const bool is_drawn = screen.block != nullptr && !screen.block->drawn_.empty();
  if (is_drawn) {
    screen.block->Erase();
    std::cout << std::flush;
  }
  out << text << std::flush;
  if (is_drawn) screen.block->Show();
}

// Counts the lines anew, since a narrower terminal wraps them.
void LiveBlock::Erase() {
  if (drawn_.empty()) return;
  const TerminalSize size = CurrentTerminalSize();
  int rows = 0;
  for (const int columns : drawn_) {
    rows += std::max(1, (columns + size.columns - 1) / size.columns);
  }
  rows = std::min(rows, size.lines - 1);
  std::cout << (rows > 0 ? fmt::format("\x1b[{}F\x1b[J", rows) : "\r\x1b[J");
  drawn_.clear();
}

void LiveBlock::Show() {
  const TerminalSize size = CurrentTerminalSize();
  const auto most = static_cast<std::size_t>(std::max(1, size.lines - 1));
  for (std::size_t i = 0; i < std::min(lines_.size(), most); ++i) {
    const std::string line = TruncateStyled(lines_[i], size.columns - 2);
    drawn_.push_back(StyledWidth(line));
    std::cout << line << '\n';
  }
  std::cout << std::flush;
}

std::string Wrapped(std::string_view text, int columns) {
  if (columns <= 0 || StyledWidth(text) <= columns) return std::string(text);
  std::string wrapped;
  int used = 0;
  for (std::string_view word : Words(text)) {
    const int width = StyledWidth(word);
    if (used > 0 && used + width > columns) {
      word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
      wrapped += "\n" + std::string(kIndent);
      used = static_cast<int>(kIndent.size());
    }
    wrapped += word;
    used += StyledWidth(word);
  }
  return wrapped;
}

}  // namespace sweep::cli
