#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

namespace sweep {

// What a file is, whatever its name.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};

// Of the file that `path` leads to; nothing, with errno, when there is none.
std::optional<FileId> IdOfFile(const std::string& path);

// An open file with an exclusive lock, which the kernel drops with the process, however it ends.
// The lock belongs to the open file and not to the process, so that two of them in one process
// exclude each other, and it can be asked about without being taken. It lies far behind any
// content, so that it meets none of the locks that SQLite takes on its files.
class FileLock {
 public:
  // Opens with these flags of open(2). nullptr with errno when it cannot be opened or locked;
  // EAGAIN: another one holds the lock.
  static std::unique_ptr<FileLock> Take(const std::string& path, int flags);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Whether somebody holds the lock on this file; false as well when it is not there.
  static bool IsTaken(const std::string& path);

  int fd() const { return fd_; }
  // Whether `path` still leads to this file.
  bool Is(const std::string& path) const;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace sweep
