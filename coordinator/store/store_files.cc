#include "coordinator/store/store_files.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/ids.h"
#include "coordinator/store/status_macros.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// 0 for a missing file.
std::int64_t FileBytes(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

}  // namespace

StoreFiles::StoreFiles(DatabaseFile file, std::unique_ptr<LockFile> lock)
    : file_(std::move(file)), lock_(std::move(lock)) {
  served_.emplace(*file_, lock_->database_fd());
}

std::int64_t StoreFiles::LogBytes() const { return file_ ? FileBytes(file_->log()) : 0; }

absl::Status StoreFiles::PublishAddress(const std::string& address) {
  if (lock_ == nullptr) return absl::OkStatus();
  const absl::Status published = lock_->Publish(address);
  if (!absl::IsUnavailable(published)) return published;
  // On a full disk clients that know the address can still be served.
  MutexLock lock(&mutex_);
  unpublished_ = address;
  return absl::OkStatus();
}

absl::StatusOr<std::string> StoreFiles::FindHolder(const std::string& path) {
  STORE_ASSIGN_OR_RETURN(const DatabaseFile file, DatabaseFile::Resolve(path));
  return LockFile::FindHolder(file);
}

void StoreFiles::PublishAgain() {
  MutexLock lock(&mutex_);
  if (!unpublished_.empty() && lock_->Publish(unpublished_).ok()) unpublished_.clear();
}

void StoreFiles::PutLogAside() const {
  const std::string log = file_->log();
  const std::string aside = log + ".of-overwritten-" + RandomHex(4);
  std::error_code error;
  std::filesystem::rename(log, aside, error);
  if (!error)
    spdlog::error("write-ahead log put aside database={:?} file={:?}", file_->name(), aside);
}

void StoreFiles::Measure(StoreLoad* load) const {
  if (!file_) return;
  load->database_bytes = FileBytes(file_->path());
  load->log_bytes = LogBytes();
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(file_->path(), error);
  if (!error) load->free_disk_bytes = static_cast<std::int64_t>(space.available);
}

}  // namespace sweep
