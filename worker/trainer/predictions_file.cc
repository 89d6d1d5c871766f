#include "worker/trainer/predictions_file.h"

#include <algorithm>
#include <bit>

namespace sweep {
namespace {

// The tensor's bytes are copied in the order of memory.
static_assert(std::endian::native == std::endian::little);

constexpr std::int64_t kChannels = 1;  // an ImageSet is grey

}  // namespace

std::vector<SafeTensor> PredictionTensors(const ImageSet& set,
                                          std::span<const std::int32_t> indices,
                                          const std::string& predictions) {
  const std::size_t pixels = static_cast<std::size_t>(set.height) * set.width * kChannels;
  const std::size_t most =
      std::min(kMostPictures, kMostPictureBytes / std::max<std::size_t>(1, pixels));
  std::string labels;
  std::string images;
  std::vector<std::int64_t> mistakes;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices[i]);
    const std::uint8_t label = set.labels[index];
    labels += static_cast<char>(label);
    if (static_cast<std::uint8_t>(predictions[i]) == label || mistakes.size() == most) continue;
    mistakes.push_back(static_cast<std::int64_t>(i));
    images.append(reinterpret_cast<const char*>(set.pixels.data() + index * pixels), pixels);
  }
  const auto count = static_cast<std::int64_t>(indices.size());
  const auto shown = static_cast<std::int64_t>(mistakes.size());
  return {{.name = "predictions", .dtype = "U8", .shape = {count}, .bytes = predictions},
          {.name = "labels", .dtype = "U8", .shape = {count}, .bytes = labels},
          {.name = "mistakes",
           .dtype = "I64",
           .shape = {shown},
           .bytes = std::string(reinterpret_cast<const char*>(mistakes.data()),
                                mistakes.size() * sizeof(std::int64_t))},
          {.name = "images",
           .dtype = "U8",
           .shape = {shown, kChannels, set.height, set.width},
           .bytes = images}};
}

}  // namespace sweep
