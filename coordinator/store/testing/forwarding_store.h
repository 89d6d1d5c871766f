#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/store/store.h"

namespace sweep {

// Hands every call on to another store. Tests derive from it to change single calls.
class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store* store) : store_(store) {}

  void Write(WriteFunction function, Completion done) override {
    store_->Write(std::move(function), std::move(done));
  }
  absl::StatusOr<SweepRow> GetSweep(const std::string& name) override {
    return store_->GetSweep(name);
  }
  absl::StatusOr<SweepRow> GetSweepById(std::int64_t id) override {
    return store_->GetSweepById(id);
  }
  absl::StatusOr<std::vector<SweepRow>> ListSweeps(std::int64_t before_id, int limit,
                                                   bool archived) override {
    return store_->ListSweeps(before_id, limit, archived);
  }
  absl::StatusOr<TrialRow> GetTrial(const std::string& sweep, std::int64_t number) override {
    return store_->GetTrial(sweep, number);
  }
  absl::StatusOr<TrialRow> GetTrialById(std::int64_t id) override {
    return store_->GetTrialById(id);
  }
  absl::StatusOr<std::vector<TrialRow>> ListTrials(const TrialQuery& query) override {
    return store_->ListTrials(query);
  }
  absl::StatusOr<std::vector<EpochRow>> ListEpochs(const std::string& sweep, std::int64_t number,
                                                   std::int64_t offset, int limit) override {
    return store_->ListEpochs(sweep, number, offset, limit);
  }
  absl::StatusOr<EpochRow> GetEpoch(std::int64_t trial_id, int attempt, int epoch) override {
    return store_->GetEpoch(trial_id, attempt, epoch);
  }
  absl::StatusOr<std::vector<AttemptRow>> ListAttempts(const std::string& sweep,
                                                       std::int64_t number) override {
    return store_->ListAttempts(sweep, number);
  }
  absl::StatusOr<std::vector<LogRow>> ListLogs(const std::string& sweep, std::int64_t number,
                                               int after_attempt, std::int64_t after_line,
                                               int limit) override {
    return store_->ListLogs(sweep, number, after_attempt, after_line, limit);
  }
  absl::StatusOr<LogRow> LogLineBefore(const std::string& sweep, std::int64_t number,
                                       int count) override {
    return store_->LogLineBefore(sweep, number, count);
  }
  absl::StatusOr<std::vector<RankedRow>> Rank(const std::string& sweep, int limit,
                                              std::int64_t offset) override {
    return store_->Rank(sweep, limit, offset);
  }
  absl::StatusOr<std::vector<RankPlace>> RankOrder(std::int64_t sweep_id) override {
    return store_->RankOrder(sweep_id);
  }
  absl::StatusOr<std::vector<RankedRow>> GetRanked(
      std::int64_t sweep_id, const std::vector<std::int64_t>& configurations) override {
    return store_->GetRanked(sweep_id, configurations);
  }
  absl::StatusOr<std::int64_t> LastSequence(std::int64_t sweep_id) override {
    return store_->LastSequence(sweep_id);
  }
  absl::StatusOr<std::vector<TrialChange>> ListTrialChanges(std::int64_t sweep_id,
                                                            std::int64_t after_sequence,
                                                            int limit) override {
    return store_->ListTrialChanges(sweep_id, after_sequence, limit);
  }
  absl::StatusOr<std::vector<TrialSummary>> ListSummaries(std::int64_t sweep_id,
                                                          std::int64_t after_number,
                                                          int limit) override {
    return store_->ListSummaries(sweep_id, after_number, limit);
  }
  absl::StatusOr<std::vector<TrialSummary>> GetSummaries(
      std::int64_t sweep_id, const std::vector<std::int64_t>& numbers) override {
    return store_->GetSummaries(sweep_id, numbers);
  }
  absl::StatusOr<std::vector<MeasuredEpoch>> ListMeasuredEpochs(
      std::int64_t sweep_id, std::int64_t first, std::int64_t last,
      const std::vector<std::string>& measures) override {
    return store_->ListMeasuredEpochs(sweep_id, first, last, measures);
  }
  absl::StatusOr<std::vector<MeasuredEpoch>> GetMeasuredEpochs(
      std::int64_t sweep_id, const std::vector<KnownTrial>& trials,
      const std::vector<std::string>& measures) override {
    return store_->GetMeasuredEpochs(sweep_id, trials, measures);
  }
  absl::StatusOr<std::int64_t> CountSweeps() override { return store_->CountSweeps(); }
  absl::StatusOr<std::int64_t> CountEpochs(std::int64_t trial_id) override {
    return store_->CountEpochs(trial_id);
  }
  absl::StatusOr<std::int64_t> CountRanked(std::int64_t sweep_id) override {
    return store_->CountRanked(sweep_id);
  }
  absl::StatusOr<std::vector<TrialRow>> GetTrials(
      const std::string& sweep, const std::vector<std::int64_t>& numbers) override {
    return store_->GetTrials(sweep, numbers);
  }
  absl::StatusOr<AttemptPage> ListAttemptsOf(std::int64_t sweep_id, std::int64_t offset,
                                             int limit) override {
    return store_->ListAttemptsOf(sweep_id, offset, limit);
  }
  absl::StatusOr<AttemptPage> ListAttemptsSince(absl::Time from, int limit) override {
    return store_->ListAttemptsSince(from, limit);
  }
  absl::StatusOr<std::vector<EventRow>> ListEvents(std::int64_t sweep_id,
                                                   std::int64_t after_sequence,
                                                   int limit) override {
    return store_->ListEvents(sweep_id, after_sequence, limit);
  }
  absl::StatusOr<std::vector<MeasuredEvent>> ListMeasuredEvents(std::int64_t sweep_id,
                                                                std::int64_t after_sequence,
                                                                int limit) override {
    return store_->ListMeasuredEvents(sweep_id, after_sequence, limit);
  }
  absl::StatusOr<std::vector<SweepRow>> UnfinishedSweeps() override {
    return store_->UnfinishedSweeps();
  }
  absl::StatusOr<std::vector<TrialRow>> UnheldTrials(std::int64_t sweep_id) override {
    return store_->UnheldTrials(sweep_id);
  }
  absl::StatusOr<std::vector<LeaseRow>> HeldLeases() override { return store_->HeldLeases(); }
  absl::StatusOr<std::optional<std::int64_t>> BlobSize(const std::string& sha256) override {
    return store_->BlobSize(sha256);
  }
  absl::StatusOr<std::vector<std::string>> UnusedBlobs(absl::Time before, int limit) override {
    return store_->UnusedBlobs(before, limit);
  }
  absl::StatusOr<std::vector<std::string>> KnownBlobs(const std::string& digits) override {
    return store_->KnownBlobs(digits);
  }
  std::string BlobFolder() const override { return store_->BlobFolder(); }
  absl::Status CheckFiles() override { return store_->CheckFiles(); }
  std::int64_t LogBytes() const override { return store_->LogBytes(); }
  StoreLoad Load() const override { return store_->Load(); }
  absl::Status PublishAddress(const std::string& address) override {
    return store_->PublishAddress(address);
  }

 private:
  Store* const store_;
};

}  // namespace sweep
