#pragma once

#include <string>

#include "absl/time/time.h"
#include "coordinator/scheduler/scheduler_state.h"
#include "coordinator/scheduler/work_table.h"

namespace sweep {

// Tells workers that fail from trials that fail, by comparing the workers of the table.
// WorkerHealth judges one worker alone.

// Another worker that works, as far as is known, could do all that this one does. Pure.
bool HasReplacement(const WorkTable& table, const WorkerEntry& worker);
// The trial has failed on this worker, and waits for a while for another one. Pure.
bool WaitsForAnother(const WorkTable& table, const TrialEntry& trial, const WorkerEntry& worker,
                     absl::Duration now);
// The worker's failures allow that it gets one more trial. Pure but for the worker's health.
bool MayTakeOneMore(const WorkTable& table, WorkerEntry* worker, absl::Duration now);

// An attempt at the trial, which the worker still holds in the table, has failed.
void NoteFailure(SchedulerState& state, TrialEntry* trial, WorkerEntry* worker,
                 const std::string& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.effects.mutex);
// As NoteFailure, for a lease that ran out. All that a worker loses at once counts as one failure.
void NoteLoss(SchedulerState& state, TrialEntry* trial, WorkerEntry* worker,
              const std::string& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.effects.mutex);
// The worker has trained an epoch, or finished a training.
void NoteSuccess(SchedulerState& state, const std::string& worker)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.effects.mutex);
// The worker has the lease again that it had lost: the loss was no failure.
void WithdrawLoss(TrialEntry* trial, WorkerEntry* worker);

}  // namespace sweep
