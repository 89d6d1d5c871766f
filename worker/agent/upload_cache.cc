#include "worker/agent/upload_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file_replacement.h"
#include "common/base/ids.h"
#include "common/base/sha256.h"
#include "proto/data_manifest.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLockPoll{50};
constexpr char kPartSuffix[] = ".part";
constexpr char kLockSuffix[] = ".lock";
constexpr char kRemovedPrefix[] = "removed-";
constexpr char kManifestName[] = "manifest";

// A file descriptor that closes itself.
class CacheFile {
 public:
  CacheFile(const std::string& path, int flags)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~CacheFile() {
    if (fd_ >= 0) close(fd_);
  }
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// Never retryable: the machine has to be mended.
absl::Status CacheError(const std::string& path, int error) {
  return absl::FailedPreconditionError(
      absl::StrCat("data cache: ", path, " cannot be written: ", std::strerror(error)));
}

std::string ReadCached(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The digest of a part of a file; "" when it is shorter.
std::string DigestOfPart(int fd, std::int64_t offset, std::int64_t size_bytes) {
  Sha256 digest;
  std::array<char, std::size_t{64} << 10> buffer;
  while (size_bytes > 0) {
    const auto wanted = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(size_bytes));
    const ssize_t got = pread(fd, buffer.data(), wanted, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return "";
    digest.Update(buffer.data(), static_cast<std::size_t>(got));
    offset += got;
    size_bytes -= got;
  }
  return digest.FinishHex();
}

std::int64_t PieceSize(const DataManifest::File& file, std::size_t piece) {
  const auto offset = static_cast<std::int64_t>(piece) * kDataPieceBytes;
  return std::min(kDataPieceBytes, file.size_bytes - offset);
}

std::int64_t BytesIn(const fs::path& folder) {
  std::int64_t sum = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    const std::uintmax_t size = at->file_size(gone);
    if (!gone) sum += static_cast<std::int64_t>(size);
  }
  return sum;
}

// Trainers may run in another working directory. "" stays.
std::string AbsoluteFolder(const std::string& folder) {
  std::error_code ignored;
  return folder.empty() ? "" : fs::absolute(folder, ignored).lexically_normal().string();
}

void RemoveSet(const std::string& cache, const fs::path& folder) {
  // First out of the way, so that a kill in the middle leaves no set that lacks files.
  const fs::path removed = fs::path(cache) / absl::StrCat(kRemovedPrefix, RandomHex(8));
  std::error_code error;
  fs::rename(folder, removed, error);
  fs::remove_all(error ? folder : removed, error);
}

}  // namespace

