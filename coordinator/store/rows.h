#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/base/value.h"
#include "common/lifecycle/trial_state.h"
#include "common/protocol/trainer_message.h"
#include "common/spec/sweep_spec.h"
#include "common/stats/ranking.h"
#include "common/trial/measures.h"

namespace sweep {

// What the store holds, as plain values. No owner, no threads.

enum class SweepState { kActive, kPaused, kCompleted, kCancelled };
std::string_view SweepStateName(SweepState state);  // "active", …
inline bool HasEnded(SweepState state) {
  return state == SweepState::kCompleted || state == SweepState::kCancelled;
}

struct TrialCounts {
  std::int64_t pending = 0, running = 0, completed = 0, stopped = 0, failed = 0, cancelled = 0;
  std::int64_t diverged = 0;  // not among the failed
  std::int64_t on_hold = 0;   // neither pending nor ended
  std::int64_t ended() const { return completed + stopped + failed + diverged + cancelled; }
  std::int64_t total() const { return pending + running + on_hold + ended(); }
};

// A sweep as it is stored.
struct SweepRow {
  std::int64_t id = 0;
  std::string name;
  SweepState state = SweepState::kActive;
  SweepSource source;  // empty in lists
  std::string digest;
  std::vector<Objective> objectives;  // at least one
  std::string principal;
  std::map<std::string, std::string> labels;
  absl::Time created, updated;
  std::optional<absl::Time> ended;
  std::int64_t planned_configurations = 0;
  std::int64_t configurations = 0;  // made so far
  bool exhausted = false;           // the search will make no more
  std::string search_reason;        // why it ended before the budget was used
  bool give_back = false;           // paused, and what runs is to be given back
  std::string data_sha256;          // of what it is trained on; empty until a worker has told
  TrialCounts counts;
  std::int64_t qualifying = 0;  // configurations that meet every gate
  std::string pause_reason;     // why the coordinator paused it; empty when a person did
  bool keep_going = false;      // is not paused when its first trials fail alike
  bool archived = false;        // left out of lists
  std::int64_t disk_bytes = 0;  // about: its rows, and the files of trials that have ended
};

struct ArtifactRow {
  std::string role;
  std::string sha256;
  std::int64_t size_bytes = 0;
};

// What is known of a sweep's failures, for the decision whether to pause it.
struct EarlyFailures {
  bool matter = false;  // it is active, may be paused and no trial of it has reported an epoch
  std::string note;     // as last kept by SetFailureNote
};

// A trial as it is stored.
struct TrialRow {
  std::int64_t id = 0;
  std::int64_t sweep_id = 0;
  std::string sweep;        // its name
  std::int64_t number = 0;  // 1-based within the sweep
  std::int64_t configuration_id = 0;
  std::int64_t configuration = 0;  // 1-based within the sweep
  int replicate = 0;
  TrialState state = TrialState::kPending;
  ParameterMap parameters;  // what the search chose
  ParameterMap resolved;    // every hyperparameter as trained
  std::string model;
  std::int64_t network_parameters = 0;
  bool fully_connected = false;
  std::int64_t forward_flops = 0;
  std::int64_t train_flops = 0;
  std::int64_t receptive_field = 0;  // 0: the trial has no network that the coordinator knows
  std::uint64_t seed = 0;
  int attempt = 0;
  int failures = 0;
  int epochs = 0;  // of a full run
  // The epoch after which it ends or rests, though its schedule is that of `epochs`; 0: the last.
  int target_epoch = 0;
  // The stopping rule has ended it: its holder is told to save its weights and to finish.
  bool stopping = false;
  TrialResult result;
  bool qualifies = false;  // its configuration, as last scored
  std::string reason;
  std::string worker;
  absl::Time created;
  std::optional<absl::Time> started, ended;
  absl::Duration ended_attempts;              // the time of those that have ended
  std::optional<absl::Time> attempt_started;  // of the one that runs
  std::string checkpoint_sha256;
  int checkpoint_epoch = 0;
  std::vector<ArtifactRow> artifacts;  // empty in lists

