#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace sweep::chaos {

struct RunOptions {
  int faults = 50;
  std::uint64_t seed = 0;
  int workers = 5;
  double lease_term_seconds = 3;
  double pause_seconds = 0.25;  // between faults, on average
  bool real_trainer = false;
  std::string folder;                       // for the database and the processes' output
  const std::atomic<bool>* stop = nullptr;  // set: no more faults, and report what there is
};

// Sets up a cluster, strikes it, waits until all work is done, prints what happened and what the
// proof says. Returns the number of violations. To be called on the thread that outlives it, as
// all processes die with that.
std::size_t RunChaos(const RunOptions& options);

}  // namespace sweep::chaos
