#pragma once

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/spec/suggestion_origin.h"
#include "coordinator/store/decoded_texts.h"
#include "coordinator/store/internal_queries.h"
#include "coordinator/store/json_codec.h"
#include "coordinator/store/row_reader.h"
#include "coordinator/store/sql_functions.h"
#include "coordinator/store/sqlite.h"

namespace sweep {

// Read a value of each type from a column. Private to this library.
inline void ReadValue(const Statement& row, int column, std::string* value) {
  *value = row.Text(column);
}
inline void ReadValue(const Statement& row, int column, double* value) {
  *value = row.Real(column);
}
inline void ReadValue(const Statement& row, int column, std::optional<double>* value) {
  *value = row.IsNull(column) ? std::nullopt : std::optional(row.Real(column));
}
inline void ReadValue(const Statement& row, int column, absl::Time* value) {
  *value = FromMicros(row.Int(column));
}
inline void ReadValue(const Statement& row, int column, absl::Duration* value) {
  *value = absl::Microseconds(row.Int(column));
}
inline void ReadValue(const Statement& row, int column, std::optional<absl::Time>* value) {
  *value = OptionalTime(row, column);
}
// Nullopt for a text that is not a state.
inline void ReadValue(const Statement& row, int column, std::optional<TrialState>* value) {
  const absl::StatusOr<TrialState> state = ParseTrialState(row.Text(column));
  *value = state.ok() ? std::optional(*state) : std::nullopt;
}
// Nullopt for a text that is not a source.
inline void ReadValue(const Statement& row, int column, std::optional<SuggestionSource>* value) {
  const absl::StatusOr<SuggestionSource> source = ParseSuggestionSource(row.Text(column));
  *value = source.ok() ? std::optional(*source) : std::nullopt;
}
template <typename T>
  requires std::is_integral_v<T>
void ReadValue(const Statement& row, int column, T* value) {
  if constexpr (std::is_same_v<T, bool>) {
    *value = row.Int(column) != 0;
  } else {
    *value = static_cast<T>(row.Int(column));
  }
}

template <typename Decoded, typename T>
absl::Status Take(absl::StatusOr<Decoded> decoded, T* value) {
  if (decoded.ok()) *value = *std::move(decoded);
  return decoded.status();
}
// Parses the text, or takes what the connection's DecodedTexts has of it.
template <typename Decoded, typename T>
absl::Status Decode(const Statement& row, int column,
                    absl::StatusOr<Decoded> (*decode)(std::string_view text), T* value) {
  const std::string_view text = row.TextView(column);
  DecodedTexts* const known = row.decoded_texts();
  if (known == nullptr) return Take(decode(text), value);
  if (const T* const found = known->Find<T>(text)) {
    *value = *found;
    return absl::OkStatus();
  }
  absl::Status status = Take(decode(text), value);
  if (status.ok()) known->Keep(text, *value);
  return status;
}
inline absl::Status ReadValue(const Statement& row, int column, TrialState* value) {
  return Take(ParseTrialState(row.Text(column)), value);
}
inline absl::Status ReadValue(const Statement& row, int column, SweepState* value) {
  return Take(ParseSweepState(row.Text(column)), value);
}
inline absl::Status ReadValue(const Statement& row, int column, SharedParameters* value) {
  return Decode(row, column, DecodeParameters, value);
}
inline absl::Status ReadValue(const Statement& row, int column,
                              std::map<std::string, std::string>* value) {
  return Take(DecodeLabels(row.Text(column)), value);
}
inline absl::Status ReadValue(const Statement& row, int column, Measurements* value) {
  if (row.IsNull(column)) return absl::OkStatus();
  return Take(DecodeMeasurements(row.Text(column)), value);
}
inline absl::Status ReadValue(const Statement& row, int column, MeasureSummaries* value) {
  if (row.IsBlob(column)) return Take(UnpackSummaries(row.BlobView(column)), value);
  return Decode(row, column, DecodeSummaries, value);
}
inline absl::Status ReadValue(const Statement& row, int column, Standing* value) {
  return Decode(row, column, DecodeStanding, value);
}
inline absl::Status ReadValue(const Statement& row, int column, std::vector<Objective>* value) {
  return Take(DecodeObjectives(row.Text(column)), value);
}
inline absl::Status ReadValue(const Statement& row, int column, std::vector<GateOutcome>* value) {
  return Take(DecodeGates(row.Text(column)), value);
}

}  // namespace sweep
