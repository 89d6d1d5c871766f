#include "coordinator/api/uploaded_data.h"

#include <algorithm>
#include <memory>

#include "common/protocol/uploaded_data.h"
#include "fmt/format.h"
#include "proto/data_manifest.h"

namespace sweep {
namespace {

absl::Status NotHere(const DatasetSpec& dataset, const std::string& what) {
  return absl::FailedPreconditionError(
      fmt::format("the data set {} is not at this coordinator: {}. Submit the file with the "
                  "folder of the data as its path, with --upload-data",
                  dataset.path, what));
}

absl::StatusOr<std::string> ReadManifest(const DatasetSpec& dataset, const BlobStore& blobs) {
  const absl::StatusOr<std::unique_ptr<BlobStore::Reader>> reader = blobs.Read(ManifestOf(dataset));
  if (absl::IsNotFound(reader.status())) return NotHere(dataset, "nobody has uploaded it");
  if (!reader.ok()) return reader.status();
  if ((*reader)->size_bytes() > kMaxManifestBytes) {
    return absl::InvalidArgumentError(fmt::format("{} has {} bytes, so it is no data set",
                                                  dataset.path, (*reader)->size_bytes()));
  }
  absl::StatusOr<std::string> text = (*reader)->Next(kMaxManifestBytes);
  if (absl::IsDataLoss(text.status()))
    return NotHere(dataset, std::string(text.status().message()));
  return text;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FindDataBlobs(const DatasetSpec& dataset,
                                                       const BlobStore& blobs) {
  if (!IsUploaded(dataset)) return std::vector<std::string>();
  const absl::StatusOr<std::string> text = ReadManifest(dataset, blobs);
  if (!text.ok()) return text.status();
  const absl::StatusOr<DataManifest> manifest = DataManifest::Parse(*text);
  if (!manifest.ok()) {
    return absl::InvalidArgumentError(fmt::format("{} is no data set: {}", dataset.path,
                                                  std::string(manifest.status().message())));
  }
  std::vector<std::string> names = {ManifestOf(dataset)};
  for (const DataManifest::File& file : manifest->files) {
    names.insert(names.end(), file.pieces.begin(), file.pieces.end());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : names) {
    if (!blobs.Has(name)) return NotHere(dataset, fmt::format("its piece {} is missing", name));
  }
  return names;
}

}  // namespace sweep
