#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "coordinator/security/roles.h"
#include "coordinator/security/token_table.h"

namespace sweep {

// Lets calls in, or refuses them, by their token. What it logs has names of tokens, never tokens.
// Thread-safe.
class AccessGate {
 public:
  // A token may make so many calls per second, in the long run, and those of ten seconds at once;
  // 0: no limit. `clock` must outlive it.
  AccessGate(std::unique_ptr<TokenTable> tokens, Clock* clock, double calls_per_second = 0);

  // Decides on a call by its path, such as "/sweep.v1.SweepService/GetSweep", and the values of its
  // header `authorization`. Unauthenticated without a valid token; PermissionDenied, naming the
  // role needed and the role held, with one of another role, and for every call that has no rule;
  // ResourceExhausted beyond the limit.
  // Messages begin with kAccessRefused (proto/channel_security.h).
  absl::Status CheckCall(std::string_view path, std::span<const std::string_view> authorization);

  // The same for the dashboard, which asks for a role. `what` is for the message.
  absl::Status CheckRole(std::string_view what, Role least, std::string_view authorization);
  // Whether CheckRole would let it in; logs nothing.
  bool Allows(Role least, std::string_view authorization);

 private:
  // The valid token in a header; otherwise Unauthenticated.
  absl::StatusOr<std::shared_ptr<const StoredToken>> Authenticate(std::string_view what,
                                                                  std::string_view authorization);
  // Counts a call of a token that may make it.
  absl::Status Count(const StoredToken& token);
  void LogRefusal(std::string_view what, const absl::Status& refusal);

  // Calls that a token may still make at once, as of a time.
  struct Budget {
    double calls = 0;
    absl::Duration as_of;
  };

  const std::unique_ptr<TokenTable> tokens_;
  Clock* const clock_;
  const double calls_per_second_;
  Mutex mutex_;
  std::map<std::string, Budget> budgets_ ABSL_GUARDED_BY(mutex_);  // by the token's name
  absl::Duration logged_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  std::int64_t unlogged_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sweep
