#pragma once

#include <functional>
#include <string>
#include <utility>

#include "coordinator/store/forwarding_store.h"

namespace sweep {

// A store for tests in which something happens between two reads.
class MeddlingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  // Runs `meddle` once, behind the next GetSweep.
  void AfterGetSweep(std::function<void()> meddle) { meddle_ = std::move(meddle); }

  absl::StatusOr<SweepRow> GetSweep(const std::string& name) override {
    absl::StatusOr<SweepRow> row = ForwardingStore::GetSweep(name);
    if (const auto meddle = std::exchange(meddle_, nullptr)) meddle();
    return row;
  }

 private:
  std::function<void()> meddle_;
};

}  // namespace sweep
