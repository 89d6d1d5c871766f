#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/store/read_value.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"

namespace sweep {

// Tables of columns. Private to this library.

template <typename Member>
struct MemberOf;
template <typename Class, typename T>
struct MemberOf<T Class::*> {
  using Row = Class;
};

// Reads a column into a member of a member of …: the path `first`, `rest`.
template <auto first, auto... rest>
absl::Status ReadInto(const Statement& row, int column,
                      typename MemberOf<decltype(first)>::Row* into) {
  auto* const value = &((into->*first).*....*rest);
  if constexpr (std::is_void_v<decltype(ReadValue(row, column, value))>) {
    ReadValue(row, column, value);
    return absl::OkStatus();
  } else {
    return ReadValue(row, column, value);
  }
}

template <typename Row>
struct Column {
  std::string_view sql;  // an expression
  absl::Status (*read)(const Statement& row, int column, Row* into);
};

// The columns of another table, read into a member of the row.
template <typename Row>
struct TablePart {
  std::string_view list;
  int size = 0;
  std::function<absl::Status(const Statement& row, int first, Row* into)> read;
};

// The columns that a query selects for a Row, and how they are read.
template <typename Row>
class RowTable {
 public:
  explicit RowTable(std::vector<Column<Row>> columns, std::vector<TablePart<Row>> parts = {})
      : columns_(std::move(columns)),
        parts_(std::move(parts)),
        size_(static_cast<int>(columns_.size())) {
    for (const Column<Row>& column : columns_) AddToList(column.sql);
    for (const TablePart<Row>& part : parts_) {
      AddToList(part.list);
      size_ += part.size;
    }
  }

  // The select list, "a, b, c", and its number of columns.
  const std::string& list() const { return list_; }
  int size() const { return size_; }
  // "SELECT a, b, c " and `rest`.
  std::string Select(std::string_view rest) const {
    return std::string("SELECT ").append(list_).append(" ").append(rest);
  }

  // Reads the columns of this table, which begin at column `first`.
  absl::Status ReadAt(const Statement& row, int first, Row* into) const {
    int column = first;
    for (const Column<Row>& one : columns_) {
      STORE_RETURN_IF_ERROR(one.read(row, column++, into));
    }
    for (const TablePart<Row>& part : parts_) {
      STORE_RETURN_IF_ERROR(part.read(row, column, into));
      column += part.size;
    }
    return absl::OkStatus();
  }
  // All rows, or the first one, of a bound statement whose columns begin with these.
  absl::StatusOr<std::vector<Row>> All(Statement& statement) const {
    return CollectRows<Row>(statement, [this](const Statement& row) { return Read(row); });
  }
  absl::StatusOr<std::optional<Row>> First(Statement& statement) const {
    return FirstRow<Row>(statement, [this](const Statement& row) { return Read(row); });
  }

 private:
  absl::StatusOr<Row> Read(const Statement& row) const {
    Row result;
    STORE_RETURN_IF_ERROR(ReadAt(row, 0, &result));
    return result;
  }
  void AddToList(std::string_view sql) {
    if (!list_.empty()) list_.append(", ");
    list_.append(sql);
  }

  const std::vector<Column<Row>> columns_;
  const std::vector<TablePart<Row>> parts_;
  std::string list_;
  int size_;
};

// Into the member that the path of members leads to. `table` must outlive the part.
template <auto member, auto... rest, typename Part>
auto PartInto(const RowTable<Part>& table) {
  using Row = typename MemberOf<decltype(member)>::Row;
  return TablePart<Row>{table.list(), table.size(),
                        [&table](const Statement& row, int first, Row* into) {
                          return table.ReadAt(row, first, &((into->*member).*....*rest));
                        }};
}

// The tables that several files use. trial_facts.cc lists the columns of all but the last two.
const RowTable<TrialRow>& TrialTable();        // of trials t, configurations c and sweeps s
const RowTable<TrialResult>& ResultTable();    // of trials t
const RowTable<RankedRow>& RankedTable();      // of trials t, configurations c and sweeps s
const RowTable<TrialSummary>& SummaryTable();  // of trials t and configurations c
const RowTable<AttemptRow>& AttemptTable();    // of attempts a
// The state of a trial t. A diverged trial is stored as failed, with `diverged` = 1.
inline constexpr std::string_view kTrialStateSql = "iif(t.diverged, 'diverged', t.state)";

}  // namespace sweep
