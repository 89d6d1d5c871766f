#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/trial/measures.h"
#include "coordinator/store/measure_columns.h"

namespace sweep {

class Database;

// Columns of epoch_reports for a program's own measures. JSON takes five times the room.
inline constexpr std::array<std::string_view, 12> kSlotColumns = {
    "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12"};
inline constexpr int kMeasureSlots = static_cast<int>(kSlotColumns.size());

// The names that a sweep has for measures, as the table measure_names. A measure of
// measure_columns.h has a column of its name in epoch_reports; one of a program's own has a slot,
// or none when all are taken: its values are then in the column `more`, as are those that builds
// before schema version 7 have written.
class MeasureNames {
 public:
  // Of a sweep. A program may make up ever more names; every read of a trial looks at all of them.
  static constexpr std::size_t kMostNames = 256;

  struct Entry {
    std::string name;
    std::int64_t measure = 0;  // its number within the sweep, from 1
    int slot = 0;              // 0: none
  };

  static absl::StatusOr<MeasureNames> Read(Database& database, std::int64_t sweep_id);

  const std::vector<Entry>& entries() const { return entries_; }
  // Nullptr when there is none.
  const Entry* Find(std::string_view name) const;
  // The name that has a slot, from 1; "" for a free one.
  const std::string& InSlot(int slot) const { return slots_[static_cast<std::size_t>(slot) - 1]; }
  // The entry of a name, which is written when it is new; nullptr when it is new and there are
  // kMostNames already. Valid until the next one is added.
  absl::StatusOr<const Entry*> FindOrAdd(Database& database, const std::string& name);

 private:
  explicit MeasureNames(std::int64_t sweep_id) : sweep_id_(sweep_id) {}
  void Keep(Entry entry);

  std::int64_t sweep_id_;
  std::vector<Entry> entries_;
  std::array<std::string, kMeasureSlots> slots_;
};

// Removes the values of a trial, ?1, from trial_values. By its key, which begins with the sweep.
inline constexpr std::string_view kDeleteTrialValues =
    "DELETE FROM trial_values WHERE (sweep_id, measure, trial_id) IN (SELECT n.sweep_id, "
    "n.measure, t.id FROM trials t JOIN measure_names n ON n.sweep_id = t.sweep_id WHERE t.id = "
    "?1)";
// The column of a measure in a report `e`: "e.lr", "e.v3", or what is in `more`. `name` is one that
// IsMeasureName allows.
std::string ReportedColumn(const MeasureNames& names, std::string_view name);

}  // namespace sweep
