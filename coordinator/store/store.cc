#include "coordinator/store/store.h"

#include <filesystem>
#include <future>
#include <mutex>
#include <utility>

#include "common/base/ids.h"
#include "coordinator/store/checkpointer.h"
#include "coordinator/store/database_file.h"
#include "coordinator/store/lock_file.h"
#include "coordinator/store/reader_pool.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/unfinished_files.h"
#include "coordinator/store/writer.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

constexpr int kCloseTimeoutMs = 200;

// Prepares a connection of the writer and migrates the schema.
absl::Status PrepareForWriting(Database& database, bool in_memory) {
  STORE_RETURN_IF_ERROR(CheckIdentity(database, Migrations()));
  STORE_RETURN_IF_ERROR(
      database.Execute(in_memory ? "PRAGMA journal_mode = MEMORY"
                                 : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  database.WatchLog();
  STORE_RETURN_IF_ERROR(database.Execute("PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384"));
  STORE_RETURN_IF_ERROR(Migrate(database, Migrations()));
  // Beyond 64 kB, what a savepoint must be able to undo would go to a temporary file, and stay
  // there for the rest of the transaction. Not before a migration, which may have the whole
  // database to undo.
  //
  // When a full page is divided, SQLite (3.40.1) gives pages the number 262145 for a moment, and
  // then takes the database for one that has shrunk: each COMMIT looks through the whole cache,
  // hence a small one. What is not in it is in the kernel's.
  return database.Execute("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048");
}

// Opens the writer's connection. If the disk has no room for the write-ahead log's index, the index
// is in memory (Vfs::kAlone), so that the database can be read.
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

class SqliteStore final : public Store {
 public:
  // A database in memory has no snapshots, so its readers and writer exclude each other.
  SqliteStore(std::unique_ptr<StoreFiles> files, std::unique_ptr<Database> database,
              ReaderPool::Options readers, const StoreOptions& options)
      : Store(files.get()),
        files_(std::move(files)),
        file_(files_->database()),
        served_(files_->served()),
        database_(std::move(database)),
        vfs_(readers.where.vfs),
        readers_(Complete(std::move(readers))),
        checkpointer_(database_.get(), &readers_, {.limit_bytes = options.log_limit_bytes}) {
    if (served_ != nullptr) {
      // Opens a connection, which can still read after the files were deleted.
      const auto look = [](Database& database) {
        return database.QueryInt("SELECT count(*) FROM sqlite_schema").status();
      };
      readers_.Read(look).IgnoreError();
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
    writer_->Stop();  // completions may still call this store
    writer_.reset();  // before the database that it refers to
    readers_.CloseIdle();
    // Moves the log into the database, so that a user can copy the single file. This is not needed
    // for safety, so it does not wait long for open queries: the next opening would do it.
    database_->SetBusyTimeout(kCloseTimeoutMs);
    const bool is_ours = !served_ || served_->IsContentOurs();
    // SQLite removes the log by its name, which may now be the log of another database.
    const bool is_complete = !served_ || served_->Check().ok();
    if (file_ && is_ours) database_->Execute("PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
    if (!is_complete) database_->KeepLog();
    database_.reset();
    if (!is_ours) files_->PutLogAside();
  }

  void Write(WriteFunction function, Completion done) override {
    writer_->Submit(std::move(function), std::move(done));
  }

  absl::Status RunRead(const ReadFunction& query) override {
    if (writer_->InsideFunction()) {
      return absl::FailedPreconditionError("the store was read inside a write function");
    }
    return readers_.Read(query);
  }

  StoreLoad Load() const override {
    StoreLoad load{.queued_writes = writer_->queued(),
                   .disk_is_full = writer_->disk_is_full(),
                   .files_are_lost = writer_->files_are_lost(),
                   .readers_in_use = readers_.lent(),
                   .most_readers = ReaderPool::kMaxReaders};
    files_->Measure(&load);
    return load;
  }

 private:
  // This and the next two run on the writer's thread.
  void AfterBatch() {
    const bool writes = file_ && checkpointer_.wants_work();
    // A checkpoint would copy pages into another database.
    if (writes && !served_->IsContentOurs()) return;
    {
      const ServedFiles::OwnWrite write(writes ? served_ : nullptr);
      checkpointer_.AfterCommit();
    }
    if (vfs_ == Database::Vfs::kAlone && there_is_room_) ShareAgain();
  }

  void MendWhatFoundNoRoom() {
    files_->PublishAgain();
    const absl::Duration now = RealClock()->Monotonic();
    if (vfs_ != Database::Vfs::kAlone || now < next_try_) return;
    next_try_ = now + kBetweenTries;
    ShareAgain();
  }

  // Replaces the index in memory by a shared one, so that other processes can read the database.
  void ShareAgain() {
    if (!served_->Check().ok()) return;  // it would open or create another file
    const ServedFiles::OwnWrite write(served_);
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
        reopen(vfs_).IgnoreError();  // failing statements have the reason; tried again later
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

  const std::unique_ptr<StoreFiles> files_;
  const DatabaseFile* const file_;  // null in memory, as the next one
  ServedFiles* const served_;
  std::mutex turns_;
  std::unique_ptr<Database> database_;
  Database::Vfs vfs_;  // of database_ and readers_; used by the writer's thread
  absl::Duration next_try_ = RealClock()->Monotonic() + kBetweenTries;
  bool there_is_room_ = false;
  ReaderPool readers_;
  Checkpointer checkpointer_;  // used by the writer's thread
  std::unique_ptr<Writer> writer_;
};

absl::StatusOr<std::unique_ptr<Store>> OpenInMemory(const StoreOptions& options) {
  // SQLite's memdb shares a name that begins with '/' among this process's connections.
  const std::string path = "/sweep-" + RandomHex(16);
  const Database::Where where{.name = "(memory)", .vfs = Database::Vfs::kMemory};
  STORE_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                         Database::Open(path, Database::Mode::kCreate, where));
  STORE_RETURN_IF_ERROR(PrepareForWriting(*database, /*in_memory=*/true));
  return std::make_unique<SqliteStore>(std::make_unique<StoreFiles>(), std::move(database),
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
  auto files = std::make_unique<StoreFiles>(std::move(file), std::move(lock));
  return std::make_unique<SqliteStore>(std::move(files), *std::move(database), readers, options);
}

}  // namespace sweep
