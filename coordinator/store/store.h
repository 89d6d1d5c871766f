#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/value.h"
#include "common/lifecycle/trial_state.h"
#include "common/protocol/trainer_message.h"
#include "common/spec/sweep_spec.h"
#include "common/stats/ranking.h"

namespace sweep {

enum class SweepState { kActive, kPaused, kCompleted, kCancelled };
std::string_view SweepStateName(SweepState state);  // "active", …

struct TrialCounts {
  std::int64_t pending = 0, running = 0, completed = 0, stopped = 0, failed = 0, cancelled = 0;
  std::int64_t total() const {
    return pending + running + completed + stopped + failed + cancelled;
  }
};

// A sweep as it is stored.
struct SweepRow {
  std::int64_t id = 0;
  std::string name;
  SweepState state = SweepState::kActive;
  SweepSource source;  // empty in lists
  std::string digest;
  std::string principal;
  std::map<std::string, std::string> labels;
  absl::Time created, updated;
  std::optional<absl::Time> ended;
  std::int64_t planned_configurations = 0;
  std::int64_t configurations = 0;  // made so far
  bool exhausted = false;           // the search will make no more
  TrialCounts counts;
  std::int64_t qualifying = 0;  // configurations that meet every gate
};

struct ArtifactRow {
  std::string role;
  std::string sha256;
  std::int64_t size_bytes = 0;
};

// A trial as it is stored.
struct TrialRow {
  std::int64_t id = 0;
  std::int64_t sweep_id = 0;
  std::string sweep;              // its name
  std::int64_t number = 0;        // 1-based within the sweep
  std::int64_t configuration_id = 0;
  std::int64_t configuration = 0;  // 1-based within the sweep
  int replicate = 0;
  TrialState state = TrialState::kPending;
  ParameterMap parameters;  // what the search chose
  std::string model;
  std::int64_t network_parameters = 0;
  bool fully_connected = false;
  std::uint64_t seed = 0;
  int attempt = 0;
  int failures = 0;
  int epochs = 0;  // of a full run
  TrialResult result;
  std::string reason;
  std::string worker;
  absl::Time created;
  std::optional<absl::Time> started, ended;
  std::string checkpoint_sha256;
  int checkpoint_epoch = 0;
  std::vector<ArtifactRow> artifacts;  // empty in lists

  std::string short_name() const { return sweep + "/" + std::to_string(number); }
};

struct EpochRow {
  int attempt = 0;
  EpochMetrics metrics;
  absl::Time reported;
};

struct AttemptRow {
  int attempt = 0;
  std::string worker;
  absl::Time started;
  std::optional<absl::Time> ended;
  std::string outcome;  // "" while it runs
  std::string reason;
};

// A lease that was in force when the store was opened, or has just been granted.
struct LeaseRow {
  TrialRow trial;
  std::string secret;
};

// Proof that a worker holds a trial.
struct LeaseToken {
  std::string sweep;
  std::int64_t number = 0;
  int attempt = 0;
  std::string secret;
};

enum class LeaseOutcome { kCompleted, kFailed, kFailedForGood, kGivenBack };

// One thing that happened, in the order of commits. `sequence` is the cursor of WatchSweep.
struct EventRow {
  std::int64_t sequence = 0;
  std::int64_t trial_id = 0;  // 0: the sweep itself
  std::int64_t number = 0;    // the trial's number
  std::string kind;  // "sweep", "trial", "epoch"
  int attempt = 0;   // epoch events
  int epoch = 0;
  absl::Time time;
};

struct RankedRow {
  std::int64_t rank = 0;
  TrialRow trial;  // the replicate that stands for the configuration
  ConfigurationScore score;
};

// A writing transaction, alive only inside a Store::Write function, on the writer's thread.
// Every state changes through NextTrialState. A method that returns an error has changed nothing.
class WriteTransaction {
 public:
  virtual ~WriteTransaction() = default;
  virtual absl::Time now() const = 0;

  // AlreadyExists when the name is taken by another digest. `*created` is false when the same
  // sweep was there.
  virtual absl::StatusOr<SweepRow> CreateSweep(const SweepSpec& spec, const SweepSource& source,
                                               const std::string& principal, bool* created) = 0;
  // Makes one configuration and its trials (one per replicate), in one go. ResourceExhausted when
  // the budget (planned_configurations) is used up. The configuration's number must be the next.
  virtual absl::StatusOr<std::vector<TrialRow>> AddConfiguration(
      std::int64_t sweep_id, const SweepSpec& spec, const Configuration& configuration) = 0;
  // The search will make no more. Completes the sweep when every trial has ended.
  virtual absl::Status MarkExhausted(std::int64_t sweep_id) = 0;
  // Cancels the sweep and all its trials that have not ended.
  virtual absl::StatusOr<SweepRow> CancelSweep(const std::string& name) = 0;

