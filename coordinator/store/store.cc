#include "coordinator/store/store.h"

#include <filesystem>
#include <future>
#include <mutex>
#include <system_error>
#include <utility>

#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "coordinator/store/lock_file.h"
#include "coordinator/store/log_lines.h"
#include "coordinator/store/queries.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/writer.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxReaders = 4;
constexpr int kCloseTimeoutMs = 200;

// Read-only connections, each lent to one reader at a time. Thread-safe.
class ReaderPool {
 public:
  // `uri` as for Database::Open; a database in memory has no read-only mode of its own.
  ReaderPool(std::string uri, Database::Mode mode) : uri_(std::move(uri)), mode_(mode) {}

  // Waits while all are lent.
  absl::StatusOr<std::unique_ptr<Database>> Take() {
    {
      MutexLock lock(&mutex_);
      while (idle_.empty() && lent_ >= kMaxReaders) returned_.Wait(&mutex_);
      ++lent_;
      if (!idle_.empty()) {
        std::unique_ptr<Database> connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    absl::StatusOr<std::unique_ptr<Database>> connection = Connect();
    if (!connection.ok()) Return(nullptr);
    return connection;
  }

  // nullptr for one that could not be opened.
  void Return(std::unique_ptr<Database> connection) {
    {
      MutexLock lock(&mutex_);
      --lent_;
      if (connection != nullptr) idle_.push_back(std::move(connection));
    }
    returned_.NotifyOne();
  }

 private:
  absl::StatusOr<std::unique_ptr<Database>> Connect() const {
    STORE_ASSIGN_OR_RETURN(std::unique_ptr<Database> connection, Database::Open(uri_, mode_));
    STORE_RETURN_IF_ERROR(connection->Execute("PRAGMA query_only = ON"));
    return connection;
  }

  const std::string uri_;
  const Database::Mode mode_;
  Mutex mutex_;
  CondVar returned_;
  std::vector<std::unique_ptr<Database>> idle_ ABSL_GUARDED_BY(mutex_);
  std::size_t lent_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Opens the writer's connection and brings the schema up to date.
absl::StatusOr<std::unique_ptr<Database>> OpenForWriting(const std::string& uri, bool in_memory) {
  STORE_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                         Database::Open(uri, Database::Mode::kCreate));
  STORE_RETURN_IF_ERROR(CheckIdentity(*database, Migrations()));
  // The journal's size is bounded after a checkpoint; checkpoints happen in commits of this
  // connection only (see docs/database.md).
  STORE_RETURN_IF_ERROR(database->Execute(
      in_memory ? "PRAGMA journal_mode = MEMORY"
                : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                  "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864"));
  STORE_RETURN_IF_ERROR(database->Execute("PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536"));
  STORE_RETURN_IF_ERROR(Migrate(*database, Migrations()));
  return database;
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<LockFile> lock, std::unique_ptr<Database> database, std::string uri,
              const StoreOptions& options)
      : in_memory_(options.path.empty()),
        lock_(std::move(lock)),
        database_(std::move(database)),
        readers_(std::make_unique<ReaderPool>(
            std::move(uri), in_memory_ ? Database::Mode::kReadWrite : Database::Mode::kReadOnly)),
        writer_(
            std::make_unique<Writer>(database_.get(), options.clock,
                                     Writer::Options{.max_queued = options.max_queued_writes,
                                                     .turns = in_memory_ ? &turns_ : nullptr})) {}

  ~SqliteStore() override {
    writer_.reset();
    readers_.reset();
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
  absl::StatusOr<std::vector<SweepRow>> ListSweeps(std::int64_t before_id, int limit) override {
    return Read([&](Database& database) { return SelectSweeps(database, before_id, limit); });
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
  absl::StatusOr<std::vector<RankedRow>> Rank(const std::string& sweep, int limit) override {
    return Read([&](Database& database) { return SelectRanking(database, sweep, limit); });
  }
  absl::StatusOr<std::vector<EventRow>> ListEvents(std::int64_t sweep_id,
                                                   std::int64_t after_sequence,
                                                   int limit) override {
    return Read([&](Database& database) {
      return SelectEvents(database, sweep_id, after_sequence, limit);
    });
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

  // Runs `query` in a transaction on a connection of its own: one snapshot.
  template <typename Query>
  auto Read(Query query) -> decltype(query(std::declval<Database&>())) {
    if (writer_->InsideFunction()) {
      return absl::FailedPreconditionError("the store was read inside a write function");
    }
    STORE_ASSIGN_OR_RETURN(std::unique_ptr<Database> connection, readers_->Take());
    auto result = [&]() -> decltype(query(*connection)) {
      std::unique_lock<std::mutex> turn;
      if (in_memory_) turn = std::unique_lock(turns_);
      STORE_RETURN_IF_ERROR(connection->Run("BEGIN"));
      auto rows = query(*connection);
      const absl::Status ended = connection->Run("COMMIT");
      if (!ended.ok() && rows.ok()) return ended;
      return rows;
    }();
    // One whose transaction cannot be ended would keep its snapshot for ever.
    if (connection->InTransaction()) connection.reset();
    readers_->Return(std::move(connection));
    return result;
  }

  const bool in_memory_;
  std::mutex turns_;                // in memory only: readers and writer take turns
  std::unique_ptr<LockFile> lock_;  // null in memory
  std::unique_ptr<Database> database_;
  std::unique_ptr<ReaderPool> readers_;
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
