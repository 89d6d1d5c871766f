#include "coordinator/scheduler/work_table.h"

#include <algorithm>
#include <cmath>

namespace sweep {
namespace {

// A whole number, so that sums do not drift; a worker may say anything.
std::int64_t Speed(const std::optional<ProgressMessage>& progress) {
  constexpr double kMost = 1e9;
  if (!progress || !(progress->images_per_second > 0)) return 0;
  return std::llround(std::min(progress->images_per_second, kMost));
}

}  // namespace

SweepEntry* WorkTable::AddSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec) {
  SweepEntry& sweep = sweeps_[row.id];
  sweep.id = row.id;
  sweep.name = row.name;
  sweep.state = row.state;
  sweep.give_back = row.give_back;
  sweep.pause_reason = row.pause_reason;
  sweep.data_sha256 = row.data_sha256;
  sweep.spec = std::move(spec);
  sweep.configurations = row.configurations;
  sweep.planned = row.planned_configurations;
  sweep.exhausted = row.exhausted;
  sweep_ids_[row.name] = row.id;
  return &sweep;
}

void WorkTable::RemoveSweep(std::int64_t id) {
  const auto found = sweeps_.find(id);
  if (found == sweeps_.end()) return;
  for (auto& [number, trial] : found->second.trials) {
    Release(&trial);
    --TrialsIn(trial.row.state);
    ++TrialsIn(TrialState::kCancelled);
  }
  sweep_ids_.erase(found->second.name);
  sweeps_.erase(found);
}

void WorkTable::RenameSweep(std::int64_t id, std::shared_ptr<const SweepSpec> spec) {
  SweepEntry* const sweep = FindSweep(id);
  if (sweep == nullptr) return;
  sweep_ids_.erase(sweep->name);
  sweep->name = spec->name;
  sweep_ids_[sweep->name] = id;
  sweep->spec = std::move(spec);
  for (auto& [number, trial] : sweep->trials) {
    trial.row.sweep = sweep->name;
    trial.spec_json.reset();  // the trainer's line has the name
  }
}

void WorkTable::Describe(WorkerEntry* worker, const WorkerDescription& description) {
  worker->description = description;
  worker->description.only_sweeps.clear();
  for (const std::string& said : description.only_sweeps) {
    auto known = worker->only_sweeps.find(said);
    if (const SweepEntry* const sweep = FindSweep(said);
        known == worker->only_sweeps.end() && sweep != nullptr) {
      known = worker->only_sweeps.emplace(said, NamedSweep{sweep->id, said}).first;
    }
    worker->description.only_sweeps.insert(known == worker->only_sweeps.end() ? said
                                                                              : known->second.name);
  }
}

void WorkTable::RenameForWorkers(std::int64_t id, const std::string& name,
                                 const std::string& new_name) {
  for (auto& [worker_name, worker] : workers_) {
    std::set<std::string>& only = worker.description.only_sweeps;
    // What this worker has named so far was not known when it did; nor is another one called so
    // now.
    const bool is_meant =
        only.contains(name) && !worker.only_sweeps.contains(name) && FindSweep(name) == nullptr;
    if (is_meant) worker.only_sweeps.emplace(name, NamedSweep{id, name});
    for (auto& [said, sweep] : worker.only_sweeps) {
      if (sweep.id != id) continue;
      only.erase(sweep.name);
      only.insert(new_name);
      sweep.name = new_name;
    }
  }
}

SweepEntry* WorkTable::FindSweep(std::int64_t id) {
  const auto found = sweeps_.find(id);
  return found == sweeps_.end() ? nullptr : &found->second;
}

SweepEntry* WorkTable::FindSweep(const std::string& name) {
  return const_cast<SweepEntry*>(std::as_const(*this).FindSweep(name));
}

const SweepEntry* WorkTable::FindSweep(const std::string& name) const {
  const auto found = sweep_ids_.find(name);
  return found == sweep_ids_.end() ? nullptr : &sweeps_.at(found->second);
}

const TrialEntry* WorkTable::FindTrial(const TrialKey& key) const {
  const auto sweep = sweeps_.find(key.first);
  if (sweep == sweeps_.end()) return nullptr;
  const auto found = sweep->second.trials.find(key.second);
  return found == sweep->second.trials.end() ? nullptr : &found->second;
}

TrialEntry* WorkTable::FindTrial(const TrialKey& key) {
  return const_cast<TrialEntry*>(std::as_const(*this).FindTrial(key));
}

TrialEntry* WorkTable::FindTrial(const std::string& sweep, std::int64_t number) {
  SweepEntry* const entry = FindSweep(sweep);
  return entry == nullptr ? nullptr : FindTrial(TrialKey{entry->id, number});
}

