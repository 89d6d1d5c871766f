#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coordinator/search/robust_region.h"
#include "coordinator/views/computation_pool.h"

namespace sweep {

// The regions of the sweeps that are being viewed, computed apart when their runs have changed.
// Thread-safe.
class RegionPool {
 public:
  struct Options {
    std::size_t max_regions = 8;
    // As ComputationPoolOptions has them.
    absl::Duration least_pause = absl::Seconds(1);
    double rest = 4;
  };
  explicit RegionPool(const Options& options);

  struct Region {
    RobustRegions found;
    std::string failure;  // why nothing is known, or empty
  };
  struct Answer {
    std::shared_ptr<const Region> region;  // shared with the pool; null before the first one
    bool ready = false;                    // of the runs as they are
  };
  using ReadRuns = std::function<std::vector<RegionRun>()>;
  // The latest region of a sweep for that share. Waits for that of the runs at `sequence`, at most
  // for `wait`. `read_runs` is called before it returns, or never.
  Answer Get(std::int64_t sweep_id, const SharedSpec& spec, double share, std::int64_t sequence,
             const ReadRuns& read_runs, absl::Duration wait);

 private:
  using Key = std::pair<std::int64_t, double>;  // sweep and share

  ComputationPool<Key, std::monostate, std::vector<RegionRun>, Region> pool_;
};

}  // namespace sweep
