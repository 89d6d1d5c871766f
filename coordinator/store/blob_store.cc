#include "coordinator/store/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/base/ids.h"
#include "common/base/sha256.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

absl::Status ErrnoStatus(std::string_view what, const std::string& path, int error) {
  const std::string text = fmt::format("cannot {} '{}': {}", what, path, std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return absl::UnavailableError(text + "; try again when there is room");
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(text);
    default:
      return absl::InternalError(text);
  }
}

// A file descriptor that closes itself.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// Makes a new or renamed entry of the folder durable.
absl::Status SyncFolder(const std::string& folder) {
  const File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.fd() < 0) return ErrnoStatus("open", folder, errno);
  if (fsync(file.fd()) != 0) return ErrnoStatus("sync", folder, errno);
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0755) == 0) {
    return SyncFolder(
        fs::path(folder).parent_path().empty() ? "." : fs::path(folder).parent_path().string());
  }
  const int error = errno;
  std::error_code ignored;
  if (error == EEXIST && fs::is_directory(folder, ignored)) return absl::OkStatus();
  return ErrnoStatus("create", folder, error);
}

absl::Status CheckName(const std::string& sha256) {
  if (IsSha256Hex(sha256)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no SHA-256 (64 digits of 0-9a-f)", sha256));
}

class FileBlobWriter final : public BlobStore::Writer {
 public:
  FileBlobWriter(int fd, std::string temporary, std::string folder, std::string sha256,
                 std::int64_t size_bytes)
      : file_(fd),
        temporary_(std::move(temporary)),
        folder_(std::move(folder)),
        sha256_(std::move(sha256)),
        size_bytes_(size_bytes) {}
  ~FileBlobWriter() override {
    if (!finished_) unlink(temporary_.c_str());
  }

  absl::Status Append(std::string_view data) override {
    if (finished_) return absl::FailedPreconditionError("the blob has been committed");
    const auto added = static_cast<std::int64_t>(data.size());
    if (written_ + added > BlobStore::kMaxSizeBytes) {
      return absl::ResourceExhaustedError(
          fmt::format("blob {}: more than {} bytes", sha256_, BlobStore::kMaxSizeBytes));
    }
    if (written_ + added > size_bytes_) return Mismatch("more bytes than announced");
    hash_.Update(data.data(), data.size());
    while (!data.empty()) {
      const ssize_t wrote = write(file_.fd(), data.data(), data.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return ErrnoStatus("write", temporary_, errno);
      written_ += wrote;
      data.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return absl::OkStatus();
  }

  absl::Status Commit() override {
    if (finished_) return absl::FailedPreconditionError("the blob has been committed");
    finished_ = true;
    const absl::Status committed = Publish();
    // After the rename there is no such name any more.
    unlink(temporary_.c_str());
    return committed;
  }

 private:
  absl::Status Mismatch(std::string_view why) const {
    return absl::InvalidArgumentError(
        fmt::format("blob {} of {} bytes: {}", sha256_, size_bytes_, why));
  }

  absl::Status Publish() {
    if (written_ != size_bytes_) return Mismatch(fmt::format("got {} bytes", written_));
    if (const std::string digest = hash_.FinishHex(); digest != sha256_) {
      return Mismatch(fmt::format("the bytes' SHA-256 is {}", digest));
    }
    if (fsync(file_.fd()) != 0) return ErrnoStatus("sync", temporary_, errno);
    if (absl::Status made = MakeFolder(folder_); !made.ok()) return made;
    const std::string path = folder_ + "/" + sha256_;
    if (rename(temporary_.c_str(), path.c_str()) != 0) return ErrnoStatus("rename to", path, errno);
    return SyncFolder(folder_);
  }

  File file_;
  const std::string temporary_;
  const std::string folder_;
  const std::string sha256_;
  const std::int64_t size_bytes_;
  std::int64_t written_ = 0;
  Sha256 hash_;
  bool finished_ = false;
};

class FileBlobStore final : public BlobStore {
 public:
  FileBlobStore(std::string folder, bool temporary)
      : folder_(std::move(folder)), temporary_(temporary) {}
  ~FileBlobStore() override {
    std::error_code ignored;
    if (temporary_) fs::remove_all(folder_, ignored);
  }

  absl::StatusOr<std::unique_ptr<Writer>> Put(const std::string& sha256,
                                              std::int64_t size_bytes) override {
    if (absl::Status valid = CheckName(sha256); !valid.ok()) return valid;
    if (size_bytes < 0) {
      return absl::InvalidArgumentError(fmt::format("blob {}: {} bytes", sha256, size_bytes));
    }
    if (size_bytes > kMaxSizeBytes) {
      return absl::ResourceExhaustedError(fmt::format("blob {}: {} bytes; at most {} are allowed",
                                                      sha256, size_bytes, kMaxSizeBytes));
    }
    std::string path = folder_ + "/tmp/" + RandomHex(16);
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return ErrnoStatus("create", path, errno);
    return std::make_unique<FileBlobWriter>(fd, std::move(path), FolderOf(sha256), sha256,
                                            size_bytes);
  }

  bool Has(const std::string& sha256) const override { return Size(sha256).ok(); }

  absl::StatusOr<std::string> Read(const std::string& sha256, std::int64_t offset,
                                   std::int64_t limit) const override {
    if (absl::Status valid = CheckName(sha256); !valid.ok()) return valid;
    if (offset < 0 || limit < 0) {
      return absl::InvalidArgumentError(
          fmt::format("blob {}: {} bytes from {} cannot be read", sha256, limit, offset));
    }
    const std::string path = FolderOf(sha256) + "/" + sha256;
    const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.fd() < 0) return Missing(sha256, path, errno);
    std::string data(static_cast<std::size_t>(std::min(limit, kMaxSizeBytes)), '\0');
    std::size_t filled = 0;
    while (filled < data.size()) {
      const ssize_t got = pread(file.fd(), data.data() + filled, data.size() - filled,
                                offset + static_cast<std::int64_t>(filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoStatus("read", path, errno);
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    data.resize(filled);
    return data;
  }

  absl::StatusOr<std::int64_t> Size(const std::string& sha256) const override {
    if (absl::Status valid = CheckName(sha256); !valid.ok()) return valid;
    const std::string path = FolderOf(sha256) + "/" + sha256;
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return Missing(sha256, path, errno);
    return static_cast<std::int64_t>(info.st_size);
  }

 private:
  // Two digits per folder keep folders small.
  std::string FolderOf(const std::string& sha256) const {
    return folder_ + "/" + sha256.substr(0, 2);
  }

  static absl::Status Missing(const std::string& sha256, const std::string& path, int error) {
    if (error == ENOENT) return absl::NotFoundError(fmt::format("there is no blob {}", sha256));
    return ErrnoStatus("open", path, error);
  }

  const std::string folder_;
  const bool temporary_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStore>> BlobStore::Open(const std::string& folder) {
  const bool temporary = folder.empty();
  std::string path = folder;
  if (temporary) {
    std::error_code error;
    path = (fs::temp_directory_path(error) / "sweep-blobs-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) return ErrnoStatus("create", path, errno);
  } else if (absl::Status made = MakeFolder(path); !made.ok()) {
    return made;
  }
  auto store = std::make_unique<FileBlobStore>(path, temporary);
  // What a process that was killed left unfinished.
  std::error_code error;
  fs::remove_all(path + "/tmp", error);
  if (absl::Status made = MakeFolder(path + "/tmp"); !made.ok()) return made;
  return store;
}

}  // namespace sweep
