#include "coordinator/scheduler/lease_desk.h"

#include <cstddef>
#include <set>
#include <utility>

#include "common/base/ids.h"
#include "common/base/utf8.h"
#include "coordinator/scheduler/trial_spec_json.h"
#include "coordinator/scheduler/worker_info.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kMaxSlots = 1024;
constexpr std::size_t kMaxHeld = 4096;
constexpr std::size_t kMaxSessionLength = 128;
constexpr std::size_t kMaxBuildShown = 64;   // bytes
constexpr std::size_t kMaxWorkers = 20'000;  // that are in the table, connected or gone
constexpr std::size_t kMaxCallers = 10'000;  // likewise, and not counted as workers

std::string BuildText(const std::string& build) {
  return build.empty() ? "unknown" : fmt::format("'{}'", CutUtf8(build, kMaxBuildShown));
}

absl::Status CheckCall(const SynchronizeCall& call, const WorkerBuilds& builds) {
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
  if (IsTooOld(call.description.build, builds)) {
    return absl::FailedPreconditionError(fmt::format(
        "worker {} is of build {}, and this coordinator takes none before {} (--min-worker-build): "
        "install a newer sweep-worker",
        call.worker, BuildText(call.description.build), builds.least));
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

LeaseDesk::LeaseDesk(SchedulerState& state, std::function<void()> wake_search)
    : state_(state),
      wake_search_(std::move(wake_search)),
      last_tick_(state.Now()),
      last_progress_(last_tick_),
      jitter_(DeriveKey(state.options.jitter_seed, "poll"), 0) {}

// ---- Calls

void LeaseDesk::Synchronize(const SynchronizeCall& call, SynchronizeCallback callback) {
  absl::Status status = CheckCall(call, state_.options.worker_builds);
  if (status.ok()) {
    MutexLock lock(&state_.effects.mutex);
    status = state_.effects.is_stopping() ? StoppingError() : Admit(call);
    if (status.ok()) {
      WorkerEntry* const worker = state_.table.EnsureWorker(call.worker);
      const int slots = worker->offered_slots();
      Register(call, worker);
      HoldPoll(call, worker, std::move(callback));
      // The calls of thousands of idle workers tell the search nothing.
      worker->offered_slots() == slots ? Serve() : React();
    }
  }
  if (!status.ok()) return callback(status);
  state_.effects.RunDeferred();
}

absl::Status LeaseDesk::CheckRoomFor(const std::string& worker) {
  const WorkTable& table = state_.table;
  if (table.workers().contains(worker)) return absl::OkStatus();
  const bool is_caller = worker.starts_with(kCallerPrefix);
  const std::size_t known = is_caller ? table.callers() : table.workers().size() - table.callers();
  const std::size_t most = is_caller ? kMaxCallers : kMaxWorkers;
  if (known < most) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      fmt::format("{} {}: {} {}s are known; no more are possible", is_caller ? "caller" : "worker",
                  is_caller ? worker.substr(kCallerPrefix.size()) : worker, most,
                  is_caller ? "caller" : "worker"));
}

absl::Status LeaseDesk::Admit(const SynchronizeCall& call) {
  WorkerEntry* const worker = state_.table.FindWorker(call.worker);
  if (absl::Status room = CheckRoomFor(call.worker); !room.ok()) return room;
  if (worker == nullptr || worker->session.empty() || worker->session == call.session) {
    return absl::OkStatus();
  }
  const absl::Duration silence = state_.Now() - worker->last_call;
  const bool has_left = (worker->draining || worker->told_to_drain) && worker->leases.empty();
  if (!has_left && silence < state_.options.lease_term) {
    return absl::AlreadyExistsError(
        fmt::format("a worker named {} is connected from {} (pid {}, heard from {:.0f} s ago); use "
                    "another name",
                    worker->name, worker->description.host, worker->description.pid,
                    absl::ToDoubleSeconds(silence)));
  }
  RefusePoll(worker, absl::AbortedError(fmt::format("worker {} has a new session", worker->name)));
  for (const TrialKey& key : worker->leases) {
    TrialEntry* const trial = state_.table.FindTrial(key);
    if (trial->claim == Claim::kNone) {
      LoseLease(trial, fmt::format("worker {}: a new process has its name", worker->name));
    }
  }
  // A person who starts the worker again may have mended it. A worker that died while it trained is
  // another case.
  if (worker->leases.empty()) worker->health.TryNow(state_.Now());
  workers_by_session_.erase(worker->session);
  worker->session.clear();
  worker->asked_to_drain = worker->told_to_drain = false;
  worker->told_to_give_back.clear();
  return absl::OkStatus();
}

void LeaseDesk::Register(const SynchronizeCall& call, WorkerEntry* worker) {
  const bool is_new = worker->session.empty();
  if (is_new || !worker->connected) {
    state_.effects.DeferLog(
        spdlog::level::info,
        fmt::format("worker connected worker={} host={:?} pid={} slots={} build={:?}", call.worker,
                    call.description.host, call.description.pid, call.description.slots,
                    call.description.build));
  }
  if (is_new) {
    worker->created = state_.options.clock->Now();
    worker->completed = worker->failed = 0;
    worker->can.other_data.clear();
    worker->only_sweeps.clear();
    worker->session = call.session;
    workers_by_session_[call.session] = call.worker;
  }
  if (is_new && IsOlderThanExpected(call.description.build, state_.options.worker_builds)) {
    state_.effects.DeferLog(
        spdlog::level::warn,
        fmt::format("worker is of an older build worker={} build={:?} expected={}", call.worker,
                    call.description.build, state_.options.worker_builds.expected));
  }
  if (call.draining && !worker->draining) {
    state_.effects.DeferLog(spdlog::level::info,
                            fmt::format("worker drains worker={}", call.worker));
  }
  for (const std::string& sha256 : call.changed_data) ForgetOtherData(sha256, worker);
  state_.table.Describe(worker, call.description);
  worker->connected = true;
  worker->draining = call.draining;
  worker->last_call = state_.Now();
  worker->last_seen = state_.options.clock->Now();
  // A lease that was offered and that the worker does not hold is not extended: it runs out, and
  // the trial goes to another worker.
  for (const LeaseToken& token : call.held) {
    TrialEntry* const trial = state_.table.FindTrial(token.sweep, token.number);
    if (trial == nullptr || !trial->held() || !trial->Matches(token)) continue;
    if (trial->row.worker != call.worker || trial->claim == Claim::kLosing) continue;
    trial->deadline = state_.Now() + state_.options.lease_term;
  }
}

void LeaseDesk::ForgetOtherData(const std::string& sha256, WorkerEntry* worker) {
  const auto forgotten = std::erase_if(
      worker->can.other_data, [&](const auto& item) { return item.second.sha256 == sha256; });
  if (forgotten == 0) return;
  state_.effects.DeferLog(
      spdlog::level::info,
      fmt::format("refused data was replaced worker={} sha256={}", worker->name, sha256));
}

void LeaseDesk::HoldPoll(const SynchronizeCall& call, WorkerEntry* worker,
                         SynchronizeCallback callback) {
  RefusePoll(worker,
             absl::AbortedError(fmt::format("worker {} has made another call since", call.worker)));
  // The jitter keeps thousands of workers from calling in step.
  const double jitter = 0.9 + 0.2 * jitter_.NextUniform();
  Poll& poll = worker->poll.emplace();
  poll.id = call.poll_id;
  poll.no_wait = call.no_wait;
  poll.deadline = state_.Now() + state_.options.poll_time * jitter;
  poll.callback = std::move(callback);
  for (const LeaseToken& token : call.held) {
    TrialEntry* const trial = state_.table.FindTrial(token.sweep, token.number);
    const bool lost = trial != nullptr && token.attempt == trial->row.attempt &&
                      ((!trial->held() && trial->claim == Claim::kNone && token.attempt > 0) ||
                       (trial->claim == Claim::kLosing && token.secret == trial->secret));
    if (lost) ReviveLease(token, trial, worker);
    const bool current = trial != nullptr && trial->held() && trial->Matches(token) &&
                         trial->row.worker == call.worker;
    if (lost || current) {
      poll.held.emplace(trial->key(), token.attempt);
    } else {
      poll.holds_stale = true;
    }
  }
  state_.table.MarkChanged(call.worker);
}

void LeaseDesk::DropPoll(const std::string& worker, std::uint64_t poll_id) {
  {
    MutexLock lock(&state_.effects.mutex);
    WorkerEntry* const entry = state_.table.FindWorker(worker);
    if (entry == nullptr || !entry->poll.has_value() || entry->poll->id != poll_id) return;
    RefusePoll(entry, absl::CancelledError("the caller is gone"));
  }
  state_.effects.RunDeferred();
}

// ---- Answers

void LeaseDesk::React() {
  Serve();
  wake_search_();
}

void LeaseDesk::Serve() {
  state_.effects.mutex.AssertHeld();
  const std::set<std::string> changed = state_.table.TakeChanged();
  for (const std::string& name : changed) {
    WorkerEntry* const worker = state_.table.FindWorker(name);
    if (worker == nullptr || !worker->wants_work() || worker->in_queue) continue;
    worker->in_queue = true;
    worker_queue_.push_back(name);
  }
  Dispatch();
  ServeAsks();
  for (const std::string& name : changed) {
    WorkerEntry* const worker = state_.table.FindWorker(name);
    if (worker != nullptr && AnswerIsDue(*worker)) Answer(worker);
  }
}

bool LeaseDesk::MustGiveBack(const TrialEntry& trial) {
  const SweepEntry* const sweep = state_.table.FindSweep(trial.row.sweep_id);
  return sweep->state == SweepState::kPaused && sweep->give_back;
}

bool LeaseDesk::AnswerIsDue(const WorkerEntry& worker) {
  if (!worker.poll.has_value() || worker.writes_in_flight > 0) return false;
  const Poll& poll = *worker.poll;
  if (poll.no_wait || poll.holds_stale || poll.deadline <= state_.Now()) return true;
  if (worker.asked_to_drain && !worker.draining && !worker.told_to_drain) return true;
  std::set<std::pair<TrialKey, int>> wanted;
  for (const TrialKey& key : worker.leases) {
    const TrialEntry* const trial = state_.table.FindTrial(key);
    if (trial->claim == Claim::kLosing) continue;
    // The worker is told once: its calls wait while it writes its checkpoint.
    const std::pair<TrialKey, int> lease(key, trial->row.attempt);
    if (MustGiveBack(*trial) != worker.told_to_give_back.contains(lease)) return true;
    if (trial->row.ends_early() && !worker.told_to_stop.contains(lease)) return true;
    wanted.insert(lease);
  }
  return wanted != poll.held;
}

void LeaseDesk::Answer(WorkerEntry* worker) {
  SynchronizeAnswer answer{.lease_term = state_.options.lease_term,
                           .drain = worker->asked_to_drain};
  worker->told_to_drain = worker->asked_to_drain;
  worker->told_to_give_back.clear();
  worker->told_to_stop.clear();
  for (const TrialKey& key : worker->leases) {
    TrialEntry* const trial = state_.table.FindTrial(key);
    if (trial->claim == Claim::kLosing) continue;
    const SweepEntry& sweep = *state_.table.FindSweep(key.first);
    const SweepSpec& spec = *sweep.spec;
    // After a rename, a restart or a new target epoch the line has to be built again.
    if (trial->spec_json == nullptr) {
      absl::StatusOr<std::string> json = BuildTrialSpecJson(spec, trial->row);
      if (!json.ok()) continue;
      trial->spec_json = std::make_shared<const std::string>(*std::move(json));
    }
    const bool give_back = MustGiveBack(*trial);
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
  state_.effects.Defer([callback = std::move(worker->poll->callback), answer = std::move(answer)] {
    callback(answer);
  });
  worker->poll.reset();
  DisconnectIfDrained(worker);
}

// A worker that drains, holds nothing and has its answer ends now. Its silence must not be waited
// for through a lease term.
void LeaseDesk::DisconnectIfDrained(WorkerEntry* worker) {
  const bool is_done = worker->draining && worker->leases.empty() && worker->writes_in_flight == 0;
  if (!is_done || !worker->connected) return;
  worker->connected = false;
  state_.effects.DeferLog(spdlog::level::info,
                          fmt::format("worker has left worker={}", worker->name));
}

void LeaseDesk::RefusePoll(WorkerEntry* worker, const absl::Status& status) {
  if (!worker->poll.has_value()) return;
  state_.effects.Defer(
      [callback = std::move(worker->poll->callback), status] { callback(status); });
  worker->poll.reset();
}

// ---- Progress

void LeaseDesk::ReportProgress(const std::string& session,
                               const std::vector<TrialProgress>& progress) {
  MutexLock lock(&state_.effects.mutex);
  const auto worker = workers_by_session_.find(session);
  if (worker == workers_by_session_.end()) return;
  for (const TrialProgress& item : progress) {
    TrialEntry* const trial = state_.table.FindTrial(item.sweep, item.number);
    if (trial == nullptr || !trial->held() || trial->row.worker != worker->second) continue;
    state_.table.SetProgress(trial, item.message);
    state_.table.FindSweep(trial->row.sweep_id)->has_new_progress = true;
  }
}

void LeaseDesk::SignalProgress() {
  state_.effects.mutex.AssertHeld();
  const absl::Duration now = state_.Now();
  if (now - last_progress_ < absl::Seconds(1)) return;
  last_progress_ = now;
  for (auto& [id, sweep] : state_.table.sweeps()) {
    if (std::exchange(sweep.has_new_progress, false)) {
      state_.effects.DeferSignal(id, EventBus::Signal::kProgress);
    }
  }
}

// ---- Ending

absl::StatusOr<WorkerInfo> LeaseDesk::DrainWorker(const std::string& name) {
  absl::StatusOr<WorkerInfo> info;
  {
    MutexLock lock(&state_.effects.mutex);
    WorkerEntry* const worker = state_.table.FindWorker(name);
    if (worker == nullptr) {
      return absl::NotFoundError(fmt::format("worker '{}' does not exist", name));
    }
    if (!worker->connected) {
      return absl::FailedPreconditionError(
          fmt::format("worker '{}' is not connected, so it cannot be told to drain", name));
    }
    if (!worker->leaves()) {
      state_.effects.DeferLog(spdlog::level::info,
                              fmt::format("worker is told to drain worker={}", name));
    }
    worker->asked_to_drain = true;
    state_.table.MarkChanged(name);
    info =
        DescribeWorker(state_.table, *worker, *state_.options.clock, state_.options.worker_builds);
    React();
  }
  state_.effects.RunDeferred();
  return info;
}

void LeaseDesk::StopServing() {
  {
    MutexLock lock(&state_.effects.mutex);
    state_.effects.Stop();
    for (auto& [name, worker] : state_.table.workers()) RefusePoll(&worker, StoppingError());
    RefuseAllAsks(StoppingError());
  }
  state_.effects.RunDeferred();
}

}  // namespace sweep
