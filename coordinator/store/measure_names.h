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

// Columns of epoch_reports for a program's own measures. JSON would need five times the space.
inline constexpr std::array<std::string_view, 12> kSlotColumns = {
    "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12"};
inline constexpr int kMeasureSlots = static_cast<int>(kSlotColumns.size());

// The names of a sweep's measures: its rows of the table measure_names. A measure of
// measure_columns.h has a column of its name in epoch_reports. A program's own measure has one of
// the slots. When all slots are taken, its values are in the column `more`, like all own measures
// that builds before schema version 7 have written.
class MeasureNames {
 public:
  // Per sweep. A program could invent names without end, and every read of a trial visits them all.
  static constexpr std::size_t kMostNames = 256;

  struct Entry {
    std::string name;
    std::int64_t measure = 0;  // its number within the sweep, from 1
    int slot = 0;              // 0: none
  };

  static absl::StatusOr<MeasureNames> Read(Database& database, std::int64_t sweep_id);

  const std::vector<Entry>& entries() const { return entries_; }
  // Nullptr for a name that is not there.
  const Entry* Find(std::string_view name) const;
  // The name in a slot, from 1; "" for a free slot.
  const std::string& InSlot(int slot) const { return slots_[static_cast<std::size_t>(slot) - 1]; }
  // The entry of a name. A new name is stored; nullptr when there are kMostNames already. Valid
  // until the next name is added.
  absl::StatusOr<const Entry*> FindOrAdd(Database& database, const std::string& name);

 private:
  explicit MeasureNames(std::int64_t sweep_id) : sweep_id_(sweep_id) {}
  void Keep(Entry entry);

  std::int64_t sweep_id_;
  std::vector<Entry> entries_;
  std::array<std::string, kMeasureSlots> slots_;
};

// Removes the values of trial ?1 from trial_values. The table's key begins with the sweep.
inline constexpr std::string_view kDeleteTrialValues =
    "DELETE FROM trial_values WHERE (sweep_id, measure, trial_id) IN (SELECT n.sweep_id, "
    "n.measure, t.id FROM trials t JOIN measure_names n ON n.sweep_id = t.sweep_id WHERE t.id = "
    "?1)";
// SQL for a measure of a report `e`: "e.lr", "e.v3", or a member of `more`. IsMeasureName(name) has
// to hold.
std::string ReportedColumn(const MeasureNames& names, std::string_view name);

}  // namespace sweep
