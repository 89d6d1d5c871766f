#pragma once

#include <string>
#include <vector>

#include "common/command_line/options.h"

namespace sweep {

// How wide a page of help is, in columns.
inline constexpr int kHelpWidth = 80;

// `text` in lines of at most `width` columns, broken between words.
std::vector<std::string> FilledLines(const std::string& text, int width);

// A part of a page of help: the title, and each option with its description, default and variable.
// Empty without options.
std::string OptionsText(const std::string& title, const std::vector<OptionInfo>& options);

}  // namespace sweep
