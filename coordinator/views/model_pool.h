#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/search/model_slices.h"
#include "coordinator/search/stored_search.h"
#include "coordinator/store/store.h"
#include "coordinator/views/computation_pool.h"

namespace sweep {

// What the models of the sweeps that are being viewed know. Each such sweep has a search of its own
// beside the driver's, on the pool's thread, which follows the sweep's events when it is requested.
// Thread-safe.
class ModelPool {
 public:
  // As ComputationPoolOptions has them, for searches.
  struct Options {
    std::size_t max_sweeps = 4;
    absl::Duration keep_time = absl::Seconds(10);
    absl::Duration idle_time = absl::Minutes(5);
    absl::Duration least_pause = absl::Seconds(1);
    double rest = 4;
  };
  ModelPool(Store* store, const Options& options);

  struct Model {
    ModelSlices known;
    std::string failure;  // why nothing is known, or empty
  };
  struct Answer {
    std::shared_ptr<const Model> model;  // shared with the pool; null before the first one
    bool ready = false;                  // it knows the sweep's last event
  };
  // The latest model of a sweep whose method learns. Waits for one that knows the sweep's last
  // event, at most for `wait`; when there is no room, it is not ready.
  absl::StatusOr<Answer> Get(std::int64_t sweep_id, const SharedSpec& spec, absl::Duration wait);
  std::size_t size() { return pool_.size(); }

 private:
  // The search of one version of a sweep's file; made by the pool's thread, since that may take
  // long.
  using Search = std::unique_ptr<StoredSearch>;
  using Pool = ComputationPool<std::int64_t, Search, std::monostate, Model>;

  absl::StatusOr<std::shared_ptr<const Model>> Compute(const Pool::Work& work);
  absl::Status Observe(const Pool::Work& work);

  Store* const store_;
  Pool pool_;
};

}  // namespace sweep
