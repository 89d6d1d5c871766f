// The part of the scheduler that tells workers that fail from trials that fail.

#include <algorithm>
#include <utility>

#include "common/base/utf8.h"
#include "coordinator/scheduler/scheduler_impl.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kReasonBytes = 200;
// A trial that has failed on one worker waits so long for another that could take it.
constexpr absl::Duration kElsewhere = absl::Seconds(30);

// As far as is known, it trains what it is given.
bool IsGood(const WorkerEntry& worker) {
  return worker.connected && !worker.leaves() && !worker.health.fails();
}

}  // namespace

void SchedulerImpl::NoteFailure(TrialEntry* trial, WorkerEntry* worker, const std::string& reason) {
  bool fails_everywhere = false;  // also on a worker that works
  for (const std::string& name : trial->failed_on) {
    WorkerEntry* const other = table_.FindWorker(name);
    if (other == nullptr || other == worker) continue;
    fails_everywhere |= other->health.works();
    if (!worker->health.works()) continue;
    other->health.Withdraw(trial->key());
    table_.MarkChanged(name);
  }
  trial->failed_on.insert(worker->name);
  trial->elsewhere_until = Now() + kElsewhere;
  if (fails_everywhere) return;
  worker->health.AddFailure(trial->key(), OneLine(reason, kReasonBytes));
  // The last one that is left goes on: when all fail, it is the trials that are broken, and they
  // are to end.
  if (!worker->health.fails() || !HasReplacement(*worker)) return;
  worker->health.PutAside(Now());
  DeferLog(
      spdlog::level::warn,
      fmt::format("worker put aside worker={} failures_in_a_row={} seconds={:.0f} reason={:?}",
                  worker->name, worker->health.failures(),
                  absl::ToDoubleSeconds(*worker->health.until() - Now()), worker->health.reason()));
}

void SchedulerImpl::NoteLoss(TrialEntry* trial, WorkerEntry* worker, const std::string& reason) {
  if (worker->lost_after == worker->heard) {
    trial->failed_on.insert(worker->name);
    trial->elsewhere_until = Now() + kElsewhere;
    return;
  }
  worker->lost_after = worker->heard;
  NoteFailure(trial, worker, reason);
}

void SchedulerImpl::NoteSuccess(const std::string& name) {
  WorkerEntry* const worker = table_.FindWorker(name);
  if (worker == nullptr) return;
  if (worker->health.until()) {
    DeferLog(spdlog::level::info, fmt::format("worker works again worker={}", name));
    table_.MarkChanged(name);
  }
  worker->health.AddSuccess();
}

void SchedulerImpl::WithdrawLoss(TrialEntry* trial, WorkerEntry* worker) {
  worker->health.Withdraw(trial->key());
  trial->failed_on.erase(worker->name);
}

bool SchedulerImpl::HasReplacement(const WorkerEntry& worker) const {
  return std::any_of(table_.workers().begin(), table_.workers().end(), [&](const auto& item) {
    const WorkerEntry& other = item.second;
    return &other != &worker && IsGood(other) && CanReplace(other.can, worker.can);
  });
}

bool SchedulerImpl::MayTakeOneMore(WorkerEntry* worker) {
  const WorkerHealth::State state = worker->health.At(Now());
  if (state == WorkerHealth::State::kGood) return true;
  if (state == WorkerHealth::State::kAside) {
    if (HasReplacement(*worker)) return false;
    worker->health.TryNow(Now());
  }
  return worker->leases.empty() && worker->writes_in_flight == 0;
}

bool SchedulerImpl::WaitsForAnother(const TrialEntry& trial, const WorkerEntry& worker) const {
  if (!trial.failed_on.contains(worker.name) || Now() >= trial.elsewhere_until) return false;
  const auto sweep = table_.sweeps().find(trial.row.sweep_id);
  if (sweep == table_.sweeps().end()) return false;
  const Demand demand = sweep->second.demand();
  return std::any_of(table_.workers().begin(), table_.workers().end(), [&](const auto& item) {
    const WorkerEntry& other = item.second;
    return IsGood(other) && !trial.failed_on.contains(other.name) &&
           Fits(demand, other.can) == Misfit::kNone;
  });
}

std::optional<PutAside> SchedulerImpl::DescribeHealth(const WorkerEntry& worker) const {
  if (!worker.health.until()) return std::nullopt;
  return PutAside{.failures = worker.health.failures(),
                  .reason = worker.health.reason(),
                  .until = options_.clock->Now() + (*worker.health.until() - Now())};
}

}  // namespace sweep
