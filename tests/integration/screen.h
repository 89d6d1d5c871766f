#pragma once

#include <string>
#include <vector>

namespace sweep::testing {

// The lines that a person sees, including those that have scrolled away, after a terminal of that
// width and 24 lines received `written`. It supports what the live picture uses: carriage returns,
// new lines, n lines up, erase to the end; colours are dropped. Throws std::runtime_error at any
// other sequence.
std::vector<std::string> LinesOnScreen(const std::string& written, int columns);

}  // namespace sweep::testing
