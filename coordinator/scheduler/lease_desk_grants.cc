// How the lease desk grants pending trials to workers that want work, and to callers.

#include <deque>
#include <iterator>
#include <map>
#include <utility>

#include "coordinator/scheduler/fleet_health.h"
#include "coordinator/scheduler/lease_desk.h"
#include "coordinator/scheduler/lease_grant.h"
#include "coordinator/scheduler/trial_spec_json.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kSecretBytes = 16;
// No grants for so long after the store's queue was full.
constexpr absl::Duration kGrantPause = absl::Milliseconds(200);

// The trial that the worker gets now; null when there is none for it.
TrialEntry* NextTrial(WorkTable& table, WorkerEntry* worker, absl::Duration now) {
  if (!MayTakeOneMore(table, worker, now)) return nullptr;
  return table.NextPending(worker->can, [&](const TrialEntry& trial) {
    return !WaitsForAnother(table, trial, *worker, now);
  });
}

}  // namespace

LeaseDesk::Grant LeaseDesk::GrantOf(const TrialEntry& trial) {
  return {.trial = trial.row,
          .secret = RandomHex(kSecretBytes),
          .spec = state_.table.FindSweep(trial.row.sweep_id)->spec,
          .spec_json = trial.spec_json};
}

// Each worker gets one trial per turn, so that work spreads.
void LeaseDesk::Dispatch() {
  if (state_.effects.is_stopping() || state_.Now() < state_.no_grants_before) return;
  WorkTable& table = state_.table;
  std::map<std::string, std::shared_ptr<GrantBatch>> batches;  // shared: write and completion
  // Workers for which no trial is there, in the order of the queue.
  std::deque<std::string> waiting;
  while (!worker_queue_.empty() && table.HasPending()) {
    std::string name = std::move(worker_queue_.front());
    worker_queue_.pop_front();
    WorkerEntry* const worker = table.FindWorker(name);
    if (worker == nullptr || !worker->wants_work()) {
      if (worker != nullptr) worker->in_queue = false;
      continue;
    }
    TrialEntry* const trial = NextTrial(table, worker, state_.Now());
    if (trial == nullptr) {
      waiting.push_back(std::move(name));
      continue;
    }
    table.SetClaim(trial, Claim::kGranting);
    ++worker->writes_in_flight;
    std::shared_ptr<GrantBatch>& batch = batches[name];
    if (batch == nullptr) {
      batch = std::make_shared<GrantBatch>();
      batch->worker = name;
      batch->embedded = name == state_.options.embedded_worker;
    }
    batch->grants.push_back(GrantOf(*trial));
    worker_queue_.push_back(std::move(name));
  }
  worker_queue_.insert(worker_queue_.begin(), std::make_move_iterator(waiting.begin()),
                       std::make_move_iterator(waiting.end()));
  for (auto& [name, batch] : batches) DeferGrants(std::move(batch));
}

void LeaseDesk::DeferGrants(std::shared_ptr<GrantBatch> batch) {
  state_.effects.DeferPreparedWrite(
      [batch] {
        for (Grant& grant : batch->grants) grant.BuildSpecJson();
      },
      [batch](WriteTransaction& transaction) {
        for (Grant& grant : batch->grants) {
          if (grant.spec_json == nullptr) continue;
          grant.lease =
              transaction.Grant(grant.trial.id, batch->worker, grant.secret, batch->embedded);
          if (!grant.lease.ok() || !batch->ask || batch->ask->request.empty()) continue;
          const absl::Status kept =
              transaction.RememberGrant(batch->ask->request, grant.lease->trial);
          if (!kept.ok()) return kept;
        }
        return absl::OkStatus();
      },
      [this, batch](const absl::Status& status) { OnGranted(*batch, status); });
}

void LeaseDesk::OnGranted(const GrantBatch& batch, const absl::Status& status) {
  MutexLock lock(&state_.effects.mutex);
  if (!status.ok()) {
    state_.effects.DeferLog(spdlog::level::warn,
                            fmt::format("grants postponed worker={} reason={:?}", batch.worker,
                                        std::string(status.message())));
    state_.no_grants_before = state_.Now() + kGrantPause;
  }
  for (const Grant& grant : batch.grants) SettleGrant(grant, batch.worker, status);
  if (batch.ask) SettleAsk(*batch.ask, batch.grants.front(), status);
  if (WorkerEntry* const worker = state_.table.FindWorker(batch.worker); worker != nullptr) {
    worker->writes_in_flight -= static_cast<int>(batch.grants.size());
    state_.table.MarkChanged(worker->name);
  }
  React();
}

void LeaseDesk::SettleGrant(const Grant& grant, const std::string& worker,
                            const absl::Status& status) {
  WorkTable& table = state_.table;
  if (status.ok() && grant.lease.ok()) {
    const TrialRow& row = grant.lease->trial;
    TrialEntry* const trial = table.Apply(row, state_.Now() + state_.options.lease_term);
    if (trial != nullptr) {
      trial->secret = grant.secret;
      trial->spec_json = grant.spec_json;
      // The sweep was renamed meanwhile, or the trial has another target.
      if (row.sweep != grant.trial.sweep || row.target_epoch != grant.trial.target_epoch) {
        absl::StatusOr<std::string> json =
            BuildTrialSpecJson(*table.FindSweep(row.sweep_id)->spec, row);
        if (json.ok()) trial->spec_json = std::make_shared<const std::string>(*std::move(json));
      }
      table.SetClaim(trial, Claim::kNone);
    }
    state_.effects.DeferLog(spdlog::level::info,
                            fmt::format("trial granted trial={} worker={} attempt={}",
                                        row.short_name(), worker, row.attempt));
    state_.SignalEvents(row.sweep_id);
    return;
  }
  TrialEntry* const trial = table.FindTrial(TrialKey{grant.trial.sweep_id, grant.trial.number});
  // The trial is gone or held again: a write that was committed before this one says why.
  if (trial == nullptr || trial->claim != Claim::kGranting) return;
  const bool is_paused = table.FindSweep(grant.trial.sweep_id)->state == SweepState::kPaused;
  if (!status.ok() || trial->row.state != TrialState::kPending || is_paused) {
    table.SetClaim(trial, Claim::kNone);
    return;
  }
  // The trial keeps its claim, so that it is not tried over and over again.
  state_.effects.DeferLog(
      spdlog::level::err,
      fmt::format("trial cannot be granted trial={} reason={:?}", grant.trial.short_name(),
                  std::string(grant.lease.status().message())));
}

}  // namespace sweep
