#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "tests/fault/chaos/ledger.h"

namespace sweep::chaos {

// The process to kill at the next acknowledgement of a worker's report; 0: none.
using Trap = std::atomic<pid_t>;

// Sits between one client (a worker, or the people) and the coordinator. It forwards whole calls,
// and at random delays them, delivers them again later, detains them (the caller is told that the
// coordinator is unavailable, the coordinator gets the call seconds later), or loses them or their
// answers. Thread-safe.
class FaultyProxy {
 public:
  struct Options {
    double delay = 0.1;  // probabilities per call
    double duplicate = 0.06;
    double detain = 0.03;
    double lose_request = 0.03;
    double lose_answer = 0.03;
    absl::Duration longest_delay = absl::Milliseconds(400);
    absl::Duration longest_detention = absl::Seconds(6);  // also of every other duplicate
    std::uint64_t seed = 1;
    Ledger* ledger = nullptr;  // both outlive the proxy
    Trap* trap = nullptr;
  };
  explicit FaultyProxy(const Options& options);
  // Waits for running calls.
  ~FaultyProxy();
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  // The address for the client; the same for the proxy's whole life.
  const std::string& address() const;
  // Sets the address to which calls go from now on.
  void SetTarget(const std::string& address);
  // Cut closes every connection and accepts none; Mend reverses it. Both are idempotent.
  void Cut();
  void Mend();
  // From now on every call passes unharmed.
  void Calm();
  // The number of calls by what was done to them.
  std::map<std::string, int> counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sweep::chaos
