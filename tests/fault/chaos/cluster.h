#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/fault/chaos/plan.h"
#include "tests/fault/chaos/proxy.h"
#include "tests/integration/process.h"

namespace sweep::chaos {

// A coordinator and workers as real processes in one folder, each worker, each caller and the
// people behind a proxy of their own, and the faults that they can suffer. Faults end by themselves
// after a while: Tick does whatever is due. Used by one thread, which starts all processes; they
// die with it.
class Cluster {
 public:
  struct Options {
    std::string folder;
    int workers = 5;
    int callers = 3;      // proxies for them
    std::string trainer;  // of the workers; "" for the one beside them
    absl::Duration lease_term = absl::Seconds(3);
    std::string mark;  // in the environment of every process, to find leftover ones
    std::uint64_t seed = 1;
    Ledger* ledger = nullptr;
  };
  explicit Cluster(const Options& options);

  // "127.0.0.1:PORT" of the coordinator itself; changes when it restarts.
  const std::string& address() const { return address_; }
  // The address for people; it does not change.
  const std::string& people_address() const { return people_proxy_->address(); }
  // Those for callers; they do not change either.
  std::vector<std::string> CallerAddresses() const;
  bool coordinator_up() const;

  // Injects a fault that is no decision. False when it has no target just now.
  bool Strike(const Fault& fault);
  void Tick();
  // Mends everything: proxies calm, all processes up.
  void Recover();
  // Ends all processes in good order.
  void Stop();
  // Ends that no fault explains: a process ended by itself, or did not end when asked to.
  const std::vector<std::string>& complaints() const { return complaints_; }
  // The numbers of calls by what the proxies did to them.
  std::map<std::string, int> CallCounts() const;

 private:
  struct Worker {
    std::unique_ptr<testing::Process> process;
    std::unique_ptr<FaultyProxy> proxy;
    int generation = 0;
    absl::Time restart = absl::InfiniteFuture();  // when to start a dead process again
    absl::Time thaw = absl::InfiniteFuture();     // when to continue a stopped process
    absl::Time mend = absl::InfiniteFuture();     // when to restore a cut connection
    bool up() const { return process != nullptr && thaw == absl::InfiniteFuture(); }
  };
  // A worker that was told to drain; its successor runs already.
  struct Leaving {
    std::string name;
    std::unique_ptr<testing::Process> process;
    absl::Time deadline;
  };

  void StartCoordinator();
  void StartWorker(std::size_t index);
  std::string WorkerName(std::size_t index) const;
  int CountUp() const;
  bool StrikeCoordinator(const Fault& fault);
  bool StrikeWorker(const Fault& fault);
  bool KillTrainer(const Fault& fault, const Worker& worker);
  void AwaitEnd(std::size_t index);
  void CoordinatorIsGone(absl::Duration restart_after);
  void TickCoordinator(absl::Time now);
  void TickWorker(std::size_t index, absl::Time now);
  void TickLeaving(absl::Time now);
  void Complain(const std::string& who, const testing::Process& process);

  const Options options_;
  Trap trap_ = 0;
  std::string address_;
  std::unique_ptr<testing::Process> coordinator_;
  absl::Time coordinator_restart_ = absl::InfiniteFuture();
  absl::Time coordinator_thaw_ = absl::InfiniteFuture();
  absl::Time trap_deadline_ = absl::InfiniteFuture();
  std::unique_ptr<FaultyProxy> people_proxy_;
  std::vector<std::unique_ptr<FaultyProxy>> caller_proxies_;
  std::vector<Worker> workers_;
  std::vector<Leaving> leaving_;
  std::vector<std::string> complaints_;
};

// Live processes that have `mark` in their environment.
std::vector<int> FindMarked(const std::string& mark);

}  // namespace sweep::chaos
