#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/store/testing/store_testing.h"

namespace sweep {

// For tests of the contract of Store, which is the same for a database in a file and one in memory.
enum class StoreKind { kMemory, kFile };

class StoreTest : public testing::TestWithParam<StoreKind> {
 protected:
  // The rest of the file of a sweep of a program with measures of its own.
  static constexpr char kOwnMetric[] =
      "program: ./train\nmetric: {name: val/f1, goal: maximize}\n"
      "measures: {latency: {goal: minimize, range: [0, 10]}}\n";
  static EpochMetrics Own(int epoch, Measurements values) {
    return {.epoch = epoch, .values = std::move(values)};
  }

  void SetUp() override {
    StoreOptions options{.clock = &clock_};
    if (GetParam() == StoreKind::kFile) options.path = folder_.File("sweep.db");
    auto store = Store::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    driver_ = std::make_unique<StoreDriver>(store_.get());
  }

  // Creates a sweep "s" with this many configurations.
  void MakeSweep(int configurations, const std::string& extra = "") {
    spec_ = TestSpec("s", extra);
    sweep_ = driver_->Create(spec_, extra);
    for (int number = 1; number <= configurations; ++number) {
      for (const TrialRow& trial : driver_->Add(sweep_, spec_, number)) trials_.push_back(trial);
    }
  }

  absl::Status AddBlob(const std::string& sha256, std::int64_t size_bytes) {
    return store_->WriteAndWait(
        [&](WriteTransaction& transaction) { return transaction.AddBlob(sha256, size_bytes); });
  }

  static std::string Message(const absl::Status& status) { return std::string(status.message()); }
  TrialState StateOf(std::int64_t number) { return store_->Read(FindTrial, "s", number)->state; }
  SweepRow Sweep() { return *store_->Read(FindSweep, "s"); }

  // "trial 3", "epoch 3.2", "sweep" …, in order.
  std::vector<std::string> Events(std::int64_t after = 0) {
    std::vector<std::string> events;
    for (const EventRow& event : Must(store_->Read(SelectEvents, sweep_.id, after, 1000))) {
      std::string text = event.kind;
      if (event.number != 0) text += " " + std::to_string(event.number);
      if (event.epoch != 0) text += "." + std::to_string(event.epoch);
      events.push_back(text);
    }
    return events;
  }
  std::int64_t LastSequence() {
    const auto events = *store_->Read(SelectEvents, sweep_.id, 0, 100000);
    return events.empty() ? 0 : events.back().sequence;
  }

  TemporaryFolder folder_;
  FakeClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreDriver> driver_;
  SweepSpec spec_;
  SweepRow sweep_;
  std::vector<TrialRow> trials_;
};

}  // namespace sweep
