#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cli/present/listing.h"
#include "sweep/documents/answers.pb.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

// One event of a trial: an attempt started or ended, an epoch was acknowledged, or the trainer
// printed a line.
struct TrialLogEntry {
  using Kind = documents::LogEntry::Kind;
  Kind kind = documents::LogEntry::KIND_LINE;
  absl::Time time;
  int attempt = 0;
  std::int64_t number = 0;  // of the line or the epoch; 0 for an attempt
  std::string text;         // for people
  v1::Epoch epoch;          // of an epoch
};

// Turns a coordinator's repeated answers into entries, each once, ordered by time. Times of one
// attempt's lines and epochs never run backwards, whatever the worker's clock did. Pure: no clock,
// no calls. Used by one thread.
class TrialLog {
 public:
  // `attempt` 0 means all attempts. `epochs` is the number of epochs of a full trial.
  TrialLog(int attempt, int epochs) : attempt_(attempt), epochs_(epochs) {}

  // Add an answer; entries seen before are skipped.
  void AddAttempts(const std::vector<v1::Attempt>& attempts);
  void AddEpochs(const std::vector<v1::Epoch>& epochs);
  void AddLines(const std::vector<v1::LogLine>& lines);
  // Returns the entries added since the last call.
  std::vector<TrialLogEntry> Take();

 private:
  bool IsWanted(int attempt) const { return attempt_ == 0 || attempt == attempt_; }
  bool IsNew(TrialLogEntry::Kind kind, int attempt, std::int64_t number);
  void Add(TrialLogEntry entry);

  const int attempt_;
  const int epochs_;
  std::set<std::pair<int, std::int64_t>> seen_[4];  // by kind; (attempt, number)
  std::pair<int, std::int64_t> last_line_;
  absl::Time last_line_time_ = absl::InfinitePast();
  std::vector<TrialLogEntry> fresh_;
};

// "attempt 1 on w1", "epoch 3/19 …", a trainer's line, with the time in front if asked. Control
// characters appear as '?'.
std::string TrialLogText(const TrialLogEntry& entry, bool timestamps);
// For programs.
Json TrialLogJson(const TrialLogEntry& entry);
// All entries, for --format json and csv.
Listing TrialLogListing(const std::vector<TrialLogEntry>& entries);

}  // namespace sweep::cli
