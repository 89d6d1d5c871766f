#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "common/trial/measures.h"

struct sqlite3;

namespace sweep {

// Functions that this library's statements may call. Views may not: other programs read them too.
// Private to this library.

// An aggregate of rows (name, last, low, high): the summaries of a trial's measures as a BLOB for
// UnpackSummaries. Lists read it for every trial; JSON would be written and parsed for each, and
// SQLite's own JSON functions do not write every number exactly.
inline constexpr std::string_view kMeasureSummaries = "measure_summaries";
// DataLoss when kMeasureSummaries has not made the bytes.
absl::StatusOr<MeasureSummaries> UnpackSummaries(std::string_view packed);

// Returns a code of SQLite.
int AddSqlFunctions(sqlite3* handle);

}  // namespace sweep
