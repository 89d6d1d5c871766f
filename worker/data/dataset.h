#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/protocol/trial_spec.h"

namespace sweep {

// A data set that cannot be had: the message names the file and what was expected. This library is
// shared with the trainer, which is built without abseil, so it reports by exception.
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

// Bytes done and bytes in all (0: unknown) of the file being downloaded. May throw to give up; the
// exception comes out of EnsureMnist.
using DownloadProgress =
    std::function<void(std::string_view file, std::int64_t done, std::int64_t total)>;

struct DataOptions {
  std::string data_dir;  // --data-dir; looked at first
  bool allow_download = true;
  DownloadProgress progress;  // may be empty
};

// The folder in which the four files of MNIST lie, after making sure that they are there:
// `data_dir`, SWEEP_DATA_DIR (each: the folder itself or its subfolder "mnist"), the cache folder
// ($XDG_CACHE_HOME/sweep/mnist or ~/.cache/sweep/mnist), else downloaded into the cache (from
// SWEEP_MNIST_URL or the public mirrors) under a file lock and verified. A folder that is named
// explicitly but lacks the files is an error, not a reason to download. Files that were there
// before are not read here: LoadDataset verifies their SHA-256 every time. Throws DataError. Safe
// to call from several threads and processes at once.
std::string EnsureMnist(const DataOptions& options);

// Makes sure that `dataset` can be loaded and returns its folder ("" for synthetic and none).
std::string EnsureDataset(const DatasetSpec& dataset, const DataOptions& options);

// Loads into memory. `data_dir` is what EnsureDataset returned. MNIST's files are held against
// their SHA-256. Throws DataError.
Dataset LoadDataset(const DatasetSpec& dataset, const std::string& data_dir);

// Reads one IDX file (images: ubyte, 3 dimensions; labels: ubyte, 1 dimension), plain or gzip.
// Throws DataError for a file that is missing, truncated, too long, not IDX, or damaged.
ImageSet ReadIdx(const std::string& images_path, const std::string& labels_path);

// Procedurally drawn digits: strokes with random slant, thickness, shift and noise. Image i is a
// function of (seed, i) alone. Learnable to above 95 % by a small CNN within two epochs at 4,096
// images, yet not trivial.
ImageSet SyntheticDigits(int count, std::uint64_t seed);
// Rises with every change of what SyntheticDigits draws.
inline constexpr int kSyntheticGenerator = 1;
// How many images a sweep's `dataset: synthetic` draws.
int SyntheticTrainSize(const DatasetSpec& dataset);
int SyntheticTestSize(const DatasetSpec& dataset);

}  // namespace sweep
