#pragma once

#include <optional>

#include "cli/models/grey_image.h"

namespace sweep::cli {

// The middle of the greys along the rim.
int BorderMedian(const GreyImage& image);

// Whether an image's strokes are darker than its ground, which is even: the sign of the third moment
// of its pixels about the border's median, since strokes are few and far from the ground.
bool IsDarkOnLight(const GreyImage& image);

// What is drawn, from 0 (ground) to 255, in the image's size or, where a frame runs along the rim,
// without that; nullopt when nothing is. `invert` says which strokes are meant: dark ones (kYes), light ones (kNo), or whichever there are.
//
// The ground is the image without what is narrower than half of it (a morphological closing or
// opening), so that a shadow, which is wider or reaches the rim, counts as ground. Of what differs
// from it, ruled frames and lines are left out, and whatever is small beside the largest part and
// apart from it.
std::optional<GreyImage> FindStrokes(const GreyImage& image, Invert invert);

}  // namespace sweep::cli
