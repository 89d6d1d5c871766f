#pragma once

#include <string>
#include <string_view>

namespace sweep {

// Text of unknown origin as it may stand in a line of a terminal, a table or a log. What would move
// the cursor, change a colour, end the line, turn the direction of writing or not be seen at all is
// written as an escape: control characters as \n or \x1b, bytes that are no UTF-8 as \xff,
// Unicode's format characters, line separators and fillers as \u202e. All else stays as it is.
std::string Printable(std::string_view text);

// The same for text of many lines: line feeds and tabs stay.
std::string PrintableLines(std::string_view text);

// Whether a code point is one that Printable escapes.
bool IsUnprintable(char32_t point);

}  // namespace sweep
