#include "common/base/utf8.h"

#include <algorithm>

namespace sweep {

std::size_t Utf8Length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) > 0x9F;
  const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

int BrokenUtf8Line(std::string_view text) {
  int line = 1;
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0) return line;
    if (text[0] == '\n') ++line;
    text.remove_prefix(length);
  }
  return 0;
}

std::string ToUtf8(std::string_view text) {
  constexpr std::string_view kReplacement = "\uFFFD";
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    result.append(length == 0 ? kReplacement : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

std::string_view CutUtf8(std::string_view text, std::size_t limit_bytes) {
  if (text.size() <= limit_bytes) return text;
  std::size_t end = limit_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string Shortened(std::string_view text, std::size_t limit_bytes) {
  constexpr std::string_view kMark = "…";
  if (text.size() <= limit_bytes) return std::string(text);
  return std::string(CutUtf8(text, limit_bytes - std::min(limit_bytes, kMark.size())))
      .append(kMark);
}

std::string OneLine(std::string_view text, std::size_t limit_bytes) {
  constexpr std::string_view kSpace = " \t\r";
  std::string result;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t begin = line.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) continue;
    line = line.substr(begin, line.find_last_not_of(kSpace) + 1 - begin);
    if (!result.empty()) result += " | ";
    result += line;
  }
  if (result.size() <= limit_bytes) return result;
  return std::string(CutUtf8(result, limit_bytes)) + " …";
}

}  // namespace sweep
