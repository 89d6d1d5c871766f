#include "tests/bench/service/deletion.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "coordinator/store/deleted_sweeps.h"
#include "coordinator/store/queries.h"
#include "coordinator/store/store.h"
#include "fmt/format.h"
#include "tests/bench/service/fill.h"
#include "tests/integration/process.h"

namespace sweep::bench {
namespace {

void Check(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

double SecondsSince(absl::Time start) { return absl::ToDoubleSeconds(absl::Now() - start); }

double Sum(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

// Writes to another sweep, one after the other, and measures how long each waits.
class OtherWrites {
 public:
  explicit OtherWrites(Store* store, std::int64_t sweep_id)
      : thread_([this, store, sweep_id](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            const absl::Time start = absl::Now();
            store
                ->WriteAndWait([sweep_id](WriteTransaction& transaction) {
                  return transaction.KeepGoing(sweep_id);
                })
                .IgnoreError();
            seconds_.push_back(SecondsSince(start));
            absl::SleepFor(absl::Milliseconds(1));
          }
        }) {}
  std::vector<double> Take() {
    thread_.request_stop();
    thread_.join();
    return seconds_;
  }

 private:
  std::vector<double> seconds_;
  std::jthread thread_;
};

std::string Spread(const std::vector<double>& seconds) {
  return Milliseconds(Median(seconds)) + " / " + Milliseconds(Quantile(seconds, 0.99)) + " / " +
         Milliseconds(Quantile(seconds, 1));
}

}  // namespace

std::vector<Figure> MeasureDeletionOf(std::int64_t trials) {
  constexpr double kMostPerStep = 0.050;
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/sweep.db";
  std::cerr << fmt::format("making a database of {} trials × 20 epochs\n", trials);
  Check(FillDatabase({.path = path, .sweep = "other", .trials = 1, .epochs = 1}));
  Check(FillDatabase({.path = path, .sweep = "large", .trials = trials, .epochs = 20}));
  std::vector<double> batches;  // of the writer's thread, which has ended before they are read
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = path, .on_batch = [&](const BatchReport& batch) {
                     batches.push_back(absl::ToDoubleSeconds(batch.duration));
                   }});
  Check(store.status());
  const double bytes = static_cast<double>((*store)->Load().database_bytes);
  const absl::StatusOr<SweepRow> other = (*store)->Read(FindSweep, "other");
  Check(other.status());
  OtherWrites writes(store->get(), other->id);
  const absl::Time start = absl::Now();
  Check((*store)->WriteAndWait(
      [](WriteTransaction& transaction) { return transaction.DeleteSweep("large").status(); }));
  const double deleted = SecondsSince(start);
  std::vector<double> steps;
  for (bool more = true; more;) {
    const absl::Time began = absl::Now();
    Check((*store)->WriteAndWait([&](WriteTransaction& transaction) {
      const absl::StatusOr<bool> purged = transaction.PurgeDeleted(kRowsPerPurge);
      more = purged.value_or(false);
      return purged.status();
    }));
    steps.push_back(SecondsSince(began));
  }
  const double purged = SecondsSince(start);
  const std::vector<double> waits = writes.Take();
  store->reset();
  return {{fmt::format("a sweep of {} trials × 20 epochs ({:.0f} MB) is deleted: its name is free",
                       trials, bytes / 1e6),
           Milliseconds(deleted), ""},
          {"— its rows are gone, in so many steps",
           fmt::format("{:.1f} s, {}", purged, steps.size()), ""},
          {"— a step, p50 / p99 / longest", Spread(steps), ""},
          {"— a transaction meanwhile, p50 / p99 / longest", Spread(batches), "p99 < 50 ms",
           Quantile(batches, 0.99) < kMostPerStep},
          {"— the writer's share of the time", fmt::format("{:.0f} %", Sum(batches) / purged * 100),
           ""},
          {"— another write meanwhile, p50 / p99 / longest", Spread(waits), ""}};
}

}  // namespace sweep::bench
