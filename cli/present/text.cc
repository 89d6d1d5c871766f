#include "cli/present/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cwchar>

namespace sweep::cli {
namespace {

// Reads one code point at `*at` and moves past it. A malformed byte yields U+FFFD.
char32_t NextCodePoint(std::string_view text, std::size_t* at) {
  const unsigned char lead = static_cast<unsigned char>(text[*at]);
  const int length = lead < 0x80       ? 1
                     : lead >> 5 == 6  ? 2
                     : lead >> 4 == 14 ? 3
                     : lead >> 3 == 30 ? 4
                                       : 0;
  if (length == 0 || *at + length > text.size()) {
    ++*at;
    return 0xFFFD;
  }
  char32_t point = length == 1 ? lead : lead & (0x7F >> length);
  for (int i = 1; i < length; ++i) {
    const unsigned char next = static_cast<unsigned char>(text[*at + i]);
    if ((next & 0xC0) != 0x80) {
      ++*at;
      return 0xFFFD;
    }
    point = (point << 6) | (next & 0x3F);
  }
  *at += length;
  return point;
}

// East Asian wide characters and emoji take two columns; combining marks and joiners none. The
// ranges are those of UAX #11 that occur in practice; wcwidth() would depend on a locale being set.
int CodePointWidth(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return 0;
  if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F) ||
      (c >= 0x20D0 && c <= 0x20FF)) {
    return 0;
  }
  const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                    (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                    (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                    (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
                    (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (std::size_t at = 0; at < text.size();) width += CodePointWidth(NextCodePoint(text, &at));
  return width;
}

int StyledWidth(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\x1b') {
      at = std::min(text.find('m', at), text.size());
    } else {
      plain += text[at];
    }
  }
  return DisplayWidth(plain);
}

std::string Truncate(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width <= 0) return "";
  int used = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t next = at;
    const int columns = CodePointWidth(NextCodePoint(text, &next));
    if (used + columns > width - 1) break;
    used += columns;
    at = next;
  }
  return std::string(text.substr(0, at)) + "…";
}

std::string TruncateStyled(std::string_view text, int width) {
  std::string cut;
  int used = 0;
  bool full = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    if (text[at] ==
        '\x1b') {  // a colour: up to its 'm'; kept even past the width, to end the colour
      const std::size_t end = text.find('m', at);
      at = end == std::string_view::npos ? text.size() : end + 1;
      cut += text.substr(start, at - start);
      continue;
    }
    const int columns = CodePointWidth(NextCodePoint(text, &at));
    if (full || used + columns > width) {
      if (!full) cut += "…";
      full = true;
      continue;
    }
    used += columns;
    cut += text.substr(start, at - start);
  }
  return cut;
}

std::string Pad(std::string_view text, int width, bool align_right) {
  const std::string blanks(static_cast<std::size_t>(std::max(0, width - DisplayWidth(text))), ' ');
  return align_right ? blanks + std::string(text) : std::string(text) + blanks;
}

std::string WithSeparators(std::int64_t value) {
  std::string digits = std::to_string(value);
  for (int at = static_cast<int>(digits.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string Percent(double share) { return fmt::format("{:.2f} %", share * 100); }

std::string HumanDuration(absl::Duration duration) {
  const double seconds = absl::ToDoubleSeconds(duration);
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const std::int64_t whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {} h", whole / 86400, whole % 86400 / 3600);
}

std::string HumanAgo(absl::Time moment, absl::Time now) {
  // Clocks of two machines differ slightly, also into the future.
  const std::int64_t seconds = absl::ToInt64Seconds(now - moment);
  if (seconds < 5) return "just now";
  if (seconds < 60) return fmt::format("{} s ago", seconds);
  if (seconds < 3600) return fmt::format("{} min ago", seconds / 60);
  if (seconds < 86400) return fmt::format("{} h ago", seconds / 3600);
  return fmt::format("{} d ago", seconds / 86400);
}

std::string HumanBytes(std::int64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  static constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes) / 1000;
  int unit = 0;
  while (value >= 999.95 && unit < 3) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string ShortNumber(double value) {
  if (std::fabs(value) >= 10'000 && std::fabs(value) < 1e15)
    return WithSeparators(std::llround(value));
  return fmt::format("{:.4g}", value);
}

std::string Bar(double share, int width) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::clamp(share, 0.0, 1.0) * width * 8 + 0.5);
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  return Pad(bar, width);
}

}  // namespace sweep::cli
