#include "coordinator/store/log_lines.h"

#include <optional>
#include <utility>

#include "common/base/utf8.h"
#include "coordinator/store/row_table.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/write_transaction.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

absl::Status CheckLineNumbers(const LeaseToken& token, const std::vector<LogRow>& lines) {
  std::int64_t last = 0;
  for (const LogRow& line : lines) {
    if (line.line <= last || line.line > kMaxLogLineNumber) {
      return absl::InvalidArgumentError(
          fmt::format("trial {}/{}: log line {} after line {}: lines count from 1 and ascend",
                      token.sweep, token.number, line.line, last));
    }
    last = line.line;
  }
  return absl::OkStatus();
}

const RowTable<LogRow>& LogTable() {
  using Row = LogRow;
  static const auto& table = *new RowTable<Row>({
      {"attempt", ReadInto<&Row::attempt>},
      {"line", ReadInto<&Row::line>},
      {"time_us", ReadInto<&Row::time>},
      {"text", ReadInto<&Row::text>},
  });
  return table;
}

}  // namespace

std::string CleanLogText(std::string_view text) {
  // An invalid byte becomes three, so the text is cut before, to save work, and after, to the
  // limit.
  std::string clean = ToUtf8(text.substr(0, kMaxLogLineBytes + 1));
  if (clean.find('\0') != std::string::npos) {
    std::string shown;
    for (const char c : clean) c == '\0' ? shown.append(kReplacement) : shown.append(1, c);
    clean = std::move(shown);
  }
  return std::string(CutUtf8(clean, kMaxLogLineBytes));
}

absl::StatusOr<std::vector<LogRow>> SelectLogLines(Database& database, const std::string& sweep,
                                                   std::int64_t number, int after_attempt,
                                                   std::int64_t after_line, int limit) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t trial_id, FindTrialId(database, sweep, number));
  static const std::string kSql = LogTable().Select(
      "FROM log_lines WHERE trial_id = ? AND (attempt, line) > (?, ?) ORDER BY attempt, line LIMIT "
      "?");
  Statement statement = database.Prepare(kSql);
  return LogTable().All(statement.Bind(trial_id, after_attempt, after_line, Limit(limit)));
}

absl::StatusOr<LogRow> FindLogLineBefore(Database& database, const std::string& sweep,
                                         std::int64_t number, int count) {
  STORE_ASSIGN_OR_RETURN(const std::int64_t trial_id, FindTrialId(database, sweep, number));
  static const std::string kSql = LogTable().Select(
      "FROM log_lines WHERE trial_id = ? ORDER BY attempt DESC, line DESC LIMIT 1 OFFSET ?");
  Statement statement = database.Prepare(kSql);
  STORE_ASSIGN_OR_RETURN(std::optional<LogRow> row,
                         LogTable().First(statement.Bind(trial_id, Limit(count))));
  return row.value_or(LogRow{});
}

absl::Status WriteTransaction::AppendLogs(const LeaseToken& token,
                                          const std::vector<LogRow>& lines) {
  return Guard([&]() -> absl::Status {
    STORE_ASSIGN_OR_RETURN(const StoredTrial stored,
                           FindStoredTrial(database_, token.sweep, token.number));
    // The last lines may arrive after the lease has ended.
    STORE_RETURN_IF_ERROR(CheckLatest(stored, token));
    STORE_RETURN_IF_ERROR(CheckLineNumbers(token, lines));
    Statement kept = database_.Prepare(
        "SELECT log_lines, log_bytes, log_is_cut FROM attempts WHERE trial_id = ? AND attempt = ?");
    STORE_RETURN_IF_ERROR(kept.Bind(stored.row.id, token.attempt).Step().status());
    LogSize size{.lines = kept.Int(0), .bytes = kept.Int(1), .is_cut = kept.Int(2) != 0};
    if (size.is_cut) return absl::OkStatus();
    for (const LogRow& line : lines) {
      STORE_RETURN_IF_ERROR(AppendLogLine(stored.row.id, token.attempt, line, &size));
      if (size.is_cut) break;
    }
    return database_.Run(
        "UPDATE attempts SET log_lines = ?, log_bytes = ?, log_is_cut = ? WHERE trial_id = ? AND "
        "attempt = ?",
        size.lines, size.bytes, size.is_cut, stored.row.id, token.attempt);
  });
}

absl::Status WriteTransaction::AppendLogLine(std::int64_t trial_id, int attempt, const LogRow& line,
                                             LogSize* size) {
  std::string text = CleanLogText(line.text);
  const auto bytes = static_cast<std::int64_t>(text.size());
  const bool is_too_much = size->lines >= kMaxLogLines || size->bytes + bytes > kMaxLogBytes;
  if (is_too_much) {
    text = fmt::format(
        "[sweep] lines from here on were dropped: an attempt keeps {} lines and {} KiB of output",
        kMaxLogLines, kMaxLogBytes >> 10);
  }
  const std::int64_t time_us = ToMicros(line.time > absl::UnixEpoch() ? line.time : now_);
  const std::int64_t changes = database_.total_changes();
  STORE_RETURN_IF_ERROR(database_.Run(
      "INSERT OR IGNORE INTO log_lines (trial_id, attempt, line, time_us, text) VALUES (?, ?, ?, "
      "?, ?)",
      trial_id, attempt, line.line, time_us, text));
  if (database_.total_changes() == changes) return absl::OkStatus();  // it was sent before
  size->is_cut = is_too_much;
  ++size->lines;
  size->bytes += static_cast<std::int64_t>(text.size());
  return absl::OkStatus();
}

}  // namespace sweep
