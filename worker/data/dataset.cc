#include "worker/data/dataset.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/protocol/uploaded_data.h"
#include "worker/data/data_digest.h"
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

IdxArray ReadFile(const MnistFile& file, const std::string& path, bool verify,
                  std::vector<std::string>* sha256s) {
  IdxArray array = ReadIdxArray(path, RankOf(file), Digest::kSha256);
  if (verify) VerifyMnist(file, path, array);
  sha256s->push_back(array.sha256);
  return array;
}

// `first` is the index in kMnistFiles of the images' file; the labels' file follows it.
ImageSet ReadPair(const std::string& folder, int first, bool verify,
                  std::vector<std::string>* sha256s) {
  const MnistFile& images = kMnistFiles[first];
  const MnistFile& labels = kMnistFiles[first + 1];
  const std::string images_path = FindIdxFile(folder, images.name);
  const std::string labels_path = FindIdxFile(folder, labels.name);
  IdxArray image_array = ReadFile(images, images_path, verify, sha256s);
  IdxArray label_array = ReadFile(labels, labels_path, verify, sha256s);
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
  std::vector<std::string> sha256s;
  Dataset data{.train = ReadPair(folder, 0, mnist, &sha256s),
               .test = ReadPair(folder, 2, mnist, &sha256s)};
  data.digest = DigestOfFiles(sha256s);
  const auto size_text = [](const ImageSet& set) {
    return std::to_string(set.height) + " × " + std::to_string(set.width);
  };
  if (data.train.height != data.test.height || data.train.width != data.test.width) {
    throw DataError(folder + ": the training images are " + size_text(data.train) +
                    ", but the test images are " + size_text(data.test));
  }
  // Counted before images are left out, so that the number of classes does not depend on it.
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
  if (IsUploaded(dataset)) {
    throw DataError("dataset idx: " + dataset.path +
                    " was uploaded to a coordinator, whose workers fetch it; elsewhere, name a "
                    "folder that has its files");
  }
  // The trainer may run in another working directory.
  const std::string folder = std::filesystem::absolute(dataset.path).lexically_normal().string();
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    throw DataError("dataset idx: no such folder '" + folder + "' on this machine");
  }
  const std::string missing = MissingIdxFiles(folder);
  if (!missing.empty()) {
    throw DataError("dataset idx: " + folder + " lacks " + missing + " (each may be plain or .gz)");
  }
  return folder;
}

Dataset LoadDataset(const DatasetSpec& dataset, const std::string& data_dir) {
  if (dataset.name == "mnist") return LoadFiles(dataset, data_dir);
  if (dataset.name == "idx") return LoadFiles(dataset, data_dir.empty() ? dataset.path : data_dir);
  if (dataset.name != "synthetic") {
    throw DataError("dataset '" + dataset.name + "' is unknown; it is mnist, synthetic or idx");
  }
  return {.train = SyntheticDigits(SyntheticTrainSize(dataset), kSyntheticTrainSeed),
          .test = SyntheticDigits(SyntheticTestSize(dataset), kSyntheticTestSeed),
          .digest = DigestOfSynthetic(dataset)};
}

int SyntheticTrainSize(const DatasetSpec& dataset) {
  return dataset.train_size == 0 ? kSyntheticTrainSize : dataset.train_size;
}

int SyntheticTestSize(const DatasetSpec& dataset) {
  return dataset.test_size == 0 ? kSyntheticTestSize : dataset.test_size;
}

ImageSet ReadIdx(const std::string& images_path, const std::string& labels_path) {
  IdxArray images = ReadIdxArray(images_path, 3);
  IdxArray labels = ReadIdxArray(labels_path, 1);
  return Combine(images_path, std::move(images), labels_path, std::move(labels));
}

}  // namespace sweep
