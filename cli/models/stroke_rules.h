#pragma once

#include "cli/models/grey_image.h"

namespace sweep::cli {

// Clears what is ruled from a map of what is drawn (0: nothing): straight thin lines, level or
// upright, across most of the image, as of ruled paper and of a box around the digit. What crosses
// such a line stays. One upright line alone is a digit, and stays; so does the line along side
// `bar` (BarSide).
void ClearRules(int bar, GreyImage* map);

}  // namespace sweep::cli
