// The part of the scheduler that deals with workers: their calls, and what runs out.

#include <pthread.h>

#include <utility>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "coordinator/scheduler/scheduler_impl.h"
#include "coordinator/scheduler/trial_spec_json.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

constexpr int kMaxSlots = 1024;
constexpr std::size_t kMaxHeld = 4096;
constexpr std::size_t kMaxSessionLength = 128;
constexpr std::size_t kMaxWorkers = 20'000;  // connected, or gone for less than the time below
// A worker that is gone stays in the list for so long.
constexpr absl::Duration kForgetWorkerAfter = absl::Hours(1);

absl::Status CheckCall(const SynchronizeCall& call) {
  if (!IsValidName(call.worker)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not the name of a worker: 1-63 letters, digits, '.', '_', '-'",
                    call.worker.substr(0, 128)));
  }
  if (call.protocol != kWorkerProtocolVersion) {
    return absl::FailedPreconditionError(
        fmt::format("worker {} speaks protocol {}, this coordinator speaks protocol {}: install "
                    "the same version of both",
                    call.worker, call.protocol, kWorkerProtocolVersion));
  }
  if (call.session.empty() || call.session.size() > kMaxSessionLength) {
    return absl::InvalidArgumentError(
        fmt::format("worker {}: a session has 1 to {} characters", call.worker, kMaxSessionLength));
  }
  if (call.description.slots < 1 || call.description.slots > kMaxSlots) {
    return absl::InvalidArgumentError(fmt::format("worker {}: {} slots; 1 to {} are possible",
                                                  call.worker, call.description.slots, kMaxSlots));
  }
  if (call.held.size() > kMaxHeld) {
    return absl::InvalidArgumentError(
        fmt::format("worker {} holds {} leases; at most {} are possible", call.worker,
                    call.held.size(), kMaxHeld));
  }
  return absl::OkStatus();
}

}  // namespace

// ---- Calls

void SchedulerImpl::Synchronize(const SynchronizeCall& call, SynchronizeCallback callback) {
  absl::Status status = CheckCall(call);
  if (status.ok()) {
    MutexLock lock(&mutex_);
    status = stopping_ ? absl::UnavailableError("the coordinator is shutting down") : Admit(call);
    if (status.ok()) {
      WorkerEntry* const worker = table_.EnsureWorker(call.worker);
      Greet(call, worker);
      Park(call, worker, std::move(callback));
      React();
    }
  }
  if (!status.ok()) return callback(status);
  RunDeferred();
}

// Refuses a second session under a live worker's name; clears away one that is gone.
absl::Status SchedulerImpl::Admit(const SynchronizeCall& call) {
  WorkerEntry* const worker = table_.FindWorker(call.worker);
  if (worker == nullptr && table_.workers().size() >= kMaxWorkers) {
    return absl::ResourceExhaustedError(fmt::format(
        "worker {}: {} workers are known; no more are possible", call.worker, kMaxWorkers));
  }
  if (worker == nullptr || worker->session.empty() || worker->session == call.session) {
    return absl::OkStatus();
  }
  const absl::Duration silence = Now() - worker->heard;
  const bool has_left = (worker->draining || worker->told_to_drain) && worker->leases.empty();
  if (!has_left && silence < options_.lease_term) {
    return absl::AlreadyExistsError(
        fmt::format("a worker named {} is connected from {} (pid {}, heard from {:.0f} s ago); use "
                    "another name",
                    worker->name, worker->description.host, worker->description.pid,
                    absl::ToDoubleSeconds(silence)));
  }
  Refuse(worker, absl::AbortedError(fmt::format("worker {} has a new session", worker->name)));
  for (const TrialKey& key : worker->leases) {
    TrialEntry* const trial = table_.FindTrial(key);
    if (trial->claim == Claim::kNone) {
      Lose(trial, fmt::format("worker {}: a new process has its name", worker->name));
    }
  }
  // Whoever starts it again may have mended it. One that died at its work is no such case.
  if (worker->leases.empty()) worker->health.TryNow(Now());
  workers_by_session_.erase(worker->session);
  worker->session.clear();
  worker->asked_to_drain = worker->told_to_drain = false;
  worker->told_to_give_back.clear();
  return absl::OkStatus();
}

