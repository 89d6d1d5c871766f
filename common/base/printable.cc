#include "common/base/printable.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "common/base/code_point.h"
#include "common/base/utf8.h"

namespace sweep {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode 15.1: general categories Cc, Cf, Zl and Zp, and the letters that are blank by definition
// (Hangul fillers). Ascending.
constexpr std::array kUnprintable = {
    Range{0x0000, 0x001F},   Range{0x007F, 0x009F},   Range{0x00AD, 0x00AD},
    Range{0x034F, 0x034F},   Range{0x0600, 0x0605},   Range{0x061C, 0x061C},
    Range{0x06DD, 0x06DD},   Range{0x070F, 0x070F},   Range{0x0890, 0x0891},
    Range{0x08E2, 0x08E2},   Range{0x115F, 0x1160},   Range{0x17B4, 0x17B5},
    Range{0x180B, 0x180F},   Range{0x200B, 0x200F},   Range{0x2028, 0x202E},
    Range{0x2060, 0x206F},   Range{0x3164, 0x3164},   Range{0xFEFF, 0xFEFF},
    Range{0xFFA0, 0xFFA0},   Range{0xFFF0, 0xFFFB},   Range{0x110BD, 0x110BD},
    Range{0x110CD, 0x110CD}, Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3},
    Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF}};

std::string Hex(std::uint32_t value, int digits) {
  std::string text;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text += "0123456789abcdef"[(value >> shift) & 15];
  }
  return text;
}

std::string Escape(char32_t point) {
  if (point == '\n') return "\\n";
  if (point == '\r') return "\\r";
  if (point == '\t') return "\\t";
  if (point < 0x100) return "\\x" + Hex(point, 2);
  return point < 0x10000 ? "\\u" + Hex(point, 4) : "\\U" + Hex(point, 8);
}

std::string Escaped(std::string_view text, std::string_view kept) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0) {
      clean += "\\x" + Hex(static_cast<unsigned char>(text[0]), 2);
      text.remove_prefix(1);
      continue;
    }
    const char32_t point = CodePoint(text.substr(0, length));
    const bool stays = !IsUnprintable(point) || kept.find(text[0]) != std::string_view::npos;
    if (stays) {
      clean += text.substr(0, length);
    } else {
      clean += Escape(point);
    }
    text.remove_prefix(length);
  }
  return clean;
}

}  // namespace

bool IsUnprintable(char32_t point) {
  const auto* const range =
      std::lower_bound(kUnprintable.begin(), kUnprintable.end(), point,
                       [](const Range& item, char32_t value) { return item.last < value; });
  return range != kUnprintable.end() && range->first <= point;
}

std::string Printable(std::string_view text) { return Escaped(text, ""); }

std::string PrintableLines(std::string_view text) { return Escaped(text, "\n\t"); }

}  // namespace sweep
