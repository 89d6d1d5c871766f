#include "coordinator/store/store.h"

#include <filesystem>
#include <future>
#include <limits>
#include <mutex>
#include <system_error>
#include <utility>

#include "common/base/ids.h"
#include "coordinator/store/checkpointer.h"
#include "coordinator/store/lock_file.h"
#include "coordinator/store/log_lines.h"
#include "coordinator/store/queries.h"
#include "coordinator/store/reader_pool.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/writer.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kCloseTimeoutMs = 200;

// Opens the writer's connection and brings the schema up to date.
absl::StatusOr<std::unique_ptr<Database>> OpenForWriting(const std::string& uri, bool in_memory) {
  STORE_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                         Database::Open(uri, Database::Mode::kCreate));
  STORE_RETURN_IF_ERROR(CheckIdentity(*database, Migrations()));
  STORE_RETURN_IF_ERROR(
      database->Execute(in_memory ? "PRAGMA journal_mode = MEMORY"
                                  : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  database->WatchLog();
  STORE_RETURN_IF_ERROR(database->Execute("PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536"));
  STORE_RETURN_IF_ERROR(Migrate(*database, Migrations()));
  return database;
}

// 0 when there is none.
std::int64_t FileBytes(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<LockFile> lock, std::unique_ptr<Database> database, std::string uri,
              const StoreOptions& options)
      : in_memory_(options.path.empty()),
        path_(options.path),
        log_path_(in_memory_ ? "" : options.path + "-wal"),
        lock_(std::move(lock)),
        database_(std::move(database)),
        readers_({.uri = std::move(uri),
                  .mode = in_memory_ ? Database::Mode::kReadWrite : Database::Mode::kReadOnly,
                  .time_limit = options.read_time_limit,
                  .turns = in_memory_ ? &turns_ : nullptr}),
        checkpointer_(database_.get(), &readers_, {.limit_bytes = options.log_limit_bytes}),
        writer_(std::make_unique<Writer>(database_.get(), options.clock,
                                         Writer::Options{.max_queued = options.max_queued_writes,
                                                         .turns = in_memory_ ? &turns_ : nullptr,
                                                         .on_batch = options.on_batch,
                                                         .after_batch = [this] {
                                                           if (!in_memory_)
                                                             checkpointer_.AfterCommit();
                                                         }})) {}

  ~SqliteStore() override {
    writer_.reset();
    readers_.CloseIdle();
    // All of it in the one file again, so that it can be copied as it lies. Not needed for
    // safety, so nobody waits long for a person's open query: the next opening does it then.
    database_->SetBusyTimeout(kCloseTimeoutMs);
    if (!in_memory_) database_->Execute("PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
    database_.reset();
  }

  void Write(WriteFunction function, Completion done) override {
    writer_->Submit(std::move(function), std::move(done));
  }

  absl::StatusOr<SweepRow> GetSweep(const std::string& name) override {
    return Read([&](Database& database) { return FindSweep(database, name); });
  }
  absl::StatusOr<SweepRow> GetSweepById(std::int64_t id) override {
    return Read([&](Database& database) { return FindSweepById(database, id); });
  }
  absl::StatusOr<std::vector<SweepRow>> ListSweeps(std::int64_t before_id, int limit,
                                                   bool archived) override {
    return Read([&](Database& database) { return SelectSweeps(database, before_id, limit, archived); });
  }
  absl::StatusOr<TrialRow> GetTrial(const std::string& sweep, std::int64_t number) override {
    return Read([&](Database& database) {
      return WithArtifacts(database, FindTrial(database, sweep, number));
    });
  }
  absl::StatusOr<TrialRow> GetTrialById(std::int64_t id) override {
    return Read(
        [&](Database& database) { return WithArtifacts(database, FindTrialById(database, id)); });
  }
  absl::StatusOr<std::vector<TrialRow>> ListTrials(const TrialQuery& query) override {
    return Read([&](Database& database) { return SelectTrials(database, query); });
  }
  absl::StatusOr<std::vector<EpochRow>> ListEpochs(const std::string& sweep, std::int64_t number,
                                                   std::int64_t offset, int limit) override {
    return Read(
        [&](Database& database) { return SelectEpochs(database, sweep, number, offset, limit); });
  }
  absl::StatusOr<EpochRow> GetEpoch(std::int64_t trial_id, int attempt, int epoch) override {
    return Read([&](Database& database) { return FindEpoch(database, trial_id, attempt, epoch); });
  }
  absl::StatusOr<std::vector<AttemptRow>> ListAttempts(const std::string& sweep,
                                                       std::int64_t number) override {
    return Read([&](Database& database) { return SelectAttempts(database, sweep, number); });
  }
  absl::StatusOr<std::vector<LogRow>> ListLogs(const std::string& sweep, std::int64_t number,
                                               int after_attempt, std::int64_t after_line,
                                               int limit) override {
    return Read([&](Database& database) {
      return SelectLogLines(database, sweep, number, after_attempt, after_line, limit);
    });
  }
  absl::StatusOr<LogRow> LogLineBefore(const std::string& sweep, std::int64_t number,
                                       int count) override {
    return Read(
        [&](Database& database) { return FindLogLineBefore(database, sweep, number, count); });
  }
  absl::StatusOr<std::vector<RankedRow>> Rank(const std::string& sweep, int limit,
                                              std::int64_t offset) override {
    return Read([&](Database& database) { return SelectRanking(database, sweep, offset, limit); });
  }
  absl::StatusOr<std::vector<std::int64_t>> RankOrder(std::int64_t sweep_id) override {
    return Read([&](Database& database) {
      return SelectRankOrder(database, sweep_id, 0, std::numeric_limits<int>::max());
    });
  }
  absl::StatusOr<std::vector<RankedRow>> GetRanked(
      std::int64_t sweep_id, const std::vector<std::int64_t>& configurations) override {
    return Read(
        [&](Database& database) { return SelectRankedRows(database, sweep_id, configurations); });
  }
  absl::StatusOr<std::vector<EventRow>> ListEvents(std::int64_t sweep_id,
                                                   std::int64_t after_sequence,
                                                   int limit) override {
    return Read([&](Database& database) {
      return SelectEvents(database, sweep_id, after_sequence, limit);
    });
  }
  absl::StatusOr<std::int64_t> LastSequence(std::int64_t sweep_id) override {
    return Read([&](Database& database) { return FindLastSequence(database, sweep_id); });
  }
  absl::StatusOr<std::vector<TrialChange>> ListTrialChanges(std::int64_t sweep_id,
                                                            std::int64_t after_sequence,
                                                            int limit) override {
    return Read([&](Database& database) {
      return SelectTrialChanges(database, sweep_id, after_sequence, limit);
    });
  }
  absl::StatusOr<std::vector<TrialSummary>> ListSummaries(std::int64_t sweep_id,
                                                          std::int64_t after_number,
                                                          int limit) override {
    return Read([&](Database& database) {
      return SelectSummaries(database, sweep_id, after_number, limit);
    });
  }
  absl::StatusOr<std::vector<TrialSummary>> GetSummaries(
      std::int64_t sweep_id, const std::vector<std::int64_t>& numbers) override {
    return Read([&](Database& database) { return SelectSummaries(database, sweep_id, numbers); });
  }
  absl::StatusOr<std::vector<MeasuredEpoch>> ListMeasuredEpochs(std::int64_t sweep_id,
                                                                std::int64_t first,
                                                                std::int64_t last) override {
    return Read(
        [&](Database& database) { return SelectMeasuredEpochs(database, sweep_id, first, last); });
  }
  absl::StatusOr<std::vector<MeasuredEpoch>> GetMeasuredEpochs(
      std::int64_t sweep_id, const std::vector<KnownTrial>& trials) override {
    return Read(
        [&](Database& database) { return SelectMeasuredEpochs(database, sweep_id, trials); });
  }
  absl::StatusOr<std::int64_t> CountSweeps() override {
    return Read(
        [](Database& database) { return database.QueryInt(
              "SELECT count(*) FROM sweeps WHERE archived = 0 AND name NOT GLOB ':*'"); });
  }
  absl::StatusOr<std::int64_t> CountEpochs(std::int64_t trial_id) override {
    return Read([&](Database& database) { return sweep::CountEpochs(database, trial_id); });
  }
  absl::StatusOr<std::int64_t> CountRanked(std::int64_t sweep_id) override {
    return Read([&](Database& database) { return sweep::CountRanked(database, sweep_id); });
  }
  absl::StatusOr<std::vector<TrialRow>> GetTrials(
      const std::string& sweep, const std::vector<std::int64_t>& numbers) override {
    return Read([&](Database& database) { return SelectTrialsByNumber(database, sweep, numbers); });
  }
  absl::StatusOr<AttemptPage> ListAttemptsOf(std::int64_t sweep_id, std::int64_t offset,
                                             int limit) override {
    return Read(
        [&](Database& database) { return SelectAttemptsOf(database, sweep_id, offset, limit); });
  }
  absl::StatusOr<AttemptPage> ListAttemptsSince(absl::Time from, int limit) override {
    return Read([&](Database& database) { return SelectAttemptsSince(database, from, limit); });
  }
  absl::StatusOr<std::vector<SweepRow>> UnfinishedSweeps() override {
    return Read([&](Database& database) { return SelectUnfinishedSweeps(database); });
  }
  absl::StatusOr<std::vector<TrialRow>> PendingTrials(std::int64_t sweep_id) override {
    return Read([&](Database& database) {
      return SelectTrialsInState(database, sweep_id, TrialState::kPending);
    });
  }
  absl::StatusOr<std::vector<LeaseRow>> HeldLeases() override {
    return Read([&](Database& database) { return SelectHeldLeases(database); });
  }
  absl::StatusOr<std::optional<std::int64_t>> BlobSize(const std::string& sha256) override {
    return Read([&](Database& database) { return FindBlobSize(database, sha256); });
  }

  absl::StatusOr<std::vector<std::string>> UnusedBlobs(absl::Time before, int limit) override {
    return Read([&](Database& database) { return SelectUnusedBlobs(database, before, limit); });
  }
  absl::StatusOr<std::vector<std::string>> KnownBlobs(const std::string& digits) override {
    return Read([&](Database& database) { return SelectBlobs(database, digits); });
  }

  std::int64_t LogBytes() const override { return FileBytes(log_path_); }

  StoreLoad Load() const override {
    StoreLoad load{.queued_writes = writer_->queued(),
                   .disk_is_full = writer_->disk_is_full(),
                   .readers_in_use = readers_.lent(),
                   .most_readers = ReaderPool::kMaxReaders};
    if (in_memory_) return load;
    load.database_bytes = FileBytes(path_);
    load.log_bytes = LogBytes();
    std::error_code error;
    const std::filesystem::space_info space = std::filesystem::space(path_, error);
    if (!error) load.free_disk_bytes = static_cast<std::int64_t>(space.available);
    return load;
  }

  absl::Status PublishAddress(const std::string& address) override {
    return lock_ == nullptr ? absl::OkStatus() : lock_->Publish(address);
  }

 private:
  static absl::StatusOr<TrialRow> WithArtifacts(Database& database,
                                                absl::StatusOr<StoredTrial> stored) {
    if (!stored.ok()) return stored.status();
    STORE_ASSIGN_OR_RETURN(stored->row.artifacts, SelectArtifacts(database, stored->row.id));
    return std::move(stored->row);
  }

  template <typename Query>
  auto Read(Query query) -> decltype(query(std::declval<Database&>())) {
    if (writer_->InsideFunction()) {
      return absl::FailedPreconditionError("the store was read inside a write function");
    }
    return readers_.Read(query);
  }

  const bool in_memory_;
  const std::string path_;
  const std::string log_path_;
  std::mutex turns_;                // in memory only: readers and writer take turns
  std::unique_ptr<LockFile> lock_;  // null in memory
  std::unique_ptr<Database> database_;
  ReaderPool readers_;
  Checkpointer checkpointer_;  // used by the writer's thread
  std::unique_ptr<Writer> writer_;
};

}  // namespace

