#pragma once

#include <string>
#include <string_view>

namespace sweep {

// `text` as one word of a shell. What a terminal would not show as it is (control and direction
// characters, bytes that are no UTF-8) is written as $'\x1b', which bash and zsh read.
std::string ShellQuote(std::string_view text);

}  // namespace sweep
