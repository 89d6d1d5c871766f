#include "coordinator/store/sql_functions.h"

#include <sqlite3.h>

#include <limits>
#include <memory>
#include <new>
#include <string>

#include "coordinator/store/json_codec.h"

namespace sweep {
namespace {

double NumberOf(sqlite3_value* value) {
  return sqlite3_value_type(value) == SQLITE_NULL ? std::numeric_limits<double>::quiet_NaN()
                                                  : sqlite3_value_double(value);
}

// SQLite keeps one pointer for each group of rows, null before the first.
MeasureSummaries** SummariesOf(sqlite3_context* context, int size) {
  return static_cast<MeasureSummaries**>(sqlite3_aggregate_context(context, size));
}

void AddRow(sqlite3_context* context, int, sqlite3_value** values) {
  MeasureSummaries** const summaries = SummariesOf(context, sizeof(MeasureSummaries*));
  if (summaries == nullptr) return sqlite3_result_error_nomem(context);
  if (*summaries == nullptr) *summaries = new MeasureSummaries;
  const auto* const name = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
  if (name == nullptr) return sqlite3_result_error(context, "a measure without a name", -1);
  bool is_new = false;
  (*summaries)->At(name, &is_new) = {
      .last = NumberOf(values[1]), .low = NumberOf(values[2]), .high = NumberOf(values[3])};
}

void Finish(sqlite3_context* context) {
  MeasureSummaries** const summaries = SummariesOf(context, 0);
  const std::unique_ptr<MeasureSummaries> owned(summaries == nullptr ? nullptr : *summaries);
  const std::string json = owned == nullptr ? "{}" : EncodeSummaries(*owned);
  sqlite3_result_text64(context, json.data(), json.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

int AddSqlFunctions(sqlite3* handle) {
  return sqlite3_create_function_v2(handle, kMeasureSummaries.data(), 4,
                                    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                    nullptr, AddRow, Finish, nullptr);
}

}  // namespace sweep
