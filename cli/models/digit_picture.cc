#include "cli/models/digit_picture.h"

#include <fmt/format.h>

#include <algorithm>

namespace sweep::cli {
namespace {

constexpr std::string_view kRamp = " .:-=+*#%@";
// The greys of terminals with 256 colours: 232 is nearly black, 255 nearly white.
constexpr int kFirstGrey = 232;
constexpr int kGreys = 24;

// The mean over a square of `step` pixels; counts pixels below the image as 0.
int MeanAt(std::span<const std::uint8_t> pixels, int width, int height, int step, int x, int y) {
  int sum = 0, count = 0;
  for (int row = y * step; row < std::min(height, (y + 1) * step); ++row) {
    for (int column = x * step; column < std::min(width, (x + 1) * step); ++column) {
      sum += pixels[static_cast<std::size_t>(row) * width + column];
      ++count;
    }
  }
  return count == 0 ? 0 : sum / count;
}

std::string Character(PictureStyle style, int upper, int lower) {
  switch (style) {
    case PictureStyle::kColor:
      return fmt::format("\x1b[38;5;{};48;5;{}m▀", kFirstGrey + upper * kGreys / 256,
                         kFirstGrey + lower * kGreys / 256);
    case PictureStyle::kBlocks:
      return upper >= 128 ? (lower >= 128 ? "█" : "▀") : (lower >= 128 ? "▄" : " ");
    case PictureStyle::kAscii:
      break;
  }
  const auto level = static_cast<std::size_t>(upper + lower) * kRamp.size() / 512;
  return std::string(1, kRamp[level]);
}

}  // namespace

std::vector<std::string> DigitPicture(std::span<const std::uint8_t> pixels, int width, int height,
                                      PictureStyle style, int most_columns) {
  const int step = std::max(1, (width + most_columns - 1) / most_columns);
  const int columns = (width + step - 1) / step;
  const int rows = (height + step - 1) / step;
  std::vector<std::string> lines;
  for (int y = 0; y < rows; y += 2) {
    std::string line;
    for (int x = 0; x < columns; ++x) {
      line += Character(style, MeanAt(pixels, width, height, step, x, y),
                        MeanAt(pixels, width, height, step, x, y + 1));
    }
    lines.push_back(style == PictureStyle::kColor ? line + "\x1b[0m" : line);
  }
  return lines;
}

}  // namespace sweep::cli
