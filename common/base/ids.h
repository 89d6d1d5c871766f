#pragma once

#include <string>
#include <string_view>

namespace sweep {

// `bytes` random bytes from the kernel as lower-case hexadecimal. For lease tokens and request ids.
std::string RandomHex(int bytes);

// A name that may stand in a resource name, a file and a URL: 1–63 of [a-z A-Z 0-9 . _ -], starting
// with a letter or digit.
bool IsValidName(std::string_view name);

}  // namespace sweep
