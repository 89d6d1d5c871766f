#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace sweep {

// A trial in memory: sweep id and number.
using TrialKey = std::pair<std::int64_t, std::int64_t>;

// What a worker's last attempts say about the worker itself: one with a broken GPU or a full disk
// fails every trial within moments, and would use up the permitted failures of a whole sweep.
//
// A worker fails when three attempts in a row, on at least two trials, have failed without an epoch
// between them. A trial that has failed on a worker that works, too, is no evidence: its failures
// are withdrawn. A worker that fails is put aside when another one could do the work: it gets
// nothing for a while, then one trial to show whether it works, and after a failure nothing for
// twice as long. An epoch clears it. Pure; times are monotonic. Forgotten when the coordinator
// ends.
class WorkerHealth {
 public:
  static constexpr int kFailuresInARow = 3;
  static constexpr int kOnTrials = 2;
  static constexpr absl::Duration kShortest = absl::Seconds(30);
  static constexpr absl::Duration kLongest = absl::Minutes(10);

  enum class State {
    kGood,
    kAside,    // gets nothing
    kOnTrial,  // its time aside is over: gets one trial at a time
  };

  void AddFailure(const TrialKey& trial, std::string reason);
  // The trial's failures say nothing about this worker.
  void Withdraw(const TrialKey& trial);
  // An epoch, or the end of a training.
  void AddSuccess();
  bool fails() const;
  // It has had a success, and does not fail now.
  bool works() const { return has_succeeded_ && !fails(); }

  // Requires fails(). Longer than the time before.
  void PutAside(absl::Duration now);
  // Ends the time aside early.
  void TryNow(absl::Duration now);
  State At(absl::Duration now) const;

  // Attempts that failed in a row.
  int failures() const { return static_cast<int>(failed_.size()); }
  // Why the last one failed.
  const std::string& reason() const { return reason_; }
  // When the time aside ends or has ended; nullopt for a worker that is good.
  std::optional<absl::Duration> until() const { return until_; }

 private:
  std::vector<TrialKey> failed_;  // one per attempt, oldest first
  std::string reason_;
  bool has_succeeded_ = false;
  std::optional<absl::Duration> until_;
  absl::Duration next_ = kShortest;
};

}  // namespace sweep
