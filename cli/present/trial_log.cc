#include "cli/present/trial_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "cli/present/answers.h"
#include "cli/present/cells.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "common/base/counted.h"
#include "proto/documents/values.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using Kind = documents::LogEntry::Kind;

documents::LogEntry ToDocument(const TrialLogEntry& entry) {
  documents::LogEntry made;
  made.set_time(sweep::TimeText(entry.time));
  made.set_kind(entry.kind);
  made.set_attempt(entry.attempt);
  if (entry.number > 0) made.set_number(entry.number);
  made.set_text(entry.text);
  if (entry.kind == documents::LogEntry::KIND_EPOCH) {
    *made.mutable_values()->mutable_values() = NamedNumbers(FromProto(entry.epoch).values);
  }
  return made;
}

}  // namespace

bool TrialLog::IsNew(Kind kind, int attempt, std::int64_t number) {
  return IsWanted(attempt) && seen_[static_cast<int>(kind)].emplace(attempt, number).second;
}

void TrialLog::Add(TrialLogEntry entry) { fresh_.push_back(std::move(entry)); }

void TrialLog::AddAttempts(const std::vector<v1::Attempt>& attempts) {
  for (const v1::Attempt& attempt : attempts) {
    const int number = attempt.attempt();
    if (IsNew(documents::LogEntry::KIND_ATTEMPT_START, number, 0)) {
      Add({.kind = documents::LogEntry::KIND_ATTEMPT_START,
           .time = cells::ToTime(attempt.start_time()),
           .attempt = number,
           .text = fmt::format("attempt {} on {}", number, ShortName(attempt.worker()))});
    }
    if (!attempt.has_end_time() || !IsNew(documents::LogEntry::KIND_ATTEMPT_END, number, 0))
      continue;
    // The log already has the reason's further lines.
    const std::string first = attempt.reason().substr(0, attempt.reason().find('\n'));
    const std::string reason = first.empty() ? "" : ": " + first;
    Add({.kind = documents::LogEntry::KIND_ATTEMPT_END,
         .time = cells::ToTime(attempt.end_time()),
         .attempt = number,
         .text = fmt::format("attempt {} {}{}", number, attempt.outcome(), reason)});
  }
}

void TrialLog::AddEpochs(const std::vector<v1::Epoch>& epochs) {
  for (const v1::Epoch& epoch : epochs) {
    if (!IsNew(documents::LogEntry::KIND_EPOCH, epoch.attempt(), epoch.epoch())) continue;
    Add({.kind = documents::LogEntry::KIND_EPOCH,
         .time = cells::ToTime(epoch.report_time()),
         .attempt = epoch.attempt(),
         .number = epoch.epoch(),
         .text =
             fmt::format("epoch {}/{}  {}", epoch.epoch(), epochs_, EpochText(FromProto(epoch))),
         .epoch = epoch});
  }
}

void TrialLog::AddLines(const std::vector<v1::LogLine>& lines) {
  for (const v1::LogLine& line : lines) {
    // Lines arrive in order, so keeping the last one suffices to skip repeated ones.
    const std::pair<int, std::int64_t> at(line.attempt(), line.line());
    if (!IsWanted(line.attempt()) || at <= last_line_) continue;
    const bool same_attempt = last_line_.first == line.attempt();
    absl::Time time = cells::ToTime(line.time());
    if (same_attempt) time = std::max(time, last_line_time_);
    const std::int64_t dropped = same_attempt ? line.line() - last_line_.second - 1 : 0;
    if (dropped > 0) {
      Add({.kind = documents::LogEntry::KIND_LINE,
           .time = time,
           .attempt = line.attempt(),
           .number = line.line() - 1,
           .text = fmt::format("[{} dropped]", Counted(dropped, "line"))});
    }
    last_line_ = at;
    last_line_time_ = time;
    Add({.kind = documents::LogEntry::KIND_LINE,
         .time = time,
         .attempt = line.attempt(),
         .number = line.line(),
         .text = line.text()});
  }
}

std::vector<TrialLogEntry> TrialLog::Take() {
  std::vector<TrialLogEntry> entries = std::move(fresh_);
  fresh_.clear();
  const auto key = [](const TrialLogEntry& entry) {
    // An attempt's start and end enclose its entries even when clocks differ.
    const int part = entry.kind == documents::LogEntry::KIND_ATTEMPT_START ? 0
                     : entry.kind == documents::LogEntry::KIND_ATTEMPT_END ? 2
                                                                           : 1;
    return std::make_tuple(entry.attempt, part, part == 1 ? entry.time : absl::InfinitePast());
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const TrialLogEntry& a, const TrialLogEntry& b) { return key(a) < key(b); });
  return entries;
}

std::string TrialLogText(const TrialLogEntry& entry, bool timestamps) {
  const std::string time =
      timestamps ? absl::FormatTime("%Y-%m-%d %H:%M:%E3S  ", entry.time, absl::LocalTimeZone())
                 : "";
  const bool attempt = entry.kind == documents::LogEntry::KIND_ATTEMPT_START ||
                       entry.kind == documents::LogEntry::KIND_ATTEMPT_END;
  if (!attempt) return time + PrintableLines(entry.text);
  // A reason may have many lines: the trainer's last output.
  std::string text;
  for (std::size_t at = 0; at <= entry.text.size();) {
    const std::size_t end = std::min(entry.text.find('\n', at), entry.text.size());
    text += (at == 0 ? time + "-- " : "\n     ") + Printable(entry.text.substr(at, end - at));
    at = end + 1;
  }
  return text;
}

Json TrialLogJson(const TrialLogEntry& entry) { return ToJson(ToDocument(entry)); }

Listing TrialLogListing(const std::vector<TrialLogEntry>& entries) {
  Listing listing;
  std::vector<documents::LogEntry> documents;
  for (const TrialLogEntry& entry : entries) documents.push_back(ToDocument(entry));
  listing.rows.resize(entries.size());
  AddDocuments(documents, &listing);
  return listing;
}

}  // namespace sweep::cli
