#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sweep {

// Length of the UTF-8 sequence at the start of `text` (RFC 3629), 0 when there is none. Requires
// text that is not empty.
std::size_t Utf8Length(std::string_view text);

// Line (1-based) of the first byte that is not UTF-8, 0 when all are.
int BrokenUtf8Line(std::string_view text);

// The text with every byte that is not UTF-8 replaced by U+FFFD.
std::string ToUtf8(std::string_view text);

// The longest beginning of `text` of at most `limit_bytes` that ends in no half character.
std::string_view CutUtf8(std::string_view text, std::size_t limit_bytes);

// Text of at most `limit_bytes`, with "…" in place of what is cut.
std::string Shortened(std::string_view text, std::size_t limit_bytes);

// The lines of `text` that are not blank, without the space around them, with " | " between them;
// what is over `limit_bytes` becomes " …".
std::string OneLine(std::string_view text, std::size_t limit_bytes);

}  // namespace sweep
