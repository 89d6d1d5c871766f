#include "coordinator/views/model_pool.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "absl/time/clock.h"
#include "coordinator/store/queries.h"
#include "fmt/format.h"

namespace sweep {
namespace {

std::chrono::milliseconds MillisecondsOf(absl::Duration duration) {
  return absl::ToChronoMilliseconds(duration) + std::chrono::milliseconds(1);
}

}  // namespace

ModelPool::ModelPool(Store* store, const Options& options) : store_(store), options_(options) {}

ModelPool::~ModelPool() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    work_.NotifyAll();
    done_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<ModelPool::Answer> ModelPool::Get(std::int64_t sweep_id, const SharedSpec& spec,
                                                 absl::Duration wait) {
  const absl::StatusOr<std::int64_t> last = store_->Read(FindLastSequence, sweep_id);
  if (!last.ok()) return last.status();
  const absl::Time give_up = absl::Now() + wait;
  MutexLock lock(&mutex_);
  StartThread();
  Slot* slot = FindSlot(sweep_id, spec);
  if (slot == nullptr) return Answer{};
  slot->wanted = std::max(slot->wanted, *last);
  if (slot->HasWork()) work_.NotifyAll();
  while (!stopping_ && slot->error.ok() && slot->seen < *last && slot->not_before < give_up) {
    const absl::Duration left = give_up - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    done_.WaitFor(&mutex_, MillisecondsOf(left));
    const auto found = slots_.find(sweep_id);
    // Another request may have brought another version of the file.
    if (found == slots_.end() || found->second.learner->spec != spec) return Answer{};
    slot = &found->second;
  }
  if (!slot->error.ok()) return std::exchange(slot->error, absl::OkStatus());
  return Answer{.model = slot->model, .ready = slot->seen >= *last};
}

void ModelPool::StartThread() {
  if (started_ || stopping_) return;
  started_ = true;
  thread_ = std::thread([this] { Loop(); });
}

std::size_t ModelPool::size() {
  MutexLock lock(&mutex_);
  return slots_.size();
}

ModelPool::Slot* ModelPool::FindSlot(std::int64_t sweep_id, const SharedSpec& spec) {
  const absl::Time now = absl::Now();
  if (!slots_.contains(sweep_id) && slots_.size() >= options_.max_sweeps) {
    const auto oldest = std::min_element(
        slots_.begin(), slots_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    if (now - oldest->second.used < options_.keep_time) return nullptr;
    slots_.erase(oldest);
  }
  Slot& slot = slots_[sweep_id];
  slot.used = now;
  if (slot.learner != nullptr && slot.learner->spec == spec) return &slot;
  // A new sweep, or one whose file has been changed or read again.
  slot.learner = std::make_shared<Learner>();
  slot.learner->spec = spec;
  slot.model = nullptr;
  slot.seen = slot.wanted = -1;
  slot.not_before = absl::InfinitePast();
  slot.error = absl::OkStatus();
  return &slot;
}

void ModelPool::DropIdle() {
  const absl::Time now = absl::Now();
  std::erase_if(slots_,
                [&](const auto& slot) { return now - slot.second.used >= options_.idle_time; });
}

bool ModelPool::TakeWork(Work* work) {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    DropIdle();
    const absl::Time now = absl::Now();
    absl::Time next = now + (slots_.empty() ? absl::Hours(1) : options_.idle_time);
    const Slot* chosen = nullptr;
    for (const auto& [sweep_id, slot] : slots_) {
      if (!slot.HasWork()) continue;
      if (slot.not_before > now) {
        next = std::min(next, slot.not_before);
      } else if (chosen == nullptr || slot.used > chosen->used) {
        chosen = &slot;
        *work = {.sweep_id = sweep_id, .learner = slot.learner, .wanted = slot.wanted};
      }
    }
    if (chosen != nullptr) return true;
    work_.WaitFor(&mutex_, MillisecondsOf(next - now));
  }
  return false;
}

absl::Status ModelPool::Observe(const Work& work) {
  std::unique_ptr<StoredSearch>& search = work.learner->search;
  if (search == nullptr) {
    const absl::StatusOr<std::int64_t> first_own =
        store_->Read(FindFirstConfiguration, work.sweep_id);
    if (!first_own.ok()) return first_own.status();
    absl::StatusOr<std::unique_ptr<StoredSearch>> made =
        StoredSearch::Make(store_, work.sweep_id, work.learner->spec, *first_own);
    if (!made.ok()) return made.status();
    search = *std::move(made);
  }
  return search->ObserveThrough(work.wanted, [this] {
    MutexLock lock(&mutex_);
    return stopping_ ? absl::CancelledError("the coordinator ends") : absl::OkStatus();
  });
}

std::shared_ptr<const ModelPool::Model> ModelPool::Compute(StoredSearch* search) {
  auto model = std::make_shared<Model>();
  try {
    std::optional<ModelSlices> known = search->search().Slices();
    if (known) model->known = *std::move(known);
  } catch (const std::exception& error) {  // from a numerical library
    model->failure = fmt::format("the model could not be computed: {}", error.what());
  }
  return model;
}

void ModelPool::Loop() {
  pthread_setname_np(pthread_self(), "model");
  while (true) {
    Work work;  // keeps no learner alive while the pool waits
    if (!TakeWork(&work)) return;
    const absl::Time began = absl::Now();
    const absl::Status status = Observe(work);
    std::shared_ptr<const Model> model;
    if (status.ok()) model = Compute(work.learner->search.get());
    const absl::Time ended = absl::Now();
    MutexLock lock(&mutex_);
    done_.NotifyAll();
    const auto found = slots_.find(work.sweep_id);
    if (found == slots_.end() || found->second.learner != work.learner) continue;
    Slot& slot = found->second;
    slot.error = status;
    slot.not_before = ended + std::max(options_.least_pause, options_.rest * (ended - began));
    if (!status.ok()) continue;
    slot.model = std::move(model);
    slot.seen = work.wanted;
  }
}

}  // namespace sweep
