#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sweep {

// What an attempt may keep of its trainer's output. Beyond it lines are dropped, and one line in
// the place of the first dropped one says so.
inline constexpr std::int64_t kMaxLogLines = 10'000;
inline constexpr std::int64_t kMaxLogBytes = 1 << 20;
inline constexpr std::size_t kMaxLogLineBytes = 4096;
// So that (attempt, line) fits into the number of a page token.
inline constexpr std::int64_t kMaxLogLineNumber = (std::int64_t{1} << 40) - 1;

// A line as it is stored: UTF-8 without NUL, at most kMaxLogLineBytes, what is longer is cut. Pure.
std::string CleanLogText(std::string_view text);

}  // namespace sweep
