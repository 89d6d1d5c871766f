#include "cli/present/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"

namespace sweep::cli {
namespace {

// Makes a file's content or a folder's entries survive a power cut.
bool Sync(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = fsync(fd) == 0;
  close(fd);
  return synced;
}

absl::Status Failed(int error, const std::string& path) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::unique_ptr<OutputFile> file(new OutputFile);
  // A link stays; its target is replaced.
  const fs::path real = fs::canonical(path, error);
  file->path_ = error ? path : real.string();
  if (fs::is_directory(file->path_, error)) return Failed(EISDIR, path);
  errno = 0;
  // A pipe or a device cannot be replaced.
  if (fs::exists(file->path_, error) && !fs::is_regular_file(file->path_, error)) {
    file->stream_.open(file->path_, std::ios::binary);
    if (!file->stream_) return Failed(errno, path);
    return file;
  }
  const std::string temporary = absl::StrCat(file->path_, ".partial-", RandomHex(8));
  file->stream_.open(temporary, std::ios::binary | std::ios::trunc);
  if (!file->stream_) return Failed(errno, path);
  file->temporary_ = temporary;
  return file;
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

absl::Status OutputFile::Commit() {
  errno = 0;
  stream_.close();
  if (!stream_) return Failed(errno != 0 ? errno : EIO, path_);
  if (temporary_.empty()) return absl::OkStatus();
  if (!Sync(temporary_)) return Failed(errno, path_);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return Failed(errno, path_);
  temporary_.clear();
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  if (!Sync(folder.empty() ? "." : folder)) return Failed(errno, path_);
  return absl::OkStatus();
}

}  // namespace sweep::cli
