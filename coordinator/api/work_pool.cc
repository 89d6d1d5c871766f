#include "coordinator/api/work_pool.h"

#include <pthread.h>

#include <iterator>
#include <utility>

namespace sweep {

WorkPool::WorkPool(Options options) : options_(options) {
  for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { Loop(); });
}

WorkPool::~WorkPool() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
}

bool WorkPool::Submit(std::function<void()> task) {
  {
    MutexLock lock(&mutex_);
    if (queue_.size() >= static_cast<std::size_t>(options_.max_queued)) return false;
    queue_.push_back(std::move(task));
    changed_.NotifyOne();  // under the lock: the pool may end once the task has run
  }
  return true;
}

void WorkPool::Continue(std::function<void()> task) {
  MutexLock lock(&mutex_);
  queue_.push_back(std::move(task));
  changed_.NotifyOne();
}

std::int64_t WorkPool::queued() const {
  MutexLock lock(&mutex_);
  return std::ssize(queue_);
}

void WorkPool::Loop() {
  pthread_setname_np(pthread_self(), options_.name);
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace sweep