void SchedulerImpl::Greet(const SynchronizeCall& call, WorkerEntry* worker) {
  const bool is_new = worker->session.empty();
  if (is_new || !worker->connected) {
    DeferLog(spdlog::level::info,
             fmt::format("worker connected worker={} host={:?} pid={} slots={} build={:?}",
                         call.worker, call.description.host, call.description.pid,
                         call.description.slots, call.description.build));
  }
  if (is_new) {
    worker->created = options_.clock->Now();
    worker->completed = worker->failed = 0;
    worker->can.other_data.clear();
    worker->only_sweeps.clear();
    worker->session = call.session;
    workers_by_session_[call.session] = call.worker;
  }
  if (call.draining && !worker->draining)
    DeferLog(spdlog::level::info, fmt::format("worker drains worker={}", call.worker));
  for (const std::string& sha256 : call.changed_data) ForgetOtherData(sha256, worker);
  table_.Describe(worker, call.description);
  worker->connected = true;
  worker->draining = call.draining;
  worker->heard = Now();
  worker->last_seen = options_.clock->Now();
  // Not what it was offered and does not take up: that runs out, and goes to others.
  for (const LeaseToken& token : call.held) {
    TrialEntry* const trial = table_.FindTrial(token.sweep, token.number);
    if (trial == nullptr || !trial->held() || !trial->Matches(token)) continue;
    if (trial->row.worker != call.worker || trial->claim == Claim::kLosing) continue;
    trial->deadline = Now() + options_.lease_term;
  }
}

void SchedulerImpl::Park(const SynchronizeCall& call, WorkerEntry* worker,
                         SynchronizeCallback callback) {
  Refuse(worker,
         absl::AbortedError(fmt::format("worker {} has made another call since", call.worker)));
  // So that thousands of workers do not call in step.
  const double jitter = 0.9 + 0.2 * jitter_.NextUniform();
  Poll& poll = worker->poll.emplace();
  poll.id = call.poll_id;
  poll.no_wait = call.no_wait;
  poll.deadline = Now() + options_.poll_time * jitter;
  poll.callback = std::move(callback);
  for (const LeaseToken& token : call.held) {
    TrialEntry* const trial = table_.FindTrial(token.sweep, token.number);
    const bool lost = trial != nullptr && token.attempt == trial->row.attempt &&
                      ((!trial->held() && trial->claim == Claim::kNone && token.attempt > 0) ||
                       (trial->claim == Claim::kLosing && token.secret == trial->secret));
    if (lost) Revive(token, trial, worker);
    const bool current = trial != nullptr && trial->held() && trial->Matches(token) &&
                         trial->row.worker == call.worker;
    if (lost || current) {
      poll.held.emplace(trial->key(), token.attempt);
    } else {
      poll.holds_stale = true;
    }
  }
  table_.MarkChanged(call.worker);
}

void SchedulerImpl::DropPoll(const std::string& worker, std::uint64_t poll_id) {
  {
    MutexLock lock(&mutex_);
    WorkerEntry* const entry = table_.FindWorker(worker);
    if (entry == nullptr || !entry->poll.has_value() || entry->poll->id != poll_id) return;
    Refuse(entry, absl::CancelledError("the caller is gone"));
  }
  RunDeferred();
}

// ---- Answers

void SchedulerImpl::React() {
  const std::set<std::string> changed = table_.TakeChanged();
  for (const std::string& name : changed) {
    WorkerEntry* const worker = table_.FindWorker(name);
    if (worker == nullptr || !worker->wants_work() || worker->in_line) continue;
    worker->in_line = true;
    line_.push_back(name);
  }
  Dispatch();
  for (const std::string& name : changed) {
    WorkerEntry* const worker = table_.FindWorker(name);
    if (worker != nullptr && AnswerIsDue(*worker)) Answer(worker);
  }
  search_.Wake();
}

