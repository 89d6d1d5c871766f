#pragma once

#include <string>

namespace sweep::cli {

// What a colour says. Green is for what went well: nothing that has failed is ever green.
enum class Style { kNone, kBold, kDim, kGreen, kRed, kYellow };

// `text` between the terminal's escapes for that style; as it is for kNone.
std::string WithStyle(Style style, const std::string& text);

}  // namespace sweep::cli
