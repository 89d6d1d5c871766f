#include "coordinator/store/testing/store_testing.h"

#include <cstdlib>
#include <utility>

#include "common/base/ids.h"

namespace sweep {

TemporaryFolder::TemporaryFolder() {
  std::string path = (std::filesystem::temp_directory_path() / "sweep-store-XXXXXX").string();
  EXPECT_NE(mkdtemp(path.data()), nullptr);
  path_ = path;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

SweepSource TestSource(const std::string& name, const std::string& extra) {
  return {.file = name + ".yaml",
          .text = "name: " + name +
                  "\nmodel: cnn-18718\ndataset: {name: synthetic, train: 100, test: 100}\n"
                  "method: grid\nepochs: 5\n"
                  "require: {accuracy: \">= 0.9\", epochs: \"< 5\"}\n"
                  "parameters:\n  lr: {values: [0.01, 0.02, 0.03, 0.04]}\n" +
                  extra};
}

SweepSpec TestSpec(const std::string& name, const std::string& extra) {
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(TestSource(name, extra), &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *std::move(spec);
}

Configuration TestConfiguration(const SweepSpec& spec, std::int64_t number) {
  const std::vector<double> lr = {0.01, 0.02, 0.03, 0.04};
  absl::StatusOr<Configuration> configuration =
      spec.Complete(number, {{"lr", lr.at(static_cast<std::size_t>(number - 1))}});
  EXPECT_TRUE(configuration.ok()) << configuration.status();
  return *std::move(configuration);
}

SuggestionOrigin TestOrigin() {
  return {.source = SuggestionSource::kModel,
          .method = "gp",
          .expected_improvement = 0.0125,
          .seen_results = 57};
}

EpochMetrics TestEpoch(int epoch, double accuracy) {
  return {.epoch = epoch,
          .values = {{"train_loss", 1.0 / epoch},
                     {"train_accuracy", accuracy / 2},
                     {"validation_loss", 0.1 + 1 - accuracy},
                     {"validation_accuracy", accuracy},
                     {"lr", 0.01 / epoch},
                     {"train_seconds", 2.5},
                     {"evaluate_seconds", 0.5},
                     {"images_per_second", 1000.0 + epoch}}};
}

std::vector<EpochMetrics> TestEpochs(int first, int last, double accuracy) {
  std::vector<EpochMetrics> epochs;
  for (int epoch = first; epoch <= last; ++epoch) epochs.push_back(TestEpoch(epoch, accuracy));
  return epochs;
}

SweepRow StoreDriver::Create(const SweepSpec& spec, const std::string& extra) {
  return CreateFrom(TestSource(spec.name, extra), spec);
}

SweepRow StoreDriver::CreateRefused(const std::string& name, const std::string& extra) {
  SweepSource source = TestSource(name, extra);
  source.text += "not_a_key: 1\n";
  return CreateFrom(source, TestSpec(name, extra));
}

SweepRow StoreDriver::CreateFrom(const SweepSource& source, const SweepSpec& spec) {
  SweepRow sweep;
  const absl::Status status = store_.WriteAndWait([&](WriteTransaction& transaction) {
    bool created = false;
    absl::StatusOr<SweepRow> row = transaction.CreateSweep(spec, source, "tester", &created);
    if (row.ok()) sweep = *row;
    return row.status();
  });
  EXPECT_TRUE(status.ok()) << status;
  return sweep;
}

std::vector<TrialRow> StoreDriver::Add(const SweepRow& sweep, const SweepSpec& spec,
                                       std::int64_t number) {
  std::vector<TrialRow> trials;
  const absl::Status status = store_.WriteAndWait([&](WriteTransaction& transaction) {
    auto rows = transaction.AddConfiguration(
        sweep.id, spec, TestConfiguration(spec, number),
        {.seen_sequence = 0, .target_epoch = 0, .origin = TestOrigin(), .asked_number = 0});
    if (rows.ok()) trials = *rows;
    return rows.status();
  });
  EXPECT_TRUE(status.ok()) << status;
  return trials;
}

LeaseRow StoreDriver::Grant(std::int64_t trial_id, const std::string& worker) {
  LeaseRow lease;
  const absl::Status status = store_.WriteAndWait([&](WriteTransaction& transaction) {
    auto row = transaction.Grant(trial_id, worker, RandomHex(16), /*embedded=*/false);
    if (row.ok()) lease = *row;
    return row.status();
  });
  EXPECT_TRUE(status.ok()) << status;
  return lease;
}

LeaseToken StoreDriver::Token(const LeaseRow& lease) {
  return {.sweep = lease.trial.sweep,
          .number = lease.trial.number,
          .attempt = lease.trial.attempt,
          .secret = lease.secret};
}

namespace {

// Runs a write function and returns its row, or why it was refused.
template <typename Function>
absl::StatusOr<TrialRow> WriteRow(Store& store, Function function) {
  TrialRow trial;
  const absl::Status status =
      store.WriteAndWait([&](WriteTransaction& transaction) -> absl::Status {
        absl::StatusOr<TrialRow> row = function(transaction);
        if (row.ok()) trial = *row;
        return row.status();
      });
  if (!status.ok()) return status;
  return trial;
}

}  // namespace

absl::StatusOr<TrialRow> StoreDriver::Record(const LeaseRow& lease, const SweepSpec& spec,
                                             const std::vector<EpochMetrics>& epochs,
                                             const std::string& checkpoint, int checkpoint_epoch,
                                             bool* revived) {
  bool ignored = false;
  return WriteRow(store_, [&](WriteTransaction& transaction) {
    return transaction.RecordEpochs(Token(lease), spec, epochs, checkpoint, checkpoint_epoch,
                                    revived == nullptr ? &ignored : revived);
  });
}

absl::StatusOr<TrialRow> StoreDriver::Finish(const LeaseRow& lease, const SweepSpec& spec,
                                             LeaseOutcome outcome, const std::string& reason,
                                             const std::vector<ArtifactRow>& artifacts) {
  return WriteRow(store_, [&](WriteTransaction& transaction) {
    return transaction.FinishLease(Token(lease), spec, outcome, reason, artifacts);
  });
}

absl::StatusOr<TrialRow> StoreDriver::Lose(const LeaseRow& lease, const SweepSpec& spec,
                                           const std::string& reason, absl::Time heard) {
  return WriteRow(store_, [&](WriteTransaction& transaction) {
    return transaction.LoseLease(lease.trial.id, lease.trial.attempt, spec, reason, heard);
  });
}

absl::Status StoreDriver::Exhaust(const SweepRow& sweep) {
  return store_.WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.MarkExhausted(sweep.id, "no more points").status();
  });
}

void StoreDriver::Train(const TrialRow& trial, const SweepSpec& spec, double accuracy) {
  const LeaseRow lease = Grant(trial.id, "w");
  const auto recorded = Record(lease, spec, TestEpochs(1, trial.epochs, accuracy));
  EXPECT_TRUE(recorded.ok()) << recorded.status();
  const auto finished = Finish(lease, spec, LeaseOutcome::kCompleted);
  EXPECT_TRUE(finished.ok()) << finished.status();
}

}  // namespace sweep
