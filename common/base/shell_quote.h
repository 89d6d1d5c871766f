#pragma once

#include <string>
#include <string_view>

namespace sweep {

// `text` as one word of a shell. Text that a terminal would not show unchanged (control and
// direction characters, bytes that are not UTF-8) is written as $'\x1b', which bash and zsh read.
std::string ShellQuote(std::string_view text);

}  // namespace sweep
