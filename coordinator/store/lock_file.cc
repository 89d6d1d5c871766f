#include "coordinator/store/lock_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "fmt/format.h"

namespace sweep {
namespace {

struct Holder {
  long pid = 0;
  std::string address;
};

// The file's first line is "<pid> <address>"; what a longer, older line left behind it is ignored.
Holder ReadHolder(int fd) {
  char buffer[512];
  const ssize_t size = pread(fd, buffer, sizeof(buffer), 0);
  Holder holder;
  if (size <= 0) return holder;
  std::string line(buffer, static_cast<std::size_t>(size));
  std::istringstream words(line.substr(0, line.find('\n')));
  words >> holder.pid >> holder.address;
  return holder;
}

absl::Status WriteHolder(int fd, const std::string& path, const std::string& address) {
  const std::string line = fmt::format("{} {}\n", getpid(), address);
  if (pwrite(fd, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size()) ||
      ftruncate(fd, static_cast<off_t>(line.size())) != 0) {
    return absl::InternalError(
        fmt::format("cannot write the lock file '{}': {}", path, std::strerror(errno)));
  }
  return absl::OkStatus();
}

// A lock of the open file description, not of the process (so that two stores in one process
// exclude each other), and one that can be asked about without being taken.
struct flock WholeFile() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string LockPath(const std::string& database) { return database + ".lock"; }

}  // namespace

absl::StatusOr<std::unique_ptr<LockFile>> LockFile::Acquire(const std::string& database) {
  const std::string path = LockPath(database);
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return absl::PermissionDeniedError(
        fmt::format("database '{}' cannot be used: cannot create '{}': {}", database, path,
                    std::strerror(errno)));
  }
  std::unique_ptr<LockFile> file(new LockFile(fd, path));
  struct flock lock = WholeFile();
  if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      return absl::InternalError(fmt::format("cannot lock '{}': {}", path, std::strerror(errno)));
    }
    const Holder holder = ReadHolder(fd);
    return absl::FailedPreconditionError(
        fmt::format("database '{}' is in use by another coordinator{}{} (pid {})", database,
                    holder.address.empty() ? "" : " at ", holder.address, holder.pid));
  }
  if (absl::Status written = WriteHolder(fd, path, ""); !written.ok()) return written;
  return file;
}

LockFile::~LockFile() { close(fd_); }

absl::Status LockFile::Publish(const std::string& address) {
  return WriteHolder(fd_, path_, address);
}

absl::StatusOr<std::string> LockFile::FindHolder(const std::string& database) {
  const std::string path = LockPath(database);
  const auto nobody =
      absl::NotFoundError(fmt::format("database '{}' is in use by no coordinator", database));
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return nobody;
    return absl::PermissionDeniedError(
        fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  }
  struct flock lock = WholeFile();
  const bool asked = fcntl(fd, F_OFD_GETLK, &lock) == 0;
  const int error = errno;
  const Holder holder = ReadHolder(fd);
  close(fd);
  if (!asked) {
    return absl::InternalError(
        fmt::format("cannot query the lock on '{}': {}", path, std::strerror(error)));
  }
  if (lock.l_type == F_UNLCK) return nobody;
  if (holder.address.empty()) {
    return absl::UnavailableError(fmt::format(
        "the coordinator that uses database '{}' (pid {}) has not published its address yet",
        database, holder.pid));
  }
  return holder.address;
}

}  // namespace sweep
