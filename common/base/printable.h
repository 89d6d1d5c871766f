#pragma once

#include <string>
#include <string_view>

namespace sweep {

// Makes text of unknown origin safe for one line of a terminal, a table or a log. Escapes all that
// would move the cursor, change a colour, end the line, turn the direction of writing or be
// invisible: control characters as
// or \x1b, bytes that are not UTF-8 as \xff, and Unicode's format characters, line separators and
// fillers as \u202e. Other text is unchanged.
std::string Printable(std::string_view text);

// Likewise for text of many lines: keeps line feeds and tabs.
std::string PrintableLines(std::string_view text);

// True for a code point that Printable escapes.
bool IsUnprintable(char32_t point);

}  // namespace sweep
