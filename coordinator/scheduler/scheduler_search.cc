// The part of the scheduler that the search driver asks: which sweeps want configurations, and what
// follows from those that are stored and from trials that the stopping rule has ended.

#include <algorithm>
#include <utility>

#include "coordinator/scheduler/scheduler_impl.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {

SearchDriver::Host SchedulerImpl::MakeSearchHost() {
  return {.demands = [this] { return SearchDemands(); },
          .write =
              [this](Store::WriteFunction function, Store::Completion done) {
                {
                  MutexLock lock(&mutex_);
                  DeferWrite(std::move(function), std::move(done));
                }
                RunDeferred();
              },
          .suggestions_stored =
              [this](const StoredSuggestions& stored) { OnSuggestionsStored(stored); },
          .trial_decided = [this](const TrialRow& row) { OnTrialDecided(row); }};
}

std::vector<SearchDemand> SchedulerImpl::SearchDemands() {
  MutexLock lock(&mutex_);
  std::vector<SearchDemand> demands;
  const std::int64_t held =
      table_.trials_in(TrialState::kLeased) + table_.trials_in(TrialState::kRunning);
  const std::int64_t free = std::max<std::int64_t>(table_.connected_slots() - held, 0);
  for (const auto& [id, sweep] : table_.sweeps()) {
    demands.push_back(
        {.sweep_id = id,
         .spec = sweep.spec,
         .is_open = !stopping_ && sweep.state == SweepState::kActive && !sweep.exhausted,
         .configurations = sweep.configurations,
         .planned = sweep.planned,
         .pending = static_cast<std::int64_t>(sweep.pending.size()),
         .free_slots = static_cast<int>(free),
         .only_on_hold = !stopping_ && sweep.exhausted && !sweep.on_hold.empty() &&
                         sweep.on_hold.size() == sweep.trials.size()});
  }
  return demands;
}

void SchedulerImpl::OnSuggestionsStored(const StoredSuggestions& stored) {
  MutexLock lock(&mutex_);
  SweepEntry* const sweep = table_.FindSweep(stored.sweep_id);
  if (sweep == nullptr) return;  // cancelled meanwhile
  sweep->configurations += stored.made;
  sweep->exhausted = stored.exhausted;
  for (const TrialRow& trial : stored.trials) table_.Apply(trial, absl::ZeroDuration());
  EndIfDone(stored.sweep_id);
  DeferSignal(stored.sweep_id, EventBus::Signal::kEvents);
  React();
}

void SchedulerImpl::OnTrialDecided(const TrialRow& row) {
  MutexLock lock(&mutex_);
  DeferLog(spdlog::level::info,
           fmt::format("stopping rule decided trial={} epoch={} target_epoch={} state={} stop={} "
                       "reason={:?}",
                       row.short_name(), row.result.epoch, row.target_epoch,
                       TrialStateName(row.state), row.stopping, row.reason));
  table_.Apply(row, absl::ZeroDuration());
  if (IsHeld(row.state)) table_.MarkChanged(row.worker);
  EndIfDone(row.sweep_id);
  DeferSignal(row.sweep_id, EventBus::Signal::kEvents);
  React();
}

}  // namespace sweep
