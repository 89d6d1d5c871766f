#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/store_load.h"
#include "coordinator/store/transaction.h"

namespace sweep {

struct StoreOptions {
  std::string path;  // of the database, as DatabaseFile resolves it; "" for one in memory
  Clock* clock = RealClock();
  int max_queued_writes = 4096;
  // The write-ahead log does not outgrow this by more than one batch of writes, unless another
  // process keeps reading.
  std::int64_t log_limit_bytes = 64 << 20;
  // A read that takes longer is ended with DeadlineExceeded, which names the query.
  absl::Duration read_time_limit = absl::Seconds(10);
  // For a client's questions, during which a coordinator that starts waits for it.
  bool momentary = false;
  // How long to wait for such a client.
  absl::Duration patience = absl::ZeroDuration();
  // Told of every transaction, on the writer's thread before the completions; may be empty.
  std::function<void(const BatchReport&)> on_batch;
};

// All durable state, in one SQLite database. One thread and one connection write: it takes all
// that is queued, runs it in one transaction (each function under its own savepoint), commits with
// synchronous=FULL and only then calls the completions. While the disk is full, or one of its files
// is not the one that was opened, writes are Unavailable, and succeed again when that is over. A
// COMMIT that fails otherwise ends the process, since nothing acknowledged may be lost. Readers use
// connections of their own, read-only. Thread-safe.
class Store {
 public:
  // Runs alone on the writer's thread, under a savepoint that is released when it returns OK and
  // rolled back otherwise. It must not call the store's reads: they would not see its changes, and
  // are refused there.
  using WriteFunction = std::function<absl::Status(WriteTransaction&)>;
  using Completion = std::function<void(absl::Status)>;

  // Creates the file or migrates it. InvalidArgument for a name that can be no database, NotFound
  // when its folder does not exist; FailedPrecondition with the reason when the file belongs to
  // another application, has a newer schema, has several names, or is in use by another coordinator
  // (whose address the message then names); PermissionDenied when it cannot be written. On a full
  // disk a database that needs no migration opens, and writes are refused until there is room; a
  // new or older one is Unavailable.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const StoreOptions& options);
  virtual ~Store() = default;

  // Queues `function`. `done` is called on the writer's thread, after the commit, in the order of
  // submission; it must be quick and must not call Write and wait. ResourceExhausted (through
  // `done`, at once) when the queue is full.
  virtual void Write(WriteFunction function, Completion done) = 0;
  // Write, and wait for it. Not from a completion.
  absl::Status WriteAndWait(WriteFunction function);

