#include "coordinator/scheduler/effects.h"

#include <pthread.h>

#include <utility>

#include "spdlog/spdlog.h"

namespace sweep {

absl::Status StoppingError() { return absl::UnavailableError("the coordinator is shutting down"); }

void Effects::Defer(std::function<void()> action) { deferred_.push_back(std::move(action)); }

void Effects::DeferWrite(Store::WriteFunction function, Store::Completion done) {
  DeferPreparedWrite([] {}, std::move(function), std::move(done));
}

void Effects::DeferPreparedWrite(std::function<void()> prepare, Store::WriteFunction function,
                                 Store::Completion done) {
  ++writes_in_flight_;
  Defer([this, prepare = std::move(prepare), function = std::move(function),
         done = std::move(done)]() mutable {
    prepare();
    store_->Write(std::move(function), [this, done = std::move(done)](absl::Status status) {
      done(std::move(status));
      RunDeferred();
      MutexLock lock(&mutex);
      --writes_in_flight_;
      idle_.NotifyAll();
    });
  });
}

void Effects::DeferLog(spdlog::level::level_enum level, std::string line) {
  Defer([level, line = std::move(line)] { spdlog::log(level, line); });
}

void Effects::DeferSignal(std::int64_t sweep_id, EventBus::Signal signal) {
  Defer([this, sweep_id, signal] { events_->Notify(sweep_id, signal); });
}

void Effects::RunDeferred() {
  mutex.Lock();
  if (is_running_) {
    mutex.Unlock();
    return;
  }
  is_running_ = true;
  while (!deferred_.empty()) {
    std::deque<std::function<void()>> batch = std::exchange(deferred_, {});
    mutex.Unlock();
    for (std::function<void()>& action : batch) action();
    batch.clear();
    mutex.Lock();
  }
  is_running_ = false;
  idle_.NotifyAll();
  mutex.Unlock();
}

void Effects::RunDeferredElsewhere() {
  {
    MutexLock lock(&mutex);
    if (has_thread_) {
      is_left_to_thread_ = true;
      wake_.NotifyOne();
      return;
    }
  }
  RunDeferred();
}

void Effects::Thread(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "effects");
  while (true) {
    {
      MutexLock lock(&mutex);
      while (!is_left_to_thread_ && !stop.stop_requested()) wake_.Wait(&mutex);
      if (!is_left_to_thread_) return;
      is_left_to_thread_ = false;
    }
    RunDeferred();
  }
}

void Effects::StartThread() {
  MutexLock lock(&mutex);
  has_thread_ = true;
  thread_ = std::jthread([this](const std::stop_token& stop) { Thread(stop); });
}

void Effects::StopThread() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  {
    MutexLock lock(&mutex);
    has_thread_ = false;
    wake_.NotifyAll();
  }
  thread_.join();
}

void Effects::Write(Store::WriteFunction function, Store::Completion done) {
  {
    MutexLock lock(&mutex);
    if (stopping_) {
      Defer([done = std::move(done)] { done(StoppingError()); });
    } else {
      DeferWrite(std::move(function), std::move(done));
    }
  }
  RunDeferred();
}

void Effects::WaitIdle() {
  MutexLock lock(&mutex);
  while (writes_in_flight_ > 0 || is_running_ || !deferred_.empty()) idle_.Wait(&mutex);
}

}  // namespace sweep
