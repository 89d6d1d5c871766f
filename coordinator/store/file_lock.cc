#include "coordinator/store/file_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace sweep {
namespace {

constexpr off_t kLockedByte = off_t{1} << 60;

struct flock Lock() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLockedByte;
  lock.l_len = 1;
  return lock;
}

}  // namespace

std::optional<FileId> IdOfFile(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileId{info.st_dev, info.st_ino};
}

std::unique_ptr<FileLock> FileLock::Take(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) return nullptr;
  struct flock lock = Lock();
  if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    const int error = errno == EACCES ? EAGAIN : errno;
    close(fd);
    errno = error;
    return nullptr;
  }
  return std::unique_ptr<FileLock>(new FileLock(fd));
}

FileLock::~FileLock() { close(fd_); }

bool FileLock::IsTaken(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  struct flock lock = Lock();
  const bool taken = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(fd);
  return taken;
}

bool FileLock::Is(const std::string& path) const {
  struct stat info{};
  const std::optional<FileId> there = IdOfFile(path);
  return there && fstat(fd_, &info) == 0 && *there == FileId{info.st_dev, info.st_ino};
}

}  // namespace sweep
