#include "coordinator/views/region_pool.h"

#include <exception>

#include "coordinator/views/computation_pool_impl.h"
#include "fmt/format.h"

namespace sweep {
namespace {

std::shared_ptr<const RegionPool::Region> Compute(const SweepSpec& spec,
                                                  const std::vector<RegionRun>& runs,
                                                  double share) {
  auto region = std::make_shared<RegionPool::Region>();
  try {
    region->found = FindRobustRegions(spec, runs, share);
  } catch (const std::exception& error) {  // from a numerical library
    region->failure = fmt::format("the region could not be computed: {}", error.what());
  }
  return region;
}

}  // namespace

template class ComputationPool<std::pair<std::int64_t, double>, std::monostate,
                               std::vector<RegionRun>, RegionPool::Region>;

RegionPool::RegionPool(const Options& options)
    : pool_({.thread = "region",
             .max_kept = options.max_regions,
             .least_pause = options.least_pause,
             .rest = options.rest},
            [](const auto& work) { return Compute(*work.spec, work.request, work.key.second); }) {}

RegionPool::Answer RegionPool::Get(std::int64_t sweep_id, const SharedSpec& spec, double share,
                                   std::int64_t sequence, const ReadRuns& read_runs,
                                   absl::Duration wait) {
  const auto answer = pool_.Get({sweep_id, share}, spec, sequence, read_runs, wait);
  // A computation has no error: a failure is a region.
  return {.region = answer->result, .ready = answer->ready};
}

}  // namespace sweep
