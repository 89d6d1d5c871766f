#include "coordinator/store/lock_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <sstream>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "coordinator/store/blob_files.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr absl::Duration kBetweenTries = absl::Milliseconds(20);
// How long a new holder may take to write its line. Until then the file has the previous holder's.
constexpr absl::Duration kTimeToWriteHolder = absl::Milliseconds(100);
constexpr char kMomentary[] = "momentary";
constexpr char kNoAddress[] = "-";

struct Holder {
  long pid = 0;
  std::string address;
  bool momentary = false;
};

// The file's first line is "<pid> <address> <kind>". The rest may be left over from a longer line
// and is ignored.
Holder ReadHolder(const std::string& path) {
  Holder holder;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return holder;
  char buffer[512];
  const ssize_t size = pread(fd, buffer, sizeof(buffer), 0);
  close(fd);
  if (size <= 0) return holder;
  std::string line(buffer, static_cast<std::size_t>(size));
  std::istringstream words(line.substr(0, line.find('\n')));
  std::string kind;
  words >> holder.pid >> holder.address >> kind;
  if (holder.address == kNoAddress) holder.address.clear();
  holder.momentary = kind == kMomentary;
  return holder;
}

absl::Status InUse(const DatabaseFile& database, const Holder& holder) {
  if (holder.momentary) {
    return absl::FailedPreconditionError(fmt::format(
        "database '{}' is in use by a client that reads it (pid {})", database.name(), holder.pid));
  }
  return absl::FailedPreconditionError(
      fmt::format("database '{}' is in use by another coordinator{}{} (pid {})", database.name(),
                  holder.address.empty() ? "" : " at ", holder.address, holder.pid));
}

absl::Status InUseElsewhere(const DatabaseFile& database) {
  return absl::FailedPreconditionError(
      fmt::format("database '{}' is in use by another coordinator, which has it under another name "
                  "or whose lock file was removed; use the name that the other one was given",
                  database.name()));
}

absl::Status HasSeveralNames(const DatabaseFile& database, unsigned long names) {
  return absl::FailedPreconditionError(
      fmt::format("database '{}' has {} names (hard links), and its write-ahead log and its blobs "
                  "lie beside one of them; remove the others ('find FOLDER -samefile {}' finds "
                  "them), or copy it with sweep-coordinator --backup",
                  database.name(), names, database.path()));
}

// The databases that this process has locked. They must not be opened to query the lock, since
// closing any descriptor of a database drops the locks that SQLite has on it in this process.
class HeldHere {
 public:
  bool Insert(const FileId& id) {
    MutexLock lock(&mutex_);
    return held_.insert(id).second;
  }
  void Erase(const FileId& id) {
    MutexLock lock(&mutex_);
    held_.erase(id);
  }
  bool Has(const FileId& id) {
    MutexLock lock(&mutex_);
    return held_.contains(id);
  }

 private:
  Mutex mutex_;
  std::set<FileId> held_ ABSL_GUARDED_BY(mutex_);
};

HeldHere& Held() {
  static auto* const held = new HeldHere;  // never destroyed, since others may use it until the end
  return *held;
}

absl::Status CannotUse(const DatabaseFile& database, std::string_view what, int error) {
  if (MeansNoRoom(error)) {
    return absl::UnavailableError(fmt::format("database '{}': the disk is full; cannot {}: {}",
                                              database.name(), what, std::strerror(error)));
  }
  return absl::PermissionDeniedError(fmt::format("database '{}' cannot be used: cannot {}: {}",
                                                 database.name(), what, std::strerror(error)));
}

// Nullptr when somebody else has the lock.
absl::StatusOr<std::unique_ptr<FileLock>> TakeLock(const DatabaseFile& database, bool* is_new) {
  const std::string path = database.lock();
  while (true) {
    *is_new = !IdOfFile(path).has_value();
    // The target of a link would be overwritten.
    std::unique_ptr<FileLock> lock = FileLock::Take(path, O_RDWR | O_CREAT | O_NOFOLLOW);
    if (lock == nullptr && errno == ELOOP) {
      return absl::PermissionDeniedError(
          fmt::format("database '{}' cannot be used: its lock file '{}' is a link; remove it",
                      database.name(), path));
    }
    if (lock == nullptr && errno != EAGAIN) {
      return CannotUse(database, fmt::format("create '{}'", path), errno);
    }
    // The last holder may have removed the file before it was locked.
    if (lock == nullptr || lock->Is(path)) return lock;
  }
}

// Measures how long a holder has kept the lock, to decide when to stop waiting.
class Patience {
 public:
  explicit Patience(absl::Duration patience) : patience_(patience) {}
  bool IsOver(const Holder& holder) const {
    const absl::Duration waited = RealClock()->Monotonic() - start_;
    return waited >=
           (holder.momentary ? std::max(patience_, kTimeToWriteHolder) : kTimeToWriteHolder);
  }

 private:
  const absl::Duration patience_;
  const absl::Duration start_ = RealClock()->Monotonic();
};

}  // namespace

