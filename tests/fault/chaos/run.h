#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace sweep::chaos {

struct RunOptions {
  int faults = 50;
  std::uint64_t seed = 0;
  int workers = 5;
  int callers = 3;  // 0: no sweep is trained by callers
  double lease_term_seconds = 3;
  double pause_seconds = 0.25;  // between faults, on average
  bool real_trainer = false;
  std::string folder;                       // for the database and the processes' output
  const std::atomic<bool>* stop = nullptr;  // when set: end the faults and report
};

// Sets up a cluster, injects faults, waits until all work is done, prints what happened and what
// the proof found. Returns the number of violations. Call it on a thread that lives until all is
// over: the processes die with that thread.
std::size_t RunChaos(const RunOptions& options);

}  // namespace sweep::chaos
