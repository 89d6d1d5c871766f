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

// A process that is killed by the next acknowledgement of a worker's report; 0 for none.
using Trap = std::atomic<pid_t>;

// Stands between one client (a worker, or the people) and the coordinator: hands calls on whole,
// and by chance delays them, delivers them a second time later, detains them (the caller is told
// that the coordinator is unavailable, the coordinator gets the call seconds later), or loses them
// or their answers. Thread-safe.
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
  // Waits for the calls under way.
  ~FaultyProxy();
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  // Where the client connects to; the same for the proxy's whole life.
  const std::string& address() const;
  // Where calls go from now on.
  void SetTarget(const std::string& address);
  // Closes every connection and accepts none, and the reverse. Idempotent.
  void Cut();
  void Mend();
  // From now on every call goes through unharmed.
  void Calm();
  // What was done to calls so far, in words.
  std::map<std::string, int> counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sweep::chaos
