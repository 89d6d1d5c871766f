#include "coordinator/store/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "common/base/sha256.h"
#include "coordinator/store/blob_files.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

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

absl::Status CheckDigest(const std::string& sha256) {
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
      if (wrote < 0) return FileError("write", temporary_, errno);
      written_ += wrote;
      data.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return absl::OkStatus();
  }

  absl::Status Commit() override {
    if (finished_) return absl::FailedPreconditionError("the blob has been committed");
    finished_ = true;
    const absl::Status committed = Publish();
    // Does nothing after the rename.
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
    if (fsync(file_.fd()) != 0) return FileError("sync", temporary_, errno);
    if (absl::Status made = MakeBlobFolder(folder_); !made.ok()) return made;
    const std::string path = folder_ + "/" + sha256_;
    if (rename(temporary_.c_str(), path.c_str()) != 0) return FileError("rename to", path, errno);
    return SyncPath(folder_);
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

class FileBlobReader final : public BlobStore::Reader {
 public:
  FileBlobReader(int fd, std::string sha256) : file_(fd), sha256_(std::move(sha256)) {}

  void set_size_bytes(std::int64_t size) { size_bytes_ = size; }
  std::int64_t size_bytes() const override { return size_bytes_; }

  absl::StatusOr<std::string> Next(std::int64_t limit) override {
    std::string data(static_cast<std::size_t>(std::min(limit, size_bytes_ - offset_)), '\0');
    std::size_t filled = 0;
    while (filled < data.size()) {
      const ssize_t got = pread(file_.fd(), data.data() + filled, data.size() - filled,
                                offset_ + static_cast<std::int64_t>(filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Damaged(std::strerror(errno));
      if (got == 0) return Damaged("the file has become shorter");
      filled += static_cast<std::size_t>(got);
    }
    hash_.Update(data.data(), data.size());
    offset_ += static_cast<std::int64_t>(filled);
    if (offset_ == size_bytes_ && !checked_) {
      checked_ = true;
      if (const std::string digest = hash_.FinishHex(); digest != sha256_) {
        return Damaged(fmt::format("its bytes have SHA-256 {}", digest));
      }
    }
    return data;
  }

 private:
  absl::Status Damaged(std::string_view why) const {
    return absl::DataLossError(fmt::format("blob {} is damaged: {}", sha256_, why));
  }

  const File file_;
  const std::string sha256_;
  std::int64_t size_bytes_ = 0;
  std::int64_t offset_ = 0;
  Sha256 hash_;
  bool checked_ = false;
};

// The blobs that are held or being removed. Thread-safe.
class Claims {
 public:
  void Hold(const std::string& sha256) {
    MutexLock lock(&mutex_);
    while (removals_.contains(sha256)) changed_.Wait(&mutex_);
    ++holds_[sha256];
  }
  void Release(const std::string& sha256) {
    MutexLock lock(&mutex_);
    const auto hold = holds_.find(sha256);
    if (--hold->second == 0) holds_.erase(hold);
  }
  bool TryBeginRemoval(const std::string& sha256) {
    MutexLock lock(&mutex_);
    return !holds_.contains(sha256) && removals_.insert(sha256).second;
  }
  void EndRemoval(const std::string& sha256) {
    {
      MutexLock lock(&mutex_);
      removals_.erase(sha256);
    }
    changed_.NotifyAll();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, int> holds_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> removals_ ABSL_GUARDED_BY(mutex_);
};

class FileHold final : public BlobStore::Hold {
 public:
  FileHold(Claims* claims, std::string sha256) : claims_(*claims), sha256_(std::move(sha256)) {
    claims_.Hold(sha256_);
  }
  ~FileHold() override { claims_.Release(sha256_); }

 private:
  Claims& claims_;
  const std::string sha256_;
};

class FileRemoval final : public BlobStore::Removal {
 public:
  FileRemoval(Claims* claims, std::string sha256, std::string path)
      : claims_(*claims), sha256_(std::move(sha256)), path_(std::move(path)) {}
  ~FileRemoval() override { claims_.EndRemoval(sha256_); }

  absl::Status Remove() override {
    if (unlink(path_.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
    return FileError("remove", path_, errno);
  }

 private:
  Claims& claims_;
  const std::string sha256_;
  const std::string path_;
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
    if (absl::Status valid = CheckDigest(sha256); !valid.ok()) return valid;
    if (size_bytes < 0) {
      return absl::InvalidArgumentError(fmt::format("blob {}: {} bytes", sha256, size_bytes));
    }
    if (size_bytes > kMaxSizeBytes) {
      return absl::ResourceExhaustedError(fmt::format("blob {}: {} bytes; at most {} are allowed",
                                                      sha256, size_bytes, kMaxSizeBytes));
    }
    if (!folders_are_there_) {
      if (absl::Status made = MakeFolders(); !made.ok()) return made;
    }
    std::string path = folder_ + "/tmp/" + RandomHex(16);
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == ENOENT) {  // the client keeps the blob and repeats the call
      return absl::UnavailableError(
          fmt::format("the folder '{}' was deleted or moved away while it was in use", folder_));
    }
    if (fd < 0) return FileError("create", path, errno);
    return std::make_unique<FileBlobWriter>(fd, std::move(path), BlobFolderOf(folder_, sha256),
                                            sha256, size_bytes);
  }

  // On a full disk the first blob that fits creates them.
  absl::Status MakeFolders() {
    if (absl::Status made = MakeBlobFolder(folder_); !made.ok()) return made;
    if (absl::Status made = MakeBlobFolder(folder_ + "/tmp"); !made.ok()) return made;
    folders_are_there_ = true;
    return absl::OkStatus();
  }

  bool Has(const std::string& sha256) const override { return Size(sha256).ok(); }

  absl::StatusOr<std::unique_ptr<Reader>> Read(const std::string& sha256) const override {
    if (absl::Status valid = CheckDigest(sha256); !valid.ok()) return valid;
    const std::string path = BlobPath(folder_, sha256);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Missing(sha256, path, errno);
    auto reader = std::make_unique<FileBlobReader>(fd, sha256);
    struct stat info{};
    if (fstat(fd, &info) != 0) return FileError("read", path, errno);
    reader->set_size_bytes(info.st_size);
    return reader;
  }

  absl::Status Confirm(const std::string& sha256) override {
    return SyncPath(BlobFolderOf(folder_, sha256));
  }

  std::unique_ptr<Hold> HoldBlob(const std::string& sha256) override {
    return std::make_unique<FileHold>(&claims_, sha256);
  }

  std::unique_ptr<Removal> BeginRemoval(const std::string& sha256) override {
    if (!claims_.TryBeginRemoval(sha256)) return nullptr;
    return std::make_unique<FileRemoval>(&claims_, sha256, BlobPath(folder_, sha256));
  }

  absl::StatusOr<std::string> PutAside(const std::string& sha256) override {
    if (absl::Status valid = CheckDigest(sha256); !valid.ok()) return valid;
    const std::string folder = folder_ + "/damaged";
    if (absl::Status made = MakeBlobFolder(folder); !made.ok()) return made;
    const std::string path = BlobPath(folder_, sha256);
    std::string aside = folder + "/" + sha256;
    if (rename(path.c_str(), aside.c_str()) != 0) return Missing(sha256, path, errno);
    return aside;
  }

  std::vector<std::string> List(const std::string& two_digits, absl::Time before) const override {
    std::vector<std::string> names;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder_ + "/" + two_digits, error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
      struct stat info{};
      const std::string name = entry->path().filename();
      if (!IsSha256Hex(name) || stat(entry->path().c_str(), &info) != 0) continue;
      if (absl::TimeFromTimespec(info.st_mtim) < before) names.push_back(name);
    }
    return names;
  }

  absl::StatusOr<std::int64_t> Size(const std::string& sha256) const override {
    if (absl::Status valid = CheckDigest(sha256); !valid.ok()) return valid;
    const std::string path = BlobPath(folder_, sha256);
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) return Missing(sha256, path, errno);
    return static_cast<std::int64_t>(info.st_size);
  }

 private:
  static absl::Status Missing(const std::string& sha256, const std::string& path, int error) {
    if (error == ENOENT) return absl::NotFoundError(fmt::format("there is no blob {}", sha256));
    return FileError("open", path, error);
  }

  const std::string folder_;
  const bool temporary_;
  std::atomic<bool> folders_are_there_ = false;
  Claims claims_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStore>> BlobStore::Open(const std::string& folder) {
  const bool temporary = folder.empty();
  std::string path = folder;
  if (temporary) {
    std::error_code error;
    path = (fs::temp_directory_path(error) / "sweep-blobs-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) return FileError("create", path, errno);
  }
  auto store = std::make_unique<FileBlobStore>(path, temporary);
  // Remove unfinished files of a killed process.
  std::error_code error;
  for (auto entry = fs::directory_iterator(path + "/tmp", error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    fs::remove_all(entry->path(), ignored);
  }
  if (absl::Status made = store->MakeFolders(); !made.ok() && !absl::IsUnavailable(made)) {
    return made;
  }
  return store;
}

}  // namespace sweep
