#include "coordinator/search/search_planner.h"

#include <utility>

namespace sweep {

SearchPlanner::~SearchPlanner() {
  MutexLock lock(&core_.mutex);
  for (const auto& [id, sweep] : core_.sweeps) Unsubscribe(*sweep);
}

std::vector<SearchJob> SearchPlanner::Plan() {
  std::vector<SearchDemand> demands = core_.host.demands();
  std::vector<SearchJob> jobs;
  MutexLock lock(&core_.mutex);
  ++plans_;
  for (SearchDemand& demand : demands) {
    std::shared_ptr<DrivenSweep> sweep = FindOrMake(demand);
    core_.Of(*core_.sweeps[demand.sweep_id]).plan = plans_;
    if (sweep == nullptr) continue;
    if (demand.configurations >= core_.Of(*sweep).stored) core_.NoteWaits(*sweep, demand);
    if (!HasWork(*sweep, demand)) continue;
    core_.Of(*sweep).is_busy = true;
    jobs.push_back({.sweep = std::move(sweep), .demand = std::move(demand)});
  }
  std::erase_if(core_.sweeps, [&](const auto& item) {  // sweeps that have ended
    core_.mutex.AssertHeld();
    if (core_.Of(*item.second).plan == plans_) return false;
    Unsubscribe(*item.second);
    return true;
  });
  return jobs;
}

bool SearchPlanner::HasWork(DrivenSweep& sweep, const SearchDemand& demand) {
  const DrivenSweep::Shared& shared = core_.Of(sweep);
  // The scheduler's demand may be older than the last stored write.
  const bool is_stale = demand.configurations < shared.stored;
  if (shared.is_busy || shared.stands_in || is_stale || shared.not_before > core_.Now()) {
    return false;
  }
  if (shared.has_news || (demand.only_on_hold && shared.storing == 0)) return true;
  if (!demand.is_open) return false;
  if (sweep.search == nullptr || !sweep.judge.SweepEnd().empty()) return true;
  const bool races = sweep.IsRacing(demand);
  if (demand.is_used_up() && !races) return true;  // the end of the search is to be stored
  // A race that waits keeps no search waiting: the sweep may have been extended meanwhile.
  const bool waits = shared.waits_for && (races || !shared.waits_for->empty());
  return !waits && (races || sweep.Wanted(demand) > 0);
}

std::shared_ptr<DrivenSweep> SearchPlanner::FindOrMake(const SearchDemand& demand) {
  std::shared_ptr<DrivenSweep>& sweep = core_.sweeps[demand.sweep_id];
  if (sweep != nullptr && sweep->revision > demand.revision) return nullptr;
  if (sweep != nullptr && sweep->revision == demand.revision) return sweep;
  // A thread that still works for the earlier file does so on its own sweep, and stores nothing.
  if (sweep != nullptr) Unsubscribe(*sweep);
  sweep = std::make_shared<DrivenSweep>(demand, core_.options);
  if (sweep->observes()) Subscribe(sweep);
  return sweep;
}

void SearchPlanner::Subscribe(const std::shared_ptr<DrivenSweep>& sweep) {
  // The bus may call it once more after Unsubscribe, but not after the driver's Stop.
  core_.Of(*sweep).subscription = core_.options.events->Subscribe(
      sweep->id, [&core = core_, weak = std::weak_ptr(sweep)](EventBus::Signal signal) {
        const std::shared_ptr<DrivenSweep> known = weak.lock();
        if (signal != EventBus::Signal::kEvents || known == nullptr) return;
        MutexLock lock(&core.mutex);
        core.Of(*known).has_news = true;
        core.Want();
      });
}

void SearchPlanner::Unsubscribe(DrivenSweep& sweep) {
  const std::uint64_t subscription = std::exchange(core_.Of(sweep).subscription, 0);
  if (subscription != 0) core_.options.events->Unsubscribe(subscription);
}

}  // namespace sweep
