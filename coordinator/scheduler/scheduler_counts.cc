// The part of the scheduler that tells how much there is of everything.

#include <algorithm>
#include <cmath>
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

void SchedulerImpl::CountMeasures(const TrialRow& row, const std::vector<EpochMetrics>& epochs) {
  const TrialEntry* const before = table_.FindTrial(TrialKey{row.sweep_id, row.number});
  if (before == nullptr) return;
  auto& measures = events_counted_.measures;
  for (const EpochMetrics& epoch : epochs) {
    if (epoch.epoch <= before->row.result.epoch) continue;
    for (const auto& [name, value] : epoch.values) {
      auto counted = measures.find(name);
      if (counted == measures.end()) {
        const bool has_room = measures.size() < kMaxMeasuresCounted;
        counted = measures.try_emplace(has_room ? std::string(name) : kOtherMeasures).first;
      }
      ++counted->second.values;
      counted->second.not_finite += std::isfinite(value) ? 0 : 1;
    }
  }
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
