#pragma once

#include <functional>
#include <string>
#include <utility>

#include "coordinator/store/testing/forwarding_store.h"

namespace sweep {

// A store for tests in which something happens between two reads.
class MeddlingStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  // Run `meddle` once, behind the next GetSweep or GetSweepById. To be set while nobody reads.
  void AfterGetSweep(std::function<void()> meddle) { by_name_ = std::move(meddle); }
  void AfterGetSweepById(std::function<void()> meddle) { by_id_ = std::move(meddle); }

  absl::StatusOr<SweepRow> GetSweep(const std::string& name) override {
    absl::StatusOr<SweepRow> row = ForwardingStore::GetSweep(name);
    if (const auto meddle = std::exchange(by_name_, nullptr)) meddle();
    return row;
  }
  absl::StatusOr<SweepRow> GetSweepById(std::int64_t id) override {
    absl::StatusOr<SweepRow> row = ForwardingStore::GetSweepById(id);
    if (const auto meddle = std::exchange(by_id_, nullptr)) meddle();
    return row;
  }

 private:
  std::function<void()> by_name_;
  std::function<void()> by_id_;
};

}  // namespace sweep
