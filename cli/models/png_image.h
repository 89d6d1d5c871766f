#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/models/grey_image.h"

namespace sweep::cli {

// Reads a PNG of any kind: grey, colour, palette, transparent, 1 to 16 bits, interlaced. Colours
// become grey by ITU-R BT.601 or, where these greys hardly differ, by the colour channel that does.
// Transparent pixels count as paper: white under dark strokes, black under light ones.
// InvalidArgument, naming the file, when it is no PNG, is damaged or truncated, or has more than 40
// million pixels.
absl::StatusOr<GreyImage> ReadPng(const std::string& path);

// Converts an image to the form that a network of that size was trained on: light strokes on black.
// An image of that size keeps its place. In any other image the strokes are found (FindStrokes) and
// treated as MNIST's makers did: cropped, scaled with their proportions to fit 20/28 of the side,
// and placed with the centre of mass in the middle. InvalidArgument when nothing is drawn.
absl::StatusOr<GreyImage> PrepareDigit(const GreyImage& image, int width, int height,
                                       Invert invert);

}  // namespace sweep::cli