  // Reads. NotFound names the object. Each sees a consistent snapshot.
  virtual absl::StatusOr<SweepRow> GetSweep(const std::string& name) = 0;
  virtual absl::StatusOr<SweepRow> GetSweepById(std::int64_t id) = 0;
  // Newest first; ids below `before_id` (0: from the newest). `archived`: also those.
  virtual absl::StatusOr<std::vector<SweepRow>> ListSweeps(std::int64_t before_id, int limit,
                                                           bool archived = false) = 0;
  virtual absl::StatusOr<TrialRow> GetTrial(const std::string& sweep, std::int64_t number) = 0;
  virtual absl::StatusOr<TrialRow> GetTrialById(std::int64_t id) = 0;
  struct TrialQuery {
    std::string sweep;
    std::optional<TrialState> state;
    std::string order_by = "number";  // as TrialService.ListTrials
    std::int64_t offset = 0;
    int limit = 50;
  };
  // InvalidArgument for an order that is not known.
  virtual absl::StatusOr<std::vector<TrialRow>> ListTrials(const TrialQuery& query) = 0;
  virtual absl::StatusOr<std::vector<EpochRow>> ListEpochs(const std::string& sweep,
                                                           std::int64_t number, std::int64_t offset,
                                                           int limit) = 0;
  virtual absl::StatusOr<EpochRow> GetEpoch(std::int64_t trial_id, int attempt, int epoch) = 0;
  virtual absl::StatusOr<std::vector<AttemptRow>> ListAttempts(const std::string& sweep,
                                                               std::int64_t number) = 0;
  // In the order of attempt and line, only those after `after_line` of `after_attempt`.
  virtual absl::StatusOr<std::vector<LogRow>> ListLogs(const std::string& sweep,
                                                       std::int64_t number, int after_attempt,
                                                       std::int64_t after_line, int limit) = 0;
  // The line before the last `count` lines, to be listed after; attempt 0 when there is none.
  virtual absl::StatusOr<LogRow> LogLineBefore(const std::string& sweep, std::int64_t number,
                                               int count) = 0;
  // Best first. The order is that of the SQL view `ranking`.
  virtual absl::StatusOr<std::vector<RankedRow>> Rank(const std::string& sweep, int limit,
                                                      std::int64_t offset = 0) = 0;
  // All configurations of a sweep, best first.
  virtual absl::StatusOr<std::vector<RankPlace>> RankOrder(std::int64_t sweep_id) = 0;
  // Configurations by number, in this order, without their ranks; what is not there is left out.
  virtual absl::StatusOr<std::vector<RankedRow>> GetRanked(
      std::int64_t sweep_id, const std::vector<std::int64_t>& configurations) = 0;
  virtual absl::StatusOr<std::vector<EventRow>> ListEvents(std::int64_t sweep_id,
                                                           std::int64_t after_sequence,
                                                           int limit) = 0;
  // Likewise, with what the epochs among them measured, in one read.
  virtual absl::StatusOr<std::vector<MeasuredEvent>> ListMeasuredEvents(std::int64_t sweep_id,
                                                                        std::int64_t after_sequence,
                                                                        int limit) = 0;
  // For views of whole sweeps. Each is one short read: callers take all of a sweep in pieces.
  // The sequence of the last event of a sweep (0: of all); 0 when there is none.
  virtual absl::StatusOr<std::int64_t> LastSequence(std::int64_t sweep_id) = 0;
  virtual absl::StatusOr<std::vector<TrialChange>> ListTrialChanges(std::int64_t sweep_id,
                                                                    std::int64_t after_sequence,
                                                                    int limit) = 0;
  // By number, those above `after_number`.
  virtual absl::StatusOr<std::vector<TrialSummary>> ListSummaries(std::int64_t sweep_id,
                                                                  std::int64_t after_number,
                                                                  int limit) = 0;
  virtual absl::StatusOr<std::vector<TrialSummary>> GetSummaries(
      std::int64_t sweep_id, const std::vector<std::int64_t>& numbers) = 0;
  // Of the trials with numbers from `first` to `last`, by number, attempt and epoch.
  virtual absl::StatusOr<std::vector<MeasuredEpoch>> ListMeasuredEpochs(
      std::int64_t sweep_id, std::int64_t first, std::int64_t last,
      const std::vector<std::string>& measures) = 0;
  // Of these trials what is not known yet, per trial by attempt and epoch.
  virtual absl::StatusOr<std::vector<MeasuredEpoch>> GetMeasuredEpochs(
      std::int64_t sweep_id, const std::vector<KnownTrial>& trials,
      const std::vector<std::string>& measures) = 0;
  // Those that are not archived.
  virtual absl::StatusOr<std::int64_t> CountSweeps() = 0;
  virtual absl::StatusOr<std::int64_t> CountEpochs(std::int64_t trial_id) = 0;
  // Configurations with a measured epoch: those that are ranked.
  virtual absl::StatusOr<std::int64_t> CountRanked(std::int64_t sweep_id) = 0;
  // In the order of `numbers`; those that do not exist are left out.
  virtual absl::StatusOr<std::vector<TrialRow>> GetTrials(
      const std::string& sweep, const std::vector<std::int64_t>& numbers) = 0;
  // Of a sweep, by trial and attempt.
  virtual absl::StatusOr<AttemptPage> ListAttemptsOf(std::int64_t sweep_id, std::int64_t offset,
                                                     int limit) = 0;
  // Those that run or have ended since `from`, the latest first.
  virtual absl::StatusOr<AttemptPage> ListAttemptsSince(absl::Time from, int limit) = 0;
  // For starting up: sweeps that have not ended, their trials that no worker holds (pending or on
  // hold, oldest first) and leases.
  virtual absl::StatusOr<std::vector<SweepRow>> UnfinishedSweeps() = 0;
  virtual absl::StatusOr<std::vector<TrialRow>> UnheldTrials(std::int64_t sweep_id) = 0;
  virtual absl::StatusOr<std::vector<LeaseRow>> HeldLeases() = 0;
  virtual absl::StatusOr<std::optional<std::int64_t>> BlobSize(const std::string& sha256) = 0;
  // Blobs that nothing refers to and nobody has asked for since `before`.
  virtual absl::StatusOr<std::vector<std::string>> UnusedBlobs(absl::Time before, int limit) = 0;
  // All known blobs whose names begin with these digits, in order.
  virtual absl::StatusOr<std::vector<std::string>> KnownBlobs(const std::string& digits) = 0;

  // Of the write-ahead log's file; 0 in memory.
  virtual std::int64_t LogBytes() const = 0;
  // Where the blobs of this database lie; "" for one in memory.
  virtual std::string BlobFolder() const = 0;
  // OK, or Unavailable when one of the database's files was deleted or replaced: what lies there
  // now may belong to somebody else.
  virtual absl::Status CheckFiles() = 0;
  // From memory and the file system: no query, and no waiting for writes.
  virtual StoreLoad Load() const = 0;

  // Publishes where this process can be reached, for those who find the file in use.
  virtual absl::Status PublishAddress(const std::string& address) = 0;
  // The address that the holder of `path` has published; NotFound when nobody holds it.
  static absl::StatusOr<std::string> FindHolder(const std::string& path);
};

}  // namespace sweep
