#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sweep::cli {

// How a small grey image is drawn with characters, two rows of pixels in one line of text.
enum class PictureStyle {
  kColor,   // half blocks in 24 greys
  kBlocks,  // half blocks of one colour
  kAscii,   // characters from light to dense
};

// `pixels` is row-major [height][width], 0 black. Each line is as many columns wide as the image,
// but at most `most_columns`: a larger image is drawn smaller.
std::vector<std::string> DigitPicture(std::span<const std::uint8_t> pixels, int width, int height,
                                      PictureStyle style, int most_columns = 40);

}  // namespace sweep::cli
