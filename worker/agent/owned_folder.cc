#include "worker/agent/owned_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "spdlog/spdlog.h"
#include "worker/agent/orphans.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

constexpr char kLock[] = "lock";
constexpr std::size_t kRandomLength = 6;  // mkdtemp's
constexpr int kMostTries = 10;

bool IsLocked(int fd) { return flock(fd, LOCK_EX | LOCK_NB) == 0; }

// Some network file systems cannot lock anything. A folder is made there all the same, and nobody
// takes it for a leftover, since that requires a lock as well.
bool IsLockedIfPossible(int fd) { return IsLocked(fd) || errno != EWOULDBLOCK; }

// True if the file still exists under some name.
bool HasName(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_nlink > 0;
}

bool IsOurFolder(const fs::path& folder) {
  struct stat info;
  return lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid();
}

// Opens the file that shows who owns one of our folders; -1 if there is none.
int OpenLock(const fs::path& folder) {
  struct stat info;
  const int fd = open((folder / kLock).c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid()) return fd;
  close(fd);
  return -1;
}

int OpenFolder(int place, const char* name) {
  return openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Makes a folder that is read-only writable, so that it can be emptied.
void Unlock(int place, const char* name) {
  struct stat info;
  if (fstatat(place, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(info.st_mode)) return;
  if ((info.st_mode & S_IRWXU) != S_IRWXU) fchmodat(place, name, S_IRWXU, 0);
}

std::vector<std::string> Entries(int folder) {
  std::vector<std::string> names;
  const int fd = OpenFolder(folder, ".");
  DIR* const stream = fd < 0 ? nullptr : fdopendir(fd);
  if (stream == nullptr) {
    if (fd >= 0) close(fd);
    return names;
  }
  while (const dirent* const entry = readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(stream);
  return names;
}

// Removes a file, a link or an empty folder.
bool RemoveEntry(int place, const char* name) {
  return unlinkat(place, name, 0) == 0 || unlinkat(place, name, AT_REMOVEDIR) == 0;
}

// Removes the content of the folder `top` except `kept`, and moves folders that are not empty up
// into it: so a tree of any depth is removed with three open files and no recursion. True when
// anything has changed.
bool RemovePass(int top, std::string_view kept, std::uint64_t* moved) {
  bool changed = false;
  for (const std::string& name : Entries(top)) {
    if (name == kept) continue;
    if (RemoveEntry(top, name.c_str())) {
      changed = true;
      continue;
    }
    Unlock(top, name.c_str());
    const int folder = OpenFolder(top, name.c_str());
    if (folder < 0) continue;
    for (const std::string& inner : Entries(folder)) {
      if (RemoveEntry(folder, inner.c_str())) {
        changed = true;
        continue;
      }
      Unlock(folder, inner.c_str());
      const std::string up = absl::StrCat(".removed-", RandomHex(8), "-", ++*moved);
      changed = renameat(folder, inner.c_str(), top, up.c_str()) == 0 || changed;
    }
    close(folder);
    changed = unlinkat(top, name.c_str(), AT_REMOVEDIR) == 0 || changed;
  }
  return changed;
}

// Removes the content of the folder except `kept`. False when something else is left.
bool Empty(const std::string& path, std::string_view kept) {
  Unlock(AT_FDCWD, path.c_str());
  const int top = OpenFolder(AT_FDCWD, path.c_str());
  if (top < 0) return false;
  std::uint64_t moved = 0;
  while (RemovePass(top, kept, &moved)) {
  }
  const std::vector<std::string> left = Entries(top);
  close(top);
  return std::all_of(left.begin(), left.end(),
                     [&](const std::string& name) { return name == kept; });
}

// Removes the lock last, and only after everything else: it marks a leftover for the next process.
bool RemoveOwned(const std::string& path) { return Empty(path, kLock) && RemoveTree(path); }

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
    if (!IsOurFolder(folder)) continue;
    const int fd = OpenLock(folder);
    if (fd < 0) {
      // The owner may have been killed before it made the lock, or after it had removed it.
      rmdir(folder.c_str());
      continue;
    }
    // The owner may hold the lock, or another process that is removing the folder.
    if (IsLocked(fd) && HasName(fd)) {
      KillMarked(folder);
      const bool all = RemoveOwned(folder);
      spdlog::info("removed the folder of a process that was killed path={} all={}",
                   folder.string(), all);
    }
    close(fd);
  }
}

}  // namespace

bool RemoveTree(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return true;
  return Empty(path, "") && rmdir(path.c_str()) == 0;
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
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot make a folder in ", parent));
    }
    const std::string lock = absl::StrCat(path, "/", kLock);
    const int fd = open(lock.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    // Another process may have seen the folder before the lock existed or was held, and removed it
    // as a leftover.
    if (fd < 0 && errno == ENOENT) continue;
    if (fd < 0) {
      const int why = errno;
      RemoveTree(path);
      return absl::ErrnoToStatus(why, absl::StrCat(lock, ": cannot be made"));
    }
    if (IsLockedIfPossible(fd) && HasName(fd)) {
      return std::unique_ptr<OwnedFolder>(new OwnedFolder(std::move(path), fd));
    }
    close(fd);
  }
  return absl::UnavailableError(absl::StrCat("cannot make a folder and keep its lock in ", parent));
}

absl::StatusOr<std::unique_ptr<OwnedFolder>> OwnedFolder::MakeTemporary(const std::string& prefix) {
  const absl::StatusOr<std::string> parent = TemporaryFolder();
  if (!parent.ok()) return parent.status();
  return Make(*parent, prefix);
}

OwnedFolder::~OwnedFolder() {
  RemoveOwned(path_);
  close(lock_fd_);
}

}  // namespace sweep