bool SchedulerImpl::IsCalledBack(const TrialEntry& trial) {
  const SweepEntry* const sweep = table_.FindSweep(trial.row.sweep_id);
  return sweep->state == SweepState::kPaused && sweep->give_back;
}

bool SchedulerImpl::AnswerIsDue(const WorkerEntry& worker) {
  if (!worker.poll.has_value() || worker.writes_in_flight > 0) return false;
  const Poll& poll = *worker.poll;
  if (poll.no_wait || poll.holds_stale || poll.deadline <= Now()) return true;
  if (worker.asked_to_drain && !worker.draining && !worker.told_to_drain) return true;
  std::set<std::pair<TrialKey, int>> wanted;
  for (const TrialKey& key : worker.leases) {
    const TrialEntry* const trial = table_.FindTrial(key);
    if (trial->claim == Claim::kLosing) continue;
    // Said once; while the worker writes its checkpoint its calls are parked.
    const std::pair<TrialKey, int> lease(key, trial->row.attempt);
    if (IsCalledBack(*trial) != worker.told_to_give_back.contains(lease)) return true;
    if (trial->row.ends_early() && !worker.told_to_stop.contains(lease)) return true;
    wanted.insert(lease);
  }
  return wanted != poll.held;
}

void SchedulerImpl::Answer(WorkerEntry* worker) {
  SynchronizeAnswer answer{.lease_term = options_.lease_term, .drain = worker->asked_to_drain};
  worker->told_to_drain = worker->asked_to_drain;
  worker->told_to_give_back.clear();
  worker->told_to_stop.clear();
  for (const TrialKey& key : worker->leases) {
    TrialEntry* const trial = table_.FindTrial(key);
    if (trial->claim == Claim::kLosing) continue;
    const SweepEntry& sweep = *table_.FindSweep(key.first);
    const SweepSpec& spec = *sweep.spec;
    // A trial that came back to its holder after a rename or a restart, or that the stopping rule
    // has given another target epoch, has none.
    if (trial->spec_json == nullptr) {
      absl::StatusOr<std::string> json = BuildTrialSpecJson(spec, trial->row);
      if (!json.ok()) continue;
      trial->spec_json = std::make_shared<const std::string>(*std::move(json));
    }
    const bool give_back = IsCalledBack(*trial);
    if (give_back) worker->told_to_give_back.emplace(key, trial->row.attempt);
    if (trial->row.ends_early()) worker->told_to_stop.emplace(key, trial->row.attempt);
    answer.leases.push_back({.token = {.sweep = trial->row.sweep,
                                       .number = trial->row.number,
                                       .attempt = trial->row.attempt,
                                       .secret = trial->secret},
                             .spec_json = trial->spec_json,
                             .checkpoint_sha256 = trial->row.checkpoint_sha256,
                             .checkpoint_epoch = trial->row.checkpoint_epoch,
                             .program = spec.program,
                             .program_digest = spec.program_digest,
                             .data_sha256 = sweep.data_sha256,
                             .give_back = give_back,
                             .stop = trial->row.ends_early()});
  }
  Defer([callback = std::move(worker->poll->callback), answer = std::move(answer)] {
    callback(answer);
  });
  worker->poll.reset();
  LetGo(worker);
}

// A worker that says it drains, holds nothing and has been told so ends now. It is not waited for
// through a lease term.
void SchedulerImpl::LetGo(WorkerEntry* worker) {
  const bool is_done = worker->draining && worker->leases.empty() && worker->writes_in_flight == 0;
  if (!is_done || !worker->connected) return;
  worker->connected = false;
  DeferLog(spdlog::level::info, fmt::format("worker has left worker={}", worker->name));
}

