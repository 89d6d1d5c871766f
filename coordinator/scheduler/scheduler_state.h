#pragma once

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "coordinator/scheduler/effects.h"
#include "coordinator/scheduler/ended_sweeps.h"
#include "coordinator/scheduler/event_bus.h"
#include "coordinator/scheduler/scheduler_options.h"
#include "coordinator/scheduler/scheduler_types.h"
#include "coordinator/scheduler/work_table.h"

namespace sweep {

// What the scheduler's desks share, under the one lock `effects.mutex`, and the few changes of it
// that more than one desk makes. Knows no desk.
//
// A function that one desk calls of another asserts the lock instead of requiring it: Clang's
// analysis cannot see that the desks' references lead to the same state.
struct SchedulerState {
  explicit SchedulerState(const SchedulerOptions& scheduler_options);

  // Monotonic.
  absl::Duration Now() const { return options.clock->Monotonic(); }

  // Puts the sweep into the table, and keeps its spec in the cache.
  void AddSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(effects.mutex);
  // Takes over a sweep as a committed write has left it. `spec` is for a sweep that had ended, and
  // may be null.
  void AdoptSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(effects.mutex);
  // Puts a stored trial into the table, at the start. Null, and logged, when its configuration does
  // not resolve.
  TrialEntry* RestoreTrial(const SweepSpec& spec, const TrialRow& row, bool needs_json)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(effects.mutex);
  // Takes over a trial as a committed report of its holder has left it, counts its new epochs, and
  // signals its event.
  void ApplyReport(TrialRow row, const LeaseToken& token)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(effects.mutex);
  // Removes the sweep when it has no trials left and its search makes no more.
  void EndIfDone(std::int64_t sweep_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(effects.mutex);
  // Watchers of the sweep read its events again.
  void SignalEvents(std::int64_t sweep_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(effects.mutex) {
    effects.DeferSignal(sweep_id, EventBus::Signal::kEvents);
  }

  const SchedulerOptions options;
  EventBus events;
  Effects effects;
  WorkTable table ABSL_GUARDED_BY(effects.mutex);
  EndedSweeps ended ABSL_GUARDED_BY(effects.mutex);
  SchedulerCounts counted ABSL_GUARDED_BY(effects.mutex);          // what counts since the start
  absl::Duration no_grants_before ABSL_GUARDED_BY(effects.mutex);  // the store's queue was full
};

}  // namespace sweep
