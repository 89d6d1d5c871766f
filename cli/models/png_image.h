#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/models/grey_image.h"

namespace sweep::cli {

// Reads a PNG of any kind: grey, colour, palette, transparent, 1 to 16 bits, interlaced. Colours
// become grey by ITU-R BT.601 or, where these greys hardly differ, by the colour that does. What is
// transparent is taken for paper: white when the strokes are dark, black when they are light.
// InvalidArgument, naming the file, for what is no PNG, is damaged or truncated, or has more than
// 40 million pixels.
absl::StatusOr<GreyImage> ReadPng(const std::string& path);

// Makes an image into what a network of that size was trained on: light strokes on black. An image
// that has the size already keeps its place. Of any other, the strokes are looked for (FindStrokes)
// and treated as MNIST's makers did: cut to what is drawn, scaled with its proportions to fit 20/28
// of the side, and placed with its centre of mass in the middle. InvalidArgument when nothing is
// drawn.
absl::StatusOr<GreyImage> PrepareDigit(const GreyImage& image, int width, int height,
                                       Invert invert);

}  // namespace sweep::cli