void SchedulerImpl::Refuse(WorkerEntry* worker, const absl::Status& status) {
  if (!worker->poll.has_value()) return;
  Defer([callback = std::move(worker->poll->callback), status] { callback(status); });
  worker->poll.reset();
}

// ---- A holder that came back

void SchedulerImpl::Revive(const LeaseToken& token, TrialEntry* trial, WorkerEntry* worker) {
  const TrialKey key = trial->key();
  table_.SetClaim(trial, Claim::kReviving);
  ++worker->writes_in_flight;
  auto lease = std::make_shared<absl::StatusOr<LeaseRow>>(absl::UnknownError("not tried"));
  DeferWrite(
      [=, name = worker->name](WriteTransaction& transaction) {
        *lease = transaction.ReviveLease(token, name);
        return lease->status();
      },
      [=, this, name = worker->name](const absl::Status& status) {
        if (!status.ok()) *lease = status;
        OnRevived(token, name, key, *lease);
      });
}

void SchedulerImpl::OnRevived(const LeaseToken& token, const std::string& worker_name,
                              const TrialKey& key, const absl::StatusOr<LeaseRow>& lease) {
  MutexLock lock(&mutex_);
  WorkerEntry* const worker = table_.FindWorker(worker_name);
  if (worker != nullptr) {
    --worker->writes_in_flight;
    table_.MarkChanged(worker_name);
  }
  if (lease.ok()) {
    DeferLog(spdlog::level::info,
             fmt::format("lease revived trial={} worker={} attempt={}", lease->trial.short_name(),
                         worker_name, token.attempt));
    TrialEntry* const trial = table_.Apply(lease->trial, Now() + options_.lease_term);
    if (trial != nullptr) {
      trial->secret = token.secret;
      if (worker != nullptr) WithdrawLoss(trial, worker);
    }
    DeferSignal(key.first, EventBus::Signal::kEvents);
  } else if (worker != nullptr && lease.status().code() != absl::StatusCode::kFailedPrecondition) {
    Refuse(worker, lease.status());  // it calls again, and keeps its work until then
  }
  TrialEntry* const trial = table_.FindTrial(key);
  if (trial != nullptr && trial->claim == Claim::kReviving) table_.SetClaim(trial, Claim::kNone);
  React();
}

// ---- What runs out

void SchedulerImpl::Lose(TrialEntry* trial, const std::string& reason) {
  const TrialKey key = trial->key();
  DeferLog(spdlog::level::warn,
           fmt::format("lease lost trial={} attempt={} worker={} reason={:?}",
                       trial->row.short_name(), trial->row.attempt, trial->row.worker, reason));
  table_.SetClaim(trial, Claim::kLosing);
  auto row = std::make_shared<absl::StatusOr<TrialRow>>(absl::UnknownError("not tried"));
  // One that has not called since this coordinator started may have been gone for long.
  const WorkerEntry* const worker = table_.FindWorker(trial->row.worker);
  const absl::Time heard = worker == nullptr ? absl::InfinitePast() : worker->last_seen;
  DeferWrite(
      [row, reason, heard, id = trial->row.id, attempt = trial->row.attempt,
       spec = table_.FindSweep(key.first)->spec](WriteTransaction& transaction) {
        *row = transaction.LoseLease(id, attempt, *spec, reason, heard);
        return row->status();
      },
      [this, row, key, reason](const absl::Status& status) {
        if (!status.ok()) *row = status;
        OnLost(key, reason, *row);
      });
}

void SchedulerImpl::OnLost(const TrialKey& key, const std::string& reason,
                           const absl::StatusOr<TrialRow>& row) {
  MutexLock lock(&mutex_);
  TrialEntry* const trial = table_.FindTrial(key);
  if (trial != nullptr && trial->claim == Claim::kLosing) table_.SetClaim(trial, Claim::kNone);
  if (row.ok()) {
    WorkerEntry* const worker = table_.FindWorker(row->worker);
    if (!IsHeld(row->state)) ++events_counted_.attempts_lost;
    if (worker != nullptr && !IsHeld(row->state)) {
      ++worker->failed;
      if (trial != nullptr) NoteLoss(trial, worker, reason);
    }
    table_.Apply(*row, Now() + options_.lease_term);
    EndIfDone(key.first);
    DeferSignal(key.first, EventBus::Signal::kEvents);
  } else {  // the next tick tries again
    DeferLog(spdlog::level::warn,
             fmt::format("lease not taken back reason={:?}", std::string(row.status().message())));
  }
  React();
}

