#include "coordinator/store/store.h"

#include <filesystem>
#include <future>
#include <limits>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "coordinator/store/checkpointer.h"
#include "coordinator/store/database_file.h"
#include "coordinator/store/lock_file.h"
#include "coordinator/store/log_lines.h"
#include "coordinator/store/queries.h"
#include "coordinator/store/reader_pool.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/served_files.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/unfinished_files.h"
#include "coordinator/store/writer.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

constexpr int kCloseTimeoutMs = 200;

// What every connection of the writer needs; brings the schema up to date.
absl::Status PrepareForWriting(Database& database, bool in_memory) {
  STORE_RETURN_IF_ERROR(CheckIdentity(database, Migrations()));
  STORE_RETURN_IF_ERROR(
      database.Execute(in_memory ? "PRAGMA journal_mode = MEMORY"
                                 : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  database.WatchLog();
  STORE_RETURN_IF_ERROR(database.Execute("PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536"));
  return Migrate(database, Migrations());
}

// The writer's connection. When the disk has no room for the write-ahead log's index, that is kept
// in memory (Vfs::kAlone), so that what is there can be read.
absl::StatusOr<std::unique_ptr<Database>> OpenForWriting(const DatabaseFile& file,
                                                         Database::Vfs* vfs) {
  *vfs = Database::Vfs::kShared;
  STORE_ASSIGN_OR_RETURN(
      std::unique_ptr<Database> database,
      Database::Open(file.path(), Database::Mode::kCreate, {.name = file.name(), .vfs = *vfs}));
  const absl::Status prepared = PrepareForWriting(*database, /*in_memory=*/false);
  if (prepared.ok()) return database;
  if (!database->disk_was_full()) return prepared;
  *vfs = Database::Vfs::kAlone;
  STORE_RETURN_IF_ERROR(database->Reopen(*vfs));
  if (!PrepareForWriting(*database, /*in_memory=*/false).ok()) return prepared;
  spdlog::error(
      "disk full database={:?}; it can be read through this coordinator only, and writes "
      "are refused until there is room",
      file.name());
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
  // In memory there is neither a file nor a lock, and no snapshots: readers and the writer take
  // turns.
  SqliteStore(std::optional<DatabaseFile> file, std::unique_ptr<LockFile> lock,
              std::unique_ptr<Database> database, ReaderPool::Options readers,
              const StoreOptions& options)
      : file_(std::move(file)),
        lock_(std::move(lock)),
        database_(std::move(database)),
        vfs_(readers.where.vfs),
        readers_(Complete(std::move(readers))),
        checkpointer_(database_.get(), &readers_, {.limit_bytes = options.log_limit_bytes}) {
    if (file_) {
      served_.emplace(*file_, lock_->database_fd());
      // One that reads on when the files are deleted.
      const auto look = [](Database& database) {
        return database.QueryInt("SELECT count(*) FROM sqlite_schema");
      };
      readers_.Read(look).status().IgnoreError();
    }
    Writer::Options writer{.max_queued = options.max_queued_writes,
                           .disk_is_full = vfs_ == Database::Vfs::kAlone,
                           .turns = file_ ? nullptr : &turns_,
                           .on_batch = options.on_batch};
    if (file_) {
      writer.check_files = [this] { return served_->Check(); };
      writer.on_batch = [this, told = options.on_batch](const BatchReport& batch) {
        there_is_room_ = batch.stored;
        if (told) told(batch);
      };
      writer.after_batch = [this] { AfterBatch(); };
      writer.idle = [this] { MendWhatFoundNoRoom(); };
    }
    writer_ = std::make_unique<Writer>(database_.get(), options.clock, std::move(writer));
  }

  ~SqliteStore() override {
    writer_.reset();
    readers_.CloseIdle();
    // All of it in the one file again, so that it can be copied as it lies. Not needed for
    // safety, so nobody waits long for a person's open query: the next opening does it then.
    database_->SetBusyTimeout(kCloseTimeoutMs);
    const bool is_ours = !served_ || served_->IsContentOurs();
    // SQLite removes the log by its name, which may be another database's by now.
    const bool is_complete = !served_ || served_->Check().ok();
    if (file_ && is_ours) database_->Execute("PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
    if (!is_complete) database_->KeepLog();
    database_.reset();
    if (!is_ours) PutLogAside();
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
    return Read(
        [&](Database& database) { return SelectSweeps(database, before_id, limit, archived); });
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
  absl::StatusOr<std::vector<RankPlace>> RankOrder(std::int64_t sweep_id) override {
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
  absl::StatusOr<std::vector<MeasuredEvent>> ListMeasuredEvents(std::int64_t sweep_id,
                                                                std::int64_t after_sequence,
                                                                int limit) override {
    return Read([&](Database& database) {
      return SelectMeasuredEvents(database, sweep_id, after_sequence, limit);
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
  absl::StatusOr<std::vector<MeasuredEpoch>> ListMeasuredEpochs(
      std::int64_t sweep_id, std::int64_t first, std::int64_t last,
      const std::vector<std::string>& measures) override {
    return Read([&](Database& database) {
      return SelectMeasuredEpochs(database, sweep_id, first, last, measures);
    });
  }
  absl::StatusOr<std::vector<MeasuredEpoch>> GetMeasuredEpochs(
      std::int64_t sweep_id, const std::vector<KnownTrial>& trials,
      const std::vector<std::string>& measures) override {
    return Read([&](Database& database) {
      return SelectMeasuredEpochs(database, sweep_id, trials, measures);
    });
  }
  absl::StatusOr<std::int64_t> CountSweeps() override {
    return Read([](Database& database) {
      return database.QueryInt(
          "SELECT count(*) FROM sweeps WHERE archived = 0 AND name NOT GLOB ':*'");
    });
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
  absl::StatusOr<std::vector<TrialRow>> UnheldTrials(std::int64_t sweep_id) override {
    return Read([&](Database& database) { return SelectUnheldTrials(database, sweep_id); });
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

  std::int64_t LogBytes() const override { return file_ ? FileBytes(file_->log()) : 0; }
  std::string BlobFolder() const override { return file_ ? file_->blobs() : ""; }
  absl::Status CheckFiles() override { return served_ ? served_->Check() : absl::OkStatus(); }

  StoreLoad Load() const override {
    StoreLoad load{.queued_writes = writer_->queued(),
                   .disk_is_full = writer_->disk_is_full(),
                   .files_are_lost = writer_->files_are_lost(),
                   .readers_in_use = readers_.lent(),
                   .most_readers = ReaderPool::kMaxReaders};
    if (!file_) return load;
    load.database_bytes = FileBytes(file_->path());
    load.log_bytes = LogBytes();
    std::error_code error;
    const std::filesystem::space_info space = std::filesystem::space(file_->path(), error);
    if (!error) load.free_disk_bytes = static_cast<std::int64_t>(space.available);
    return load;
  }

  absl::Status PublishAddress(const std::string& address) override {
    if (lock_ == nullptr) return absl::OkStatus();
    const absl::Status published = lock_->Publish(address);
    if (!absl::IsUnavailable(published)) return published;
    // A full disk is no reason not to serve those who know the address.
    MutexLock lock(&mutex_);
    unpublished_ = address;
    return absl::OkStatus();
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

  // What was copied over the database is sound by itself, but not with this log.
  void PutLogAside() {
    const std::string log = file_->log();
    const std::string aside = log + ".of-overwritten-" + RandomHex(4);
    std::error_code error;
    std::filesystem::rename(log, aside, error);
    if (!error)
      spdlog::error("write-ahead log put aside database={:?} file={:?}", file_->name(), aside);
  }

  // On the writer's thread, as the two below.
  void AfterBatch() {
    const bool writes = file_ && checkpointer_.wants_work();
    // Pages of the log would go into what is another database by now.
    if (writes && !served_->IsContentOurs()) return;
    {
      const ServedFiles::OwnWrite write(writes ? &*served_ : nullptr);
      checkpointer_.AfterCommit();
    }
    if (vfs_ == Database::Vfs::kAlone && there_is_room_) ShareAgain();
  }

  void MendWhatFoundNoRoom() {
    {
      MutexLock lock(&mutex_);
      if (!unpublished_.empty() && lock_->Publish(unpublished_).ok()) unpublished_.clear();
    }
    const absl::Duration now = RealClock()->Monotonic();
    if (vfs_ != Database::Vfs::kAlone || now < next_try_) return;
    next_try_ = now + kBetweenTries;
    ShareAgain();
  }

  // From an index in memory to one that other processes can read with us.
  void ShareAgain() {
    if (!served_->Check().ok()) return;  // it would open, or make, another file
    const ServedFiles::OwnWrite write(&*served_);
    const bool nobody_reads = readers_.CloseGate();
    if (nobody_reads) {
      readers_.CloseIdle();
      const auto reopen = [&](Database::Vfs vfs) {
        database_->Forget();
        STORE_RETURN_IF_ERROR(database_->Reopen(vfs));
        return PrepareForWriting(*database_, /*in_memory=*/false);
      };
      vfs_ = Database::Vfs::kShared;
      if (const absl::Status shared = reopen(vfs_); !shared.ok()) {
        vfs_ = Database::Vfs::kAlone;
        reopen(vfs_).IgnoreError();  // a statement that fails says why, and it is tried again
      } else {
        spdlog::warn("database can be read by others again database={:?}", file_->name());
      }
      readers_.UseVfs(vfs_);
      served_->ForgetLog();
    }
    readers_.OpenGate();
  }

  static constexpr absl::Duration kBetweenTries = absl::Seconds(5);

  ReaderPool::Options Complete(ReaderPool::Options options) {
    if (!file_) options.turns = &turns_;
    if (file_) options.may_connect = [this] { return served_->Check(); };
    return options;
  }

  const std::optional<DatabaseFile> file_;
  std::mutex turns_;
  std::unique_ptr<LockFile> lock_;  // null in memory
  std::optional<ServedFiles> served_;
  std::unique_ptr<Database> database_;
  Database::Vfs vfs_;  // of database_ and readers_; used by the writer's thread
  absl::Duration next_try_ = RealClock()->Monotonic() + kBetweenTries;
  bool there_is_room_ = false;
  Mutex mutex_;
  std::string unpublished_ ABSL_GUARDED_BY(mutex_);  // an address that found no room
  ReaderPool readers_;
  Checkpointer checkpointer_;  // used by the writer's thread
  std::unique_ptr<Writer> writer_;
};

absl::StatusOr<std::unique_ptr<Store>> OpenInMemory(const StoreOptions& options) {
  // A name that starts with '/' makes SQLite's memdb share it among this process's connections.
  const std::string path = "/sweep-" + RandomHex(16);
  const Database::Where where{.name = "(memory)", .vfs = Database::Vfs::kMemory};
  STORE_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                         Database::Open(path, Database::Mode::kCreate, where));
  STORE_RETURN_IF_ERROR(PrepareForWriting(*database, /*in_memory=*/true));
  return std::make_unique<SqliteStore>(std::nullopt, nullptr, std::move(database),
                                       ReaderPool::Options{.path = path,
                                                           .where = where,
                                                           .mode = Database::Mode::kReadWrite,
                                                           .time_limit = options.read_time_limit},
                                       options);
}

}  // namespace

absl::Status Store::WriteAndWait(WriteFunction function) {
  std::promise<absl::Status> promise;
  std::future<absl::Status> future = promise.get_future();
  Write(std::move(function),
        [&promise](absl::Status status) { promise.set_value(std::move(status)); });
  return future.get();
}

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  if (options.path.empty()) return OpenInMemory(options);
  STORE_ASSIGN_OR_RETURN(DatabaseFile file, DatabaseFile::Resolve(options.path));
  STORE_ASSIGN_OR_RETURN(
      std::unique_ptr<LockFile> lock,
      LockFile::Acquire(file, {.momentary = options.momentary, .patience = options.patience}));
  UnfinishedFiles::RemoveAbandoned(std::filesystem::path(file.path()).parent_path());
  Database::Vfs vfs = Database::Vfs::kShared;
  absl::StatusOr<std::unique_ptr<Database>> database = OpenForWriting(file, &vfs);
  if (!database.ok()) {
    lock->Discard();
    return database.status();
  }
  const ReaderPool::Options readers{.path = file.path(),
                                    .where = {.name = file.name(), .vfs = vfs},
                                    .time_limit = options.read_time_limit};
  return std::make_unique<SqliteStore>(std::move(file), std::move(lock), *std::move(database),
                                       readers, options);
}

absl::StatusOr<std::string> Store::FindHolder(const std::string& path) {
  STORE_ASSIGN_OR_RETURN(const DatabaseFile file, DatabaseFile::Resolve(path));
  return LockFile::FindHolder(file);
}

}  // namespace sweep
