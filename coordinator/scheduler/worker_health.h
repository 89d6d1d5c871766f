#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace sweep {

// Names a trial in memory: sweep id and number.
using TrialKey = std::pair<std::int64_t, std::int64_t>;

// Judges a worker by its last attempts. A worker with a broken GPU or a full disk fails every trial
// within moments, and would use up the permitted failures of a whole sweep.
//
// A worker fails when three attempts in a row, on at least two trials, have failed without an epoch
// between them. A trial that also fails on a worker that works is no evidence: its failures are
// withdrawn. A worker that fails is put aside when another worker could do its work: it gets
// nothing for a while, then one trial to show that it works, and after a failure nothing for twice
// as long. An epoch ends that. Pure; times are monotonic. Forgotten when the coordinator ends.
class WorkerHealth {
 public:
  static constexpr int kFailuresInARow = 3;
  static constexpr int kOnTrials = 2;
  static constexpr absl::Duration kShortest = absl::Seconds(30);
  static constexpr absl::Duration kLongest = absl::Minutes(10);

  enum class State {
    kGood,
    kAside,    // gets nothing
    kOnTrial,  // the time aside is over: gets one trial at a time
  };

  void AddFailure(const TrialKey& trial, std::string reason);
  // Removes the trial's failures: they say nothing about this worker.
  void Withdraw(const TrialKey& trial);
  // An epoch was trained, or a training ended well.
  void AddSuccess();
  bool fails() const;
  // It has had a success, and does not fail at present.
  bool works() const { return has_succeeded_ && !fails(); }

  // Requires fails(). Each time in a row for twice as long, up to kLongest.
  void PutAside(absl::Duration now);
  // Ends the time aside early.
  void TryNow(absl::Duration now);
  State At(absl::Duration now) const;

  // Attempts that failed in a row.
  int failures() const { return static_cast<int>(failed_.size()); }
  // Why the last one failed.
  const std::string& reason() const { return reason_; }
  // The end, perhaps past, of the time aside; nullopt for a worker that is good.
  std::optional<absl::Duration> until() const { return until_; }

 private:
  std::vector<TrialKey> failed_;  // one per attempt, oldest first
  std::string reason_;
  bool has_succeeded_ = false;
  std::optional<absl::Duration> until_;
  absl::Duration next_ = kShortest;
};

}  // namespace sweep
