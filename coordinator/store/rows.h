#pragma once

#include <algorithm>
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
#include "common/spec/pbt_settings.h"
#include "common/spec/suggestion_origin.h"
#include "common/spec/sweep_spec.h"
#include "common/stats/ranking.h"
#include "common/trial/measures.h"
#include "coordinator/store/shared_parameters.h"

namespace sweep {

// The rows of the store as plain values.

enum class SweepState { kActive, kPaused, kCompleted, kCancelled };
std::string_view SweepStateName(SweepState state);  // "active", …
inline bool HasEnded(SweepState state) {
  return state == SweepState::kCompleted || state == SweepState::kCancelled;
}

struct TrialCounts {
  std::int64_t pending = 0, running = 0, completed = 0, stopped = 0, failed = 0, cancelled = 0;
  std::int64_t diverged = 0;  // not counted as failed
  std::int64_t on_hold = 0;   // neither pending nor ended
  std::int64_t ended() const { return completed + stopped + failed + diverged + cancelled; }
  std::int64_t total() const { return pending + running + on_hold + ended(); }
};

// What a sweep has taken from an earlier one, when it was submitted.
struct WarmStartRow {
  std::string source;         // the name that the other sweep had
  std::int64_t taken = 0;     // configurations with a place in the space
  std::int64_t left_out = 0;  // those without one
  std::string reason;         // why the first of those has none
};

// A stored sweep.
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
  std::int64_t configurations = 0;  // created so far
  bool exhausted = false;           // the search will create no more configurations
  std::string search_reason;        // why it ended before the budget was used
  bool give_back = false;           // paused, and running trials are to be given back
  std::string data_sha256;          // of its training data; empty until a worker has reported it
  TrialCounts counts;
  std::int64_t qualifying = 0;  // configurations that meet every gate
  std::string pause_reason;     // why the coordinator paused it; empty when a user did
  bool keep_going = false;      // do not pause it when its first trials fail alike
  bool archived = false;        // not shown in lists
  std::int64_t disk_bytes = 0;  // approximate size of its rows and the files of ended trials
  std::int64_t revision = 1;    // of its sweep file; an edit of its meaning adds one
  std::int64_t first_configuration = 1;   // the first that is not made by an earlier revision
  std::vector<WarmStartRow> warm_starts;  // empty in lists
};

// A sweep file that a sweep has, or had until an edit replaced it.
struct RevisionRow {
  std::int64_t revision = 0;  // from 1
  std::int64_t first_configuration = 0;
  std::string digest;
  std::string text;
  absl::Time started;
};

struct ArtifactRow {
  std::string role;
  std::string sha256;
  std::int64_t size_bytes = 0;
};

// A sweep's failures so far, for the decision whether to pause it.
struct EarlyFailures {
  bool matter = false;  // it is active, may be paused, and no trial has reported an epoch
  std::string note;     // the last one of SetFailureNote
};

// The point of a stored configuration.
struct MadePoint {
  SharedParameters chosen;   // by the search
  SharedParameters trained;  // every hyperparameter
};

// A configuration whose trials have ended.
struct EndedPoint {
  struct Replicate {
    TrialState state = TrialState::kCompleted;
    int epoch = 0;
    double best = 0;  // of the sweep's metric; NaN when there is none
  };
  std::int64_t number = 0;
  MadePoint point;
  std::vector<Replicate> replicates;
};

// A segment that the weights of a later one come from.
struct AncestorRow {
  std::int64_t trial = 0;  // its number
  int member = 0;
  int start_epoch = 0;
  int epoch = 0;
  MeasureSummaries measures;
  std::string chosen_source;
  SharedParameters parameters;
};

// A stored trial.
struct TrialRow {
  std::int64_t id = 0;
  std::int64_t sweep_id = 0;
  std::string sweep;        // its name
  std::int64_t number = 0;  // 1-based within the sweep
  std::int64_t configuration_id = 0;
  std::int64_t configuration = 0;  // 1-based within the sweep
  int replicate = 0;
  TrialState state = TrialState::kPending;
  SharedParameters parameters;  // chosen by the search
  SharedParameters resolved;    // every hyperparameter as trained
  std::string model;
  std::int64_t network_parameters = 0;
  bool fully_connected = false;
  std::int64_t forward_flops = 0;
  std::int64_t train_flops = 0;
  std::int64_t receptive_field = 0;  // 0: the coordinator does not know its network
  // How its point was chosen, as in SuggestionOrigin: method and source, "" when that is not known.
  std::string chosen_by;
  std::string chosen_source;
  std::optional<double> expected_improvement;
  std::int64_t seen_results = 0;
  // Of a segment, as in Segment; 0: it is none.
  int member = 0;
  std::int64_t parent = 0;
  int start_epoch = 0;
  std::uint64_t seed = 0;
  int attempt = 0;
  int failures = 0;
  int epochs = 0;  // of a full run
  // The epoch after which it ends or is put on hold; its schedule still depends on `epochs`. 0: the
  // last epoch.
  int target_epoch = 0;
  // The stopping rule has ended it. Its worker is told to save the weights and to finish.
  bool stopping = false;
  TrialResult result;
  bool qualifies = false;  // its configuration does, by the last score
  std::string reason;
  std::string worker;
  absl::Time created;
  std::optional<absl::Time> started, ended;
  absl::Duration ended_attempts;              // the total time of ended attempts
  std::optional<absl::Time> attempt_started;  // the running attempt
  std::string checkpoint_sha256;
  int checkpoint_epoch = 0;
  std::vector<ArtifactRow> artifacts;  // empty in lists
  // Of a segment: those that its weights come from, the first one first, itself last. Empty in
  // lists.
  std::vector<AncestorRow> lineage;

