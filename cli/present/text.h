#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/base/printable.h"

namespace sweep::cli {

// The width of `text` on a terminal in columns: reads UTF-8, counts wide characters twice and
// combining marks and control bytes not at all.
int DisplayWidth(std::string_view text);
// As DisplayWidth, but terminal escapes take no columns.
int StyledWidth(std::string_view text);
// `text` cut to at most `width` columns, ending with "…" if cut.
std::string Truncate(std::string_view text, int width);
// As Truncate, but terminal escapes take no columns and are never cut.
std::string TruncateStyled(std::string_view text, int width);
// `text` padded with blanks to `width` columns, on the right or (align_right) on the left.
std::string Pad(std::string_view text, int width, bool align_right = false);
// "19,750"
std::string WithSeparators(std::int64_t value);
// 0.9944 as "99.44 %"
std::string Percent(double share);
// "8.2 s", "3 min 20 s", "1 h 4 min", "2 d 3 h"
std::string HumanDuration(absl::Duration duration);
// The time from `moment` to `now`: "just now", "12 s ago", "3 min ago", "2 h ago", "5 d ago".
std::string HumanAgo(absl::Time moment, absl::Time now);
// "55.3 kB", "9.7 MB"
std::string HumanBytes(std::int64_t bytes);
// Four significant digits: "0.03142", "12,340".
std::string ShortNumber(double value);
// A bar of `width` columns filled to `share` in eighths of a column.
std::string Bar(double share, int width);

}  // namespace sweep::cli
