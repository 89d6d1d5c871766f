#include "worker/agent/owned_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

constexpr char kLock[] = "/lock";
constexpr std::size_t kRandomLength = 6;  // mkdtemp's
constexpr int kMostTries = 10;

bool IsLocked(int fd) { return flock(fd, LOCK_EX | LOCK_NB) == 0; }

// Whether the file is still there under some name.
bool HasName(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_nlink > 0;
}

// The file that shows who owns the folder, if it is one of ours; -1 otherwise.
int OpenLock(const fs::path& folder) {
  struct stat info;
  if (lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return -1;
  if (info.st_uid != geteuid()) return -1;
  const int fd =
      open((folder.string() + kLock).c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid()) return fd;
  close(fd);
  return -1;
}

void RemoveLeftovers(const std::string& parent, const std::string& prefix) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.starts_with(prefix) && name.size() == prefix.size() + kRandomLength) {
      found.push_back(entry->path());
    }
  }
  for (const fs::path& folder : found) {
    const int fd = OpenLock(folder);
    if (fd < 0) continue;
    // Held by its owner, or by another who removes it.
    if (IsLocked(fd) && HasName(fd)) {
      const bool all = RemoveTree(folder);
      spdlog::info("removed the folder of a worker that was killed path={} all={}",
                   folder.string(), all);
    }
    close(fd);
  }
}

}  // namespace

bool RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) return true;
  error.clear();
  constexpr fs::perms kAll = fs::perms::owner_all;
  if (fs::is_directory(fs::symlink_status(path, error))) {
    fs::permissions(path, kAll, fs::perm_options::add, error);
  }
  for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_symlink(ignored) || !entry->is_directory(ignored)) continue;
    fs::permissions(entry->path(), kAll, fs::perm_options::add, ignored);
  }
  error.clear();
  fs::remove_all(path, error);
  return !error;
}

absl::StatusOr<std::string> TemporaryFolder() {
  for (const char* name : {"TMPDIR", "TMP", "TEMP", "TEMPDIR"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::error_code error;
    if (fs::is_directory(value, error)) return std::string(value);
    return absl::NotFoundError(absl::StrCat(name, " names ", value, ", which is not a folder"));
  }
  return std::string("/tmp");
}

absl::StatusOr<std::unique_ptr<OwnedFolder>> OwnedFolder::Make(const std::string& parent,
                                                               const std::string& prefix) {
  RemoveLeftovers(parent, prefix);
  for (int i = 0; i < kMostTries; ++i) {
    std::string path = absl::StrCat(parent, "/", prefix, "XXXXXX");
    if (mkdtemp(path.data()) == nullptr) {
      return absl::ErrnoToStatus(errno, absl::StrCat("no folder can be made in ", parent));
    }
    const int fd = open((path + kLock).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
      const int why = errno;
      RemoveTree(path);
      return absl::ErrnoToStatus(why, absl::StrCat(path, kLock, ": cannot be made"));
    }
    // Another worker may have seen the file before it was locked, and taken it for a leftover.
    if (IsLocked(fd) && HasName(fd)) {
      return std::unique_ptr<OwnedFolder>(new OwnedFolder(std::move(path), fd));
    }
    close(fd);
  }
  return absl::UnavailableError(absl::StrCat("no folder of its own could be made in ", parent));
}

OwnedFolder::~OwnedFolder() {
  RemoveTree(path_);
  close(lock_fd_);
}

}  // namespace sweep
