#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/store/internal_queries.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"

namespace sweep {

// Read the rows of a bound statement. `decode` returns a Row or an error. Private to this library.

// All rows.
template <typename Row, typename Decode>
absl::StatusOr<std::vector<Row>> CollectRows(Statement& statement, Decode decode) {
  std::vector<Row> rows;
  while (true) {
    STORE_ASSIGN_OR_RETURN(const bool found, statement.Step());
    if (!found) return rows;
    absl::StatusOr<Row> row = decode(statement);
    if (!row.ok()) return row.status();
    rows.push_back(*std::move(row));
  }
}

// The first row, nullopt when there is none.
template <typename Row, typename Decode>
absl::StatusOr<std::optional<Row>> FirstRow(Statement& statement, Decode decode) {
  STORE_ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return std::optional<Row>();
  absl::StatusOr<Row> row = decode(statement);
  if (!row.ok()) return row.status();
  return std::optional<Row>(*std::move(row));
}

// The first row's first column.
inline absl::StatusOr<std::optional<std::int64_t>> FirstInt(Statement& statement) {
  return FirstRow<std::int64_t>(statement, [](const Statement& row) { return row.Int(0); });
}

inline std::optional<absl::Time> OptionalTime(const Statement& row, int column) {
  const std::optional<std::int64_t> micros = row.OptionalInt(column);
  if (!micros) return std::nullopt;
  return FromMicros(*micros);
}

// A measured number; NaN for NULL. Infinities in JSON are texts (json_codec.h).
inline double MeasuredNumber(const Statement& row, int column) {
  const double number = row.Real(column);
  if (number != 0) return number;
  const std::string text = row.Text(column);
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return number;
}

// SQLite reads a negative LIMIT as no limit.
inline int Limit(int limit) { return std::max(limit, 0); }

}  // namespace sweep
