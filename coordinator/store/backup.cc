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
#include "common/base/ids.h"
#include "coordinator/store/blob_files.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kProgressEvery = absl::Seconds(2);
constexpr double kBytesPerMegabyte = 1e6;

// The names under which a copy is made; what is left of it goes with the object.
class Unfinished {
 public:
  explicit Unfinished(const std::string& file) : file_(file + ".tmp-" + RandomHex(8)) {}
  ~Unfinished() {
    std::error_code ignored;
    fs::remove(file_, ignored);
    fs::remove(file_ + "-journal", ignored);
    fs::remove_all(blobs(), ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  const std::string& file() const { return file_; }
  std::string blobs() const { return file_ + ".blobs"; }

 private:
  const std::string file_;
};

class Backup {
 public:
  explicit Backup(const BackupOptions& options) : options_(options), unfinished_(options.file) {}

  absl::StatusOr<BackupResult> Run() {
    STORE_RETURN_IF_ERROR(CheckNames());
    STORE_RETURN_IF_ERROR(CopyDatabase());
    STORE_RETURN_IF_ERROR(ForgetUnusedBlobs());
    STORE_RETURN_IF_ERROR(CopyBlobs());
    STORE_RETURN_IF_ERROR(Publish());
    return std::move(result_);
  }

 private:
  std::string FinalBlobs() const { return options_.file + ".blobs"; }

  absl::Status CheckNames() const {
    std::error_code ignored;
    if (!fs::exists(options_.database, ignored)) {
      return absl::NotFoundError(fmt::format("there is no database '{}'", options_.database));
    }
    for (const std::string& name : {options_.file, FinalBlobs()}) {
      if (fs::exists(fs::symlink_status(name, ignored))) {
        return absl::AlreadyExistsError(fmt::format(
            "backup '{}': '{}' exists; choose another name or remove it", options_.file, name));
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
    STORE_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                           Database::Open(options_.database, Database::Mode::kReadOnly));
    STORE_RETURN_IF_ERROR(CheckIdentity(*database, Migrations()));
    STORE_ASSIGN_OR_RETURN(const std::int64_t pages, database->QueryInt("PRAGMA page_count"));
    STORE_ASSIGN_OR_RETURN(const std::int64_t page_bytes, database->QueryInt("PRAGMA page_size"));
    database->SetStop([&] {
      std::error_code error;
      const auto copied = fs::file_size(unfinished_.file(), error);
      Say(fmt::format("copying the database: {:.0f} of about {:.0f} MB",
                      error ? 0.0 : static_cast<double>(copied) / kBytesPerMegabyte,
                      static_cast<double>(pages * page_bytes) / kBytesPerMegabyte));
      return MayGoOn();
    });
    return database->Run("VACUUM INTO ?", unfinished_.file());
  }

  // A row without its file would let a worker refer to it.
  absl::Status ForgetUnusedBlobs() {
    STORE_ASSIGN_OR_RETURN(const std::unique_ptr<Database> copy,
                           Database::Open(unfinished_.file(), Database::Mode::kReadWrite));
    STORE_RETURN_IF_ERROR(copy->Execute(fmt::format(
        "PRAGMA foreign_keys = OFF; DELETE FROM blobs WHERE sha256 NOT IN ({})", kUsedBlobsSql)));
    Statement check = copy->Prepare("PRAGMA quick_check(1)");
    STORE_RETURN_IF_ERROR(check.Step().status());
    if (check.Text(0) != "ok") {
      return absl::DataLossError(fmt::format("database '{}' is damaged, so its copy is: {}",
                                             options_.database, check.Text(0)));
    }
    Statement used = copy->Prepare(kUsedBlobsSql);
    while (true) {
      STORE_ASSIGN_OR_RETURN(const bool more, used.Step());
      if (!more) return absl::OkStatus();
      blobs_.insert(used.Text(0));
    }
  }

  absl::Status CopyBlobs() {
    const std::string source = options_.database + ".blobs";
    STORE_RETURN_IF_ERROR(MakeBlobFolder(unfinished_.blobs()));
    for (const std::string& sha256 : blobs_) {
      STORE_RETURN_IF_ERROR(MayGoOn());
      Say(fmt::format("copying blobs: {} of {}", result_.blobs, blobs_.size()));
      const std::string folder = BlobFolderOf(unfinished_.blobs(), sha256);
      const std::string path = BlobPath(unfinished_.blobs(), sha256);
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
    for (const auto& entry : fs::directory_iterator(unfinished_.blobs())) {
      STORE_RETURN_IF_ERROR(SyncPath(entry.path().string()));
    }
    return SyncPath(unfinished_.blobs());
  }

  absl::Status Publish() {
    STORE_RETURN_IF_ERROR(SyncPath(unfinished_.file()));
    result_.size_bytes = static_cast<std::int64_t>(fs::file_size(unfinished_.file()));
    STORE_RETURN_IF_ERROR(CheckNames());
    // The database last: whoever finds it finds its blobs.
    STORE_RETURN_IF_ERROR(Rename(unfinished_.blobs(), FinalBlobs()));
    STORE_RETURN_IF_ERROR(Rename(unfinished_.file(), options_.file));
    const fs::path parent = fs::path(options_.file).parent_path();
    return SyncPath(parent.empty() ? "." : parent.string());
  }

  static absl::Status Rename(const std::string& from, const std::string& to) {
    if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
    return FileError("rename to", to, errno);
  }

  const BackupOptions& options_;
  Unfinished unfinished_;
  std::set<std::string> blobs_;
  BackupResult result_;
  absl::Duration said_ = RealClock()->Monotonic();
};

}  // namespace

absl::StatusOr<BackupResult> BackUp(const BackupOptions& options) {
  try {
    return Backup(options).Run();
  } catch (const fs::filesystem_error& error) {
    return absl::InternalError(fmt::format("backup '{}': {}", options.file, error.what()));
  }
}

}  // namespace sweep