std::string DefaultUploadCache() {
  const auto variable = [](const char* name) -> fs::path {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  // The XDG base directory specification says to ignore relative paths.
  const fs::path xdg = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (xdg.is_absolute()) return (xdg / "sweep" / "data").string();
  return home.empty() ? "" : (home / ".cache" / "sweep" / "data").string();
}

// A lock on a file, which is made. Used by one thread; the destructor unlocks.
class UploadCache::Lock {
 public:
  explicit Lock(const std::string& path) : path_(path), file_(path, O_RDWR | O_CREAT) {}

  // LOCK_SH or LOCK_EX, instead of what it has. Waits; `stopped` is asked now and then.
  absl::Status Take(int kind, const std::function<absl::Status()>& stopped) {
    if (file_.fd() < 0) return CacheError(path_, error_);
    while (!TryTake(kind)) {
      if (errno != EWOULDBLOCK) return CacheError(path_, errno);
      if (absl::Status status = stopped(); !status.ok()) return status;
      std::this_thread::sleep_for(kLockPoll);
    }
    return absl::OkStatus();
  }
  // False, with the reason in errno, when somebody else has it.
  bool TryTake(int kind) {
    while (flock(file_.fd(), kind | LOCK_NB) != 0) {
      if (errno != EINTR) return false;
    }
    return true;
  }
  void NoteUse() const { futimens(file_.fd(), nullptr); }

 private:
  const std::string path_;
  CacheFile file_;
  const int error_ = errno;  // of the opening
};

// Where the parts of a set lie.
struct UploadCache::Set {
  Set(const std::string& cache, std::string name, IsOver over)
      : is_over(std::move(over)),
        sha256(std::move(name)),
        whole(absl::StrCat(cache, "/", sha256)),
        part(absl::StrCat(whole, kPartSuffix)),
        lock(absl::StrCat(whole, kLockSuffix)) {}
  // The set as messages name it.
  std::string Name() const { return absl::StrCat("data set sha256:", sha256); }

  const IsOver is_over;
  const std::string sha256, whole, part, lock;
  DataManifest manifest;
};

UploadCache::UploadCache(const Options& options, Fetch fetch)
    : folder_(AbsoluteFolder(options.folder.empty() ? DefaultUploadCache() : options.folder)),
      limit_bytes_(options.limit_bytes),
      fetch_(std::move(fetch)) {}

absl::Status UploadCache::Stopped(const Set& set) const {
  if (shut_down_) return absl::CancelledError("the worker stops");
  if (set.is_over && set.is_over()) return absl::CancelledError("nobody waits for it");
  return absl::OkStatus();
}

absl::StatusOr<UploadCache::InUse> UploadCache::Get(const std::string& sha256,
                                                    const IsOver& is_over) {
  if (folder_.empty()) {
    return absl::FailedPreconditionError(
        "neither XDG_CACHE_HOME nor HOME says where to keep uploaded data; name a folder by "
        "--data-cache");
  }
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return CacheError(folder_, error.value());
  Set set(folder_, sha256, is_over);
  auto lock = std::make_shared<Lock>(set.lock);  // shared by the users of the set
  const auto stopped = [&] { return Stopped(set); };
  while (true) {
    if (absl::Status taken = lock->Take(LOCK_SH, stopped); !taken.ok()) return taken;
    const bool is_there = fs::is_directory(set.whole, error);
    if (is_there && (IsVerified(sha256) || Verify(set))) {
      lock->NoteUse();
      return InUse{.folder = set.whole, .hold = std::move(lock)};
    }
    // Another one may take it in between, so what was seen has to be looked at again.
    if (absl::Status taken = lock->Take(LOCK_EX, stopped); !taken.ok()) return taken;
    if (fs::is_directory(set.whole, error)) {
      if (Verify(set)) continue;
      spdlog::warn("data set damaged, fetching what is missing folder={:?}", set.whole);
      fs::remove_all(set.part, error);
      fs::rename(set.whole, set.part, error);
      if (error) return CacheError(set.whole, error.value());
    }
    lock->NoteUse();
    if (absl::Status filled = Fill(set); !filled.ok()) {
      return absl::Status(filled.code(), absl::StrCat(set.Name(), ": ", filled.message()));
    }
  }
}

bool UploadCache::IsVerified(const std::string& sha256) {
  MutexLock lock(&mutex_);
  return verified_.contains(sha256);
}

bool UploadCache::Verify(const Set& set) {
  const std::string text = ReadCached(absl::StrCat(set.whole, "/", kManifestName));
  if (Sha256Hex(text) != set.sha256) return false;
  const absl::StatusOr<DataManifest> manifest = DataManifest::Parse(text);
  if (!manifest.ok()) return false;
  for (const DataManifest::File& file : manifest->files) {
    const CacheFile opened(absl::StrCat(set.whole, "/", file.name), O_RDONLY);
    struct stat info{};
    if (fstat(opened.fd(), &info) != 0 || info.st_size != file.size_bytes) return false;
    for (std::size_t i = 0; i < file.pieces.size(); ++i) {
      const auto offset = static_cast<std::int64_t>(i) * kDataPieceBytes;
      if (DigestOfPart(opened.fd(), offset, PieceSize(file, i)) != file.pieces[i]) return false;
    }
  }
  MutexLock lock(&mutex_);
  verified_.insert(set.sha256);
  return true;
}

absl::Status UploadCache::Fill(const Set& found) {
  Set set = found;
  std::error_code error;
  fs::create_directories(set.part, error);
  if (error) return CacheError(set.part, error.value());
  const std::string manifest_path = absl::StrCat(set.part, "/", kManifestName);
  std::string text = ReadCached(manifest_path);
  if (Sha256Hex(text) != set.sha256) {
    text.clear();
    const absl::Status fetched = fetch_(set.sha256, [&](std::string_view bytes) -> absl::Status {
      if (static_cast<std::int64_t>(text.size() + bytes.size()) > kMaxManifestBytes) {
        return absl::FailedPreconditionError("it is too long for the manifest of a data set");
      }
      text += bytes;
      return absl::OkStatus();
    });
    if (!fetched.ok()) return fetched;
    const auto open_to_all = [](int fd) { return fchmod(fd, 0644) == 0; };
    if (!ReplaceFile(manifest_path, text, open_to_all)) return CacheError(manifest_path, errno);
  }
  absl::StatusOr<DataManifest> manifest = DataManifest::Parse(text);
  if (!manifest.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is no manifest of a data set: ", manifest.status().message()));
  }
  set.manifest = *std::move(manifest);
  if (absl::Status reserved = Reserve(set); !reserved.ok()) return reserved;
  if (absl::Status fetched = FetchPieces(set); !fetched.ok()) return fetched;
  SyncFolder(set.part);
  fs::rename(set.part, set.whole, error);
  if (error) return CacheError(set.whole, error.value());
  SyncFolder(folder_);
  MutexLock lock(&mutex_);
  verified_.insert(set.sha256);
  return absl::OkStatus();
}

absl::Status UploadCache::Reserve(const Set& set) {
  if (set.manifest.size_bytes() > limit_bytes_) {
    return absl::FailedPreconditionError(
        absl::StrCat("it has ", set.manifest.size_bytes(), " bytes, and the data cache ", folder_,
                     " may have ", limit_bytes_, " (--data-cache-limit)"));
  }
  Lock room(absl::StrCat(folder_, "/lock"));
  if (absl::Status taken = room.Take(LOCK_EX, [&] { return Stopped(set); }); !taken.ok()) {
    return taken;
  }
  if (absl::Status made = MakeRoom(set); !made.ok()) return made;
  for (const DataManifest::File& file : set.manifest.files) {
    const std::string path = absl::StrCat(set.part, "/", file.name);
    const CacheFile opened(path, O_RDWR | O_CREAT);
    if (opened.fd() < 0 || ftruncate(opened.fd(), file.size_bytes) != 0) {
      return CacheError(path, errno);
    }
  }
  return absl::OkStatus();
}

absl::Status UploadCache::MakeRoom(const Set& set) {
  std::vector<std::tuple<fs::file_time_type, std::string, fs::path, std::int64_t>> others;
  std::int64_t total = set.manifest.size_bytes();
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const std::string sha256 = name.substr(0, set.sha256.size());
    std::error_code ignored;
    if (name.starts_with(kRemovedPrefix)) fs::remove_all(at->path(), ignored);
    if (sha256 == set.sha256 || !IsSha256Hex(sha256) || !at->is_directory(ignored)) continue;
    const std::string lock = absl::StrCat(folder_, "/", sha256, kLockSuffix);
    const std::int64_t size_bytes = BytesIn(at->path());
    others.emplace_back(fs::last_write_time(lock, ignored), lock, at->path(), size_bytes);
    total += size_bytes;
  }
  std::sort(others.begin(), others.end());
  for (const auto& [used, path, folder, size_bytes] : others) {
    if (total <= limit_bytes_) break;
    Lock lock(path);
    if (!lock.TryTake(LOCK_EX)) continue;  // somebody uses or fetches it
    spdlog::info("data set removed to make room folder={:?} bytes={}", folder.string(), size_bytes);
    RemoveSet(folder_, folder);
    total -= size_bytes;
  }
  if (total <= limit_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the data cache ", folder_, " may have ", limit_bytes_,
                   " bytes (--data-cache-limit), and the data sets in use leave too little room"));
}

