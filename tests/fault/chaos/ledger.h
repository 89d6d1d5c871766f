#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace sweep::chaos {

// The time from an acknowledged decision until its reversal was sent.
struct Interval {
  std::string object;  // "sweeps/{sweep}" or "sweeps/{sweep}/trials/{number}"
  absl::Time begin;
  absl::Time end;
};

// The calls that the coordinator has acknowledged, as the proxies and the people saw them.
// Thread-safe.
class Ledger {
 public:
  using Key = std::tuple<std::string, int, std::int64_t>;  // trial, attempt, epoch or line

  // `sent`: the earliest time at which the coordinator can have received the report; InfinitePast
  // of one that may come after the end of its attempt.
  void AddEpoch(const std::string& trial, int attempt, int epoch, absl::Time sent);
  void AddLogLine(const std::string& trial, int attempt, std::int64_t line);
  void AddCompletion(const std::string& trial, int attempt);
  // A caller will ask for a trial with a request of its own, perhaps several times.
  void AddAsk(const std::string& sweep);
  // A sweep was accepted or extended: it must get this many configurations.
  void SetBudget(const std::string& sweep, std::int64_t configurations);
  // No lease was granted for the object and no report of it accepted in this time.
  void AddCancelled(const Interval& interval);
  // No lease of the sweep was granted in this time.
  void AddPaused(const Interval& interval);

  std::set<Key> epochs() const;
  // The time at which the last accepted report of each attempt was sent.
  std::map<std::pair<std::string, int>, absl::Time> last_reports() const;
  std::set<Key> log_lines() const;
  std::set<std::pair<std::string, int>> completions() const;
  // The requests of callers, by sweep.
  std::map<std::string, std::int64_t> asks() const;
  std::map<std::string, std::int64_t> budgets() const;
  std::vector<Interval> cancelled() const;
  std::vector<Interval> paused() const;

 private:
  mutable std::mutex mutex_;
  std::set<Key> epochs_;
  std::map<std::pair<std::string, int>, absl::Time> last_reports_;
  std::set<Key> log_lines_;
  std::set<std::pair<std::string, int>> completions_;
  std::map<std::string, std::int64_t> asks_;
  std::map<std::string, std::int64_t> budgets_;
  std::vector<Interval> cancelled_;
  std::vector<Interval> paused_;
};

}  // namespace sweep::chaos