LockFile::LockFile(DatabaseFile database, bool momentary, std::unique_ptr<FileLock> lock)
    : database_(std::move(database)), momentary_(momentary), lock_(std::move(lock)) {}

LockFile::~LockFile() {
  if (database_lock_ != nullptr) Held().Erase(database_id_);
}

absl::StatusOr<std::unique_ptr<LockFile>> LockFile::Acquire(const DatabaseFile& database,
                                                            const Options& options) {
  bool is_new = false;
  std::unique_ptr<FileLock> lock;
  for (const Patience patience(options.patience); lock == nullptr; absl::SleepFor(kBetweenTries)) {
    STORE_ASSIGN_OR_RETURN(lock, TakeLock(database, &is_new));
    if (lock != nullptr) break;
    const Holder holder = ReadHolder(database.lock());
    if (patience.IsOver(holder)) return InUse(database, holder);
  }
  std::unique_ptr<LockFile> file(new LockFile(database, options.momentary, std::move(lock)));
  file->lock_is_new_ = is_new;
  absl::Status taken = file->LockDatabase();
  // On a full disk the holder's line is written later; the lock is valid without it.
  if (taken.ok()) taken = file->WriteHolder("");
  if (taken.ok() || absl::IsUnavailable(taken)) return file;
  file->Discard();
  return taken;
}

absl::Status LockFile::LockDatabase() {
  const std::string& path = database_.path();
  const std::optional<FileId> before = IdOfFile(path);
  if (before && Held().Has(*before)) return InUseElsewhere(database_);
  std::unique_ptr<FileLock> lock = FileLock::Take(path, O_RDWR | O_CREAT);
  if (lock == nullptr) {
    return errno == EAGAIN
               ? InUseElsewhere(database_)
               : CannotUse(database_, fmt::format("open '{}' for writing", path), errno);
  }
  database_is_new_ = !before;
  struct stat info{};
  if (fstat(lock->fd(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return CannotUse(database_, fmt::format("use '{}'", path), EINVAL);
  }
  if (info.st_nlink > 1) return HasSeveralNames(database_, info.st_nlink);
  database_id_ = {info.st_dev, info.st_ino};
  if (!Held().Insert(database_id_)) return InUseElsewhere(database_);
  database_lock_ = std::move(lock);
  return absl::OkStatus();
}

absl::Status LockFile::WriteHolder(const std::string& address) {
  const std::string line =
      fmt::format("{} {} {}\n", getpid(), address.empty() ? kNoAddress : address,
                  momentary_ ? kMomentary : "serving");
  const ssize_t written = pwrite(lock_->fd(), line.data(), line.size(), 0);
  const bool whole = written == static_cast<ssize_t>(line.size());
  if (whole && ftruncate(lock_->fd(), written) == 0) return absl::OkStatus();
  const int error = written < 0 || whole ? errno : ENOSPC;
  // The old line would send clients to the last holder.
  if (ftruncate(lock_->fd(), 0) != 0)
    return FileError("empty the lock file", database_.lock(), errno);
  return FileError("write the lock file", database_.lock(), error);
}

absl::Status LockFile::Publish(const std::string& address) { return WriteHolder(address); }

void LockFile::Discard() {
  struct stat info{};
  if (database_is_new_ && database_lock_ != nullptr && database_lock_->Is(database_.path()) &&
      fstat(database_lock_->fd(), &info) == 0 && info.st_size == 0) {
    unlink(database_.path().c_str());
  }
  if (lock_is_new_ && lock_->Is(database_.lock())) unlink(database_.lock().c_str());
}

absl::StatusOr<std::string> LockFile::FindHolder(const DatabaseFile& database) {
  const std::string path = database.lock();
  if (access(path.c_str(), R_OK) != 0 && errno != ENOENT && errno != ENOTDIR) {
    return absl::PermissionDeniedError(
        fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  }
  const bool taken = FileLock::IsTaken(path);
  if (!taken) {
    return absl::NotFoundError(
        fmt::format("database '{}' is in use by no coordinator", database.name()));
  }
  const Holder holder = ReadHolder(path);
  if (holder.address.empty()) {
    return absl::UnavailableError(fmt::format(
        "the coordinator that uses database '{}' (pid {}) has not published its address yet",
        database.name(), holder.pid));
  }
  return holder.address;
}

absl::Status LockFile::MayRead(const DatabaseFile& database) {
  struct stat info{};
  if (stat(database.path().c_str(), &info) != 0) {
    return absl::NotFoundError(fmt::format("there is no database '{}'", database.name()));
  }
  if (FileLock::IsTaken(database.lock())) return absl::OkStatus();
  if (Held().Has({info.st_dev, info.st_ino}) || FileLock::IsTaken(database.path())) {
    return InUseElsewhere(database);
  }
  if (info.st_nlink > 1) return HasSeveralNames(database, info.st_nlink);
  return absl::OkStatus();
}

}  // namespace sweep
