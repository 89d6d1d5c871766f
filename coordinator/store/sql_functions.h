#pragma once

#include <string_view>

struct sqlite3;

namespace sweep {

// Functions that this library's statements may call. Views may not: other programs read them too.
// Private to this library.

// An aggregate of rows (name, last, low, high): the summaries of a trial's measures as
// EncodeSummaries writes them. SQLite's own JSON functions do not write every number exactly.
inline constexpr std::string_view kMeasureSummaries = "measure_summaries";

// Returns a code of SQLite.
int AddSqlFunctions(sqlite3* handle);

}  // namespace sweep
