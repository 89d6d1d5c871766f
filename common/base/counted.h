#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sweep {

// "1 trial", "3 trials". For nouns that take an s.
inline std::string Counted(std::int64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace sweep