  std::string short_name() const { return sweep + "/" + std::to_string(number); }
  // True when it has reported its target epoch and that is not the last one. It is on hold, or will
  // be when its attempt has ended.
  bool is_at_target() const {
    return !is_segment() && target_epoch > 0 && target_epoch < epochs &&
           result.epoch >= target_epoch;
  }
  // It is a segment of a member of a population, which completes at its target epoch.
  bool is_segment() const { return member > 0; }
  // The epoch with which it completes. The target of one that is being stopped is the last epoch
  // that counts.
  int last_epoch() const {
    const bool has_target = is_segment() && !stopping && target_epoch > 0;
    return has_target ? std::min(target_epoch, epochs) : epochs;
  }
  // The part of its own epochs that is done after so many epochs of the training, from 0 to 1.
  double ShareAfter(double done) const {
    const double own = last_epoch() - start_epoch;
    return own > 0 ? std::clamp((done - start_epoch) / own, 0.0, 1.0) : 0;
  }
  // True when its worker is to save checkpoint and weights and to finish.
  bool ends_early() const { return stopping || is_at_target(); }
  // The total time of its attempts, including the running one up to `now`, without the pauses
  // between.
  absl::Duration AttemptTime(absl::Time now) const;
  // The hyperparameters that the search did not choose: entries of `resolved`.
  std::vector<const ParameterMap::value_type*> Defaults() const;
  // Nullopt when it is not known how its point was chosen.
  std::optional<SuggestionOrigin> origin() const;
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
  std::string trainer;  // the `ready` line of its trainer; "" when it said none
};

// A lease that was valid when the store was opened, or was just granted.
struct LeaseRow {
  TrialRow trial;
  std::string secret;
  bool embedded = false;  // its worker is, or was, in the coordinator's process
};

// Proof that a worker holds a trial.
struct LeaseToken {
  std::string sweep;
  std::int64_t number = 0;
  int attempt = 0;
  std::string secret;
};

// The answer to a worker's report on its data.
struct DataReport {
  TrialRow trial;
  std::string sweep_sha256;  // of the sweep's data
  bool is_first = false;     // this report has set it
  std::string refusal;       // set when the worker has other data, so that the lease has ended
};

// kStopped: ended before the last epoch, as the worker was told. kHeld: ended at the target epoch.
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

// An event. `sequence` rises in the order of commits and is the cursor of WatchSweep.
struct EventRow {
  std::int64_t sequence = 0;
  std::int64_t trial_id = 0;  // 0: the sweep itself
  std::int64_t number = 0;    // the trial's number
  std::string kind;           // "sweep", "trial", "epoch"
  int attempt = 0;            // epoch events
  int epoch = 0;
  absl::Time time;
  // The trial's state after the event. Nullopt for an event of a sweep, and for most events that
  // builds before schema version 6 have written.
  std::optional<TrialState> state;
  Measurements values;  // epoch events: what was measured
};

// The part of an event that the index of a sweep needs.
struct TrialChange {
  std::int64_t sequence = 0;
  std::int64_t number = 0;  // of the trial; 0: the sweep itself
};

// Which run of which configuration a trial is.
struct TrialPlace {
  std::int64_t configuration = 0;  // its number
  int replicate = 0;
};

// What the search has made.
struct SuggestionRow {
  std::int64_t number = 0;         // of the configuration
  std::int64_t seen_sequence = 0;  // the last event that the search had seen
  SharedParameters parameters;
  std::optional<SuggestionSource> source;  // nullopt: unknown
  std::int64_t asked_number = 0;           // for which the search made it; 0: `number`
  int member = 0;                          // of a segment, as in Segment; 0: it is none
  std::int64_t parent = 0;
  int start_epoch = 0;
};

// The progress of a trial that a caller knows.
struct KnownTrial {
  std::int64_t number = 0;
  int epoch = 0;  // the last known one; 0: none
};

// A trial and its configuration's score, as far as the index of a sweep needs them: trial_facts.cc
// says which members are set.
struct TrialSummary {
  TrialRow trial;
  ConfigurationScore score;
};

// Measured values of one epoch.
struct MeasuredEpoch {
  std::int64_t number = 0;  // of the trial
  int epoch = 0;
  // The values of the requested measures, in their order; NaN when not reported.
  std::vector<double> values;
};

// An attempt with its trial.
struct TimedAttempt {
  std::string sweep;
  std::int64_t number = 0;
  AttemptRow attempt;
};
struct AttemptPage {
  std::vector<TimedAttempt> attempts;
  std::int64_t total = 0;  // including those beyond the limit
};

// The place of a configuration in a ranking.
struct RankPlace {
  std::int64_t configuration = 0;
  int front = 0;  // its Pareto front among equally qualifying ones, from 1; 0: one objective
};

struct RankedRow {
  std::int64_t rank = 0;
  int front = 0;   // as RankPlace
  TrialRow trial;  // the replicate that represents the configuration
  ConfigurationScore score;
  // What WithStatistics adds.
  int group = 0;                 // of configurations that cannot be told apart, from 1; 0: in none
  int group_size = 0;            // number of its members
  std::optional<RunCount> runs;  // of a sweep with replicates, once one has ended
};

// Selects the trials that a retry makes pending again.
struct RetrySelection {
  bool failed = false;
  bool cancelled = false;
  bool diverged = false;  // the same seed and values would diverge again
};

// The result of a retry.
struct RetriedSweep {
  SweepRow sweep;  // as it is now
  std::int64_t count = 0;
  std::vector<TrialRow> trials;
};

// A line of a trainer's output. `line` counts from 1 within the attempt.
struct LogRow {
  int attempt = 0;
  std::int64_t line = 0;
  absl::Time time;
  std::string text;
};

}  // namespace sweep
