#include "coordinator/scheduler/fleet_health.h"

#include <algorithm>
#include <cstddef>

#include "common/base/utf8.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kReasonBytes = 200;
// A trial that has failed on one worker waits so long for another that could take it.
constexpr absl::Duration kWaitForAnother = absl::Seconds(30);

// The worker trains what it is given, as far as is known.
bool IsGood(const WorkerEntry& worker) {
  return worker.connected && !worker.leaves() && !worker.health.fails();
}

}  // namespace

bool HasReplacement(const WorkTable& table, const WorkerEntry& worker) {
  return std::any_of(table.workers().begin(), table.workers().end(), [&](const auto& item) {
    const WorkerEntry& other = item.second;
    return &other != &worker && IsGood(other) && CanReplace(other.can, worker.can);
  });
}

bool WaitsForAnother(const WorkTable& table, const TrialEntry& trial, const WorkerEntry& worker,
                     absl::Duration now) {
  if (!trial.failed_on.contains(worker.name) || now >= trial.waits_for_another_until) return false;
  const auto sweep = table.sweeps().find(trial.row.sweep_id);
  if (sweep == table.sweeps().end()) return false;
  const Demand demand = sweep->second.demand();
  return std::any_of(table.workers().begin(), table.workers().end(), [&](const auto& item) {
    const WorkerEntry& other = item.second;
    return IsGood(other) && !trial.failed_on.contains(other.name) &&
           Fits(demand, other.can) == Misfit::kNone;
  });
}

bool MayTakeOneMore(const WorkTable& table, WorkerEntry* worker, absl::Duration now) {
  const WorkerHealth::State state = worker->health.At(now);
  if (state == WorkerHealth::State::kGood) return true;
  if (state == WorkerHealth::State::kAside) {
    if (HasReplacement(table, *worker)) return false;
    worker->health.TryNow(now);
  }
  return worker->leases.empty() && worker->writes_in_flight == 0;
}

void NoteFailure(SchedulerState& state, TrialEntry* trial, WorkerEntry* worker,
                 const std::string& reason) {
  if (worker->is_caller()) return;  // whoever asks next gets the trial
  const absl::Duration now = state.Now();
  bool fails_everywhere = false;  // also on a worker that works
  for (const std::string& name : trial->failed_on) {
    WorkerEntry* const other = state.table.FindWorker(name);
    if (other == nullptr || other == worker) continue;
    fails_everywhere |= other->health.works();
    if (!worker->health.works()) continue;
    other->health.Withdraw(trial->key());
    state.table.MarkChanged(name);
  }
  trial->failed_on.insert(worker->name);
  trial->waits_for_another_until = now + kWaitForAnother;
  if (fails_everywhere) return;
  worker->health.AddFailure(trial->key(), OneLine(reason, kReasonBytes));
  // The last worker goes on: when all of them fail, the trials are broken, and have to end.
  if (!worker->health.fails() || !HasReplacement(state.table, *worker)) return;
  worker->health.PutAside(now);
  state.effects.DeferLog(
      spdlog::level::warn,
      fmt::format("worker put aside worker={} failures_in_a_row={} seconds={:.0f} reason={:?}",
                  worker->name, worker->health.failures(),
                  absl::ToDoubleSeconds(*worker->health.until() - now), worker->health.reason()));
}

void NoteLoss(SchedulerState& state, TrialEntry* trial, WorkerEntry* worker,
              const std::string& reason) {
  if (worker->is_caller()) return;
  if (worker->last_call_before_loss == worker->last_call) {
    trial->failed_on.insert(worker->name);
    trial->waits_for_another_until = state.Now() + kWaitForAnother;
    return;
  }
  worker->last_call_before_loss = worker->last_call;
  NoteFailure(state, trial, worker, reason);
}

void NoteSuccess(SchedulerState& state, const std::string& name) {
  WorkerEntry* const worker = state.table.FindWorker(name);
  if (worker == nullptr) return;
  if (worker->health.until()) {
    state.effects.DeferLog(spdlog::level::info, fmt::format("worker works again worker={}", name));
    state.table.MarkChanged(name);
  }
  worker->health.AddSuccess();
}

void WithdrawLoss(TrialEntry* trial, WorkerEntry* worker) {
  worker->health.Withdraw(trial->key());
  trial->failed_on.erase(worker->name);
}

}  // namespace sweep
