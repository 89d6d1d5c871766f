#include "cli/upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "cli/calls.h"
#include "cli/present/present.h"
#include "common/base/sha256.h"
#include "common/protocol/uploaded_data.h"
#include "common/spec/sweep_name.h"
#include "proto/data_manifest.h"
#include "worker/data/data_digest.h"
#include "worker/data/dataset.h"
#include "worker/data/idx.h"
#include "worker/data/mnist.h"

namespace sweep::cli {
namespace {

// The coordinator keeps what nothing refers to for an hour. What was sent is asked for again before
// that.
constexpr absl::Duration kRenewal = absl::Minutes(10);

// Where a piece lies.
struct Place {
  std::string path;
  std::int64_t offset = 0;
  std::int64_t size_bytes = 0;
};

absl::StatusOr<std::string> ReadPlace(const Place& place) {
  std::ifstream file(place.path, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(place.size_bytes), '\0');
  file.seekg(place.offset);
  if (!file.read(bytes.data(), place.size_bytes)) {
    return absl::FailedPreconditionError(
        fmt::format("{} cannot be read, or has become shorter while it was uploaded", place.path));
  }
  return bytes;
}

// A data set as it lies in a folder.
struct LocalSet {
  DataManifest manifest;
  std::map<std::string, Place> places;  // by piece

  std::vector<std::string> Pieces() const {
    std::vector<std::string> names;
    for (const auto& [name, place] : places) names.push_back(name);
    return names;
  }
};

absl::Status AddFile(const std::string& path, LocalSet* set) {
  DataManifest::File file{.name = std::filesystem::path(path).filename().string()};
  std::error_code error;
  file.size_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, error));
  if (error) return absl::FailedPreconditionError(fmt::format("{}: {}", path, error.message()));
  for (std::int64_t offset = 0; offset < file.size_bytes; offset += kDataPieceBytes) {
    const Place place{.path = path,
                      .offset = offset,
                      .size_bytes = std::min(kDataPieceBytes, file.size_bytes - offset)};
    const absl::StatusOr<std::string> bytes = ReadPlace(place);
    if (!bytes.ok()) return bytes.status();
    file.pieces.push_back(Sha256Hex(*bytes));
    set->places[file.pieces.back()] = place;
  }
  set->manifest.files.push_back(std::move(file));
  return absl::OkStatus();
}

absl::StatusOr<LocalSet> ReadSet(const std::string& folder) {
  const DatasetSpec dataset{.name = "idx", .path = folder};
  try {
    // Reads all files, so that damaged ones are noticed here and not by every worker.
    DataDigest(dataset, EnsureDataset(dataset, {}));
  } catch (const DataError& error) {
    return absl::FailedPreconditionError(error.what());
  }
  LocalSet set;
  for (const MnistFile& file : kMnistFiles) {
    if (absl::Status added = AddFile(FindIdxFile(folder, file.name), &set); !added.ok())
      return added;
  }
  if (std::ssize(set.manifest.Text()) > kMaxManifestBytes) {
    return absl::FailedPreconditionError(fmt::format("{} has {}, which is too much to be uploaded",
                                                     folder, BytesText(set.manifest.size_bytes())));
  }
  return set;
}

// Sends `missing`, for a while. Adds the bytes to `*sent_bytes`.
absl::Status SendPieces(Connection& connection, const LocalSet& set,
                        const std::vector<std::string>& missing, std::int64_t* sent_bytes) {
  const absl::Time until = absl::Now() + kRenewal;
  for (const std::string& name : missing) {
    if (absl::Now() > until) return absl::OkStatus();
    const Place& place = set.places.at(name);
    const absl::StatusOr<std::string> bytes = ReadPlace(place);
    if (!bytes.ok()) return bytes.status();
    if (Sha256Hex(*bytes) != name) {
      return absl::FailedPreconditionError(
          fmt::format("{} has changed while it was uploaded", place.path));
    }
    if (absl::Status put = PutBlob(connection, name, *bytes); !put.ok()) return put;
    *sent_bytes += place.size_bytes;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Upload> UploadData(Connection& connection, const std::string& folder) {
  const absl::StatusOr<LocalSet> set = ReadSet(folder);
  if (!set.ok()) return set.status();
  const std::string text = set->manifest.Text();
  const std::string sha256 = Sha256Hex(text);
  Upload upload{.name = std::string(kUploadedDataPrefix) + sha256,
                .size_bytes = set->manifest.size_bytes()};
  while (true) {
    const absl::StatusOr<std::vector<std::string>> missing =
        FindMissingBlobs(connection, set->Pieces());
    if (!missing.ok()) return missing.status();
    if (missing->empty()) break;
    if (absl::Status sent = SendPieces(connection, *set, *missing, &upload.sent_bytes); !sent.ok())
      return sent;
  }
  // The manifest comes last: where it is, its pieces were.
  if (absl::Status put = PutBlob(connection, sha256, text); !put.ok()) return put;
  return upload;
}

absl::Status UploadDataOf(Connection& connection,
                          const std::function<void(const std::string&)>& say, SweepInput* input) {
  const DatasetSpec& dataset = input->spec.dataset;
  if (IsUploaded(dataset)) return absl::OkStatus();
  if (dataset.name != "idx") {
    return absl::InvalidArgumentError(fmt::format(
        "--upload-data is for files of your own, dataset: {{format: idx, path: FOLDER}}, and the "
        "data set of {} is {}",
        input->spec.name, dataset.name));
  }
  const std::string folder = dataset.path;
  const absl::StatusOr<Upload> upload = UploadData(connection, folder);
  if (!upload.ok()) return upload.status();
  absl::StatusOr<std::string> text = WithDatasetPath(input->source.text, upload->name);
  if (!text.ok()) return text.status();
  input->source.text = *std::move(text);
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(input->source, &diagnostics);
  if (!spec.ok()) return spec.status();
  input->spec = *std::move(spec);
  say(upload->sent_bytes == 0
          ? fmt::format("the data of {} ({}) is at the coordinator already", folder,
                        BytesText(upload->size_bytes))
          : fmt::format("uploaded {} of {} of the data of {}", BytesText(upload->sent_bytes),
                        BytesText(upload->size_bytes), folder));
  return absl::OkStatus();
}

}  // namespace sweep::cli
