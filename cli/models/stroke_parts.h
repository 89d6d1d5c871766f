#pragma once

#include "cli/models/grey_image.h"

namespace sweep::cli {

// Clears everything but the digit from a map of the drawing, whose values are the strokes'
// differences from the ground, 0 where nothing is drawn. The strokes are dark in `image`. Removes
// frames, specks, residues of shadows and content along the rim. `peak` is the strokes' difference.
// False when nothing is left.
bool KeepTheDigit(const GreyImage& image, int peak, GreyImage* map);

// 1 where a pixel within `by` in both directions is set, else 0.
GreyImage Grown(const GreyImage& map, int by);

}  // namespace sweep::cli