// The lease is no longer the holder's.
void WorkTable::Release(TrialEntry* trial) {
  if (!trial->held()) return;
  if (WorkerEntry* const worker = FindWorker(trial->row.worker); worker != nullptr) {
    worker->leases.erase(trial->key());
    MarkChanged(worker->name);
  }
  images_per_second_ -= Speed(trial->progress);
  trial->progress.reset();
}

void WorkTable::SetProgress(TrialEntry* trial, const ProgressMessage& progress) {
  images_per_second_ -= Speed(trial->progress);
  trial->progress = progress;
  images_per_second_ += Speed(trial->progress);
}

void WorkTable::Queue(SweepEntry* sweep, const TrialEntry& trial) {
  if (trial.row.state == TrialState::kPending && trial.claim == Claim::kNone) {
    sweep->pending.insert(trial.row.number);
  } else {
    sweep->pending.erase(trial.row.number);
  }
  if (trial.row.state == TrialState::kOnHold) {
    sweep->on_hold.insert(trial.row.number);
  } else {
    sweep->on_hold.erase(trial.row.number);
  }
}

TrialEntry* WorkTable::Apply(const TrialRow& row, absl::Duration deadline) {
  SweepEntry* const sweep = FindSweep(row.sweep_id);
  if (sweep == nullptr) return nullptr;
  if (IsTerminal(row.state)) {
    const auto found = sweep->trials.find(row.number);
    if (found != sweep->trials.end()) {
      Release(&found->second);
      --TrialsIn(found->second.row.state);
      ++TrialsIn(row.state);
      sweep->trials.erase(found);
      sweep->pending.erase(row.number);
      sweep->on_hold.erase(row.number);
    }
    return nullptr;
  }
  const auto [place, is_new] = sweep->trials.try_emplace(row.number);
  TrialEntry& trial = place->second;
  if (!is_new) --TrialsIn(trial.row.state);
  ++TrialsIn(row.state);
  const bool same_lease = trial.held() && IsHeld(row.state) && trial.row.attempt == row.attempt &&
                          trial.row.worker == row.worker;
  if (!same_lease) Release(&trial);
  if (trial.row.target_epoch != row.target_epoch) trial.spec_json.reset();
  trial.row = row;
  if (trial.held() && !same_lease) {
    trial.deadline = deadline;
    EnsureWorker(row.worker)->leases.insert(trial.key());
    MarkChanged(row.worker);
  }
  Queue(sweep, trial);
  return &trial;
}

void WorkTable::SetClaim(TrialEntry* trial, Claim claim) {
  trial->claim = claim;
  Queue(FindSweep(trial->row.sweep_id), *trial);
}

bool WorkTable::RemoveIfEnded(std::int64_t sweep_id) {
  const SweepEntry* const sweep = FindSweep(sweep_id);
  if (sweep == nullptr || !sweep->exhausted || !sweep->trials.empty()) {
    return false;
  }
  RemoveSweep(sweep_id);
  return true;
}

TrialEntry* WorkTable::NextPending(const WorkerDescription& worker,
                                   const OfferFilter& may_be_offered) {
  SweepEntry* next = nullptr;
  TrialEntry* chosen = nullptr;
  for (auto& [id, sweep] : sweeps_) {
    if (!sweep.is_offered(worker.allows_programs)) continue;
    if (!worker.Trains(sweep.name, sweep.has_program())) continue;
    if (next != nullptr && sweep.served >= next->served) continue;
    if (!may_be_offered.sweep(sweep)) continue;
    const auto offered = std::find_if(
        sweep.pending.begin(), sweep.pending.end(),
        [&](std::int64_t number) { return may_be_offered.trial(sweep.trials.at(number)); });
    if (offered == sweep.pending.end()) continue;
    next = &sweep;
    chosen = &sweep.trials.at(*offered);
  }
  if (next != nullptr) next->served = ++turns_;
  return chosen;
}

bool WorkTable::HasPending(bool allows_programs) const {
  return std::any_of(sweeps_.begin(), sweeps_.end(), [allows_programs](const auto& item) {
    return item.second.is_offered(allows_programs);
  });
}

WorkerEntry* WorkTable::FindWorker(const std::string& name) {
  const auto found = workers_.find(name);
  return found == workers_.end() ? nullptr : &found->second;
}

WorkerEntry* WorkTable::EnsureWorker(const std::string& name) {
  WorkerEntry& worker = workers_[name];
  worker.name = name;
  return &worker;
}

std::int64_t WorkTable::connected_slots() const {
  std::int64_t slots = 0;
  for (const auto& [name, worker] : workers_) {
    if (worker.connected && !worker.leaves()) slots += worker.description.slots;
  }
  return slots;
}

}  // namespace sweep
