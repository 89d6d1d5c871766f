#pragma once

#include <string_view>

namespace sweep {

// The code point of `sequence`, one whole sequence of UTF-8.
constexpr char32_t CodePoint(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return lead;
  char32_t point = lead & (0x7F >> sequence.size());
  for (const char c : sequence.substr(1)) {
    point = (point << 6) | (static_cast<unsigned char>(c) & 0x3F);
  }
  return point;
}

}  // namespace sweep
