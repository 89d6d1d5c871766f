#include "coordinator/scheduler/work_table.h"

#include <algorithm>
#include <cmath>

namespace sweep {
namespace {

// A whole number, so that sums do not drift, and bounded, since a worker may say anything.
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
  sweep.user = row.principal;
  // A new one goes behind those that have waited for as long.
  const auto [user, is_new_user] = users_.try_emplace(sweep.user);
  if (is_new_user) user->second.served = turns_;
  ++user->second.sweeps;
  sweep.served = turns_;
  sweep.data_sha256 = row.data_sha256;
  sweep.needs = NeedsOf(*spec);
  sweep.spec = std::move(spec);
  sweep.revision = row.revision;
  sweep.configurations = row.configurations;
  sweep_ids_[row.name] = row.id;
  TakeDecisions(&sweep, row);
  return &sweep;
}

void WorkTable::TakeDecisions(SweepEntry* sweep, const SweepRow& row) {
  sweep->state = row.state;
  sweep->give_back = row.give_back;
  sweep->pause_reason = row.pause_reason;
  sweep->exhausted = row.exhausted;
  sweep->planned = row.planned_configurations;
  Enqueue(sweep);
}

void WorkTable::RemoveSweep(std::int64_t id) {
  const auto found = sweeps_.find(id);
  if (found == sweeps_.end()) return;
  for (auto& [number, trial] : found->second.trials) {
    Release(&trial);
    CountSlot(&found->second, &trial, /*is_in_use=*/false);
    --TrialsIn(trial.row.state);
    ++TrialsIn(TrialState::kCancelled);
  }
  found->second.pending.clear();
  Enqueue(&found->second);
  sweep_ids_.erase(found->second.name);
  const auto user = users_.find(found->second.user);
  if (--user->second.sweeps == 0) users_.erase(user);
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
    trial.spec_json.reset();  // the line contains the name
  }
}

void WorkTable::TakeFile(SweepEntry* sweep, const SweepRow& row,
                         std::shared_ptr<const SweepSpec> spec) {
  TakeNeeds(sweep, NeedsOf(*spec));
  sweep->spec = std::move(spec);
  sweep->revision = row.revision;
  TakeDecisions(sweep, row);
}

// Its place is in the queue of its needs.
void WorkTable::TakeNeeds(SweepEntry* sweep, Needs needs) {
  if (needs == sweep->needs) return;
  Unqueue(sweep);
  sweep->needs = std::move(needs);
}

void WorkTable::Describe(WorkerEntry* worker, const WorkerDescription& description) {
  worker->description = description;
  Capabilities can = CapabilitiesOf(description);
  can.other_data = std::move(worker->can.other_data);
  worker->can = std::move(can);
  for (const std::string& given : description.only_sweeps) {
    auto known = worker->only_sweeps.find(given);
    if (const SweepEntry* const sweep = FindSweep(given);
        known == worker->only_sweeps.end() && sweep != nullptr) {
      known = worker->only_sweeps.emplace(given, NamedSweep{sweep->id, given}).first;
    }
    worker->can.only_sweeps.insert(known == worker->only_sweeps.end() ? given : known->second.name);
  }
  worker->description.only_sweeps = {worker->can.only_sweeps.begin(),
                                     worker->can.only_sweeps.end()};
}

