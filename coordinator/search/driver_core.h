#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "coordinator/scheduler/event_bus.h"
#include "coordinator/search/driven_sweep.h"
#include "coordinator/search/search.h"
#include "coordinator/stopping/stopping_rule.h"
#include "coordinator/store/store.h"

namespace sweep {

// An unfinished sweep as the scheduler reports it.
struct SearchDemand {
  std::int64_t sweep_id = 0;
  std::shared_ptr<const SweepSpec> spec;  // shared with the scheduler and with writes under way
  bool is_open = false;                   // accepts configurations
  std::int64_t configurations = 0;        // created so far
  std::int64_t planned = 0;
  std::int64_t revision = 1;  // of the sweep file
  std::int64_t pending = 0;   // waiting trials
  int free_slots = 0;         // of all workers
  // The search has ended, and every trial that has not ended is on hold.
  bool only_on_hold = false;

  bool is_used_up() const { return configurations >= planned; }
  // The configurations whose first runs make up for so many missing trials: at most as many as are
  // left, and as one write takes.
  std::int64_t ConfigurationsFor(std::int64_t missing_trials) const;
};

// The result of a committed write of a sweep's suggestions.
struct StoredSuggestions {
  std::int64_t sweep_id = 0;
  std::vector<TrialRow> trials;
  std::int64_t made = 0;
  bool exhausted = false;  // the search is over
};

// The driver's interface to its scheduler; called without a lock of the driver.
struct DriverHost {
  std::function<std::vector<SearchDemand>()> demands;
  // Writes in order with the scheduler's own writes; the completion is called as the store does.
  std::function<void(Store::WriteFunction, Store::Completion)> write;
  std::function<void(const StoredSuggestions&)> suggestions_stored;
  // Called after the commit: the trial has stopped or is pending again, or its holder must be told.
  std::function<void(const TrialRow&)> trial_decided;
};

struct DriverOptions {
  Store* store = nullptr;  // both must outlive the driver
  EventBus* events = nullptr;
  Clock* clock = RealClock();
  std::function<std::unique_ptr<Search>(const SweepSpec*, SearchStart)> make_search =
      [](const SweepSpec* spec, SearchStart start) { return Search::Make(spec, std::move(start)); };
  std::function<std::unique_ptr<StoppingRule>(const SweepSpec&)> make_rule = StoppingRule::Make;
};

// The work of one turn of a sweep.
struct SearchJob {
  std::shared_ptr<DrivenSweep> sweep;  // shared with the table of sweeps
  SearchDemand demand;
};

// What the parts of the search driver share, under its one lock; driven_sweep.h has the discipline.
struct DriverCore {
  // Further configurations, or seeds, of one sweep per write, so that other sweeps get their turn.
  static constexpr std::int64_t kMaxBatch = 64;
  // Delay after a refused write or a failed read.
  static constexpr absl::Duration kRetryAfter = absl::Seconds(1);
  // A model that thinks for longer is slow.
  static constexpr absl::Duration kSlowThought = absl::Milliseconds(50);

  absl::Duration Now() const { return options.clock->Monotonic(); }
  DrivenSweep::Shared& Of(DrivenSweep& sweep) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return sweep.shared_;
  }
  const DrivenSweep::Shared* Find(std::int64_t sweep_id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Brings `waits` up to date with a demand that is not older than the latest write.
  void NoteWaits(DrivenSweep& sweep, const SearchDemand& demand)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Counts the slots' time anew: so far no model was asked.
  void RestartWaits(DrivenSweep& sweep) ABSL_LOCKS_EXCLUDED(mutex);
  // A model begins to look for a configuration, and ends. False when configurations were stored
  // meanwhile, or are being stored.
  void BeginThought(DrivenSweep& sweep) ABSL_LOCKS_EXCLUDED(mutex);
  bool EndThought(DrivenSweep& sweep, std::int64_t configurations) ABSL_LOCKS_EXCLUDED(mutex);

  // A plan is to be made.
  void Want() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Nothing is to be made before another event. `why`: for people; may be empty.
  void Await(DrivenSweep& sweep, std::string why) ABSL_LOCKS_EXCLUDED(mutex);
  // Ends the turn of a sweep that has stored something, or failed to.
  void EndTurn(DrivenSweep& sweep, bool ok) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Ends a turn that stores nothing.
  void Release(DrivenSweep& sweep) ABSL_LOCKS_EXCLUDED(mutex);

  // Stores something of a job, unless the sweep's file has been edited since it was planned. `what`
  // names it in the log when the store refuses. `done` is called after the commit, or the refusal.
  void Write(const SearchJob& job, std::string_view what, Store::WriteFunction function,
             std::function<void(bool ok)> done) const;

  const DriverOptions options;
  const DriverHost host;
  mutable Mutex mutex;
  CondVar wake;
  bool is_wanted ABSL_GUARDED_BY(mutex) = false;
  // By id; shared with the turns.
  std::map<std::int64_t, std::shared_ptr<DrivenSweep>> sweeps ABSL_GUARDED_BY(mutex);
};

}  // namespace sweep
