#include "coordinator/scheduler/search_host.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "fmt/format.h"

namespace sweep {
namespace {

// A caller that does not wait, or not for long enough, asks again: the search makes one point for
// it meanwhile.
int CallersOf(const WorkTable& table, const SweepEntry& sweep) {
  const auto asks = table.asks().find(sweep.id);
  const int waiting = asks == table.asks().end() ? 0 : static_cast<int>(asks->second.size());
  return std::max(waiting, sweep.has_unmet_ask ? 1 : 0);
}

std::vector<SearchDemand> DemandsOf(const WorkTable& table, bool is_serving) {
  std::vector<SearchDemand> demands;
  std::int64_t held = table.trials_in(TrialState::kLeased) + table.trials_in(TrialState::kRunning);
  for (const auto& [name, worker] : table.workers()) {
    if (worker.is_caller()) held -= std::ssize(worker.leases);
  }
  const std::int64_t free = std::max<std::int64_t>(table.connected_slots() - held, 0);
  for (const auto& [id, sweep] : table.sweeps()) {
    demands.push_back(
        {.sweep_id = id,
         .spec = sweep.spec,
         .is_open = is_serving && sweep.state == SweepState::kActive && !sweep.exhausted,
         .configurations = sweep.configurations,
         .planned = sweep.planned,
         .revision = sweep.revision,
         .pending = static_cast<std::int64_t>(sweep.pending.size()),
         .free_slots = sweep.is_for_callers() ? CallersOf(table, sweep) : static_cast<int>(free),
         .only_on_hold = is_serving && sweep.exhausted && !sweep.on_hold.empty() &&
                         sweep.on_hold.size() == sweep.trials.size()});
  }
  return demands;
}

// In order with the desks' writes. A scheduler that stops still takes it.
void Write(SchedulerState& state, Store::WriteFunction function, Store::Completion done) {
  {
    MutexLock lock(&state.effects.mutex);
    state.effects.DeferWrite(std::move(function), std::move(done));
  }
  state.effects.RunDeferredElsewhere();
}

// False when the sweep was cancelled meanwhile.
bool ApplySuggestions(SchedulerState& state, const StoredSuggestions& stored)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.effects.mutex) {
  SweepEntry* const sweep = state.table.FindSweep(stored.sweep_id);
  if (sweep == nullptr) return false;
  sweep->configurations += stored.made;
  sweep->exhausted = stored.exhausted;
  for (const TrialRow& trial : stored.trials) state.table.Apply(trial, absl::ZeroDuration());
  state.EndIfDone(stored.sweep_id);
  state.SignalEvents(stored.sweep_id);
  return true;
}

void ApplyDecision(SchedulerState& state, const TrialRow& row)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.effects.mutex) {
  state.effects.DeferLog(
      spdlog::level::info,
      fmt::format("stopping rule decided trial={} epoch={} target_epoch={} state={} stop={} "
                  "reason={:?}",
                  row.short_name(), row.result.epoch, row.target_epoch, TrialStateName(row.state),
                  row.stopping, row.reason));
  state.table.Apply(row, absl::ZeroDuration());
  if (IsHeld(row.state)) state.table.MarkChanged(row.worker);
  state.EndIfDone(row.sweep_id);
  state.SignalEvents(row.sweep_id);
}

}  // namespace

SearchDriver::Host MakeSearchHost(SchedulerState& state, LeaseDesk& leases) {
  return {.demands =
              [&state] {
                MutexLock lock(&state.effects.mutex);
                return DemandsOf(state.table, !state.effects.is_stopping());
              },
          .write =
              [&state](Store::WriteFunction function, Store::Completion done) {
                Write(state, std::move(function), std::move(done));
              },
          .suggestions_stored =
              [&state, &leases](const StoredSuggestions& stored) {
                MutexLock lock(&state.effects.mutex);
                if (ApplySuggestions(state, stored)) leases.React();
              },
          .trial_decided =
              [&state, &leases](const TrialRow& row) {
                MutexLock lock(&state.effects.mutex);
                ApplyDecision(state, row);
                leases.React();
              }};
}

}  // namespace sweep
