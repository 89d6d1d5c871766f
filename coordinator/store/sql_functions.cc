#include "coordinator/store/sql_functions.h"

#include <sqlite3.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

namespace sweep {
namespace {

// A name and its numbers, one entry after the other, in this machine's byte order: the bytes never
// leave the process.
struct Head {
  std::size_t name_bytes = 0;
  double last = 0, low = 0, high = 0;
};

double NumberOf(sqlite3_value* value) {
  return sqlite3_value_type(value) == SQLITE_NULL ? std::numeric_limits<double>::quiet_NaN()
                                                  : sqlite3_value_double(value);
}

// SQLite keeps one pointer for each group of rows, null before the first.
std::string** PackedOf(sqlite3_context* context, int size) {
  return static_cast<std::string**>(sqlite3_aggregate_context(context, size));
}

void AddRow(sqlite3_context* context, int, sqlite3_value** values) {
  std::string** const packed = PackedOf(context, sizeof(std::string*));
  if (packed == nullptr) return sqlite3_result_error_nomem(context);
  if (*packed == nullptr) *packed = new std::string;
  const auto* const name = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
  if (name == nullptr) return sqlite3_result_error(context, "a measure without a name", -1);
  const Head head = {.name_bytes = static_cast<std::size_t>(sqlite3_value_bytes(values[0])),
                     .last = NumberOf(values[1]),
                     .low = NumberOf(values[2]),
                     .high = NumberOf(values[3])};
  (*packed)->append(reinterpret_cast<const char*>(&head), sizeof head);
  (*packed)->append(name, head.name_bytes);
}

void Finish(sqlite3_context* context) {
  std::string** const packed = PackedOf(context, 0);
  const std::unique_ptr<std::string> owned(packed == nullptr ? nullptr : *packed);
  if (owned == nullptr) return sqlite3_result_zeroblob(context, 0);
  sqlite3_result_blob64(context, owned->data(), owned->size(), SQLITE_TRANSIENT);
}

}  // namespace

absl::StatusOr<MeasureSummaries> UnpackSummaries(std::string_view packed) {
  MeasureSummaries summaries;
  while (!packed.empty()) {
    Head head;
    if (packed.size() < sizeof head) return absl::DataLossError("packed measures are cut");
    std::memcpy(&head, packed.data(), sizeof head);
    packed.remove_prefix(sizeof head);
    if (packed.size() < head.name_bytes) return absl::DataLossError("packed measures are cut");
    bool is_new = false;
    summaries.At(packed.substr(0, head.name_bytes), &is_new) = {
        .last = head.last, .low = head.low, .high = head.high};
    packed.remove_prefix(head.name_bytes);
  }
  return summaries;
}

int AddSqlFunctions(sqlite3* handle) {
  return sqlite3_create_function_v2(handle, kMeasureSummaries.data(), 4,
                                    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                    nullptr, AddRow, Finish, nullptr);
}

}  // namespace sweep
