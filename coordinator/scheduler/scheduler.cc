#include "coordinator/scheduler/scheduler.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <thread>
#include <utility>

#include "coordinator/scheduler/scheduler_state.h"
#include "coordinator/scheduler/search_host.h"
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
    state.effects.StartThread();
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
    state.effects.StopThread();
  }

  const absl::Duration tick_interval;
  SchedulerState state;
  LeaseDesk leases;
  ReportDesk reports{state, leases};
  SweepDesk sweeps{state, leases};
  Insight insight{state, [this](std::int64_t sweep_id) { return search.LongThought(sweep_id); },
                  [this](std::int64_t sweep_id) { return search.WaitsFor(sweep_id); }};
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

SweepDesk& Scheduler::sweeps() { return parts_->sweeps; }

LeaseDesk& Scheduler::leases() { return parts_->leases; }

ReportDesk& Scheduler::reports() { return parts_->reports; }

const Insight& Scheduler::insight() const { return parts_->insight; }

EventBus& Scheduler::events() { return parts_->state.events; }

void Scheduler::Tick() { parts_->Tick(); }

bool Scheduler::SearchTurn() { return parts_->search.Turn(); }

void Scheduler::WaitIdle() { parts_->state.effects.WaitIdle(); }

void Scheduler::StopServing() { parts_->leases.StopServing(); }

void Scheduler::Shutdown() { parts_->Shutdown(); }

}  // namespace sweep
