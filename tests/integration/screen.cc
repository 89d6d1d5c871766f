#include "tests/integration/screen.h"

#include <algorithm>
#include <stdexcept>

namespace sweep::testing {
namespace {

constexpr std::size_t kLines = 24;  // as in the terminal of Process

// A terminal, including the lines that have scrolled away. Every character takes one column.
class Screen {
 public:
  explicit Screen(std::size_t columns) : columns_(columns) {}

  void Put(const std::string& character) {
    if (column_ == columns_) NewLine(), column_ = 0;  // only when another character comes
    std::vector<std::string>& cells = rows_[row_];
    if (cells.size() <= column_) cells.resize(column_ + 1, " ");
    cells[column_++] = character;
  }
  void Return() { column_ = 0; }
  void NewLine() {
    if (++row_ == rows_.size()) rows_.emplace_back();
    top_ = std::max(top_, rows_.size() - std::min(rows_.size(), kLines));
  }
  void UpToStart(std::size_t lines) {
    row_ -= std::min(row_ - top_, lines);
    column_ = 0;
  }
  void EraseToEnd() {
    rows_.resize(row_ + 1);
    if (rows_[row_].size() > column_) rows_[row_].resize(column_);
  }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const std::vector<std::string>& cells : rows_) {
      std::string& line = lines.emplace_back();
      for (const std::string& cell : cells) line += cell;
    }
    return lines;
  }

 private:
  const std::size_t columns_;
  std::vector<std::vector<std::string>> rows_ = {{}};
  std::size_t row_ = 0, column_ = 0;
  std::size_t top_ = 0;  // the first row that has not scrolled away
};

// The number of bytes of a UTF-8 character, from its first byte.
std::size_t LengthOf(unsigned char first) {
  return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

}  // namespace

std::vector<std::string> LinesOnScreen(const std::string& written, int columns) {
  Screen screen(static_cast<std::size_t>(columns));
  for (std::size_t at = 0; at < written.size();) {
    std::size_t length = LengthOf(static_cast<unsigned char>(written[at]));
    if (written[at] == '\r') {
      screen.Return();
    } else if (written[at] == '\n') {
      screen.NewLine();
    } else if (written[at] != '\x1b') {
      screen.Put(written.substr(at, length));
    } else {
      const std::size_t end = written.find_first_not_of("[0123456789;", at + 1);
      if (end == std::string::npos) break;  // the rest has not come yet
      length = end + 1 - at;
      const std::string sequence = written.substr(at, length);
      const std::string number = sequence.substr(2, sequence.size() - 3);
      if (written[end] == 'F' && !number.empty()) {
        screen.UpToStart(std::stoul(number));
      } else if (written[end] == 'J' && number.empty()) {
        screen.EraseToEnd();
      } else if (written[end] != 'm') {
        throw std::runtime_error("unknown to the screen: ESC" + sequence.substr(1));
      }
    }
    at += length;
  }
  return screen.Lines();
}

}  // namespace sweep::testing
