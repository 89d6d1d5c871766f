#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/protocol/trial_spec.h"

namespace sweep {

// A data set that is not available: the message names the file and what was expected. The trainer,
// which is built without abseil, shares this library, so it reports by exception.
class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Grey images and their labels in memory.
struct ImageSet {
  int count = 0;
  int height = 28;
  int width = 28;
  std::vector<std::uint8_t> pixels;  // count × height × width, 0 = background
  std::vector<std::uint8_t> labels;  // count
};

struct Dataset {
  ImageSet train;
  ImageSet test;
  int classes = 10;
  std::string digest;  // see data_digest.h
};

// Bytes done and total bytes (0: unknown) of the file being downloaded. May throw to give up;
// EnsureMnist passes the exception on.
using DownloadProgress =
    std::function<void(std::string_view file, std::int64_t done, std::int64_t total)>;

struct DataOptions {
  std::string data_dir;  // --data-dir; searched first
  bool allow_download = true;
  DownloadProgress progress;  // may be empty
};

// Makes sure that the four files of MNIST are present and returns their folder: `data_dir`,
// SWEEP_DATA_DIR (each: the folder itself or its subfolder "mnist"), the cache folder
// ($XDG_CACHE_HOME/sweep/mnist or ~/.cache/sweep/mnist), else the cache after a download (from
// SWEEP_MNIST_URL or the public mirrors), made under a file lock and verified. A folder that is
// named explicitly but lacks the files is an error, not a reason to download. Files that were
// present before are not read here: LoadDataset verifies their SHA-256 every time. Throws
// DataError. May be called from several threads and processes at once.
std::string EnsureMnist(const DataOptions& options);

// Makes sure that `dataset` can be loaded and returns its folder ("" for synthetic and none).
std::string EnsureDataset(const DatasetSpec& dataset, const DataOptions& options);

// Loads into memory. `data_dir` is the result of EnsureDataset. MNIST's files are checked against
// their SHA-256. Throws DataError.
Dataset LoadDataset(const DatasetSpec& dataset, const std::string& data_dir);

// Reads the images (ubyte, 3 dimensions) and the labels (ubyte, 1 dimension) of two IDX files,
// plain or gzip. Throws DataError for a file that is missing, truncated, too long, not IDX, or
// damaged.
ImageSet ReadIdx(const std::string& images_path, const std::string& labels_path);

// Procedurally drawn digits: strokes with random slant, thickness, shift and noise. Image i depends
// only on (seed, i). A small CNN learns them to above 95 % within two epochs of 4,096 images, yet
// they are not trivial.
ImageSet SyntheticDigits(int count, std::uint64_t seed);
// Must rise with every change of the images that SyntheticDigits draws.
inline constexpr int kSyntheticGenerator = 1;
// The numbers of images that a sweep's `dataset: synthetic` draws.
int SyntheticTrainSize(const DatasetSpec& dataset);
int SyntheticTestSize(const DatasetSpec& dataset);

}  // namespace sweep
