#pragma once

#include "cli/models/grey_image.h"

namespace sweep::cli {

// Clears whatever does not belong to the one digit from a map of what is drawn: its values are how
// far the strokes, which are the dark ones of `image`, differ from their ground, 0 where nothing is
// drawn. Frames, specks, residues of shadows and what lies along the rim go. `peak` is how far
// strokes differ. False when nothing is left.
bool KeepTheDigit(const GreyImage& image, int peak, GreyImage* map);

// 1 where something is set within `by` pixels in both directions, else 0.
GreyImage Grown(const GreyImage& map, int by);

}  // namespace sweep::cli
