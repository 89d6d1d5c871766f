#pragma once

#include <algorithm>
#include <cstdint>

namespace sweep {

// `replicates: auto`: after its first runs, a configuration gets more seeds as long as it could be
// the best (docs/statistics.md). The most runs of a configuration are SweepSpec::replicates.
struct ReplicateRace {
  int min = 1;             // first runs of every configuration
  std::int64_t extra = 0;  // further runs of the whole sweep; 0: as many as DefaultExtra says
  double within = 0;       // a difference of the metric up to this does not matter

  // The most further runs of a sweep of so many configurations, each of up to `max` runs: as many
  // as there are first runs, or five configurations' worth if that is more.
  std::int64_t MostExtra(std::int64_t configurations, int max) const {
    constexpr std::int64_t kLeast = 5;
    const std::int64_t each = max - min;
    const std::int64_t wanted = extra > 0 ? extra : std::max(configurations * min, kLeast * each);
    return std::min(wanted, configurations * each);
  }
};

}  // namespace sweep
