#include "coordinator/views/region_pool.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <exception>

#include "absl/time/clock.h"
#include "fmt/format.h"

namespace sweep {
namespace {

std::chrono::milliseconds WaitOf(absl::Duration duration) {
  return absl::ToChronoMilliseconds(duration) + std::chrono::milliseconds(1);
}

}  // namespace

RegionPool::RegionPool(const Options& options) : options_(options) {}

RegionPool::~RegionPool() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    work_.NotifyAll();
    done_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

RegionPool::Slot& RegionPool::FindSlot(const Key& key, const SharedSpec& spec) {
  if (!slots_.contains(key) && slots_.size() >= options_.max_regions) {
    slots_.erase(std::min_element(slots_.begin(), slots_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  }
  Slot& slot = slots_[key];
  // A new one, or one whose sweep's file has been changed or read again.
  if (slot.spec != spec) slot = Slot{.spec = spec};
  slot.used = ++uses_;
  return slot;
}

RegionPool::Answer RegionPool::Get(std::int64_t sweep_id, const SharedSpec& spec, double share,
                                   std::int64_t sequence, const ReadRuns& read_runs,
                                   absl::Duration wait) {
  const Key key = {sweep_id, share};
  const absl::Time give_up = absl::Now() + wait;
  const auto is_taken = [&] {
    MutexLock lock(&mutex_);
    const Slot& slot = FindSlot(key, spec);
    // While it rests, the runs may change again.
    return slot.taken >= sequence || (slot.region != nullptr && slot.not_before > give_up);
  };
  std::optional<Task> task;
  if (!is_taken()) task = Task{.spec = spec, .runs = read_runs(), .sequence = sequence};
  MutexLock lock(&mutex_);
  if (!started_ && !stopping_) {
    started_ = true;
    thread_ = std::thread([this] { Loop(); });
  }
  Slot* slot = &FindSlot(key, spec);
  if (task && slot->taken < sequence) {
    slot->taken = sequence;
    slot->waiting = std::move(task);
    work_.NotifyAll();
  }
  while (!stopping_ && slot->seen < sequence && slot->not_before < give_up) {
    const absl::Duration left = give_up - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    done_.WaitFor(&mutex_, WaitOf(left));
    const auto found = slots_.find(key);
    // Another request may have brought another version of the file.
    if (found == slots_.end() || found->second.spec != spec) return {};
    slot = &found->second;
  }
  return {.region = slot->region, .ready = slot->seen >= sequence};
}

bool RegionPool::TakeTask(Key* key, Task* task) {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const absl::Time now = absl::Now();
    absl::Time next = now + absl::Hours(1);
    Slot* chosen = nullptr;
    for (auto& [of, slot] : slots_) {
      if (!slot.waiting) continue;
      if (slot.not_before > now) {
        next = std::min(next, slot.not_before);
      } else if (chosen == nullptr || slot.used > chosen->used) {
        chosen = &slot;
        *key = of;
      }
    }
    if (chosen != nullptr) {
      *task = *std::move(chosen->waiting);
      chosen->waiting.reset();
      return true;
    }
    work_.WaitFor(&mutex_, WaitOf(next - now));
  }
  return false;
}

std::shared_ptr<const RegionPool::Region> RegionPool::Compute(const Task& task, double share) {
  auto region = std::make_shared<Region>();
  try {
    region->found = FindRobustRegions(*task.spec, task.runs, share);
  } catch (const std::exception& error) {  // from a numerical library
    region->failure = fmt::format("the region could not be computed: {}", error.what());
  }
  return region;
}

void RegionPool::Loop() {
  pthread_setname_np(pthread_self(), "region");
  while (true) {
    Key key;
    Task task;
    if (!TakeTask(&key, &task)) return;
    const absl::Time began = absl::Now();
    std::shared_ptr<const Region> region = Compute(task, key.second);
    const absl::Time ended = absl::Now();
    MutexLock lock(&mutex_);
    done_.NotifyAll();
    const auto found = slots_.find(key);
    if (found == slots_.end() || found->second.spec != task.spec) continue;
    Slot& slot = found->second;
    slot.region = std::move(region);
    slot.seen = task.sequence;
    slot.not_before = ended + std::max(options_.least_pause, options_.rest * (ended - began));
  }
}

}  // namespace sweep
