#include "coordinator/views/model_pool.h"

#include <exception>
#include <optional>
#include <utility>

#include "coordinator/store/queries.h"
#include "coordinator/views/computation_pool_impl.h"
#include "fmt/format.h"

namespace sweep {

template class ComputationPool<std::int64_t, std::unique_ptr<StoredSearch>, std::monostate,
                               ModelPool::Model>;

ModelPool::ModelPool(Store* store, const Options& options)
    : store_(store),
      pool_({.thread = "model",
             .max_kept = options.max_sweeps,
             .keep_time = options.keep_time,
             .idle_time = options.idle_time,
             .least_pause = options.least_pause,
             .rest = options.rest,
             .keeps_requests = true},
            [this](const Pool::Work& work) { return Compute(work); }) {}

absl::StatusOr<ModelPool::Answer> ModelPool::Get(std::int64_t sweep_id, const SharedSpec& spec,
                                                 absl::Duration wait) {
  const absl::StatusOr<std::int64_t> last = store_->Read(FindLastSequence, sweep_id);
  if (!last.ok()) return last.status();
  absl::StatusOr<Pool::Answer> known =
      pool_.Get(sweep_id, spec, *last, [] { return std::monostate(); }, wait);
  if (!known.ok()) return known.status();
  return Answer{.model = std::move(known->result), .ready = known->ready};
}

absl::Status ModelPool::Observe(const Pool::Work& work) {
  Search& search = *work.state;
  if (search == nullptr) {
    const absl::StatusOr<std::int64_t> first_own = store_->Read(FindFirstConfiguration, work.key);
    if (!first_own.ok()) return first_own.status();
    absl::StatusOr<Search> made = StoredSearch::Make(store_, work.key, work.spec, *first_own);
    if (!made.ok()) return made.status();
    search = *std::move(made);
  }
  return search->ObserveThrough(work.sequence, [this] {
    return pool_.is_stopping() ? absl::CancelledError("the coordinator ends") : absl::OkStatus();
  });
}

absl::StatusOr<std::shared_ptr<const ModelPool::Model>> ModelPool::Compute(const Pool::Work& work) {
  if (absl::Status seen = Observe(work); !seen.ok()) return seen;
  auto model = std::make_shared<Model>();
  try {
    std::optional<ModelSlices> known = (*work.state)->search().Slices();
    if (known) model->known = *std::move(known);
  } catch (const std::exception& error) {  // from a numerical library
    model->failure = fmt::format("the model could not be computed: {}", error.what());
  }
  return model;
}

}  // namespace sweep
