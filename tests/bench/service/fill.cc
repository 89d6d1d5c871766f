#include "tests/bench/service/fill.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "common/base/philox.h"
#include "coordinator/search/random_search.h"
#include "coordinator/store/store.h"
#include "fmt/format.h"

namespace sweep::bench {
namespace {

constexpr std::int64_t kBatch = 500;  // trials per transaction
constexpr std::int64_t kRowsPerCall = 16;

EpochMetrics MakeEpoch(int number, double quality, int own_measures) {
  const double accuracy = std::min(0.9999, quality - 0.05 / number);
  EpochMetrics epoch{.epoch = number,
                     .values = {{"train_loss", 0.3 / number},
                                {"train_accuracy", std::max(0.0, accuracy - 0.002)},
                                {"validation_loss", 1 - accuracy},
                                {"validation_accuracy", accuracy},
                                {"lr", 0.1},
                                {"train_seconds", 12},
                                {"evaluate_seconds", 0.8},
                                {"images_per_second", 4560}}};
  for (int i = 1; i <= own_measures; ++i) {
    epoch.values.Set(fmt::format("val/measure-{}", i), accuracy / (i + 0.7));
  }
  return epoch;
}

absl::Status RunTrial(WriteTransaction& transaction, const SweepSpec& spec, const TrialRow& trial,
                      double quality, int own_measures) {
  const absl::StatusOr<LeaseRow> lease = transaction.Grant(trial.id, "bench", "secret", false);
  if (!lease.ok()) return lease.status();
  const LeaseToken token{.sweep = trial.sweep,
                         .number = trial.number,
                         .attempt = lease->trial.attempt,
                         .secret = lease->secret};
  std::vector<EpochMetrics> rows;
  for (int epoch = 1; epoch <= trial.epochs; ++epoch) {
    rows.push_back(MakeEpoch(epoch, quality, own_measures));
    if (rows.size() < kRowsPerCall && epoch < trial.epochs) continue;
    bool revived = false;
    const absl::Status recorded =
        transaction.RecordEpochs(token, spec, rows, "", 0, &revived).status();
    if (!recorded.ok()) return recorded;
    rows.clear();
  }
  return transaction.FinishLease(token, spec, LeaseOutcome::kCompleted, "", {}).status();
}

}  // namespace

std::string SweepText(const std::string& name, std::int64_t run_cap, int epochs,
                      const std::string& method) {
  return fmt::format(
      "name: {}\n"
      "model: cnn-18718\n"
      "dataset: {{name: synthetic, train: 512, test: 200}}\n"
      "method: {}\n"
      "parameters:\n"
      "  lr: {{distribution: log_uniform_values, min: 0.001, max: 0.3}}\n"
      "  momentum: {{min: 0.8, max: 0.99}}\n"
      "  batch_size: {{values: [32, 64, 128]}}\n"
      "  dropout: {{min: 0.0, max: 0.15}}\n"
      "epochs: {}\n"
      "require: {{accuracy: \">= 0.994\", epochs: \"< 20\", parameters: \"< 20000\"}}\n"
      "run_cap: {}\n",
      name, method, epochs, run_cap);
}

absl::Status FillDatabase(const FillOptions& options) {
  const std::int64_t run_cap = std::max(options.run_cap, options.trials);
  const SweepSource source{
      .file = "bench.yaml",
      .text = SweepText(options.sweep, run_cap, options.epochs, options.method)};
  Diagnostics diagnostics;
  const absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(source, &diagnostics);
  if (!spec.ok()) return spec.status();
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open({.path = options.path});
  if (!store.ok()) return store.status();
  std::int64_t sweep_id = 0;
  absl::Status status = (*store)->WriteAndWait([&](WriteTransaction& transaction) {
    bool created = false;
    const absl::StatusOr<SweepRow> row = transaction.CreateSweep(*spec, source, "bench", &created);
    if (row.ok()) sweep_id = row->id;
    return row.status();
  });
  RandomSearch search(&*spec, /*finite=*/false);
  PhiloxStream random(DeriveKey(1, "bench"), 0);
  for (std::int64_t first = 1; status.ok() && first <= options.trials; first += kBatch) {
    status = (*store)->WriteAndWait([&](WriteTransaction& transaction) -> absl::Status {
      const std::int64_t end = std::min(first + kBatch, options.trials + 1);
      for (std::int64_t number = first; number < end; ++number) {
        const absl::StatusOr<std::optional<Configuration>> next = search.Point(number);
        if (!next.ok()) return next.status();
        const absl::StatusOr<std::vector<TrialRow>> made =
            transaction.AddConfiguration(sweep_id, *spec, **next);
        if (!made.ok()) return made.status();
        const double quality = 0.98 + 0.0155 * random.NextUniform();
        const absl::Status run =
            RunTrial(transaction, *spec, made->front(), quality, options.own_measures);
        if (!run.ok()) return run;
      }
      return absl::OkStatus();
    });
  }
  if (!status.ok() || run_cap > options.trials) return status;
  return (*store)->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.MarkExhausted(sweep_id, "").status();
  });
}

}  // namespace sweep::bench
