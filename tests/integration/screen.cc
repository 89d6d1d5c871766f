#include "tests/integration/screen.h"

#include <algorithm>
#include <stdexcept>

namespace sweep::testing {

std::vector<std::string> LinesOnScreen(const std::string& written) {
  std::vector<std::string> lines = {""};
  std::size_t row = 0;
  for (std::size_t at = 0; at < written.size(); ++at) {
    if (written[at] == '\r') continue;  // before each new line
    if (written[at] == '\n') {
      if (++row == lines.size()) lines.emplace_back();
      continue;
    }
    if (written[at] != '\x1b') {
      lines[row] += written[at];
      continue;
    }
    const std::size_t end = written.find_first_not_of("[0123456789;", at + 1);
    if (end == std::string::npos) break;  // the rest of it has not come
    const std::string sequence = written.substr(at, end + 1 - at);
    if (written[end] == 'F') {
      row -= std::min(row, static_cast<std::size_t>(std::stoi(sequence.substr(2))));
    } else if (written[end] == 'J') {
      lines.resize(row + 1);
      lines[row].clear();
    } else if (written[end] != 'm') {
      throw std::runtime_error("unknown to the screen: ESC" + sequence.substr(1));
    }
    at = end;
  }
  return lines;
}

}  // namespace sweep::testing
