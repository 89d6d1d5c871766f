// The part of the scheduler that tells what a trial waits for.

#include <algorithm>

#include "coordinator/scheduler/scheduler_impl.h"

namespace sweep {

TrialSituation SchedulerImpl::Situation(const TrialRow& trial) const {
  TrialSituation situation{.trial = trial, .now = options_.clock->Now()};
  MutexLock lock(&mutex_);
  const SweepEntry* const sweep = table_.FindSweep(trial.sweep);
  situation.is_taken_up = sweep != nullptr;
  if (sweep != nullptr) {
    situation.sweep_state = sweep->state;
    situation.give_back = sweep->give_back;
    situation.pause_reason = sweep->pause_reason;
    DescribeQueue(*sweep, &situation);
  }
  DescribeWorkers(
      sweep != nullptr ? sweep->demand() : Demand{.sweep_id = trial.sweep_id, .sweep = trial.sweep},
      &situation);
  const auto holder = table_.workers().find(trial.worker);
  if (holder != table_.workers().end() && !holder->second.session.empty()) {
    situation.holder_is_connected = holder->second.connected;
    situation.holder_drains = holder->second.leaves();
    situation.holder_last_seen = holder->second.last_seen;
  }
  const TrialEntry* const entry = table_.FindTrial(TrialKey{trial.sweep_id, trial.number});
  if (entry != nullptr) {
    situation.is_being_granted =
        entry->claim == Claim::kGranting || entry->claim == Claim::kReviving;
    situation.progress = entry->progress;
    DescribeFailures(*entry, &situation);
    if (entry->held()) {
      situation.waits_for_holder = std::max(entry->deadline - Now(), absl::ZeroDuration());
    }
  }
  return situation;
}

void SchedulerImpl::DescribeWorkers(const Demand& demand, TrialSituation* situation) const {
  for (const auto& [name, worker] : table_.workers()) {
    if (!worker.connected) continue;
    ++situation->workers;
    const Misfit misfit = Fits(demand, worker.can);
    if (misfit == Misfit::kTrainsOthers) {
      situation->others.insert(worker.can.only_sweeps.begin(), worker.can.only_sweeps.end());
    }
    if (misfit == Misfit::kTrainsOthers || misfit == Misfit::kNoPrograms) {
      ++situation->misfits[misfit];
      continue;
    }
    ++situation->may_train_it;
    if (worker.leaves()) {
      ++situation->draining;
      continue;
    }
    if (misfit == Misfit::kOtherData) {
      OtherData& data = situation->other_data[name] = worker.can.other_data.at(demand.sweep_id);
      data.sweep = demand.sweep;
      const auto sweep = table_.sweeps().find(demand.sweep_id);
      if (sweep != table_.sweeps().end()) data.sweep_sha256 = sweep->second.data_sha256;
      continue;
    }
    if (std::optional<PutAside> aside = DescribeHealth(worker)) {
      situation->put_aside.emplace(name, *std::move(aside));
      continue;
    }
    situation->slots += worker.description.slots;
    situation->busy += worker.description.slots - std::max(worker.free_slots(), 0);
    for (const TrialKey& key : worker.leases) {
      ++situation->busy_with[table_.FindTrial(key)->row.sweep];
    }
  }
}

// Only while every worker that could take it now is one on which it failed.
void SchedulerImpl::DescribeFailures(const TrialEntry& trial, TrialSituation* situation) const {
  situation->failed_on.assign(trial.failed_on.begin(), trial.failed_on.end());
  const bool waits =
      std::any_of(trial.failed_on.begin(), trial.failed_on.end(), [&](const std::string& name) {
        const auto worker = table_.workers().find(name);
        return worker != table_.workers().end() && worker->second.connected &&
               WaitsForAnother(trial, worker->second);
      });
  if (waits) situation->waits_for_another = trial.elsewhere_until - Now();
}

// In turns: before the trial at place n of its sweep's queue, every other sweep has had n turns,
// and one more where its next turn comes before this sweep's.
void SchedulerImpl::DescribeQueue(const SweepEntry& sweep, TrialSituation* situation) const {
  situation->store_is_full = Now() < no_grants_before_;
  const auto before =
      std::distance(sweep.pending.begin(), sweep.pending.lower_bound(situation->trial.number));
  situation->ahead_in_sweep = before;
  const auto is_trained = [&](const SweepEntry& other) {
    return std::any_of(table_.workers().begin(), table_.workers().end(), [&](const auto& item) {
      const WorkerEntry& worker = item.second;
      return worker.connected && !worker.leaves() &&
             Fits(other.demand(), worker.can) == Misfit::kNone;
    });
  };
  for (const auto& [id, other] : table_.sweeps()) {
    if (id == sweep.id || !other.is_offered() || !is_trained(other)) continue;
    const bool is_first = std::pair(other.served, id) < std::pair(sweep.served, sweep.id);
    const std::int64_t turns = before + (is_first ? 1 : 0);
    const std::int64_t ahead = std::min<std::int64_t>(turns, std::ssize(other.pending));
    if (ahead > 0) situation->ahead_in_others[other.name] = ahead;
  }
}

}  // namespace sweep
