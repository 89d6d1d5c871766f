#include "common/secrets/secret_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "common/base/file_replacement.h"
#include "common/base/input_file.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 10;
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
constexpr mode_t kEverybody = S_IRWXO;

absl::Status Failed(const std::string& path, const char* what) {
  const std::string message = fmt::format("{}: cannot {}: {}", path, what, std::strerror(errno));
  if (errno == EEXIST) return absl::AlreadyExistsError(message);
  return absl::PermissionDeniedError(message);
}

absl::Status CheckSecret(const std::string& path, int fd) {
  struct stat info{};
  if (fstat(fd, &info) != 0) return Failed(path, "read");
  if ((info.st_mode & kEverybody) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("{}: everybody on this machine may use this secret (mode {:04o}): chmod 600 it",
                  path, info.st_mode & 07777));
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, bool is_secret) {
  InputFile file(path);
  if (!file.ok()) {
    const std::string message = fmt::format("{}: {}", path, file.error());
    return file.is_missing() ? absl::NotFoundError(message) : absl::InvalidArgumentError(message);
  }
  if (is_secret) {
    if (absl::Status status = CheckSecret(path, file.fd()); !status.ok()) return status;
  }
  std::string text;
  if (!file.Read(kMaxBytes, &text)) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", path, file.error()));
  }
  if (text.empty()) return absl::InvalidArgumentError(path + ": is empty");
  if (text.size() > kMaxBytes) return absl::InvalidArgumentError(path + ": is over 256 KiB");
  return text;
}

// Gives `fd` the owner and permissions of the file that it replaces, if there is one.
bool TakeOver(int fd, const std::string& target) {
  struct stat old{};
  if (stat(target.c_str(), &old) != 0) return errno == ENOENT && fchmod(fd, kOwnerOnly) == 0;
  // Permitted to root only, and needed only if the owner is another one.
  const bool is_same = old.st_uid == geteuid() && old.st_gid == getegid();
  if (!is_same && fchown(fd, old.st_uid, old.st_gid) != 0) return false;
  return fchmod(fd, old.st_mode & 0770) == 0;
}

}  // namespace

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  return ReadSmallFile(path, /*is_secret=*/true);
}

absl::StatusOr<std::string> ReadPublicFile(const std::string& path) {
  return ReadSmallFile(path, /*is_secret=*/false);
}

absl::Status WriteNewSecretFile(const std::string& path, std::string_view text) {
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnerOnly);
  if (fd < 0) return Failed(path, "make it");
  // A umask may have taken permissions of the owner.
  const bool written = fchmod(fd, kOwnerOnly) == 0 && WriteAll(fd, text) && fsync(fd) == 0;
  const absl::Status status = written ? absl::OkStatus() : Failed(path, "write");
  close(fd);
  if (!written) unlink(path.c_str());
  SyncFolder(std::filesystem::path(path).parent_path());
  return status;
}

absl::Status ReplaceSecretFile(const std::string& path, std::string_view text) {
  std::error_code ignored, error;
  std::filesystem::path target = path;
  if (std::filesystem::is_symlink(target, ignored)) {
    target = std::filesystem::canonical(target, error);
    if (error) return absl::NotFoundError(fmt::format("{}: {}", path, error.message()));
  }
  const bool replaced =
      ReplaceFile(target.string(), text, [&](int fd) { return TakeOver(fd, target.string()); });
  return replaced ? absl::OkStatus() : Failed(path, "replace");
}

}  // namespace sweep
