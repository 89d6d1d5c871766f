#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/trial/measures.h"

struct sqlite3;

namespace sweep {

// Functions that this library's statements may call. Views may not: other programs read them too.
// Private to this library.

// An aggregate of rows (name, last, low, high) by name: the same bytes as PackSummaries.
inline constexpr std::string_view kMeasureSummaries = "measure_summaries";
// The summaries of a trial that has ended, as its row keeps them: lists read them for every trial,
// where JSON would be parsed for each.
std::string PackSummaries(const MeasureSummaries& summaries);
// DataLoss when the bytes are cut.
absl::StatusOr<MeasureSummaries> UnpackSummaries(std::string_view packed);

// Returns a code of SQLite.
int AddSqlFunctions(sqlite3* handle);

}  // namespace sweep
