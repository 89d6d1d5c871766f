#pragma once

#include <atomic>
#include <cfenv>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace sweep::lanes {

// A fixed number of threads, including the caller, that share numbered units of work. They live as
// long as the team and have the floating-point environment (rounding, denormals) of the thread that
// made it. Used by one thread at a time.
class Team {
 public:
  // Gets a unit, and the number of the thread that runs it, below size().
  using Body = std::function<void(int unit, int thread)>;

  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }
  // Runs `body` once for each unit of [0, units) and returns when all are done. Any thread may run
  // any unit, so results must not depend on it. `body` must not throw.
  void Run(int units, const Body& body);

 private:
  void Help(int thread);
  void Work(int thread);

  const int size_;
  std::fenv_t environment_;
  const Body* body_ = nullptr;
  int units_ = 0;
  std::atomic<int> next_unit_ = 0;
  // Counters of rounds: begun by the caller, and finished by helpers (one count per helper and
  // round).
  std::atomic<std::uint32_t> begun_ = 0;
  std::atomic<std::uint32_t> finished_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::jthread> helpers_;
};

}  // namespace sweep::lanes
