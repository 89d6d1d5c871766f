#include "coordinator/store/unfinished_files.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/base/ids.h"
#include "coordinator/store/blob_files.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = ".unfinished-backup-";
constexpr std::size_t kDigits = 8;

bool IsOurs(std::string_view name) {
  if (name.size() <= kMark.size() + kDigits) return false;
  const std::string_view digits = name.substr(name.size() - kDigits);
  return name.substr(0, name.size() - kDigits).ends_with(kMark) &&
         std::all_of(digits.begin(), digits.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string BlobsOf(const std::string& file) { return file + ".blobs"; }

// Removes the file last, since its lock protects the others.
void Remove(const std::string& file) {
  std::error_code ignored;
  fs::remove_all(BlobsOf(file), ignored);
  for (const char* suffix : {"-journal", "-wal", "-shm", ""}) fs::remove(file + suffix, ignored);
}

}  // namespace

UnfinishedFiles::UnfinishedFiles(std::string file, std::unique_ptr<FileLock> lock)
    : file_(std::move(file)), lock_(std::move(lock)) {}

UnfinishedFiles::~UnfinishedFiles() { Remove(file_); }

std::string UnfinishedFiles::blobs() const { return BlobsOf(file_); }

absl::StatusOr<std::unique_ptr<UnfinishedFiles>> UnfinishedFiles::Make(const std::string& file) {
  while (true) {
    std::string path = file + std::string(kMark) + RandomHex(kDigits / 2);
    std::unique_ptr<FileLock> lock = FileLock::Take(path, O_RDWR | O_CREAT | O_EXCL);
    if (lock == nullptr && errno != EAGAIN && errno != EEXIST) {
      return FileError("create", path, errno);
    }
    // RemoveAbandoned may have removed the file before it was locked.
    if (lock == nullptr || !lock->Is(path)) continue;
    return std::unique_ptr<UnfinishedFiles>(new UnfinishedFiles(std::move(path), std::move(lock)));
  }
}

int UnfinishedFiles::RemoveAbandoned(const std::string& folder) {
  int removed = 0;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string path = entry->path().string();
    std::error_code ignored;
    if (!IsOurs(entry->path().filename().string()) ||
        !fs::is_regular_file(entry->symlink_status(ignored))) {
      continue;
    }
    const std::unique_ptr<FileLock> lock = FileLock::Take(path, O_RDWR);
    if (lock == nullptr || !lock->Is(path)) continue;
    Remove(path);
    spdlog::info("removed the files of a killed backup file={:?}", path);
    ++removed;
  }
  return removed;
}

}  // namespace sweep
