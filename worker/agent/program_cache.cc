#include "worker/agent/program_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/sha256.h"
#include "spdlog/spdlog.h"
#include "worker/agent/owned_folder.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostKept = 32;  // sets of files, of at most 1 MiB each
constexpr mode_t kFolderMode = 0755;

mode_t ModeOf(const std::string& text) { return text.starts_with("#!") ? 0755 : 0644; }

// All folders between the root and the files.
std::set<std::string> FoldersOf(const ProgramFiles& files) {
  std::set<std::string> folders;
  for (const auto& [name, text] : files) {
    for (fs::path path = fs::path(name).parent_path(); !path.empty(); path = path.parent_path()) {
      folders.insert(path.string());
    }
  }
  return folders;
}

bool HoldsText(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return false;
  std::string content(text.size() + 1, '\0');  // the extra byte reveals a longer file
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < content.size();) {
    got = read(fd, content.data() + size, content.size() - size);
    size += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }
  close(fd);
  content.resize(size);
  return content == text;
}

bool IsFolder(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
         (info.st_mode & 07777) == kFolderMode;
}

// A file with a second hard link could be changed through that.
bool IsFile(const std::string& path, const std::string& text) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1 &&
         (info.st_mode & 07777) == ModeOf(text) &&
         info.st_size == static_cast<off_t>(text.size()) && HoldsText(path, text);
}

// The first path that is not as it was sent; "" when `folder` holds exactly the files, with their
// permissions. Stops at the first difference, so that a folder full of other files takes no longer.
std::string FirstDifference(const std::string& folder, const ProgramFiles& files) {
  if (!IsFolder(folder)) return ".";
  const std::set<std::string> folders = FoldersOf(files);
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string path = entry->path().string();
    const std::string name = path.substr(folder.size() + 1);
    const auto file = files.find(name);
    const bool good =
        file != files.end() ? IsFile(path, file->second) : folders.contains(name) && IsFolder(path);
    if (!good) return name;
  }
  if (error) return ".";
  for (const auto& [name, text] : files) {
    if (!fs::exists(fs::symlink_status(folder + "/" + name, error))) return name;
  }
  return "";
}

absl::Status WriteFiles(const std::string& folder, const ProgramFiles& files) {
  std::string path = folder;
  const auto failed = [&path](int error) {
    return absl::ErrnoToStatus(error, absl::StrCat("program file ", path, ": cannot be written"));
  };
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return failed(error.value());
  if (chmod(folder.c_str(), kFolderMode) != 0) return failed(errno);
  for (const std::string& name : FoldersOf(files)) {  // parents come before their content
    path = folder + "/" + name;
    if (mkdir(path.c_str(), kFolderMode) != 0 || chmod(path.c_str(), kFolderMode) != 0) {
      return failed(errno);
    }
  }
  for (const auto& [name, text] : files) {
    path = folder + "/" + name;
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file || chmod(path.c_str(), ModeOf(text)) != 0) return failed(errno != 0 ? errno : EIO);
  }
  return absl::OkStatus();
}

absl::StatusOr<ProgramFiles> Checked(const std::string& digest,
                                     absl::StatusOr<ProgramFiles> files) {
  if (!files.ok()) return files.status();
  if (const std::string error = CheckProgramFiles(*files); !error.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("program files: ", error));
  }
  if (ProgramDigest(*files) != digest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "program files: the sweep's are others by now, not those with digest ", digest));
  }
  return files;
}

}  // namespace

absl::StatusOr<ProgramCache::SharedFiles> ProgramCache::Files(const std::string& digest,
                                                              const Fetch& fetch) {
  {
    MutexLock lock(&mutex_);
    Entry& entry = entries_[digest];
    while (entry.busy) changed_.Wait(&mutex_);
    entry.asked = ++turns_;
    if (entry.files != nullptr) return entry.files;
    entry.busy = true;
  }
  absl::StatusOr<ProgramFiles> files = Checked(digest, fetch());
  MutexLock lock(&mutex_);
  Entry& entry = entries_[digest];
  entry.busy = false;
  changed_.NotifyAll();
  if (!files.ok()) return files.status();
  SharedFiles shared = std::make_shared<const ProgramFiles>(*std::move(files));
  entry.files = shared;
  ForgetOldest();
  return shared;
}

void ProgramCache::ForgetOldest() {
  std::size_t kept = 0;
  Entry* oldest = nullptr;
  for (auto& [digest, entry] : entries_) {
    if (entry.files == nullptr) continue;
    ++kept;
    if (oldest == nullptr || entry.asked < oldest->asked) oldest = &entry;
  }
  // The entry itself stays, since others may wait for it.
  if (kept > kMostKept) oldest->files.reset();
}

absl::StatusOr<std::string> ProgramCache::Folder(int slot, const std::string& digest,
                                                 const Fetch& fetch) {
  if (!IsSha256Hex(digest)) {
    return absl::InvalidArgumentError(
        absl::StrCat("program digest '", digest, "' is not a SHA-256"));
  }
  const absl::StatusOr<SharedFiles> files = Files(digest, fetch);
  if (!files.ok()) return files.status();
  Copy copy;
  {
    MutexLock lock(&mutex_);
    copy = copies_[slot];
  }
  if (copy.digest == digest) {
    const std::string difference = FirstDifference(copy.folder, **files);
    if (difference.empty()) return copy.folder;
    spdlog::info("a program has changed its folder, and gets a new one slot={} changed={}", slot,
                 difference);
  }
  if (!copy.folder.empty()) Discard(copy.folder);
  copy = {.digest = digest, .folder = "", .number = copy.number + 1};
  // Short, since it appears in every line of a traceback.
  copy.folder = absl::StrCat(folder_, "/", slot, ".", copy.number);
  RemoveTree(copy.folder);
  const absl::Status written = WriteFiles(copy.folder, **files);
  if (!written.ok()) {
    RemoveTree(copy.folder);
    copy.digest.clear();
  }
  MutexLock lock(&mutex_);
  copies_[slot] = copy;
  if (!written.ok()) return written;
  return copy.folder;
}

std::string ProgramCache::MakeTempDir(int slot) {
  std::uint64_t number;
  {
    MutexLock lock(&mutex_);
    number = ++temp_dirs_;
  }
  const std::string path = absl::StrCat(folder_, "/tmp", slot, ".", number);
  std::error_code error;
  fs::create_directories(path, error);
  return error ? "" : path;
}

void ProgramCache::Discard(std::string folder) {
  MutexLock lock(&mutex_);
  garbage_.push_back(std::move(folder));
}

void ProgramCache::CollectGarbage() {
  std::vector<std::string> garbage;
  {
    MutexLock lock(&mutex_);
    garbage.swap(garbage_);
  }
  for (const std::string& folder : garbage) RemoveTree(folder);
}

}  // namespace sweep
