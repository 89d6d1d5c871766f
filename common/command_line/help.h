#pragma once

#include <string>
#include <vector>

#include "common/command_line/options.h"

namespace sweep {

// Width of a page of help in columns.
inline constexpr int kHelpWidth = 80;

// `text` in lines of at most `width` columns, broken between words.
std::vector<std::string> FilledLines(const std::string& text, int width);

// What stands beside an option: its description, default and environment variable.
std::string Beside(const OptionInfo& option);

// One section of a help page: the title, then each option with its description, default and
// environment variable. "" without options.
std::string OptionsText(const std::string& title, const std::vector<OptionInfo>& options);

}  // namespace sweep
