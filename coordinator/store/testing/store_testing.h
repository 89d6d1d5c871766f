#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/store/queries.h"
#include "coordinator/store/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sweep {

// A folder that is removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string File(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// A sweep file with lr = 0.01, 0.02, 0.03, 0.04, 5 epochs and the gates accuracy >= 0.9 and epochs
// < 5, and the parsed file. `extra` is appended to the text.
SweepSource TestSource(const std::string& name, const std::string& extra = "");
SweepSpec TestSpec(const std::string& name, const std::string& extra = "");

// The grid's configuration `number` (1 to 4).
Configuration TestConfiguration(const SweepSpec& spec, std::int64_t number);

// A model's choice, with everything that can be said of one.
SuggestionOrigin TestOrigin();

// Finite numbers that differ between epochs.
EpochMetrics TestEpoch(int epoch, double accuracy);
std::vector<EpochMetrics> TestEpochs(int first, int last, double accuracy);

// Returns the value, or fails the test. By value: a range-based for over *StatusOr would outlive
// it.
template <typename T>
T Must(absl::StatusOr<T> result) {
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : T();
}

// Shorthands for writes of tests, each a separate Store::Write. A shorthand that fails also fails
// the test.
class StoreDriver {
 public:
  explicit StoreDriver(Store* store) : store_(*store) {}

  SweepRow Create(const SweepSpec& spec, const std::string& extra = "");
  // A sweep with the stored file of TestSource and a key that no build knows.
  SweepRow CreateRefused(const std::string& name, const std::string& extra = "");
  std::vector<TrialRow> Add(const SweepRow& sweep, const SweepSpec& spec, std::int64_t number);
  LeaseRow Grant(std::int64_t trial_id, const std::string& worker);
  absl::StatusOr<TrialRow> Record(const LeaseRow& lease, const SweepSpec& spec,
                                  const std::vector<EpochMetrics>& epochs,
                                  const std::string& checkpoint = "", int checkpoint_epoch = 0,
                                  bool* revived = nullptr);
  absl::StatusOr<TrialRow> Finish(const LeaseRow& lease, const SweepSpec& spec,
                                  LeaseOutcome outcome, const std::string& reason = "",
                                  const std::vector<ArtifactRow>& artifacts = {});
  absl::StatusOr<TrialRow> Lose(const LeaseRow& lease, const SweepSpec& spec,
                                const std::string& reason = "worker is gone",
                                absl::Time heard = absl::InfiniteFuture());
  absl::Status Exhaust(const SweepRow& sweep);
  // Leases the trial, reports all epochs, the last one with `accuracy`, and completes it.
  void Train(const TrialRow& trial, const SweepSpec& spec, double accuracy);

  static LeaseToken Token(const LeaseRow& lease);

 private:
  SweepRow CreateFrom(const SweepSource& source, const SweepSpec& spec);

  Store& store_;
};

}  // namespace sweep