absl::Status Store::WriteAndWait(WriteFunction function) {
  std::promise<absl::Status> promise;
  std::future<absl::Status> future = promise.get_future();
  Write(std::move(function),
        [&promise](absl::Status status) { promise.set_value(std::move(status)); });
  return future.get();
}

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  const bool in_memory = options.path.empty();
  // A name that starts with '/' makes SQLite's memdb share it among this process's connections.
  const std::string uri =
      in_memory ? fmt::format("file:/sweep-{}?vfs=memdb", RandomHex(16)) : options.path;
  std::unique_ptr<LockFile> lock;
  if (!in_memory) {
    std::error_code ignored;
    if (std::filesystem::is_directory(options.path, ignored)) {
      return absl::PermissionDeniedError(
          fmt::format("database '{}' cannot be used: it is a folder", options.path));
    }
    STORE_ASSIGN_OR_RETURN(lock, LockFile::Acquire(options.path));
  }
  STORE_ASSIGN_OR_RETURN(std::unique_ptr<Database> database, OpenForWriting(uri, in_memory));
  return std::make_unique<SqliteStore>(std::move(lock), std::move(database), uri, options);
}

absl::StatusOr<std::string> Store::FindHolder(const std::string& path) {
  return LockFile::FindHolder(path);
}

}  // namespace sweep
