#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sweep {

// Length of the UTF-8 sequence at the start of `text` (RFC 3629), or 0 when it has none. Requires
// that `text` is not empty.
std::size_t Utf8Length(std::string_view text);

// Line (1-based) of the first byte that is not UTF-8, 0 when all are.
int BrokenUtf8Line(std::string_view text);

// The text with every byte that is not UTF-8 replaced by U+FFFD.
std::string ToUtf8(std::string_view text);

// The longest prefix of `text` of at most `limit_bytes` that does not cut a character.
std::string_view CutUtf8(std::string_view text, std::size_t limit_bytes);

// Text of at most `limit_bytes`, with "…" in place of what is cut; at least that.
std::string Shortened(std::string_view text, std::size_t limit_bytes);

// The non-blank lines of `text`, trimmed and joined by " | "; text beyond `limit_bytes` becomes "
// …".
std::string OneLine(std::string_view text, std::size_t limit_bytes);

}  // namespace sweep
