#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sweep::cli {

// How to draw a small grey image with characters, two rows of pixels per line of text.
enum class PictureStyle {
  kColor,   // half blocks in 24 greys
  kBlocks,  // half blocks of one colour
  kAscii,   // characters from light to dense
};

// `pixels` is row-major [height][width], 0 black. Lines are as wide as the image; one wider than
// `most_columns` is drawn smaller.
std::vector<std::string> DigitPicture(std::span<const std::uint8_t> pixels, int width, int height,
                                      PictureStyle style, int most_columns = 40);

}  // namespace sweep::cli
