#include "cli/present/trial_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "common/base/counted.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using Kind = TrialLogEntry::Kind;

std::string KindName(Kind kind) {
  switch (kind) {
    case Kind::kAttemptStart:
      return "attempt_start";
    case Kind::kLine:
      return "line";
    case Kind::kEpoch:
      return "epoch";
    case Kind::kAttemptEnd:
      return "attempt_end";
  }
  return "";
}

}  // namespace

bool TrialLog::IsNew(Kind kind, int attempt, std::int64_t number) {
  return IsWanted(attempt) && seen_[static_cast<int>(kind)].emplace(attempt, number).second;
}

void TrialLog::Add(TrialLogEntry entry) { fresh_.push_back(std::move(entry)); }

void TrialLog::AddAttempts(const std::vector<v1::Attempt>& attempts) {
  for (const v1::Attempt& attempt : attempts) {
    const int number = attempt.attempt();
    if (IsNew(Kind::kAttemptStart, number, 0)) {
      Add({.kind = Kind::kAttemptStart,
           .time = ToTime(attempt.start_time()),
           .attempt = number,
           .text = fmt::format("attempt {} on {}", number, ShortName(attempt.worker()))});
    }
    if (!attempt.has_end_time() || !IsNew(Kind::kAttemptEnd, number, 0)) continue;
    // The log already has the reason's further lines.
    const std::string first = attempt.reason().substr(0, attempt.reason().find('\n'));
    const std::string reason = first.empty() ? "" : ": " + first;
    Add({.kind = Kind::kAttemptEnd,
         .time = ToTime(attempt.end_time()),
         .attempt = number,
         .text = fmt::format("attempt {} {}{}", number, attempt.outcome(), reason)});
  }
}

void TrialLog::AddEpochs(const std::vector<v1::Epoch>& epochs) {
  for (const v1::Epoch& epoch : epochs) {
    if (!IsNew(Kind::kEpoch, epoch.attempt(), epoch.epoch())) continue;
    Add({.kind = Kind::kEpoch,
         .time = ToTime(epoch.report_time()),
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
    absl::Time time = ToTime(line.time());
    if (same_attempt) time = std::max(time, last_line_time_);
    const std::int64_t dropped = same_attempt ? line.line() - last_line_.second - 1 : 0;
    if (dropped > 0) {
      Add({.kind = Kind::kLine,
           .time = time,
           .attempt = line.attempt(),
           .number = line.line() - 1,
           .text = fmt::format("[{} dropped]", Counted(dropped, "line"))});
    }
    last_line_ = at;
    last_line_time_ = time;
    Add({.kind = Kind::kLine,
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
    const int part = entry.kind == Kind::kAttemptStart ? 0
                     : entry.kind == Kind::kAttemptEnd ? 2
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
  const bool attempt = entry.kind == Kind::kAttemptStart || entry.kind == Kind::kAttemptEnd;
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

nlohmann::ordered_json TrialLogJson(const TrialLogEntry& entry) {
  using Json = nlohmann::ordered_json;
  return {{"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", entry.time, absl::UTCTimeZone())},
          {"kind", KindName(entry.kind)},
          {"attempt", entry.attempt},
          {"number", entry.number > 0 ? Json(entry.number) : Json(nullptr)},
          {"text", entry.text},
          {"values", entry.kind == Kind::kEpoch ? Json(ValuesJson(FromProto(entry.epoch).values))
                                                : Json(nullptr)}};
}

Listing TrialLogListing(const std::vector<TrialLogEntry>& entries) {
  Listing listing;
  const nlohmann::ordered_json keys = TrialLogJson({});
  for (const auto& [key, value] : keys.items()) listing.columns.push_back({"", key});
  for (const TrialLogEntry& entry : entries) {
    std::vector<Cell> row;
    for (const auto& value : TrialLogJson(entry)) row.push_back({"", value});
    listing.rows.push_back(std::move(row));
  }
  return listing;
}

}  // namespace sweep::cli
