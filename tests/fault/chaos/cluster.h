#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/fault/chaos/proxy.h"
#include "tests/integration/process.h"

namespace sweep::chaos {

// A coordinator and workers as real processes in one folder, each worker behind a proxy of its own,
// and the faults that can be done to them. What a fault breaks mends itself after a while: Tick
// does what has come due. Used by one thread.
class Cluster {
 public:
  struct Options {
    std::string folder;
    int workers = 5;
    absl::Duration lease_term = absl::Seconds(3);
    std::string mark;  // in the environment of every process, to find those left over
    std::uint64_t seed = 1;
    Ledger* ledger = nullptr;
  };
  explicit Cluster(const Options& options);

  // "127.0.0.1:PORT" of the coordinator, without a proxy; changes when it restarts.
  const std::string& address() const { return address_; }
  bool coordinator_up() const;

  // One random fault. Returns what it was, for the log.
  std::string Strike();
  void Tick();
  // Mends everything and strikes no more: proxies calm, all processes up.
  void Recover();
  // Ends all processes in good order.
  void Stop();
  const std::map<std::string, int>& strikes() const { return strikes_; }

 private:
  struct Worker {
    std::unique_ptr<testing::Process> process;
    std::unique_ptr<FaultyProxy> proxy;
    int generation = 0;
    absl::Time restart = absl::InfiniteFuture();  // when a dead one starts again
    absl::Time thaw = absl::InfiniteFuture();     // when a stopped one goes on
    absl::Time mend = absl::InfiniteFuture();     // when a cut connection comes back
    bool up() const { return process != nullptr && thaw == absl::InfiniteFuture(); }
  };

  void StartCoordinator();
  void StartWorker(std::size_t index);
  absl::Duration Within(absl::Duration shortest, absl::Duration longest);
  Worker* PickUp();
  int CountUp() const;
  std::string StrikeCoordinator();
  std::string StrikeWorker();

  const Options options_;
  std::mt19937_64 random_;
  std::string address_;
  std::unique_ptr<testing::Process> coordinator_;
  absl::Time coordinator_restart_ = absl::InfiniteFuture();
  absl::Time coordinator_thaw_ = absl::InfiniteFuture();
  std::vector<Worker> workers_;
  std::map<std::string, int> strikes_;
};

// Processes that have `mark` in their environment and are alive.
std::vector<int> FindMarked(const std::string& mark);

}  // namespace sweep::chaos
