#pragma once

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "coordinator/views/computation_pool.h"
#include "coordinator/views/rounded_wait.h"

namespace sweep {

template <typename K, typename S, typename Q, typename R>
ComputationPool<K, S, Q, R>::~ComputationPool() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    work_.NotifyAll();
    done_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

template <typename K, typename S, typename Q, typename R>
auto ComputationPool<K, S, Q, R>::Get(const K& key, const SharedSpec& spec, std::int64_t sequence,
                                      const std::function<Q()>& request, absl::Duration wait)
    -> absl::StatusOr<Answer> {
  const absl::Time give_up = absl::Now() + wait;
  std::optional<Q> made;
  if (IsToRequest(key, spec, sequence, give_up)) made = request();
  MutexLock lock(&mutex_);
  StartThread();
  Slot* slot = FindSlot(key, spec);
  if (slot == nullptr) return Answer{};
  if (made && slot->wanted < sequence) {
    slot->wanted = sequence;
    slot->request = std::move(made);
    work_.NotifyAll();
  }
  while (!stopping_ && slot->error.ok() && slot->seen < sequence && slot->not_before < give_up) {
    const absl::Duration left = give_up - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    done_.WaitFor(&mutex_, RoundedWait(left));
    const auto found = slots_.find(key);
    // Another request may have brought another version of the file.
    if (found == slots_.end() || found->second.spec != spec) return Answer{};
    slot = &found->second;
  }
  if (!slot->error.ok()) return std::exchange(slot->error, absl::OkStatus());
  return Answer{.result = slot->result, .ready = slot->seen >= sequence};
}

template <typename K, typename S, typename Q, typename R>
std::size_t ComputationPool<K, S, Q, R>::size() {
  MutexLock lock(&mutex_);
  return slots_.size();
}

template <typename K, typename S, typename Q, typename R>
bool ComputationPool<K, S, Q, R>::is_stopping() {
  MutexLock lock(&mutex_);
  return stopping_;
}

template <typename K, typename S, typename Q, typename R>
bool ComputationPool<K, S, Q, R>::IsToRequest(const K& key, const SharedSpec& spec,
                                              std::int64_t sequence, absl::Time give_up) {
  MutexLock lock(&mutex_);
  const Slot* const slot = FindSlot(key, spec);
  if (slot == nullptr || slot->wanted >= sequence) return false;
  return options_.keeps_requests || slot->result == nullptr || slot->not_before <= give_up;
}

template <typename K, typename S, typename Q, typename R>
void ComputationPool<K, S, Q, R>::StartThread() {
  if (thread_.joinable() || stopping_) return;
  thread_ = std::thread([this] { Loop(); });
}

template <typename K, typename S, typename Q, typename R>
auto ComputationPool<K, S, Q, R>::FindSlot(const K& key, const SharedSpec& spec) -> Slot* {
  const absl::Time now = absl::Now();
  if (!slots_.contains(key) && slots_.size() >= options_.max_kept) {
    const auto oldest = std::min_element(
        slots_.begin(), slots_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    if (now - oldest->second.used < options_.keep_time) return nullptr;
    slots_.erase(oldest);
  }
  Slot& slot = slots_[key];
  // A new one, or one whose sweep's file has been changed or read again.
  if (slot.spec != spec) slot = Slot{.spec = spec};
  slot.used = now;
  return &slot;
}

template <typename K, typename S, typename Q, typename R>
auto ComputationPool<K, S, Q, R>::NextSlot(absl::Time now, absl::Time* next) ->
    typename std::map<K, Slot>::iterator {
  auto chosen = slots_.end();
  for (auto slot = slots_.begin(); slot != slots_.end(); ++slot) {
    if (!slot->second.request) continue;
    if (slot->second.not_before > now) {
      *next = std::min(*next, slot->second.not_before);
    } else if (chosen == slots_.end() || slot->second.used > chosen->second.used) {
      chosen = slot;
    }
  }
  return chosen;
}

template <typename K, typename S, typename Q, typename R>
bool ComputationPool<K, S, Q, R>::TakeWork(Work* work) {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const absl::Time now = absl::Now();
    std::erase_if(slots_,
                  [&](const auto& slot) { return now - slot.second.used >= options_.idle_time; });
    absl::Time next = now + std::min(options_.idle_time, absl::Hours(1));
    if (const auto chosen = NextSlot(now, &next); chosen != slots_.end()) {
      Slot& slot = chosen->second;
      *work = {.key = chosen->first,
               .spec = slot.spec,
               .state = slot.state,
               .sequence = slot.wanted,
               .request = *std::exchange(slot.request, std::nullopt)};
      return true;
    }
    work_.WaitFor(&mutex_, RoundedWait(next - now));
  }
  return false;
}

template <typename K, typename S, typename Q, typename R>
void ComputationPool<K, S, Q, R>::Loop() {
  pthread_setname_np(pthread_self(), options_.thread);
  while (true) {
    Work work;  // keeps no state alive while the pool waits
    if (!TakeWork(&work)) return;
    const absl::Time began = absl::Now();
    absl::StatusOr<std::shared_ptr<const R>> result = compute_(work);
    const absl::Time ended = absl::Now();
    MutexLock lock(&mutex_);
    done_.NotifyAll();
    const auto found = slots_.find(work.key);
    if (found == slots_.end() || found->second.state != work.state) continue;
    Slot& slot = found->second;
    slot.error = result.status();
    slot.not_before = ended + std::max(options_.least_pause, options_.rest * (ended - began));
    if (result.ok()) {
      slot.result = *std::move(result);
      slot.seen = work.sequence;
    } else if (!slot.request) {
      slot.wanted = slot.seen;  // the next request is made
    }
  }
}

}  // namespace sweep
