#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sweep {

// The limits on a trainer's output, for each attempt. Further lines are dropped; one line in place
// of the first dropped one says so.
inline constexpr std::int64_t kMaxLogLines = 10'000;
inline constexpr std::int64_t kMaxLogBytes = 1 << 20;
inline constexpr std::size_t kMaxLogLineBytes = 4096;
// (attempt, line) has to fit into the number of a page token.
inline constexpr std::int64_t kMaxLogLineNumber = (std::int64_t{1} << 40) - 1;

// The line as it is stored: UTF-8 without NUL, cut to kMaxLogLineBytes. Pure.
std::string CleanLogText(std::string_view text);

}  // namespace sweep
