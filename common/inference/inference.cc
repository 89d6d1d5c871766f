#include "common/inference/inference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "common/inference/layers.h"
#include "common/network/layer_kinds.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr double kBatchNormEpsilon = 1e-5;
// Largest number of activations per image; a quarter of a GiB for the images of one pass.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 23;

// "[10, 1, 3, 3]"
std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t side : shape) text += fmt::format("{}{}", text.empty() ? "" : ", ", side);
  return "[" + text + "]";
}

// Takes tensors by name and remembers which.
class TensorReader {
 public:
  TensorReader(const SafeTensors& tensors, std::string_view file)
      : tensors_(tensors), file_(file) {}

  absl::StatusOr<std::vector<float>> Floats(const std::string& name,
                                            const std::vector<std::int64_t>& shape) {
    const SafeTensor* const tensor = tensors_.Find(name);
    if (tensor == nullptr) {
      return Refuse(fmt::format("has no tensor '{}'; expected F32 {}", name, ShapeText(shape)));
    }
    taken_.insert(name);
    if (tensor->dtype != "F32" || tensor->shape != shape) {
      return Refuse(fmt::format("tensor '{}' is {} {}; expected F32 {}", name, tensor->dtype,
                                ShapeText(tensor->shape), ShapeText(shape)));
    }
    std::vector<float> values(tensor->bytes.size() / sizeof(float));
    std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
    const auto is_finite = [](float value) { return std::isfinite(value); };
    if (!std::all_of(values.begin(), values.end(), is_finite)) {
      return Refuse(fmt::format("tensor '{}' holds a value that is not finite", name));
    }
    return values;
  }

  absl::Status Refuse(const std::string& what) const {
    return absl::InvalidArgumentError(fmt::format("{}: {}", file_, what));
  }

  // Marks a tensor as known that evaluation does not need.
  void Ignore(const std::string& name) { taken_.insert(name); }

  absl::Status CheckAllTaken() const {
    for (const SafeTensor& tensor : tensors_.tensors) {
      if (!taken_.contains(tensor.name)) {
        return Refuse(fmt::format("tensor '{}' belongs to no layer of the network", tensor.name));
      }
    }
    return absl::OkStatus();
  }

 private:
  const SafeTensors& tensors_;
  const std::string_view file_;
  std::set<std::string> taken_;
};

absl::Status ReadWeighted(const std::vector<std::int64_t>& shape, const Layer& layer,
                          const std::string& prefix, TensorReader* reader,
                          std::vector<float>* weight, std::vector<float>* bias) {
  absl::StatusOr<std::vector<float>> values = reader->Floats(prefix + "weight", shape);
  if (!values.ok()) return values.status();
  *weight = *std::move(values);
  if (!layer.bias) {
    bias->assign(static_cast<std::size_t>(layer.out), 0.0f);
    return absl::OkStatus();
  }
  values = reader->Floats(prefix + "bias", {layer.out});
  if (!values.ok()) return values.status();
  *bias = *std::move(values);
  return absl::OkStatus();
}

// Folds (x - mean) / sqrt(variance + epsilon) * weight + bias into x * factor + summand.
absl::Status ReadBatchNorm(const Layer& layer, const std::string& prefix, TensorReader* reader,
                           std::vector<float>* factor, std::vector<float>* summand) {
  std::vector<float> parts[4];
  const char* const names[] = {"weight", "bias", "running_mean", "running_var"};
  for (int i = 0; i < 4; ++i) {
    absl::StatusOr<std::vector<float>> values =
        reader->Floats(prefix + names[i], {layer.input.channels});
    if (!values.ok()) return values.status();
    parts[i] = *std::move(values);
  }
  reader->Ignore(prefix + "num_batches_tracked");
  const auto& [weight, bias, mean, variance] = parts;
  for (std::size_t c = 0; c < weight.size(); ++c) {
    if (variance[c] < 0) {
      return reader->Refuse(fmt::format(
          "tensor '{}running_var' holds {}; a variance is not negative", prefix, variance[c]));
    }
    const double scale = weight[c] / std::sqrt(variance[c] + kBatchNormEpsilon);
    factor->push_back(static_cast<float>(scale));
    summand->push_back(static_cast<float>(bias[c] - mean[c] * scale));
  }
  return absl::OkStatus();
}

absl::Status ReadWeights(const Layer& layer, const std::string& prefix, TensorReader* reader,
                         std::vector<float>* weight, std::vector<float>* bias) {
  switch (InfoOf(layer.kind).weights) {
    case LayerWeights::kNone:
      return absl::OkStatus();
    case LayerWeights::kFilters:
      return ReadWeighted({layer.out, layer.input.channels, layer.kernel, layer.kernel}, layer,
                          prefix, reader, weight, bias);
    case LayerWeights::kMatrix:
      return ReadWeighted({layer.out, layer.input.elements()}, layer, prefix, reader, weight, bias);
    case LayerWeights::kNorm:
      return ReadBatchNorm(layer, prefix, reader, weight, bias);
  }
  return absl::InternalError("unknown weights");
}

absl::Status CheckSize(const Network& network) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const std::int64_t elements = std::max(layer.input.elements(), layer.output.elements());
    if (elements > kMaxElements) {
      return absl::InvalidArgumentError(
          fmt::format("network {}: layer {} ({}) has {} values per image; at most {} are possible "
                      "here",
                      network.name, i + 1, DescribeLayer(layer), elements, kMaxElements));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<InferenceNetwork> InferenceNetwork::Create(const Network& network,
                                                          const SafeTensors& tensors,
                                                          std::string_view file) {
  if (absl::Status status = CheckSize(network); !status.ok()) return status;
  InferenceNetwork result;
  result.network_ = network;
  result.weights_.resize(network.layers.size());
  TensorReader reader(tensors, file);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    Weights& weights = result.weights_[i];
    const std::string prefix = fmt::format("layers.{}.", i);
    const absl::Status status = ReadWeights(layer, prefix, &reader, &weights.weight, &weights.bias);
    if (!status.ok()) return status;
  }
  if (absl::Status status = reader.CheckAllTaken(); !status.ok()) return status;
  return result;
}

std::vector<float> InferenceNetwork::Run(std::span<const float> images) const {
  const auto elements = static_cast<std::size_t>(network_.input.elements());
  const auto classes = static_cast<std::size_t>(network_.classes);
  const std::size_t count = images.size() / elements;
  std::vector<float> results(count * classes);
  std::vector<float> in, out;
  for (std::size_t first = 0; first < count; first += kLanes) {
    const std::size_t lanes = std::min<std::size_t>(kLanes, count - first);
    Interleave(images.subspan(first * elements, lanes * elements), elements, &in);
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = network_.layers[i];
      if (!ChangesValues(layer.kind)) continue;
      out.resize(static_cast<std::size_t>(layer.output.elements()) * kLanes);
      RunLayer(layer, weights_[i].weight, weights_[i].bias, in, out);
      in.swap(out);
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      LogSoftmax(in, lane, std::span(results).subspan((first + lane) * classes, classes));
    }
  }
  return results;
}

int ArgMax(std::span<const float> values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace sweep