void SchedulerImpl::Tick() {
  {
    MutexLock lock(&mutex_);
    const absl::Duration now = Now();
    ForgiveLateTick(now);
    ExpireLeases(now);
    ExpireWorkers(now);
    Purge();
    if (now - last_progress_ >= absl::Seconds(1)) {
      last_progress_ = now;
      for (auto& [id, sweep] : table_.sweeps()) {
        if (std::exchange(sweep.has_new_progress, false)) {
          DeferSignal(id, EventBus::Signal::kProgress);
        }
      }
    }
    React();
  }
  RunDeferred();
}

// This process was frozen or the machine suspended: the workers could not reach it, and all leases
// would run out at once.
void SchedulerImpl::ForgiveLateTick(absl::Duration now) {
  const absl::Duration gap = now - last_tick_;
  last_tick_ = now;
  const absl::Duration slack = std::min(absl::Seconds(5), options_.lease_term / 12);
  if (gap <= tick_interval_ + slack) return;
  ++events_counted_.late_ticks;
  DeferLog(spdlog::level::warn,
           fmt::format("scheduler was late seconds={:.1f}; leases are extended by that",
                       absl::ToDoubleSeconds(gap)));
  for (auto& [id, sweep] : table_.sweeps()) {
    for (auto& [number, trial] : sweep.trials) {
      if (trial.held()) trial.deadline += gap;
    }
  }
  for (auto& [name, worker] : table_.workers()) worker.heard = std::min(now, worker.heard + gap);
}

void SchedulerImpl::ExpireLeases(absl::Duration now) {
  for (auto& [id, sweep] : table_.sweeps()) {
    for (auto& [number, trial] : sweep.trials) {
      if (!trial.held() || trial.claim != Claim::kNone || trial.deadline > now) continue;
      Lose(&trial, fmt::format("worker {}: no heartbeat for {:g} s", trial.row.worker,
                               absl::ToDoubleSeconds(options_.lease_term)));
    }
  }
}

void SchedulerImpl::ExpireWorkers(absl::Duration now) {
  for (auto next = table_.workers().begin(); next != table_.workers().end();) {
    WorkerEntry& worker = next->second;
    ++next;
    const absl::Duration silence = now - worker.heard;
    if (worker.poll.has_value() && worker.poll->deadline <= now) table_.MarkChanged(worker.name);
    if (worker.connected && silence >= options_.lease_term) {
      worker.connected = false;
      ++events_counted_.workers_lost;
      DeferLog(spdlog::level::warn, fmt::format("worker gone worker={} silent_seconds={:.0f}",
                                                worker.name, absl::ToDoubleSeconds(silence)));
    }
    const bool forgotten = !worker.connected && worker.leases.empty() && !worker.poll &&
                           worker.writes_in_flight == 0 && silence >= kForgetWorkerAfter;
    if (forgotten) {
      workers_by_session_.erase(worker.session);
      table_.RemoveWorker(std::string(worker.name));
    }
  }
}

void SchedulerImpl::TickThread(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "tick");
  const auto interval = absl::ToChronoMilliseconds(tick_interval_);
  const auto wait = [&] {
    MutexLock lock(&mutex_);
    const auto end = std::chrono::steady_clock::now() + interval;
    while (!stop.stop_requested()) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= left.zero() || !wake_tick_.WaitFor(&mutex_, left)) return;
    }
  };
  for (wait(); !stop.stop_requested(); wait()) Tick();
}

}  // namespace sweep
