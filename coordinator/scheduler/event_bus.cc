#include "coordinator/scheduler/event_bus.h"

#include <utility>
#include <vector>

namespace sweep {

std::uint64_t EventBus::Subscribe(std::int64_t sweep_id, Listener listener) {
  MutexLock lock(&mutex_);
  const std::uint64_t subscription = next_++;
  sweep_of_[subscription] = sweep_id;
  listeners_[sweep_id][subscription] = std::make_shared<const Listener>(std::move(listener));
  return subscription;
}

void EventBus::Unsubscribe(std::uint64_t subscription) {
  SharedListener dropped;  // destroyed after the lock is released
  MutexLock lock(&mutex_);
  const auto found = sweep_of_.find(subscription);
  if (found == sweep_of_.end()) return;
  const auto group = listeners_.find(found->second);
  dropped = group->second.at(subscription);
  group->second.erase(subscription);
  if (group->second.empty()) listeners_.erase(group);
  sweep_of_.erase(found);
}

void EventBus::Notify(std::int64_t sweep_id, Signal signal) {
  std::vector<SharedListener> called;
  {
    MutexLock lock(&mutex_);
    const auto group = listeners_.find(sweep_id);
    if (group == listeners_.end()) return;
    for (const auto& [subscription, listener] : group->second) called.push_back(listener);
  }
  for (const SharedListener& listener : called) (*listener)(signal);
}

}  // namespace sweep
