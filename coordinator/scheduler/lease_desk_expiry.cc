// How the lease desk restores leases at the start, takes back those that run out, and gives them
// again to holders that return.

#include <algorithm>
#include <utility>

#include "coordinator/scheduler/fleet_health.h"
#include "coordinator/scheduler/lease_desk.h"
#include "coordinator/store/queries.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// A worker that is gone stays in the list for so long.
constexpr absl::Duration kForgetWorkerAfter = absl::Hours(1);

}  // namespace

// ---- At the start

absl::Status LeaseDesk::Load() {
  const absl::StatusOr<std::vector<LeaseRow>> leases = state_.options.store->Read(SelectHeldLeases);
  if (!leases.ok()) return leases.status();
  MutexLock lock(&state_.effects.mutex);
  for (const LeaseRow& lease : *leases) {
    const SweepEntry* const sweep = state_.table.FindSweep(lease.trial.sweep_id);
    if (sweep == nullptr) continue;
    TrialEntry* const trial = state_.RestoreTrial(*sweep->spec, lease.trial, /*needs_json=*/true);
    if (trial == nullptr) continue;
    trial->secret = lease.secret;
    state_.table.FindWorker(lease.trial.worker)->last_call = state_.Now();
    // This process has the lock on the database, so the process that granted the lease is gone, and
    // its embedded worker with it.
    if (lease.embedded) ReturnLease(lease, sweep->spec, "the process that trained it has ended");
  }
  return absl::OkStatus();
}

void LeaseDesk::ReturnLease(const LeaseRow& lease, std::shared_ptr<const SweepSpec> spec,
                            const std::string& why) {
  const LeaseToken token{.sweep = lease.trial.sweep,
                         .number = lease.trial.number,
                         .attempt = lease.trial.attempt,
                         .secret = lease.secret};
  auto row = std::make_shared<absl::StatusOr<TrialRow>>(absl::UnknownError("not tried"));
  state_.effects.DeferWrite(
      [=](WriteTransaction& transaction) {
        *row = transaction.FinishLease(token, *spec, LeaseOutcome::kGivenBack, why, {});
        return row->status();
      },
      [=, this](const absl::Status& status) {
        MutexLock lock(&state_.effects.mutex);
        if (!status.ok()) {  // the lease runs out with its term
          return state_.effects.DeferLog(
              spdlog::level::warn,
              fmt::format("lease not taken back trial={}/{} reason={:?}", token.sweep, token.number,
                          std::string(status.message())));
        }
        state_.effects.DeferLog(spdlog::level::info,
                                fmt::format("lease taken back trial={} attempt={} reason={:?}",
                                            (*row)->short_name(), token.attempt, why));
        state_.ApplyReport(**row, token);
        React();
      });
}

// ---- A holder that returns

void LeaseDesk::ReviveLease(const LeaseToken& token, TrialEntry* trial, WorkerEntry* worker) {
  const TrialKey key = trial->key();
  state_.table.SetClaim(trial, Claim::kReviving);
  ++worker->writes_in_flight;
  auto lease = std::make_shared<absl::StatusOr<LeaseRow>>(absl::UnknownError("not tried"));
  state_.effects.DeferWrite(
      [=, name = worker->name](WriteTransaction& transaction) {
        *lease = transaction.ReviveLease(token, name);
        return lease->status();
      },
      [=, this, name = worker->name](const absl::Status& status) {
        if (!status.ok()) *lease = status;
        OnRevived(token, name, key, *lease);
      });
}

void LeaseDesk::OnRevived(const LeaseToken& token, const std::string& worker_name,
                          const TrialKey& key, const absl::StatusOr<LeaseRow>& lease) {
  MutexLock lock(&state_.effects.mutex);
  WorkerEntry* const worker = state_.table.FindWorker(worker_name);
  if (worker != nullptr) {
    --worker->writes_in_flight;
    state_.table.MarkChanged(worker_name);
  }
  if (lease.ok()) {
    state_.effects.DeferLog(spdlog::level::info,
                            fmt::format("lease revived trial={} worker={} attempt={}",
                                        lease->trial.short_name(), worker_name, token.attempt));
    TrialEntry* const trial =
        state_.table.Apply(lease->trial, state_.Now() + state_.options.lease_term);
    if (trial != nullptr) {
      trial->secret = token.secret;
      if (worker != nullptr) WithdrawLoss(trial, worker);
    }
    state_.SignalEvents(key.first);
  } else if (worker != nullptr && lease.status().code() != absl::StatusCode::kFailedPrecondition) {
    RefusePoll(worker, lease.status());  // the worker calls again, and keeps its work until then
  }
  TrialEntry* const trial = state_.table.FindTrial(key);
  if (trial != nullptr && trial->claim == Claim::kReviving) {
    state_.table.SetClaim(trial, Claim::kNone);
  }
  React();
}

// ---- What runs out

