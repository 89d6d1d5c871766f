#include "coordinator/scheduler/scheduler.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <thread>
#include <utility>

#include "coordinator/scheduler/insight.h"
#include "coordinator/scheduler/lease_desk.h"
#include "coordinator/scheduler/report_desk.h"
#include "coordinator/scheduler/scheduler_state.h"
#include "coordinator/scheduler/search_host.h"
#include "coordinator/scheduler/sweep_desk.h"
#include "coordinator/search/driver.h"

namespace sweep {
namespace {

// One second, or a tenth of a lease term that is shorter than usual.
absl::Duration TickInterval(const SchedulerOptions& options) {
  return std::clamp(std::min(options.lease_term / 10, options.poll_time / 4),
                    absl::Milliseconds(10), absl::Seconds(1));
}

}  // namespace

struct Scheduler::Parts {
  explicit Parts(const SchedulerOptions& options)
      : tick_interval(TickInterval(options)),
        state(options),
        leases(state, [this] { search.Wake(); }),
        search({.store = options.store,
                .events = &state.events,
                .clock = options.clock,
                .make_rule = options.make_rule},
               MakeSearchHost(state, leases)) {}

  absl::Status Load() {
    if (absl::Status loaded = sweeps.Load(); !loaded.ok()) return loaded;
    absl::Status loaded = leases.Load();
    state.effects.RunDeferred();
    state.effects.WaitIdle();
    return loaded;
  }

  void Tick() {
    {
      MutexLock lock(&state.effects.mutex);
      leases.Expire(tick_interval);
      sweeps.Purge();
      leases.SignalProgress();
      leases.React();
    }
    state.effects.RunDeferred();
  }

  void TickThread(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "tick");
    const auto interval = absl::ToChronoMilliseconds(tick_interval);
    const auto wait = [&] {
      MutexLock lock(&state.effects.mutex);
      const auto end = std::chrono::steady_clock::now() + interval;
      while (!stop.stop_requested()) {
        const auto left = end - std::chrono::steady_clock::now();
        if (left <= left.zero() || !wake_tick.WaitFor(&state.effects.mutex, left)) return;
      }
    };
    for (wait(); !stop.stop_requested(); wait()) Tick();
  }

  void StartThreads() {
    tick_thread = std::jthread([this](const std::stop_token& stop) { TickThread(stop); });
    search.StartThreads();
  }

  void Shutdown() {
    leases.StopServing();
    tick_thread.request_stop();
    {
      MutexLock lock(&state.effects.mutex);
      wake_tick.NotifyAll();
    }
    if (tick_thread.joinable()) tick_thread.join();
    search.Stop();
    state.effects.WaitIdle();
  }

  const absl::Duration tick_interval;
  SchedulerState state;
  LeaseDesk leases;
  ReportDesk reports{state, leases};
  SweepDesk sweeps{state, leases};
  Insight insight{state};
  SearchDriver search;
  CondVar wake_tick;
  std::jthread tick_thread;
};

Scheduler::Scheduler(const SchedulerOptions& options) : parts_(std::make_unique<Parts>(options)) {}

Scheduler::~Scheduler() { Shutdown(); }

absl::StatusOr<std::unique_ptr<Scheduler>> Scheduler::Start(const SchedulerOptions& options) {
  std::unique_ptr<Scheduler> scheduler(new Scheduler(options));
  if (absl::Status loaded = scheduler->parts_->Load(); !loaded.ok()) return loaded;
  if (options.threads) scheduler->parts_->StartThreads();
  return scheduler;
}

// ---- Sweeps and trials

void Scheduler::Submit(std::shared_ptr<const SweepSpec> spec, const SweepSource& source,
                       const SubmitOptions& options, SubmitCallback callback) {
  parts_->sweeps.Submit(std::move(spec), source, options, std::move(callback));
}

void Scheduler::CancelSweep(const std::string& name, const std::string& request_id,
                            SweepCallback callback) {
  parts_->sweeps.CancelSweep(name, request_id, std::move(callback));
}

void Scheduler::CancelTrial(const std::string& sweep, std::int64_t number,
                            const std::string& request_id, TrialCallback callback) {
  parts_->sweeps.CancelTrial(sweep, number, request_id, std::move(callback));
}

