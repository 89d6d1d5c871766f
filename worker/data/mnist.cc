#include "worker/data/mnist.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "common/base/file_replacement.h"
#include "worker/data/dataset.h"
#include "worker/data/download.h"
#include "worker/data/idx.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMirrors[] = {
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
};

constexpr const char* kAdvice =
    "Put the four files (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
    "t10k-labels-idx1-ubyte, plain or .gz) into a folder and name it by --data-dir or "
    "SWEEP_DATA_DIR, or use `dataset: synthetic`, which needs no files";

// An empty variable counts as unset.
std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Searches the folder itself and its subfolder "mnist". Throws when neither holds all four files.
std::string FindInNamedFolder(const std::string& folder, const std::string& origin) {
  const std::string below = (fs::path(folder) / "mnist").string();
  const std::string missing = MissingIdxFiles(folder);
  if (missing.empty()) return folder;
  const std::string missing_below = MissingIdxFiles(below);
  if (missing_below.empty()) return below;

  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw DataError(origin + " names " + folder + ", which is not a folder");
  }
  const bool has_below = fs::is_directory(below, error);
  throw DataError(origin + " names " + (has_below ? below : folder) + ", which lacks " +
                  (has_below ? missing_below : missing) + " (each may be plain or .gz)");
}

// "" when the environment names no folder.
std::string CacheFolder() {
  // The XDG base directory specification says to ignore relative paths.
  const fs::path xdg = Environment("XDG_CACHE_HOME");
  if (xdg.is_absolute()) return (xdg / "sweep" / "mnist").string();
  const std::string home = Environment("HOME");
  return home.empty() ? "" : (fs::path(home) / ".cache" / "sweep" / "mnist").string();
}

// A lock for the one process or thread that downloads into a folder. The kernel releases it when
// the holder dies.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) {
    const std::string path = (fs::path(folder) / "lock").string();
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) throw DataError("cannot create " + path + ": " + std::strerror(errno));
    while (::flock(descriptor_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      const std::string reason = std::strerror(errno);
      ::close(descriptor_);
      throw DataError("cannot lock " + path + ": " + reason);
    }
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

std::vector<std::string> BaseUrls() {
  std::string own = Environment("SWEEP_MNIST_URL");
  if (own.empty()) return {std::begin(kMirrors), std::end(kMirrors)};
  if (own.back() != '/') own += '/';
  return {own};
}

// Fetches and verifies one file under a temporary name, then renames it.
void FetchFile(const MnistFile& file, const std::string& url, const fs::path& folder,
               const DownloadProgress& progress) {
  const std::string name = std::string(file.name) + ".gz";
  const fs::path temporary = folder / (name + ".part");
  DownloadFile(url, temporary.string(), name, progress);
  try {
    VerifyMnist(file, temporary.string(),
                ReadIdxArray(temporary.string(), RankOf(file), Digest::kSha256));
    fs::rename(temporary, folder / name);
  } catch (const std::exception&) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

// Fetches the files that `folder` lacks. The mirror that served last is asked first for the next
// file, so that a dead mirror costs its timeout only once.
void FetchMissing(const std::string& folder, const DownloadProgress& progress) {
  std::vector<std::string> bases = BaseUrls();
  for (const MnistFile& file : kMnistFiles) {
    if (!FindIdxFile(folder, file.name).empty()) continue;
    std::string failures;
    bool fetched = false;
    for (std::size_t i = 0; i < bases.size() && !fetched; ++i) {
      const std::string url = bases[i] + std::string(file.name) + ".gz";
      try {
        FetchFile(file, url, folder, progress);
        std::swap(bases[0], bases[i]);
        fetched = true;
      } catch (const DataError& error) {
        failures += "\n  " + url + ": " + error.what();
      } catch (const fs::filesystem_error& error) {
        failures += "\n  " + url + ": " + error.what();
      }
    }
    if (!fetched) throw DataError("cannot download MNIST:" + failures + "\n" + kAdvice);
  }
  SyncFolder(folder);  // where it cannot, the next load verifies the files
}

std::string DownloadIntoCache(const std::string& cache, const DataOptions& options) {
  if (!options.allow_download || !CanDownload()) {
    throw DataError(std::string("MNIST is not in ") + (cache.empty() ? "a cache folder" : cache) +
                    (options.allow_download ? ", and this build cannot download. "
                                            : ", and downloading is switched off. ") +
                    kAdvice);
  }
  if (cache.empty()) {
    throw DataError(std::string("neither XDG_CACHE_HOME nor HOME says where to keep MNIST. ") +
                    kAdvice);
  }
  std::error_code error;
  fs::create_directories(cache, error);
  if (error) throw DataError("cannot create " + cache + ": " + error.message());
  const FolderLock lock(cache);
  FetchMissing(cache, options.progress);
  return cache;
}

}  // namespace

int RankOf(const MnistFile& file) {
  return file.name.find("idx3") != std::string_view::npos ? 3 : 1;
}

std::string MissingIdxFiles(const std::string& folder) {
  std::string missing;
  for (const MnistFile& file : kMnistFiles) {
    if (!FindIdxFile(folder, file.name).empty()) continue;
    if (!missing.empty()) missing += ", ";
    missing += file.name;
  }
  return missing;
}

void VerifyMnist(const MnistFile& file, const std::string& path, const IdxArray& array) {
  if (array.sha256 == file.sha256) return;
  throw DataError(path + ": not MNIST's " + std::string(file.name) + ": expected SHA-256 " +
                  std::string(file.sha256) + " (" + std::to_string(file.size_bytes) +
                  " bytes uncompressed), found " + array.sha256 + " (" +
                  std::to_string(array.size_bytes) + " bytes)");
}

std::string EnsureMnist(const DataOptions& options) {
  if (!options.data_dir.empty()) return FindInNamedFolder(options.data_dir, "--data-dir");
  const std::string named = Environment("SWEEP_DATA_DIR");
  if (!named.empty()) return FindInNamedFolder(named, "SWEEP_DATA_DIR");
  const std::string cache = CacheFolder();
  if (!cache.empty() && MissingIdxFiles(cache).empty()) return cache;
  return DownloadIntoCache(cache, options);
}

}  // namespace sweep
