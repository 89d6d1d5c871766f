// The part of the scheduler that tells how much there is of everything.

#include <algorithm>
#include <iterator>

#include "coordinator/scheduler/scheduler_impl.h"

namespace sweep {

SchedulerCounts SchedulerImpl::Counts() const {
  MutexLock lock(&mutex_);
  SchedulerCounts counts = events_counted_;
  counts.pending = table_.trials_in(TrialState::kPending);
  counts.leased = table_.trials_in(TrialState::kLeased);
  counts.running = table_.trials_in(TrialState::kRunning);
  counts.on_hold = table_.trials_in(TrialState::kOnHold);
  counts.completed = table_.trials_in(TrialState::kCompleted);
  counts.stopped = table_.trials_in(TrialState::kStopped);
  counts.failed = table_.trials_in(TrialState::kFailed);
  counts.diverged = table_.trials_in(TrialState::kDiverged);
  counts.cancelled = table_.trials_in(TrialState::kCancelled);
  counts.images_per_second = table_.images_per_second();
  for (const auto& [id, sweep] : table_.sweeps()) {
    if (sweep.state == SweepState::kPaused) {
      ++counts.paused_sweeps;
      continue;
    }
    ++counts.active_sweeps;
    counts.queued += std::ssize(sweep.pending);
    if (!sweep.exhausted) {
      counts.to_make += std::max<std::int64_t>(sweep.planned - sweep.configurations, 0);
    }
  }
  for (const auto& [name, worker] : table_.workers()) CountWorker(worker, &counts);
  return counts;
}

void SchedulerImpl::CountWorker(const WorkerEntry& worker, SchedulerCounts* counts) const {
  // Known only from its leases, since this coordinator started: expected back.
  if (worker.session.empty()) return;
  if (!worker.connected) {
    ++counts->workers_gone;
    return;
  }
  if (worker.leaves()) {
    ++counts->workers_draining;
    return;
  }
  counts->slots += worker.description.slots;
  if (worker.health.until()) {
    ++counts->workers_put_aside;
    return;
  }
  ++counts->workers_connected;
  counts->free_slots += std::max(worker.free_slots(), 0);
}

}  // namespace sweep
