#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

namespace sweep {

// Identifies a file independently of its name.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};

// The identity of the file at `path`; nullopt, with errno set, when there is none.
std::optional<FileId> IdOfFile(const std::string& path);

// An open file with an exclusive lock. The kernel releases the lock when the process ends. The lock
// belongs to the open file, not to the process, so two of them in one process exclude each other,
// and others can query it without taking it. It covers a byte far behind the content, so it cannot
// conflict with SQLite's own locks.
class FileLock {
 public:
  // Opens the file with these flags of open(2). nullptr with errno set when it cannot be opened or
  // locked; EAGAIN when somebody else has the lock.
  static std::unique_ptr<FileLock> Take(const std::string& path, int flags);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // True when somebody has the lock on this file; false also when the file does not exist.
  static bool IsTaken(const std::string& path);

  int fd() const { return fd_; }
  // True while `path` still names this file.
  bool Is(const std::string& path) const;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace sweep
