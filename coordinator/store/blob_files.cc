#include "coordinator/store/blob_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "common/base/sha256.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

// A file descriptor that closes itself.
class Handle {
 public:
  explicit Handle(int fd) : fd_(fd) {}
  ~Handle() {
    if (fd_ >= 0) close(fd_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

absl::Status CopyBytes(const std::string& from, const std::string& to) {
  const Handle source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.fd() < 0) return FileError("open", from, errno);
  const Handle target(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (target.fd() < 0) return FileError("create", to, errno);
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t got = read(source.fd(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("read", from, errno);
    if (got == 0) break;
    for (ssize_t done = 0; done < got;) {
      const ssize_t wrote =
          write(target.fd(), buffer.data() + done, static_cast<std::size_t>(got - done));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return FileError("write", to, errno);
      done += wrote;
    }
  }
  return fsync(target.fd()) == 0 ? absl::OkStatus() : FileError("sync", to, errno);
}

}  // namespace

absl::StatusOr<std::string> UsedBlobsSql(Database& database) {
  const std::string all = kUsedBlobsSql;
  const absl::StatusOr<std::int64_t> has_data =
      database.QueryInt("SELECT count(*) FROM sqlite_schema WHERE name = 'sweep_data'");
  if (!has_data.ok()) return has_data.status();
  return *has_data > 0 ? all : all.substr(0, all.rfind(" UNION "));
}

std::string BlobFolderOf(const std::string& folder, const std::string& sha256) {
  return folder + "/" + sha256.substr(0, 2);
}

std::string BlobPath(const std::string& folder, const std::string& sha256) {
  return BlobFolderOf(folder, sha256) + "/" + sha256;
}

bool MeansNoRoom(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

absl::Status FileError(std::string_view what, const std::string& path, int error) {
  const std::string text = fmt::format("cannot {} '{}': {}", what, path, std::strerror(error));
  if (MeansNoRoom(error)) return absl::UnavailableError(text + "; try again when there is room");
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(text);
    case ENOENT:
      return absl::NotFoundError(text);
    default:
      return absl::InternalError(text);
  }
}

absl::Status SyncPath(const std::string& path) {
  const Handle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) return FileError("open", path, errno);
  if (fsync(file.fd()) != 0) return FileError("sync", path, errno);
  return absl::OkStatus();
}

absl::Status MakeBlobFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0755) == 0) {
    const fs::path parent = fs::path(folder).parent_path();
    return SyncPath(parent.empty() ? "." : parent.string());
  }
  const int error = errno;
  std::error_code ignored;
  if (error == EEXIST && fs::is_directory(folder, ignored)) return absl::OkStatus();
  return FileError("create", folder, error);
}

absl::Status VerifyBlobFile(const std::string& path, const std::string& sha256) {
  const Handle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) return FileError("open", path, errno);
  Sha256 digest;
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t got = read(file.fd(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EIO) {
      return absl::DataLossError(fmt::format("blob '{}' cannot be read", path));
    }
    if (got < 0) return FileError("read", path, errno);
    if (got == 0) break;
    digest.Update(buffer.data(), static_cast<std::size_t>(got));
  }
  if (const std::string found = digest.FinishHex(); found != sha256) {
    return absl::DataLossError(fmt::format("blob '{}': its bytes have SHA-256 {}", path, found));
  }
  return absl::OkStatus();
}

absl::Status LinkOrCopy(const std::string& from, const std::string& to) {
  if (link(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  if (errno == ENOENT) return FileError("open", from, errno);
  return CopyBytes(from, to);  // on another file system, or on one without hard links
}

}  // namespace sweep