absl::Status UploadCache::FetchPieces(const Set& set) {
  std::int64_t fetched = 0, pieces = 0;
  for (const DataManifest::File& file : set.manifest.files) {
    const std::string path = absl::StrCat(set.part, "/", file.name);
    const CacheFile opened(path, O_RDWR);
    if (opened.fd() < 0) return CacheError(path, errno);
    for (std::size_t i = 0; i < file.pieces.size(); ++i, ++pieces) {
      const auto offset = static_cast<std::int64_t>(i) * kDataPieceBytes;
      const std::int64_t size_bytes = PieceSize(file, i);
      if (DigestOfPart(opened.fd(), offset, size_bytes) == file.pieces[i]) continue;
      if (fetched == 0) spdlog::info("fetching data set sha256={}", set.sha256);
      if (absl::Status got = FetchPiece(set, file.pieces[i], opened.fd(), offset); !got.ok()) {
        return absl::Status(got.code(),
                            absl::StrCat("piece ", i + 1, " of ", file.name, ": ", got.message()));
      }
      // The blob may have another size than the manifest says.
      if (DigestOfPart(opened.fd(), offset, size_bytes) != file.pieces[i]) {
        return absl::FailedPreconditionError(
            absl::StrCat("piece ", i + 1, " of ", file.name, " is not the blob ", file.pieces[i]));
      }
      ++fetched;
    }
    if (fsync(opened.fd()) != 0) return CacheError(path, errno);
  }
  spdlog::info("data set fetched sha256={} bytes={} pieces={} fetched={} folder={:?}", set.sha256,
               set.manifest.size_bytes(), pieces, fetched, set.whole);
  return absl::OkStatus();
}

absl::Status UploadCache::FetchPiece(const Set& set, const std::string& piece, int fd,
                                     std::int64_t offset) {
  const std::int64_t end = offset + kDataPieceBytes;
  return fetch_(piece, [&](std::string_view bytes) -> absl::Status {
    if (absl::Status stopped = Stopped(set); !stopped.ok()) return stopped;
    if (offset + static_cast<std::int64_t>(bytes.size()) > end) {
      return absl::FailedPreconditionError("it is too long for a piece of a data set");
    }
    while (!bytes.empty()) {
      const ssize_t wrote = pwrite(fd, bytes.data(), bytes.size(), offset);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return CacheError(set.part, errno);
      offset += wrote;
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return absl::OkStatus();
  });
}

}  // namespace sweep