void LeaseDesk::LoseLease(TrialEntry* trial, const std::string& reason) {
  const TrialKey key = trial->key();
  state_.effects.DeferLog(
      spdlog::level::warn,
      fmt::format("lease lost trial={} attempt={} worker={} reason={:?}", trial->row.short_name(),
                  trial->row.attempt, trial->row.worker, reason));
  state_.table.SetClaim(trial, Claim::kLosing);
  auto row = std::make_shared<absl::StatusOr<TrialRow>>(absl::UnknownError("not tried"));
  // A worker that has not called since this coordinator started may have been gone for long.
  const WorkerEntry* const worker = state_.table.FindWorker(trial->row.worker);
  const absl::Time last_seen = worker == nullptr ? absl::InfinitePast() : worker->last_seen;
  state_.effects.DeferWrite(
      [row, reason, last_seen, id = trial->row.id, attempt = trial->row.attempt,
       spec = state_.table.FindSweep(key.first)->spec](WriteTransaction& transaction) {
        *row = transaction.LoseLease(id, attempt, *spec, reason, last_seen);
        return row->status();
      },
      [this, row, key, reason](const absl::Status& status) {
        if (!status.ok()) *row = status;
        OnLost(key, reason, *row);
      });
}

void LeaseDesk::OnLost(const TrialKey& key, const std::string& reason,
                       const absl::StatusOr<TrialRow>& row) {
  MutexLock lock(&state_.effects.mutex);
  TrialEntry* const trial = state_.table.FindTrial(key);
  if (trial != nullptr && trial->claim == Claim::kLosing) {
    state_.table.SetClaim(trial, Claim::kNone);
  }
  if (row.ok()) {
    WorkerEntry* const worker = state_.table.FindWorker(row->worker);
    if (!IsHeld(row->state)) ++state_.counted.attempts_lost;
    if (worker != nullptr && !IsHeld(row->state)) {
      ++worker->failed;
      if (trial != nullptr) NoteLoss(state_, trial, worker, reason);
    }
    state_.table.Apply(*row, state_.Now() + state_.options.lease_term);
    state_.EndIfDone(key.first);
    state_.SignalEvents(key.first);
  } else {  // the next tick tries again
    state_.effects.DeferLog(spdlog::level::warn, fmt::format("lease not taken back reason={:?}",
                                                             std::string(row.status().message())));
  }
  React();
}

void LeaseDesk::Expire(absl::Duration interval) {
  state_.effects.mutex.AssertHeld();
  const absl::Duration now = state_.Now();
  ExtendAfterLateTick(now, interval);
  ExpireLeases(now);
  ExpireWorkers(now);
}

// A late tick means that this process was frozen or the machine suspended. The workers could not
// reach it, and all leases would run out at once.
void LeaseDesk::ExtendAfterLateTick(absl::Duration now, absl::Duration interval) {
  const absl::Duration gap = now - last_tick_;
  last_tick_ = now;
  const absl::Duration slack = std::min(absl::Seconds(5), state_.options.lease_term / 12);
  if (gap <= interval + slack) return;
  ++state_.counted.late_ticks;
  state_.effects.DeferLog(
      spdlog::level::warn,
      fmt::format("scheduler was late seconds={:.1f}; leases are extended by that",
                  absl::ToDoubleSeconds(gap)));
  for (auto& [id, sweep] : state_.table.sweeps()) {
    for (auto& [number, trial] : sweep.trials) {
      if (trial.held()) trial.deadline += gap;
    }
  }
  for (auto& [name, worker] : state_.table.workers()) {
    worker.last_call = std::min(now, worker.last_call + gap);
  }
}

void LeaseDesk::ExpireLeases(absl::Duration now) {
  for (auto& [id, sweep] : state_.table.sweeps()) {
    for (auto& [number, trial] : sweep.trials) {
      if (!trial.held() || trial.claim != Claim::kNone || trial.deadline > now) continue;
      const std::string_view holder = trial.row.worker;
      const bool is_caller = holder.starts_with(kCallerPrefix);
      LoseLease(&trial, fmt::format("{} {}: no {} for {:g} s", is_caller ? "caller" : "worker",
                                    is_caller ? holder.substr(kCallerPrefix.size()) : holder,
                                    is_caller ? "report" : "heartbeat",
                                    absl::ToDoubleSeconds(state_.options.lease_term)));
    }
  }
}

void LeaseDesk::ExpireWorkers(absl::Duration now) {
  WorkTable& table = state_.table;
  for (auto next = table.workers().begin(); next != table.workers().end();) {
    WorkerEntry& worker = next->second;
    ++next;
    const absl::Duration silence = now - worker.last_call;
    if (worker.poll.has_value() && worker.poll->deadline <= now) table.MarkChanged(worker.name);
    if (worker.connected && silence >= state_.options.lease_term) {
      worker.connected = false;
      ++state_.counted.workers_lost;
      state_.effects.DeferLog(spdlog::level::warn,
                              fmt::format("worker gone worker={} silent_seconds={:.0f}",
                                          worker.name, absl::ToDoubleSeconds(silence)));
    }
    const bool is_forgotten =
        !worker.connected && worker.leases.empty() && !worker.poll &&
        worker.writes_in_flight == 0 &&
        silence >= (worker.is_caller() ? state_.options.lease_term : kForgetWorkerAfter);
    if (is_forgotten) {
      workers_by_session_.erase(worker.session);
      table.RemoveWorker(std::string(worker.name));
    }
  }
}

}  // namespace sweep
