#include "common/base/shell_quote.h"

#include <algorithm>
#include <cctype>

#include "common/base/printable.h"

namespace sweep {
namespace {

bool IsPlain(unsigned char c) {
  return std::isalnum(c) != 0 ||
         std::string_view("_-./=:+,@%").find(static_cast<char>(c)) != std::string_view::npos;
}

// Escapes each byte outside printable ASCII, so that the word survives copying from any terminal.
std::string AnsiQuoted(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string quoted = "$'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') {
      quoted += std::string("\\") + c;
    } else if (byte >= 0x20 && byte < 0x7F) {
      quoted += c;
    } else {
      quoted += std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15];
    }
  }
  return quoted + "'";
}

}  // namespace

std::string ShellQuote(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), IsPlain)) return std::string(text);
  if (Printable(text) != text) return AnsiQuoted(text);
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace sweep
