#include "coordinator/store/backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/store/blob_files.h"
#include "coordinator/store/database_file.h"
#include "coordinator/store/lock_file.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"
#include "coordinator/store/unfinished_files.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kProgressEvery = absl::Seconds(2);
constexpr double kBytesPerMegabyte = 1e6;

class Backup {
 public:
  Backup(const BackupOptions& options, DatabaseFile source, DatabaseFile target)
      : options_(options), source_(std::move(source)), target_(std::move(target)) {}

  absl::StatusOr<BackupResult> Run() {
    STORE_RETURN_IF_ERROR(CheckNames());
    UnfinishedFiles::RemoveAbandoned(fs::path(target_.path()).parent_path());
    STORE_ASSIGN_OR_RETURN(unfinished_, UnfinishedFiles::Make(target_.path()));
    STORE_RETURN_IF_ERROR(CopyDatabase());
    STORE_RETURN_IF_ERROR(ForgetUnusedBlobs());
    STORE_RETURN_IF_ERROR(CopyBlobs());
    STORE_RETURN_IF_ERROR(Publish());
    return std::move(result_);
  }

 private:
  // Files beside the target also count: SQLite would use an old write-ahead log with the copy.
  absl::Status CheckNames() const {
    STORE_RETURN_IF_ERROR(LockFile::MayRead(source_));
    const std::string& path = target_.path();
    for (const std::string& own : {source_.lock(), source_.log(), source_.log_index(),
                                   source_.path() + "-journal", source_.blobs()}) {
      if (path == own || path.starts_with(own + "/")) {
        return absl::InvalidArgumentError(
            fmt::format("backup '{}': that name belongs to database '{}'; choose another name",
                        target_.name(), source_.name()));
      }
    }
    for (const std::string& name :
         {path, target_.blobs(), target_.log(), target_.log_index(), path + "-journal"}) {
      std::error_code ignored;
      if (fs::exists(fs::symlink_status(name, ignored))) {
        return absl::AlreadyExistsError(fmt::format(
            "backup '{}': '{}' exists; choose another name or remove it", target_.name(), name));
      }
    }
    return absl::OkStatus();
  }

  absl::Status MayGoOn() {
    if (options_.is_cancelled && options_.is_cancelled()) {
      return absl::CancelledError("the backup was interrupted");
    }
    return absl::OkStatus();
  }

  void Say(const std::string& line) {
    const absl::Duration now = RealClock()->Monotonic();
    if (!options_.progress || now - said_ < kProgressEvery) return;
    said_ = now;
    options_.progress(line);
  }

  absl::Status CopyDatabase() {
    STORE_ASSIGN_OR_RETURN(
        const std::unique_ptr<Database> database,
        Database::Open(source_.path(), Database::Mode::kReadOnly, {.name = source_.name()}));
    STORE_RETURN_IF_ERROR(CheckIdentity(*database, Migrations()));
    STORE_ASSIGN_OR_RETURN(const std::int64_t pages, database->QueryInt("PRAGMA page_count"));
    STORE_ASSIGN_OR_RETURN(const std::int64_t page_bytes, database->QueryInt("PRAGMA page_size"));
    database->SetStop([&] {
      std::error_code error;
      const auto copied = fs::file_size(unfinished_->file(), error);
      Say(fmt::format("copying the database: {:.0f} of about {:.0f} MB",
                      error ? 0.0 : static_cast<double>(copied) / kBytesPerMegabyte,
                      static_cast<double>(pages * page_bytes) / kBytesPerMegabyte));
      return MayGoOn();
    });
    return database->Run("VACUUM INTO ?", unfinished_->file());
  }

  // Their files are not copied, and a worker could refer to a row whose file is missing.
  absl::Status ForgetUnusedBlobs() {
    STORE_ASSIGN_OR_RETURN(const std::unique_ptr<Database> copy,
                           Database::Open(unfinished_->file(), Database::Mode::kReadWrite));
    STORE_ASSIGN_OR_RETURN(const std::string used_sql, UsedBlobsSql(*copy));
    STORE_RETURN_IF_ERROR(copy->Execute(fmt::format(
        "PRAGMA foreign_keys = OFF; DELETE FROM blobs WHERE sha256 NOT IN ({})", used_sql)));
    Statement check = copy->Prepare("PRAGMA quick_check(1)");
    STORE_RETURN_IF_ERROR(check.Step().status());
    if (check.Text(0) != "ok") {
      return absl::DataLossError(fmt::format("database '{}' is damaged, so its copy is: {}",
                                             source_.name(), check.Text(0)));
    }
    Statement used = copy->Prepare(used_sql);
    while (true) {
      STORE_ASSIGN_OR_RETURN(const bool more, used.Step());
      if (!more) return absl::OkStatus();
      blobs_.insert(used.Text(0));
    }
  }

  absl::Status CopyBlobs() {
    const std::string source = source_.blobs();
    STORE_RETURN_IF_ERROR(MakeBlobFolder(unfinished_->blobs()));
    for (const std::string& sha256 : blobs_) {
      STORE_RETURN_IF_ERROR(MayGoOn());
      Say(fmt::format("copying blobs: {} of {}", result_.blobs, blobs_.size()));
      const std::string folder = BlobFolderOf(unfinished_->blobs(), sha256);
      const std::string path = BlobPath(unfinished_->blobs(), sha256);
      STORE_RETURN_IF_ERROR(MakeBlobFolder(folder));
      absl::Status copied = LinkOrCopy(BlobPath(source, sha256), path);
      if (copied.ok()) copied = VerifyBlobFile(path, sha256);
      if (absl::IsDataLoss(copied) || absl::IsNotFound(copied)) {
        unlink(path.c_str());
        result_.faults.push_back(std::string(copied.message()));
      } else if (!copied.ok()) {
        return copied;
      } else {
        ++result_.blobs;
      }
    }
    for (const auto& entry : fs::directory_iterator(unfinished_->blobs())) {
      STORE_RETURN_IF_ERROR(SyncPath(entry.path().string()));
    }
    return SyncPath(unfinished_->blobs());
  }

  absl::Status Publish() {
    STORE_RETURN_IF_ERROR(SyncPath(unfinished_->file()));
    result_.size_bytes = static_cast<std::int64_t>(fs::file_size(unfinished_->file()));
    STORE_RETURN_IF_ERROR(CheckNames());
    // The database comes last, so that its blobs are there when it appears.
    STORE_RETURN_IF_ERROR(Rename(unfinished_->blobs(), target_.blobs()));
    STORE_RETURN_IF_ERROR(Rename(unfinished_->file(), target_.path()));
    return SyncPath(fs::path(target_.path()).parent_path());
  }

  static absl::Status Rename(const std::string& from, const std::string& to) {
    if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
    return FileError("rename to", to, errno);
  }

  const BackupOptions& options_;
  const DatabaseFile source_;
  const DatabaseFile target_;
  std::unique_ptr<UnfinishedFiles> unfinished_;
  std::set<std::string> blobs_;
  BackupResult result_;
  absl::Duration said_ = RealClock()->Monotonic();
};

}  // namespace

absl::StatusOr<BackupResult> BackUp(const BackupOptions& options) {
  STORE_ASSIGN_OR_RETURN(DatabaseFile source, DatabaseFile::Resolve(options.database));
  STORE_ASSIGN_OR_RETURN(DatabaseFile target, DatabaseFile::Resolve(options.file));
  try {
    return Backup(options, std::move(source), std::move(target)).Run();
  } catch (const fs::filesystem_error& error) {
    return absl::InternalError(fmt::format("backup '{}': {}", options.file, error.what()));
  }
}

}  // namespace sweep
