#include "worker/agent/lease_table.h"

#include <algorithm>
#include <utility>

#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// Answers in flight are few and short-lived; they cannot list nearly as many ended leases.
constexpr std::size_t kRememberedEnds = 4096;

}  // namespace

LeaseKey KeyOf(const v1::LeaseToken& token) {
  return {.trial = token.trial(), .attempt = token.attempt(), .secret = token.secret()};
}

std::vector<v1::LeaseToken> LeaseTable::Held() const {
  MutexLock lock(&mutex_);
  std::vector<v1::LeaseToken> tokens;
  for (const auto& [key, token] : held_) tokens.push_back(token);
  return tokens;
}

void LeaseTable::Remember(const LeaseKey& key) {
  if (!ended_.insert(key).second) return;
  ended_order_.push_back(key);
  if (ended_order_.size() <= kRememberedEnds) return;
  ended_.erase(ended_order_.front());
  ended_order_.pop_front();
}

bool LeaseTable::DropUnlisted(const v1::SynchronizeResponse& answer,
                              const std::vector<v1::LeaseToken>& said) {
  std::set<LeaseKey> listed;
  for (const v1::Lease& lease : answer.leases()) listed.insert(KeyOf(lease.token()));
  bool changed = false;
  for (const v1::LeaseToken& token : said) {
    const LeaseKey key = KeyOf(token);
    if (listed.contains(key) || held_.erase(key) == 0) continue;
    changed = true;
    Remember(key);
    const auto waiting = std::find_if(waiting_.begin(), waiting_.end(),
                                      [&](const v1::Lease& l) { return KeyOf(l.token()) == key; });
    if (waiting != waiting_.end()) {
      waiting_.erase(waiting);
    } else {
      revoked_.push_back(key);
    }
  }
  return changed;
}

bool LeaseTable::Apply(const v1::SynchronizeResponse& answer,
                       const std::vector<v1::LeaseToken>& said) {
  MutexLock lock(&mutex_);
  bool changed = DropUnlisted(answer, said);
  for (const v1::Lease& lease : answer.leases()) {
    const LeaseKey key = KeyOf(lease.token());
    if (held_.contains(key) || ended_.contains(key)) continue;
    if (waiting_.size() >= slots_) {
      spdlog::warn("lease not taken, {} wait already trial={} attempt={}", waiting_.size(),
                   key.trial, key.attempt);
      continue;
    }
    held_.emplace(key, lease.token());
    waiting_.push_back(lease);
    changed = true;
  }
  return changed;
}

std::optional<v1::Lease> LeaseTable::Take() {
  MutexLock lock(&mutex_);
  if (waiting_.empty()) return std::nullopt;
  v1::Lease lease = std::move(waiting_.front());
  waiting_.pop_front();
  return lease;
}

std::vector<LeaseKey> LeaseTable::TakeRevoked() {
  MutexLock lock(&mutex_);
  return std::exchange(revoked_, {});
}

void LeaseTable::Forget(const LeaseKey& key) {
  MutexLock lock(&mutex_);
  held_.erase(key);
  Remember(key);
}

bool LeaseTable::empty() const {
  MutexLock lock(&mutex_);
  return held_.empty();
}

}  // namespace sweep
