#include "coordinator/store/served_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fmt/format.h"

namespace sweep {

ServedFiles::ServedFiles(const DatabaseFile& database, int fd)
    : database_(database),
      fd_(fd),
      files_({{"the database", database.path(), IdOfFile(database.path())},
              {"its lock file", database.lock(), IdOfFile(database.lock())},
              {"its write-ahead log", database.log(), std::nullopt},
              {"the index of its write-ahead log", database.log_index(), std::nullopt},
              {"the folder of its blobs", database.blobs(), std::nullopt}}),
      content_(Look()) {}

ServedFiles::Content ServedFiles::Look() const {
  Content content;
  struct stat info{};
  if (fstat(fd_, &info) == 0) {
    content.size = info.st_size;
    content.changed = info.st_mtim;
  }
  // Bytes that cannot be read stay zero.
  [[maybe_unused]] const ssize_t got = pread(fd_, content.head.data(), content.head.size(), 0);
  return content;
}

// A new modification time with an unchanged header is harmless: a file server reports the time of a
// write of this process late.
absl::Status ServedFiles::CheckContent() {
  if (own_writes_ > 0) return absl::OkStatus();
  struct stat info{};
  if (fstat(fd_, &info) == 0 &&
      (info.st_size != content_.size || info.st_mtim.tv_sec != content_.changed.tv_sec ||
       info.st_mtim.tv_nsec != content_.changed.tv_nsec)) {
    const Content now = Look();
    if (now.head != content_.head || now.size < content_.size) {
      return absl::UnavailableError(fmt::format(
          "database '{}': another program has written into the database '{}' while it was in use; "
          "nothing of this was stored, and nothing will be: end the coordinator, and put back a "
          "backup",
          database_.name(), database_.path()));
    }
    content_ = now;
  }
  if (stat(database_.log().c_str(), &info) != 0) return absl::OkStatus();
  if (info.st_size < log_bytes_) {
    return absl::UnavailableError(fmt::format(
        "database '{}': another program has cut short its write-ahead log '{}' while it was in "
        "use; nothing of this was stored, and nothing will be until the coordinator is started "
        "again",
        database_.name(), database_.log()));
  }
  log_bytes_ = info.st_size;
  return absl::OkStatus();
}

bool ServedFiles::IsContentOurs() {
  MutexLock lock(&mutex_);
  const Content now = Look();
  return own_writes_ > 0 || (now.head == content_.head && now.size >= content_.size);
}

ServedFiles::OwnWrite::OwnWrite(ServedFiles* files) : files_(files) {
  if (files_ == nullptr) return;
  MutexLock lock(&files_->mutex_);
  ++files_->own_writes_;
}

ServedFiles::OwnWrite::~OwnWrite() {
  if (files_ == nullptr) return;
  MutexLock lock(&files_->mutex_);
  files_->content_ = files_->Look();
  files_->log_bytes_ = 0;
  --files_->own_writes_;
}

absl::Status ServedFiles::Check() {
  MutexLock lock(&mutex_);
  for (File& file : files_) {
    const std::optional<FileId> now = IdOfFile(file.path);
    const int error = errno;
    if (!file.id) file.id = now;
    if (file.id == now) continue;
    const std::string how = now ? "was replaced"
                            : error == ENOENT
                                ? "was deleted or moved away"
                                : fmt::format("cannot be found: {}", std::strerror(error));
    return absl::UnavailableError(fmt::format(
        "database '{}': {} '{}' {} while it was in use; nothing of this was stored, and nothing "
        "will be until the same file is back or the coordinator is started again",
        database_.name(), file.what, file.path, how));
  }
  return CheckContent();
}

void ServedFiles::ForgetLog() {
  MutexLock lock(&mutex_);
  for (File& file : files_) {
    if (file.path == database_.log() || file.path == database_.log_index()) file.id.reset();
  }
}

}  // namespace sweep
