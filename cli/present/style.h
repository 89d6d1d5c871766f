#pragma once

#include <string>

namespace sweep::cli {

// Styles of text. Green marks success: nothing that failed is ever green.
enum class Style { kNone, kBold, kDim, kGreen, kRed, kYellow };

// `text` with the terminal's escapes for that style; unchanged for kNone.
std::string WithStyle(Style style, const std::string& text);

}  // namespace sweep::cli
