#pragma once

#include <string>
#include <vector>

namespace sweep::testing {

// The lines that a person has before them, with what has scrolled away, after a terminal of that
// width and 24 lines got `written`. It knows what the live picture uses: carriage returns, new
// lines, n lines up, erase to the end; colours are dropped. Throws std::runtime_error at any other
// sequence.
std::vector<std::string> LinesOnScreen(const std::string& written, int columns);

}  // namespace sweep::testing
