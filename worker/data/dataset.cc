#include "worker/data/dataset.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "worker/data/idx.h"
#include "worker/data/mnist.h"

namespace sweep {
namespace {

constexpr int kMnistClasses = 10;
constexpr int kSyntheticTrainSize = 4096;
constexpr int kSyntheticTestSize = 1000;
constexpr std::uint64_t kSyntheticTrainSeed = 1;
constexpr std::uint64_t kSyntheticTestSeed = 2;

ImageSet Combine(const std::string& images_path, IdxArray images, const std::string& labels_path,
                 IdxArray labels) {
  const auto count = labels.dimensions[0];
  if (images.dimensions[0] != count) {
    throw DataError(images_path + " has " + std::to_string(images.dimensions[0]) + " images, but " +
                    labels_path + " has " + std::to_string(count) + " labels");
  }
  return {.count = static_cast<int>(count),
          .height = static_cast<int>(images.dimensions[1]),
          .width = static_cast<int>(images.dimensions[2]),
          .pixels = std::move(images.elements),
          .labels = std::move(labels.elements)};
}

IdxArray ReadVerified(const MnistFile& file, const std::string& path, int rank) {
  IdxArray array = ReadIdxArray(path, rank, Digest::kSha256);
  VerifyMnist(file, path, array);
  return array;
}

// `first` is the place in kMnistFiles of the images' file; the labels' file follows it.
ImageSet ReadPair(const std::string& folder, int first, bool verify) {
  const MnistFile& images = kMnistFiles[first];
  const MnistFile& labels = kMnistFiles[first + 1];
  const std::string images_path = FindIdxFile(folder, images.name);
  const std::string labels_path = FindIdxFile(folder, labels.name);
  if (!verify) return ReadIdx(images_path, labels_path);
  IdxArray image_array = ReadVerified(images, images_path, 3);
  IdxArray label_array = ReadVerified(labels, labels_path, 1);
  return Combine(images_path, std::move(image_array), labels_path, std::move(label_array));
}

// Keeps the first `size` images; 0 keeps all. `part` is the key of a sweep file.
void Truncate(const std::string& part, int size, ImageSet* set) {
  if (size == 0) return;
  if (size < 0 || size > set->count) {
    throw DataError("dataset: " + part + " is " + std::to_string(size) + ", but there are " +
                    std::to_string(set->count) + " images");
  }
  set->count = size;
  set->pixels.resize(static_cast<std::size_t>(size) * set->height * set->width);
  set->labels.resize(size);
}

Dataset LoadFiles(const DatasetSpec& spec, const std::string& folder) {
  const std::string missing = MissingIdxFiles(folder);
  if (!missing.empty()) {
    throw DataError("dataset " + spec.name + ": " + folder + " lacks " + missing +
                    " (each may be plain or .gz)");
  }
  const bool mnist = spec.name == "mnist";
  Dataset data{.train = ReadPair(folder, 0, mnist), .test = ReadPair(folder, 2, mnist)};
  const auto size_text = [](const ImageSet& set) {
    return std::to_string(set.height) + " × " + std::to_string(set.width);
  };
  if (data.train.height != data.test.height || data.train.width != data.test.width) {
    throw DataError(folder + ": the training images are " + size_text(data.train) +
                    ", but the test images are " + size_text(data.test));
  }
  // Before images are left out, so that the count of classes does not depend on their number.
  const auto largest = [](const ImageSet& set) { return *std::ranges::max_element(set.labels); };
  data.classes = mnist ? kMnistClasses : std::max(largest(data.train), largest(data.test)) + 1;
  Truncate("train", spec.train_size, &data.train);
  Truncate("test", spec.test_size, &data.test);
  return data;
}

}  // namespace

std::string EnsureDataset(const DatasetSpec& dataset, const DataOptions& options) {
  if (dataset.name == "synthetic" || dataset.name == "none") return "";
  if (dataset.name == "mnist") return EnsureMnist(options);
  if (dataset.name != "idx") {
    throw DataError("dataset '" + dataset.name + "' is unknown; it is mnist, synthetic or idx");
  }
  if (dataset.path.empty()) throw DataError("dataset idx: path is missing");
  std::error_code error;
  if (!std::filesystem::is_directory(dataset.path, error)) {
    const std::filesystem::path whole = std::filesystem::absolute(dataset.path, error);
    throw DataError("dataset idx: no such folder '" + whole.string() + "' on this machine");
  }
  const std::string missing = MissingIdxFiles(dataset.path);
  if (!missing.empty()) {
    throw DataError("dataset idx: " + dataset.path + " lacks " + missing +
                    " (each may be plain or .gz)");
  }
  // The trainer may run in another working directory.
  return std::filesystem::absolute(dataset.path).string();
}

Dataset LoadDataset(const DatasetSpec& dataset, const std::string& data_dir) {
  if (dataset.name == "mnist") return LoadFiles(dataset, data_dir);
  if (dataset.name == "idx") return LoadFiles(dataset, data_dir.empty() ? dataset.path : data_dir);
  if (dataset.name != "synthetic") {
    throw DataError("dataset '" + dataset.name + "' is unknown; it is mnist, synthetic or idx");
  }
  const auto size = [](int asked, int usual) { return asked == 0 ? usual : asked; };
  return {
      .train = SyntheticDigits(size(dataset.train_size, kSyntheticTrainSize), kSyntheticTrainSeed),
      .test = SyntheticDigits(size(dataset.test_size, kSyntheticTestSize), kSyntheticTestSeed)};
}

ImageSet ReadIdx(const std::string& images_path, const std::string& labels_path) {
  IdxArray images = ReadIdxArray(images_path, 3);
  IdxArray labels = ReadIdxArray(labels_path, 1);
  return Combine(images_path, std::move(images), labels_path, std::move(labels));
}

}  // namespace sweep
