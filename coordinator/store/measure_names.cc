#include "coordinator/store/measure_names.h"

#include <algorithm>
#include <utility>

#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {

absl::StatusOr<MeasureNames> MeasureNames::Read(Database& database, std::int64_t sweep_id) {
  Statement statement = database.Prepare(
      "SELECT name, measure, coalesce(slot, 0) FROM measure_names WHERE sweep_id = ? ORDER BY "
      "measure");
  statement.Bind(sweep_id);
  MeasureNames names(sweep_id);
  while (true) {
    STORE_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return names;
    names.Keep({.name = statement.Text(0),
                .measure = statement.Int(1),
                .slot = static_cast<int>(statement.Int(2))});
  }
}

const MeasureNames::Entry* MeasureNames::Find(std::string_view name) const {
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& one) { return one.name == name; });
  return entry == entries_.end() ? nullptr : &*entry;
}

absl::StatusOr<const MeasureNames::Entry*> MeasureNames::FindOrAdd(Database& database,
                                                                   const std::string& name) {
  if (const Entry* const entry = Find(name)) return entry;
  if (entries_.size() >= kMostNames) return nullptr;
  Entry entry{.name = name, .measure = entries_.empty() ? 1 : entries_.back().measure + 1};
  const auto free = std::find(slots_.begin(), slots_.end(), "");
  if (!HasColumn(name) && free != slots_.end()) {
    entry.slot = static_cast<int>(free - slots_.begin()) + 1;
  }
  STORE_RETURN_IF_ERROR(database.Run(
      "INSERT INTO measure_names (sweep_id, measure, name, slot) VALUES (?, ?, ?, nullif(?, 0))",
      sweep_id_, entry.measure, entry.name, entry.slot));
  Keep(std::move(entry));
  return &entries_.back();
}

void MeasureNames::Keep(Entry entry) {
  if (entry.slot > 0) slots_[static_cast<std::size_t>(entry.slot) - 1] = entry.name;
  entries_.push_back(std::move(entry));
}

std::string ReportedColumn(const MeasureNames& names, std::string_view name) {
  name = CanonicalMeasure(name);
  if (HasColumn(name)) return fmt::format("e.{}", name);
  // Valid names contain no quotes.
  const std::string more = fmt::format("json_extract(e.more, '$.\"{}\"')", name);
  const MeasureNames::Entry* const entry = names.Find(name);
  if (entry == nullptr || entry->slot == 0) return more;
  return fmt::format("coalesce(e.v{}, {})", entry->slot, more);
}

}  // namespace sweep
