#include "cli/present/style.h"

namespace sweep::cli {

std::string WithStyle(Style style, const std::string& text) {
  static constexpr const char* kCodes[] = {"", "1", "2", "32", "31", "33"};
  if (style == Style::kNone) return text;
  return std::string("\x1b[") + kCodes[static_cast<int>(style)] + "m" + text + "\x1b[0m";
}

}  // namespace sweep::cli
