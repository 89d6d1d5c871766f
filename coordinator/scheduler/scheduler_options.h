#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/scheduler/worker_builds.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/stopping/stopping_rule.h"
#include "coordinator/store/store.h"

namespace sweep {

struct SchedulerOptions {
  Store* store = nullptr;  // outlives the scheduler, and so does the cache
  SpecCache* specs = nullptr;
  Clock* clock = RealClock();
  absl::Duration lease_term = absl::Seconds(60);
  absl::Duration poll_time = absl::Seconds(20);  // at most a third of lease_term
  WorkerBuilds worker_builds;
  std::uint64_t jitter_seed = 0;
  // The name of the worker that lives in this process and ends with it; empty: there is none.
  std::string embedded_worker;
  std::function<std::unique_ptr<StoppingRule>(const SweepSpec&)> make_rule = StoppingRule::Make;
  // Tests turn the threads off and call Tick and SearchTurn themselves.
  bool threads = true;
};

}  // namespace sweep
