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

  // Runs `meddle` once, behind the `count`th read from here, on the thread that reads.
  void AfterReads(int count, std::function<void()> meddle) {
    const absl::MutexLock lock(&mutex_);
    reads_left_ = count;
    meddle_ = std::move(meddle);
  }
  // Whether it has begun.
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
  // What is to happen behind this read; null behind most.
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
