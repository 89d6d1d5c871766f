#pragma once

#include <optional>

#include "cli/models/grey_image.h"

namespace sweep::cli {

// Returns the drawn digit, from 0 (ground) to 255, with its surroundings, at a size sufficient to
// recognise it; nullopt when nothing is drawn. `invert` selects dark strokes (kYes), light ones
// (kNo), or whichever the image has.
//
// The drawing differs from its ground (stroke_ground.h) by more than the noise. Ruled lines
// (stroke_rules.h) and other objects (stroke_parts.h) are removed; if nothing is left, fainter
// layers are searched.
std::optional<GreyImage> FindStrokes(const GreyImage& image, Invert invert);

// The same for a small image, which keeps its size and place.
std::optional<GreyImage> FindStrokesInPlace(const GreyImage& image, Invert invert);

}  // namespace sweep::cli
