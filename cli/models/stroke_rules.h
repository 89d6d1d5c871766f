#pragma once

#include "cli/models/grey_image.h"

namespace sweep::cli {

// Clears ruled lines from a map of the drawing (0: nothing): straight thin lines, level or upright,
// across most of the image, as on ruled paper or in a box around the digit. Strokes that cross a
// line stay. A single upright line is a digit and stays; so does the line along side `bar`
// (BarSide).
void ClearRules(int bar, GreyImage* map);

}  // namespace sweep::cli
