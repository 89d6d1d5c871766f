#pragma once

#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "coordinator/store/testing/forwarding_store.h"

namespace sweep {

// A store for tests in which something happens between two reads. Thread-safe.
class MeddlingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  // Runs `meddle` once, after the `count`-th read from now, on the thread of that read.
  void AfterReads(int count, std::function<void()> meddle) {
    const absl::MutexLock lock(&mutex_);
    reads_left_ = count;
    meddle_ = std::move(meddle);
  }
  // True after `meddle` has begun.
  bool has_meddled() const {
    const absl::MutexLock lock(&mutex_);
    return meddle_ == nullptr;
  }

  absl::Status RunRead(const ReadFunction& query) override {
    absl::Status status = ForwardingStore::RunRead(query);
    if (const std::function<void()> meddle = TakeDue()) meddle();
    return status;
  }

 private:
  // The function to run after this read; null after most reads.
  std::function<void()> TakeDue() {
    const absl::MutexLock lock(&mutex_);
    if (meddle_ == nullptr || --reads_left_ > 0) return nullptr;
    return std::exchange(meddle_, nullptr);
  }

  mutable absl::Mutex mutex_;
  int reads_left_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> meddle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