void Scheduler::PauseSweep(const std::string& name, bool now, const std::string& request_id,
                           SweepCallback callback) {
  parts_->sweeps.PauseSweep(name, now, request_id, std::move(callback));
}

void Scheduler::ResumeSweep(const std::string& name, const std::string& request_id,
                            SweepCallback callback) {
  parts_->sweeps.ResumeSweep(name, request_id, std::move(callback));
}

void Scheduler::RetrySweep(std::shared_ptr<const SweepSpec> spec, const RetryRequest& retry,
                           RetryCallback callback) {
  parts_->sweeps.RetrySweep(std::move(spec), retry, std::move(callback));
}

void Scheduler::RetryTrial(std::shared_ptr<const SweepSpec> spec, std::int64_t number,
                           const RetryRequest& retry, TrialCallback callback) {
  parts_->sweeps.RetryTrial(std::move(spec), number, retry, std::move(callback));
}

void Scheduler::ExtendSweep(std::shared_ptr<const SweepSpec> spec, std::int64_t run_cap,
                            const std::string& request_id, SweepCallback callback) {
  parts_->sweeps.ExtendSweep(std::move(spec), run_cap, request_id, std::move(callback));
}

void Scheduler::DeleteSweep(const std::string& name, const std::string& request_id,
                            DeleteCallback callback) {
  parts_->sweeps.DeleteSweep(name, request_id, std::move(callback));
}

void Scheduler::RenameSweep(const RenameRequest& request, SweepCallback callback) {
  parts_->sweeps.RenameSweep(request, std::move(callback));
}

void Scheduler::ArchiveSweep(const std::string& name, bool archived, const std::string& request_id,
                             SweepCallback callback) {
  parts_->sweeps.ArchiveSweep(name, archived, request_id, std::move(callback));
}

// ---- Workers

void Scheduler::Synchronize(const SynchronizeCall& call, SynchronizeCallback callback) {
  parts_->leases.Synchronize(call, std::move(callback));
}

void Scheduler::DropPoll(const std::string& worker, std::uint64_t poll_id) {
  parts_->leases.DropPoll(worker, poll_id);
}

void Scheduler::ReportEpochs(const LeaseToken& token, const std::vector<EpochMetrics>& epochs,
                             const std::string& checkpoint_sha256, int checkpoint_epoch,
                             StatusCallback callback) {
  parts_->reports.ReportEpochs(token, epochs, checkpoint_sha256, checkpoint_epoch,
                               std::move(callback));
}

void Scheduler::FinishLease(const LeaseToken& token, LeaseOutcome outcome,
                            const std::string& reason, const std::vector<ArtifactRow>& artifacts,
                            StatusCallback callback) {
  parts_->reports.FinishLease(token, outcome, reason, artifacts, std::move(callback));
}

void Scheduler::ReportData(const LeaseToken& token, const std::string& sha256,
                           const std::string& place, DataCallback callback) {
  parts_->reports.ReportData(token, sha256, place, std::move(callback));
}

void Scheduler::AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines,
                           StatusCallback callback) {
  parts_->reports.AppendLogs(token, lines, std::move(callback));
}

void Scheduler::ReportProgress(const std::string& session,
                               const std::vector<TrialProgress>& progress) {
  parts_->leases.ReportProgress(session, progress);
}

absl::StatusOr<WorkerInfo> Scheduler::DrainWorker(const std::string& name) {
  return parts_->leases.DrainWorker(name);
}

// ---- What goes on

std::vector<WorkerInfo> Scheduler::Workers() const { return parts_->insight.Workers(); }

TrialSituation Scheduler::Situation(const TrialRow& trial) const {
  return parts_->insight.Situation(trial);
}

std::vector<TrialProgress> Scheduler::Progress(const std::string& sweep) const {
  return parts_->insight.Progress(sweep);
}

SchedulerCounts Scheduler::Counts() const { return parts_->insight.Counts(); }

EventBus& Scheduler::events() { return parts_->state.events; }

// ---- Threads and ending

void Scheduler::Tick() { parts_->Tick(); }

bool Scheduler::SearchTurn() { return parts_->search.Turn(); }

void Scheduler::WaitIdle() { parts_->state.effects.WaitIdle(); }

void Scheduler::StopServing() { parts_->leases.StopServing(); }

void Scheduler::Shutdown() { parts_->Shutdown(); }

}  // namespace sweep