void WorkTable::RenameForWorkers(std::int64_t id, const std::string& name,
                                 const std::string& new_name) {
  for (auto& [worker_name, worker] : workers_) {
    std::set<std::string, std::less<>>& only = worker.can.only_sweeps;
    // The worker gave the name before a sweep of this name was known, and no other sweep has it.
    const bool is_meant =
        only.contains(name) && !worker.only_sweeps.contains(name) && FindSweep(name) == nullptr;
    if (is_meant) worker.only_sweeps.emplace(name, NamedSweep{id, name});
    for (auto& [given, sweep] : worker.only_sweeps) {
      if (sweep.id != id) continue;
      only.erase(sweep.name);
      only.insert(new_name);
      sweep.name = new_name;
    }
    worker.description.only_sweeps = {only.begin(), only.end()};
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

// Ends the lease of the trial's holder.
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

void WorkTable::Enqueue(SweepEntry* sweep, TrialEntry* changed) {
  const TrialEntry& trial = *changed;
  CountSlot(sweep, changed, trial.held() || trial.claim == Claim::kGranting);
  if (trial.row.state == TrialState::kPending && trial.claim == Claim::kNone) {
    sweep->pending.insert(trial.row.number);
    sweep->has_unmet_ask = false;
  } else {
    sweep->pending.erase(trial.row.number);
  }
  if (trial.row.state == TrialState::kOnHold) {
    sweep->on_hold.insert(trial.row.number);
  } else {
    sweep->on_hold.erase(trial.row.number);
  }
  Enqueue(sweep);
}

void WorkTable::Enqueue(SweepEntry* sweep) {
  const bool is_queued = sweep->is_offered() && !sweep->is_for_callers();
  const std::optional<QueuePlace> place = is_queued ? std::optional(sweep->place()) : std::nullopt;
  if (place == sweep->queued) return;
  Unqueue(sweep);
  if (place) queues_[sweep->needs][place->priority][sweep->user].insert(place->turn);
  sweep->queued = place;
}

void WorkTable::Unqueue(SweepEntry* sweep) {
  const std::optional<QueuePlace> place = std::exchange(sweep->queued, std::nullopt);
  if (!place) return;
  const auto queue = queues_.find(sweep->needs);
  const auto level = queue->second.find(place->priority);
  const auto user = level->second.find(sweep->user);
  user->second.erase(place->turn);
  if (user->second.empty()) level->second.erase(user);
  if (level->second.empty()) queue->second.erase(level);
  if (queue->second.empty()) queues_.erase(queue);
}

void WorkTable::CountSlot(SweepEntry* sweep, TrialEntry* trial, bool is_in_use) {
  if (is_in_use == trial->is_in_use || sweep->is_for_callers()) return;
  trial->is_in_use = is_in_use;
  const int change = is_in_use ? 1 : -1;
  sweep->in_use += change;
  users_[sweep->user].in_use += change;
}

TrialEntry* WorkTable::Apply(TrialRow row, absl::Duration deadline) {
  SweepEntry* const sweep = FindSweep(row.sweep_id);
  if (sweep == nullptr) return nullptr;
  if (IsTerminal(row.state)) {
    const auto found = sweep->trials.find(row.number);
    if (found != sweep->trials.end()) {
      Release(&found->second);
      CountSlot(sweep, &found->second, /*is_in_use=*/false);
      --TrialsIn(found->second.row.state);
      ++TrialsIn(row.state);
      sweep->trials.erase(found);
      sweep->pending.erase(row.number);
      sweep->on_hold.erase(row.number);
      Enqueue(sweep);
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
  trial.row = std::move(row);
  if (trial.held() && !same_lease) {
    trial.deadline = deadline;
    EnsureWorker(trial.row.worker)->leases.insert(trial.key());
    MarkChanged(trial.row.worker);
  }
  Enqueue(sweep, &trial);
  return &trial;
}

void WorkTable::SetClaim(TrialEntry* trial, Claim claim) {
  trial->claim = claim;
  Enqueue(FindSweep(trial->row.sweep_id), trial);
}

bool WorkTable::RemoveIfEnded(std::int64_t sweep_id) {
  const SweepEntry* const sweep = FindSweep(sweep_id);
  if (sweep == nullptr || !sweep->exhausted || !sweep->trials.empty()) {
    return false;
  }
  RemoveSweep(sweep_id);
  return true;
}

TrialEntry* WorkTable::Offer(SweepEntry* sweep, const Capabilities& worker,
                             const std::function<bool(const TrialEntry&)>& may_be_offered) {
  if (Fits(sweep->demand(), worker) != Misfit::kNone) return nullptr;
  const auto offered =
      std::find_if(sweep->pending.begin(), sweep->pending.end(),
                   [&](std::int64_t number) { return may_be_offered(sweep->trials.at(number)); });
  return offered == sweep->pending.end() ? nullptr : &sweep->trials.at(*offered);
}

TrialEntry* WorkTable::NextPending(const Capabilities& worker,
                                   const std::function<bool(const TrialEntry&)>& may_be_offered) {
  struct Place {
    std::int64_t below = 0;  // the highest priority comes first
    Turn user;
    std::string_view name;  // of the user: two may have the same turn
    Turn sweep;
    auto operator<=>(const Place&) const = default;
  };
  std::optional<Place> best;
  TrialEntry* chosen = nullptr;
  for (const auto& [needs, queue] : queues_) {
    if (!worker.Meets(needs)) continue;
    for (const auto& [priority, users] : queue) {
      if (best && -priority > best->below) break;
      for (const auto& [name, turns] : users) {
        Place place{.below = -priority, .user = users_.at(name).turn(), .name = name};
        for (const Turn& turn : turns) {
          place.sweep = turn;
          if (best && place > *best) break;
          TrialEntry* const offered = Offer(&sweeps_.at(turn.id), worker, may_be_offered);
          if (offered == nullptr) continue;
          best = place;
          chosen = offered;
          break;
        }
      }
    }
  }
  if (!best) return nullptr;
  SweepEntry* const next = &sweeps_.at(best->sweep.id);
  next->served = users_[next->user].served = ++turns_;
  Enqueue(next);
  return chosen;
}

WorkerEntry* WorkTable::FindWorker(const std::string& name) {
  const auto found = workers_.find(name);
  return found == workers_.end() ? nullptr : &found->second;
}

WorkerEntry* WorkTable::EnsureWorker(const std::string& name) {
  const auto [place, is_new] = workers_.try_emplace(name);
  WorkerEntry& worker = place->second;
  worker.name = name;
  if (is_new && worker.is_caller()) ++callers_;
  return &worker;
}

void WorkTable::RemoveWorker(const std::string& name) {
  const auto found = workers_.find(name);
  if (found == workers_.end()) return;
  if (found->second.is_caller()) --callers_;
  workers_.erase(found);
}

std::int64_t WorkTable::connected_slots() const {
  std::int64_t slots = 0;
  for (const auto& [name, worker] : workers_) {
    slots += worker.offered_slots();
  }
  return slots;
}

}  // namespace sweep
