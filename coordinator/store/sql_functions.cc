#include "coordinator/store/sql_functions.h"

#include <sqlite3.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

namespace sweep {
namespace {

// An entry is the number of bytes of its name, then its numbers, then its name.
static_assert(std::endian::native == std::endian::little);
using NameBytes = std::uint16_t;
constexpr std::size_t kHeadBytes = sizeof(NameBytes) + 3 * sizeof(double);

// All NaN are one, and -0 is 0, as in SQLite's columns.
double Canonical(double number) {
  if (std::isnan(number)) return std::numeric_limits<double>::quiet_NaN();
  return number == 0 ? 0 : number;
}

void Append(std::string_view name, const MeasureSummary& summary, std::string* packed) {
  const auto name_bytes = static_cast<NameBytes>(name.size());
  const double numbers[] = {Canonical(summary.last), Canonical(summary.low),
                            Canonical(summary.high)};
  packed->append(reinterpret_cast<const char*>(&name_bytes), sizeof name_bytes);
  packed->append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  packed->append(name);
}

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
  const std::string_view view(name, static_cast<std::size_t>(sqlite3_value_bytes(values[0])));
  Append(view,
         {.last = NumberOf(values[1]), .low = NumberOf(values[2]), .high = NumberOf(values[3])},
         *packed);
}

void Finish(sqlite3_context* context) {
  std::string** const packed = PackedOf(context, 0);
  const std::unique_ptr<std::string> owned(packed == nullptr ? nullptr : *packed);
  if (owned == nullptr) return sqlite3_result_zeroblob(context, 0);
  sqlite3_result_blob64(context, owned->data(), owned->size(), SQLITE_TRANSIENT);
}

}  // namespace

std::string PackSummaries(const MeasureSummaries& summaries) {
  std::string packed;
  for (const auto& [name, summary] : summaries) Append(name, summary, &packed);
  return packed;
}

absl::StatusOr<MeasureSummaries> UnpackSummaries(std::string_view packed) {
  MeasureSummaries summaries;
  while (!packed.empty()) {
    if (packed.size() < kHeadBytes) return absl::DataLossError("packed measures are cut");
    NameBytes name_bytes = 0;
    double numbers[3];
    std::memcpy(&name_bytes, packed.data(), sizeof name_bytes);
    std::memcpy(numbers, packed.data() + sizeof name_bytes, sizeof numbers);
    packed.remove_prefix(kHeadBytes);
    if (packed.size() < name_bytes) return absl::DataLossError("packed measures are cut");
    bool is_new = false;
    summaries.At(packed.substr(0, name_bytes), &is_new) = {
        .last = numbers[0], .low = numbers[1], .high = numbers[2]};
    packed.remove_prefix(name_bytes);
  }
  return summaries;
}

int AddSqlFunctions(sqlite3* handle) {
  return sqlite3_create_function_v2(handle, kMeasureSummaries.data(), 4,
                                    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                    nullptr, AddRow, Finish, nullptr);
}

}  // namespace sweep
