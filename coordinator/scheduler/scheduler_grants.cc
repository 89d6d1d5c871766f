// The part of the scheduler that grants pending trials to workers that want work.

#include <deque>
#include <iterator>
#include <map>
#include <utility>

#include "common/base/ids.h"
#include "coordinator/scheduler/scheduler_impl.h"
#include "coordinator/scheduler/trial_spec_json.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

constexpr int kSecretBytes = 16;
// After the store's queue was full.
constexpr absl::Duration kGrantPause = absl::Milliseconds(200);

}  // namespace

// A grant on its way to the store and back.
struct SchedulerImpl::Grant {
  TrialRow trial;
  std::string secret;
  std::shared_ptr<const SweepSpec> spec;         // shared with the sweep's entry
  std::shared_ptr<const std::string> spec_json;  // shared with answers
  absl::StatusOr<LeaseRow> lease = absl::UnknownError("not tried");
};

struct SchedulerImpl::GrantBatch {
  std::string worker;
  bool embedded = false;  // the worker lives in this process
  std::vector<Grant> grants;
};

// One trial per worker and turn, so that work spreads.
void SchedulerImpl::Dispatch() {
  if (stopping_ || Now() < no_grants_before_) return;
  std::map<std::string, std::shared_ptr<GrantBatch>>
      batches;                      // shared: the write and its completion
  std::deque<std::string> waiting;  // for what is not there, in the order of the line
  while (!line_.empty() && table_.HasPending()) {
    std::string name = std::move(line_.front());
    line_.pop_front();
    WorkerEntry* const worker = table_.FindWorker(name);
    if (worker == nullptr || !worker->wants_work()) {
      if (worker != nullptr) worker->in_line = false;
      continue;
    }
    TrialEntry* trial = nullptr;
    if (MayTakeOneMore(worker)) {
      trial = table_.NextPending(
          worker->can, [&](const TrialEntry& one) { return !WaitsForAnother(one, *worker); });
    }
    if (trial == nullptr) {
      waiting.push_back(std::move(name));
      continue;
    }
    table_.SetClaim(trial, Claim::kGranting);
    ++worker->writes_in_flight;
    std::shared_ptr<GrantBatch>& batch = batches[name];
    if (batch == nullptr) {
      batch = std::make_shared<GrantBatch>(
          GrantBatch{.worker = name, .embedded = name == options_.embedded_worker});
    }
    batch->grants.push_back({.trial = trial->row,
                             .secret = RandomHex(kSecretBytes),
                             .spec = table_.FindSweep(trial->row.sweep_id)->spec,
                             .spec_json = trial->spec_json});
    line_.push_back(std::move(name));
  }
  line_.insert(line_.begin(), std::make_move_iterator(waiting.begin()),
               std::make_move_iterator(waiting.end()));
  for (auto& [name, batch] : batches) {
    ++writes_in_flight_;  // from here on it counts as one
    Defer([this, batch = std::move(batch)] { WriteGrants(batch); });
  }
}

// Outside the lock: resolving a specification takes a while.
void SchedulerImpl::WriteGrants(std::shared_ptr<GrantBatch> batch) {
  for (Grant& grant : batch->grants) {
    if (grant.spec_json != nullptr) continue;
    absl::StatusOr<std::string> json = BuildTrialSpecJson(*grant.spec, grant.trial);
    if (json.ok()) {
      grant.spec_json = std::make_shared<const std::string>(*std::move(json));
    } else {
      grant.lease = json.status();
    }
  }
  options_.store->Write(
      [batch](WriteTransaction& transaction) {
        for (Grant& grant : batch->grants) {
          if (grant.spec_json == nullptr) continue;
          grant.lease =
              transaction.Grant(grant.trial.id, batch->worker, grant.secret, batch->embedded);
        }
        return absl::OkStatus();
      },
      [this, batch](const absl::Status& status) {
        OnGranted(batch, status);
        RunDeferred();
        MutexLock lock(&mutex_);
        --writes_in_flight_;
        idle_.NotifyAll();
      });
}

void SchedulerImpl::OnGranted(const std::shared_ptr<GrantBatch>& batch,
                              const absl::Status& status) {
  MutexLock lock(&mutex_);
  if (!status.ok()) {
    DeferLog(spdlog::level::warn, fmt::format("grants postponed worker={} reason={:?}",
                                              batch->worker, std::string(status.message())));
    no_grants_before_ = Now() + kGrantPause;
  }
  for (const Grant& grant : batch->grants) SettleGrant(grant, batch->worker, status);
  if (WorkerEntry* const worker = table_.FindWorker(batch->worker); worker != nullptr) {
    worker->writes_in_flight -= static_cast<int>(batch->grants.size());
    table_.MarkChanged(worker->name);
  }
  React();
}

void SchedulerImpl::SettleGrant(const Grant& grant, const std::string& worker,
                                const absl::Status& status) {
  if (status.ok() && grant.lease.ok()) {
    const TrialRow& row = grant.lease->trial;
    TrialEntry* const trial = table_.Apply(row, Now() + options_.lease_term);
    if (trial != nullptr) {
      trial->secret = grant.secret;
      trial->spec_json = grant.spec_json;
      // It was renamed meanwhile, or has another target.
      if (row.sweep != grant.trial.sweep || row.target_epoch != grant.trial.target_epoch) {
        absl::StatusOr<std::string> json =
            BuildTrialSpecJson(*table_.FindSweep(row.sweep_id)->spec, row);
        if (json.ok()) trial->spec_json = std::make_shared<const std::string>(*std::move(json));
      }
      table_.SetClaim(trial, Claim::kNone);
    }
    DeferLog(spdlog::level::info, fmt::format("trial granted trial={} worker={} attempt={}",
                                              row.short_name(), worker, row.attempt));
    DeferSignal(row.sweep_id, EventBus::Signal::kEvents);
    return;
  }
  TrialEntry* const trial = table_.FindTrial(TrialKey{grant.trial.sweep_id, grant.trial.number});
  // Gone or held again: a write that was committed before this one says why.
  if (trial == nullptr || trial->claim != Claim::kGranting) return;
  const bool is_paused = table_.FindSweep(grant.trial.sweep_id)->state == SweepState::kPaused;
  if (!status.ok() || trial->row.state != TrialState::kPending || is_paused) {
    table_.SetClaim(trial, Claim::kNone);
    return;
  }
  // It keeps its claim, so that it is not tried over and over again.
  DeferLog(spdlog::level::err,
           fmt::format("trial cannot be granted trial={} reason={:?}", grant.trial.short_name(),
                       std::string(grant.lease.status().message())));
}

}  // namespace sweep
