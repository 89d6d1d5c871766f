// The wrong predictions of a trial's best epoch.

#include <algorithm>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "common/tensors/safetensors.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::int64_t kPieceBytes = 1 << 20;
// Before base64; limits the size of the answer.
constexpr std::int64_t kMaxPictureBytes = 150'000;
constexpr int kMaxClasses = 100;

absl::StatusOr<std::string> ReadBlob(const BlobStore& blobs, const std::string& sha256) {
  absl::StatusOr<std::unique_ptr<BlobStore::Reader>> reader = blobs.Read(sha256);
  if (!reader.ok()) return reader.status();
  std::string bytes;
  while (std::ssize(bytes) < (*reader)->size_bytes()) {
    const absl::StatusOr<std::string> piece = (*reader)->Next(kPieceBytes);
    if (!piece.ok()) return piece.status();
    bytes += *piece;
  }
  return bytes;
}

std::vector<std::int64_t> Integers(const SafeTensor& tensor) {
  std::vector<std::int64_t> values(tensor.bytes.size() / sizeof(std::int64_t));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint64_t value = 0;
    for (int byte = 7; byte >= 0; --byte) {
      value = value << 8 |
              static_cast<unsigned char>(tensor.bytes[i * 8 + static_cast<std::size_t>(byte)]);
    }
    values[i] = static_cast<std::int64_t>(value);
  }
  return values;
}

// The content of a file of predictions, checked for consistency.
struct Predictions {
  std::string predicted, labels;  // a byte per image
  std::vector<std::int64_t> mistakes;
  std::vector<std::int64_t> shape;  // channels, height, width
  std::string pictures;
};

absl::StatusOr<Predictions> Read(const SafeTensors& file, const std::string& trial) {
  const SafeTensor* const predicted = file.Find("predictions");
  const SafeTensor* const labels = file.Find("labels");
  const SafeTensor* const mistakes = file.Find("mistakes");
  const SafeTensor* const images = file.Find("images");
  if (labels == nullptr || mistakes == nullptr || images == nullptr) {
    return absl::NotFoundError(fmt::format(
        "trial {} was trained by a version that kept no labels with its predictions", trial));
  }
  const bool fits = predicted != nullptr && predicted->dtype == "U8" && labels->dtype == "U8" &&
                    predicted->bytes.size() == labels->bytes.size() && mistakes->dtype == "I64" &&
                    mistakes->shape.size() == 1 && images->dtype == "U8" &&
                    images->shape.size() == 4 && images->shape[0] == mistakes->shape[0];
  Predictions result;
  if (fits) {
    result = {.predicted = predicted->bytes,
              .labels = labels->bytes,
              .mistakes = Integers(*mistakes),
              .shape = {images->shape.begin() + 1, images->shape.end()},
              .pictures = images->bytes};
  }
  const bool in_range = std::all_of(
      result.mistakes.begin(), result.mistakes.end(),
      [&](std::int64_t index) { return index >= 0 && index < std::ssize(result.labels); });
  if (fits && in_range) return result;
  return absl::DataLossError(fmt::format("the predictions of trial {} are damaged", trial));
}

// Counts by label and prediction. Ignores values beyond the last class.
std::vector<std::vector<std::int64_t>> Confusion(const Predictions& predictions) {
  int classes = 10;
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    classes = std::max({classes, 1 + static_cast<unsigned char>(predictions.labels[i]),
                        1 + static_cast<unsigned char>(predictions.predicted[i])});
  }
  classes = std::min(classes, kMaxClasses);
  std::vector<std::vector<std::int64_t>> confusion(
      static_cast<std::size_t>(classes),
      std::vector<std::int64_t>(static_cast<std::size_t>(classes)));
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    const auto label = static_cast<unsigned char>(predictions.labels[i]);
    const auto predicted = static_cast<unsigned char>(predictions.predicted[i]);
    if (label < classes && predicted < classes) ++confusion[label][predicted];
  }
  return confusion;
}

documents::PredictionsView Describe(const Predictions& predictions) {
  documents::PredictionsView view;
  const auto images = static_cast<std::int64_t>(predictions.labels.size());
  std::int64_t right = 0;
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    right += predictions.labels[i] == predictions.predicted[i] ? 1 : 0;
  }
  view.set_images(images);
  view.set_right(right);
  view.set_mistakes_total(images - right);
  const std::vector<std::vector<std::int64_t>> confusion = Confusion(predictions);
  view.set_classes(std::ssize(confusion));
  for (const std::vector<std::int64_t>& counts : confusion) {
    view.add_confusion()->mutable_counts()->Add(counts.begin(), counts.end());
  }
  const std::int64_t picture_bytes =
      std::max<std::int64_t>(predictions.shape[0] * predictions.shape[1] * predictions.shape[2], 1);
  const std::size_t shown = static_cast<std::size_t>(
      std::min(std::ssize(predictions.mistakes), kMaxPictureBytes / picture_bytes));
  for (std::size_t i = 0; i < shown; ++i) {
    const auto index = static_cast<std::size_t>(predictions.mistakes[i]);
    documents::PredictionsView::Mistake* const mistake = view.add_mistakes();
    mistake->set_index(predictions.mistakes[i]);
    mistake->set_label(static_cast<unsigned char>(predictions.labels[index]));
    mistake->set_predicted(static_cast<unsigned char>(predictions.predicted[index]));
  }
  view.mutable_shape()->set_channels(predictions.shape[0]);
  view.mutable_shape()->set_height(predictions.shape[1]);
  view.mutable_shape()->set_width(predictions.shape[2]);
  view.set_pictures(absl::Base64Escape(
      predictions.pictures.substr(0, shown * static_cast<std::size_t>(picture_bytes))));
  return view;
}

}  // namespace

absl::StatusOr<documents::PredictionsView> PredictionsDocument(const ViewContext& context,
                                                               const std::string& sweep,
                                                               std::int64_t number) {
  const absl::StatusOr<TrialRow> trial = context.options.store->Read(FindTrial, sweep, number);
  if (!trial.ok()) return trial.status();
  const auto found =
      std::find_if(trial->artifacts.begin(), trial->artifacts.end(),
                   [](const ArtifactRow& artifact) { return artifact.role == "predictions"; });
  if (found == trial->artifacts.end()) {
    return absl::NotFoundError(fmt::format(
        "trial {} has no predictions; they are stored when it ends", trial->short_name()));
  }
  const absl::StatusOr<std::string> bytes = ReadBlob(*context.options.blobs, found->sha256);
  if (!bytes.ok()) return bytes.status();
  try {
    const absl::StatusOr<Predictions> predictions =
        Read(ParseSafeTensors(*bytes, "predictions"), trial->short_name());
    if (!predictions.ok()) return predictions.status();
    return Describe(*predictions);
  } catch (const SafeTensorsError& error) {
    return absl::DataLossError(fmt::format("the predictions of trial {} cannot be read: {}",
                                           trial->short_name(), error.what()));
  }
}

}  // namespace sweep
