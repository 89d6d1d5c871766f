#include "common/yaml/shown.h"

#include <cmath>

namespace sweep {

std::string Shown(const Value& value) {
  constexpr std::size_t kMaxLength = 60;
  std::string text = FormatValue(value);
  if (const double* number = std::get_if<double>(&value)) {
    const bool plain = text.find_first_not_of("-0123456789") == std::string::npos;
    return std::isfinite(*number) && plain ? text + ".0" : text;
  }
  const bool is_list = std::holds_alternative<ListValue>(value);
  if (!is_list && !std::holds_alternative<std::string>(value)) return text;
  if (text.size() > kMaxLength) {
    std::size_t end = kMaxLength;
    // Never cut a UTF-8 character.
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "…";
  }
  return is_list ? text : "'" + text + "'";
}

}  // namespace sweep
