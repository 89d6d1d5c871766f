#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep::cli {

// Grey pixels, row-major.
struct GreyImage {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

// Reads a PNG of any kind: grey, colour, palette, transparent, 1 to 16 bits, interlaced. Colours
// become grey by ITU-R BT.601. What is transparent is taken for paper: white when the strokes are
// dark, black when they are light. InvalidArgument, naming the file, for what is no PNG, is
// damaged or truncated, or has more than 40 million pixels.
absl::StatusOr<GreyImage> ReadPng(const std::string& path);

// Whether an image's ground is light and its strokes dark, judged by the median of its border.
enum class Invert { kAuto, kYes, kNo };

// Makes an image into what a network of that size was trained on: light strokes on black. An image
// that has the size already is only inverted, where that is called for. Any other is treated as
// MNIST's makers did: cut to what is drawn, scaled with its proportions to fit 20/28 of the side,
// and placed with its centre of mass in the middle. InvalidArgument when nothing is drawn.
absl::StatusOr<GreyImage> PrepareDigit(const GreyImage& image, int width, int height,
                                       Invert invert);

}  // namespace sweep::cli
