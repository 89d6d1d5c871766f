#include "worker/agent/artifact_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  void Reset(int fd) { close(std::exchange(fd_, fd)); }
  int Take() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

absl::Status Refused(const std::string& path, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", why));
}

absl::Status Unreadable(const std::string& path, int error) {
  if (error == ENOENT) return absl::NotFoundError(absl::StrCat(path, ": is not there"));
  return Refused(path, absl::StrCat("cannot be read: ", strerror(error)));
}

// The part of `path` below `folder`; nullopt when the path as text leads elsewhere.
std::optional<fs::path> Below(const fs::path& folder, const fs::path& path) {
  const fs::path rest = path.lexically_relative(folder);
  if (rest.empty() || rest == "." || *rest.begin() == "..") return std::nullopt;
  return rest;
}

std::optional<fs::path> PartBelow(const std::string& folder, const std::string& path) {
  const fs::path wanted = (fs::path(folder) / path).lexically_normal();
  if (std::optional<fs::path> rest = Below(fs::path(folder).lexically_normal(), wanted)) {
    return rest;
  }
  // The program may know its folder by its real path when `folder` contains a link.
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  return error ? std::nullopt : Below(real, wanted);
}

std::string KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISLNK(mode)) return "a link";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

ArtifactFile::ArtifactFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

ArtifactFile::ArtifactFile(ArtifactFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

ArtifactFile& ArtifactFile::operator=(ArtifactFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

ArtifactFile::~ArtifactFile() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<ArtifactFile> ArtifactFile::Open(const std::string& folder,
                                                const std::string& path) {
  const std::optional<fs::path> part = PartBelow(folder, path);
  if (!part) return Refused(path, absl::StrCat("does not lie in its output_dir, ", folder));
  Fd place(open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (place.get() < 0) return Unreadable(folder, errno);
  const fs::path name = part->filename();
  for (const fs::path& step : part->parent_path()) {
    const int next =
        openat(place.get(), step.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0 && errno == ENOTDIR) {
      return Refused(path, absl::StrCat("'", step.string(), "' is a link or no folder"));
    }
    if (next < 0) return Unreadable(path, errno);
    place.Reset(next);
  }
  struct stat info;
  if (fstatat(place.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return Unreadable(path, errno);
  }
  // Checked before opening, because opening a device may already have an effect.
  if (!S_ISREG(info.st_mode)) {
    return Refused(path, absl::StrCat("is ", KindOf(info.st_mode), ", not a regular file"));
  }
  Fd file(
      openat(place.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
  // The file may have been replaced since the check.
  if (file.get() < 0 || fstat(file.get(), &info) != 0) return Unreadable(path, errno);
  if (!S_ISREG(info.st_mode)) return Refused(path, "is not a regular file");
  return ArtifactFile(file.Take(), path);
}

absl::StatusOr<std::string> ArtifactFile::Read() const {
  struct stat info;
  if (fstat(fd_, &info) != 0) return Unreadable(path_, errno);
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > kMostBytes) {
    return absl::OutOfRangeError(
        absl::StrCat(path_, ": ", size, " bytes; a file that is kept has at most ", kMostBytes));
  }
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size;) {
    const ssize_t got = pread(fd_, bytes.data() + at, size - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unreadable(path_, errno);
    if (got == 0) return Refused(path_, "became shorter while it was read");
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace sweep