  // Grants a pending trial: a new attempt with a new secret.
  virtual absl::StatusOr<LeaseRow> Grant(std::int64_t trial_id, const std::string& worker,
                                         const std::string& secret) = 0;
  // FailedPrecondition, naming the trial, when the token is not that of the trial's latest
  // attempt or the trial has ended. A holder whose lease had run out, but whose trial was granted
  // to nobody since (it is pending, with this attempt), gets it back: `*revived` is true then.
  virtual absl::StatusOr<TrialRow> RecordEpochs(const LeaseToken& token, const SweepSpec& spec,
                                                const std::vector<EpochMetrics>& epochs,
                                                const std::string& checkpoint_sha256,
                                                int checkpoint_epoch, bool* revived) = 0;
  // As RecordEpochs about the token. kFailed becomes final at spec.max_failures.
  virtual absl::StatusOr<TrialRow> FinishLease(const LeaseToken& token, const SweepSpec& spec,
                                               LeaseOutcome outcome, const std::string& reason,
                                               const std::vector<ArtifactRow>& artifacts) = 0;
  // The lease of that attempt ran out or its worker is gone. A no-op (OK) when the trial has moved
  // on since.
  virtual absl::StatusOr<TrialRow> LoseLease(std::int64_t trial_id, int attempt,
                                             const SweepSpec& spec, const std::string& reason) = 0;
  // Makes a pending trial held again by the attempt that lost it (a holder that came back).
  virtual absl::StatusOr<LeaseRow> ReviveLease(const LeaseToken& token,
                                               const std::string& worker) = 0;
  virtual absl::StatusOr<TrialRow> CancelTrial(const std::string& sweep, std::int64_t number) = 0;
  // Remembers that a blob file exists. Idempotent.
  virtual absl::Status AddBlob(const std::string& sha256, std::int64_t size_bytes) = 0;
};

struct StoreOptions {
  std::string path;         // the database file; "" for one in memory
  Clock* clock = RealClock();
  int max_queued_writes = 4096;
};

// All durable state, in one SQLite database. One thread and one connection write: it takes all
// that is queued, runs it in one transaction (each function under its own savepoint), commits with
// synchronous=FULL and only then calls the completions. A COMMIT that fails ends the process,
// since nothing acknowledged may be lost. Readers use connections of their own, read-only.
// Thread-safe.
class Store {
 public:
  // Runs alone on the writer's thread, under a savepoint that is released when it returns OK and
  // rolled back otherwise. It must not call the store's reads: they would not see its changes, and
  // are refused there.
  using WriteFunction = std::function<absl::Status(WriteTransaction&)>;
  using Completion = std::function<void(absl::Status)>;

  // Creates the file or migrates it. FailedPrecondition with the reason when the file belongs to
  // another application, has a newer schema, or is in use by another coordinator (whose address the
  // message then names); PermissionDenied when it cannot be written.
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
  // Newest first; ids below `before_id` (0: from the newest).
  virtual absl::StatusOr<std::vector<SweepRow>> ListSweeps(std::int64_t before_id, int limit) = 0;
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
  // Best first. The order is that of the SQL view `ranking`.
  virtual absl::StatusOr<std::vector<RankedRow>> Rank(const std::string& sweep, int limit) = 0;
  virtual absl::StatusOr<std::vector<EventRow>> ListEvents(std::int64_t sweep_id,
                                                           std::int64_t after_sequence,
                                                           int limit) = 0;
  // For starting up: sweeps that have not ended, their pending trials (oldest first) and leases.
  virtual absl::StatusOr<std::vector<SweepRow>> UnfinishedSweeps() = 0;
  virtual absl::StatusOr<std::vector<TrialRow>> PendingTrials(std::int64_t sweep_id) = 0;
  virtual absl::StatusOr<std::vector<LeaseRow>> HeldLeases() = 0;
  virtual absl::StatusOr<std::optional<std::int64_t>> BlobSize(const std::string& sha256) = 0;

  // Publishes where this process can be reached, for those who find the file in use.
  virtual absl::Status PublishAddress(const std::string& address) = 0;
  // The address that the holder of `path` has published; NotFound when nobody holds it.
  static absl::StatusOr<std::string> FindHolder(const std::string& path);
};

}  // namespace sweep
