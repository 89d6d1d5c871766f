#pragma once

#include <optional>

#include "cli/models/grey_image.h"

namespace sweep::cli {

// The digit that is drawn, from 0 (ground) to 255, in its surroundings at a size that tells it;
// nullopt when nothing is drawn. `invert` says which strokes are meant: dark ones (kYes), light
// ones (kNo), or whichever there are.
//
// What is drawn differs from its ground (stroke_ground.h) by more than the noise does. Of that,
// what is ruled is left out (stroke_rules.h), and what is no digit (stroke_parts.h); where nothing
// is left, what is paler is looked at.
std::optional<GreyImage> FindStrokes(const GreyImage& image, Invert invert);

// The same of a small image, in the image's own size and place.
std::optional<GreyImage> FindStrokesInPlace(const GreyImage& image, Invert invert);

}  // namespace sweep::cli
