#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sweep::cli {

// Grey pixels, row-major.
struct GreyImage {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;

  std::uint8_t& At(int x, int y) { return pixels[static_cast<std::size_t>(y) * width + x]; }
  std::uint8_t At(int x, int y) const { return pixels[static_cast<std::size_t>(y) * width + x]; }
};

// All pixels 0.
inline GreyImage BlackImage(int width, int height) {
  return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height)};
}

// Selects dark strokes (kYes), light ones (kNo), or the kind that the image has (kAuto).
enum class Invert { kAuto, kYes, kNo };

}  // namespace sweep::cli
