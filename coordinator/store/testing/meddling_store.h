#pragma once

#include <functional>
#include <utility>

#include "coordinator/store/testing/forwarding_store.h"

namespace sweep {

// A store for tests in which something happens between two reads.
class MeddlingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  // Runs `meddle` once, behind the `count`th read from here. To be set while nobody reads; reads
  // are then by one thread at a time.
  void AfterReads(int count, std::function<void()> meddle) {
    reads_left_ = count;
    meddle_ = std::move(meddle);
  }
  bool has_meddled() const { return meddle_ == nullptr; }

  absl::Status RunRead(const ReadFunction& query) override {
    absl::Status status = ForwardingStore::RunRead(query);
    if (meddle_ != nullptr && --reads_left_ == 0) std::exchange(meddle_, nullptr)();
    return status;
  }

 private:
  int reads_left_ = 0;
  std::function<void()> meddle_;
};

}  // namespace sweep
