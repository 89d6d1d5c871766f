#pragma once

#include "cli/models/grey_image.h"

namespace sweep::cli {

// Clears whatever does not belong to the one digit on an image of strokes: ruled frames and lines,
// specks, and what lies along the rim. A pixel counts as drawn from `drawn` on. False when nothing
// is left.
bool KeepTheDigit(int drawn, GreyImage* strokes);

}  // namespace sweep::cli
