#pragma once

#include <compare>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "sweep/v1/workers.pb.h"

namespace sweep {

// Identifies one grant. It includes the secret because the same trial and attempt may be another
// grant after the coordinator's database was created anew.
struct LeaseKey {
  std::string trial;
  int attempt = 0;
  std::string secret;
  auto operator<=>(const LeaseKey&) const = default;
};
LeaseKey KeyOf(const v1::LeaseToken& token);

// The leases that this worker holds. The session learns of them, the trainer loop works on them.
// Pure bookkeeping; thread-safe.
//
// A lease is waiting (for a slot), taken (by a slot), or gone. The table remembers leases that have
// ended, because an answer that the coordinator composed before it heard of the end still lists
// them.
class LeaseTable {
 public:
  // At most `slots` leases wait; the coordinator offers further ones again.
  explicit LeaseTable(int slots) : slots_(static_cast<std::size_t>(slots)) {}

  // The tokens of all held leases, for SynchronizeRequest.held.
  std::vector<v1::LeaseToken> Held() const;
  // Makes the table agree with the answer to a call in which the worker listed `said`. Leases that
  // came or went after the call was made stay as they are. True if anything changed.
  bool Apply(const v1::SynchronizeResponse& answer, const std::vector<v1::LeaseToken>& said);

  // The next lease to work on, oldest first.
  std::optional<v1::Lease> Take();
  // Taken leases that the coordinator does not list any more.
  std::vector<LeaseKey> TakeRevoked();
  // The lease has ended and is not held any more.
  void Forget(const LeaseKey& key);
  // No lease is held.
  bool empty() const;

 private:
  bool DropUnlisted(const v1::SynchronizeResponse& answer, const std::vector<v1::LeaseToken>& said)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remember(const LeaseKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::size_t slots_;
  mutable Mutex mutex_;
  std::map<LeaseKey, v1::LeaseToken> held_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::Lease> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<LeaseKey> revoked_ ABSL_GUARDED_BY(mutex_);
  std::set<LeaseKey> ended_ ABSL_GUARDED_BY(mutex_);
  std::deque<LeaseKey> ended_order_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