  std::string short_name() const { return sweep + "/" + std::to_string(number); }
  // It has reported its target epoch, which is not the last one: it is on hold, or will be once its
  // attempt has ended.
  bool is_at_target() const {
    return target_epoch > 0 && target_epoch < epochs && result.epoch >= target_epoch;
  }
  // Its holder is to save checkpoint and weights and to finish.
  bool ends_early() const { return stopping || is_at_target(); }
  // The total time of its attempts, including the running one up to `now`, without the pauses
  // between.
  absl::Duration AttemptTime(absl::Time now) const;
  // The hyperparameters that the search did not choose.
  ParameterMap Defaults() const;
};

struct EpochRow {
  int attempt = 0;
  EpochMetrics metrics;
  absl::Time reported;
};

struct AttemptRow {
  int attempt = 0;
  std::string worker;
  absl::Time started;
  std::optional<absl::Time> ended;
  std::string outcome;  // "" while it runs
  std::string reason;
};

// A lease that was in force when the store was opened, or has just been granted.
struct LeaseRow {
  TrialRow trial;
  std::string secret;
  bool embedded = false;  // its worker lives, or lived, in the process of the coordinator
};

// Proof that a worker holds a trial.
struct LeaseToken {
  std::string sweep;
  std::int64_t number = 0;
  int attempt = 0;
  std::string secret;
};

// What became of a worker's word on a sweep's data.
struct DataReport {
  TrialRow trial;
  std::string sweep_sha256;  // what the sweep is trained on
  bool is_first = false;     // as of now
  std::string refusal;       // why the lease has ended, if the worker has other data
};

// kStopped: ended before the last epoch, as the holder was told to; kHeld: at the target epoch.
enum class LeaseOutcome {
  kCompleted,
  kFailed,
  kFailedForGood,
  kDiverged,
  kGivenBack,
  kStopped,
  kHeld
};
std::string_view LeaseOutcomeName(LeaseOutcome outcome);  // "completed", …

// One thing that happened, in the order of commits. `sequence` is the cursor of WatchSweep.
struct EventRow {
  std::int64_t sequence = 0;
  std::int64_t trial_id = 0;  // 0: the sweep itself
  std::int64_t number = 0;    // the trial's number
  std::string kind;           // "sweep", "trial", "epoch"
  int attempt = 0;            // epoch events
  int epoch = 0;
  absl::Time time;
  // Of the trial, after the event. Nothing for a sweep's, and for most of those that builds before
  // schema version 6 have written.
  std::optional<TrialState> state;
};

// An event, and of one of kind "epoch" what it measured.
struct MeasuredEvent {
  EventRow event;
  Measurements values;
};

// An event as an index of a sweep follows it.
struct TrialChange {
  std::int64_t sequence = 0;
  std::int64_t number = 0;  // of the trial; 0: the sweep itself
};

// How far a trial is known.
struct KnownTrial {
  std::int64_t number = 0;
  int epoch = 0;  // the last one that is known; 0: none
};

// A trial and the score of its configuration, as an index of a whole sweep needs them: members that
// no fact of trial_facts.cc reads for an index are empty.
struct TrialSummary {
  TrialRow trial;
  ConfigurationScore score;
};

// What an epoch of a trial measured.
struct MeasuredEpoch {
  std::int64_t number = 0;  // of the trial
  int epoch = 0;
  // Of the measures that were asked for, in their order; NaN also for what was not reported.
  std::vector<double> values;
};

// An attempt and the trial that it belongs to.
struct TimedAttempt {
  std::string sweep;
  std::int64_t number = 0;
  AttemptRow attempt;
};
struct AttemptPage {
  std::vector<TimedAttempt> attempts;
  std::int64_t total = 0;  // with those beyond the limit
};

// Where a configuration stands in a ranking.
struct RankPlace {
  std::int64_t configuration = 0;
  int front = 0;  // its Pareto front, from 1, among those that qualify, or do not; 0: one objective
};

struct RankedRow {
  std::int64_t rank = 0;
  int front = 0;   // as RankPlace
  TrialRow trial;  // the replicate that stands for the configuration
  ConfigurationScore score;
};

// Which trials that ended without success are to be pending again.
struct RetrySelection {
  bool failed = false;
  bool cancelled = false;
  bool diverged = false;  // although the same seed and values diverge again
};

// What a retry has made pending again.
struct RetriedSweep {
  SweepRow sweep;  // as it is now
  std::int64_t count = 0;
  std::vector<TrialRow> trials;
};

// A line that a trainer has printed. `line` counts from 1 within the attempt.
struct LogRow {
  int attempt = 0;
  std::int64_t line = 0;
  absl::Time time;
  std::string text;
};

}  // namespace sweep
