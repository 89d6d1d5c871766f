#include "common/network/network.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "common/base/value.h"

namespace sweep {
namespace {

// Bounds on what a network may be. They keep every count below far from the end of int64 and refuse
// a hostile file before anything is allocated for it.
constexpr int kMaxLayers = 1000;
constexpr int kMaxChannels = 65536;
constexpr int kMaxSide = 65536;
constexpr int kMaxKernel = 255;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 31;    // per layer and image
constexpr std::int64_t kMaxParameters = std::int64_t{1} << 30;  // 4 GiB of floats
constexpr double kMaxLayerFlops = 1e15;

constexpr std::array<std::pair<LayerKind, std::string_view>, 10> kNames = {{
    {LayerKind::kConv, "conv"},
    {LayerKind::kRelu, "relu"},
    {LayerKind::kBatchNorm, "batch_norm"},
    {LayerKind::kDropout, "dropout"},
    {LayerKind::kDropout2d, "dropout2d"},
    {LayerKind::kMaxPool, "max_pool"},
    {LayerKind::kAvgPool, "avg_pool"},
    {LayerKind::kGlobalAvgPool, "global_avg_pool"},
    {LayerKind::kLinear, "linear"},
    {LayerKind::kLogSoftmax, "log_softmax"},
}};

std::string Square(int side) { return std::to_string(side) + "×" + std::to_string(side); }

std::string Plane(const Shape& shape) {
  return std::to_string(shape.height) + "×" + std::to_string(shape.width);
}

std::string FormatShape(const Shape& shape) {
  return std::to_string(shape.channels) + "×" + Plane(shape);
}

// "" or "kernel is 300; allowed is 1 to 255".
std::string CheckRange(std::string_view what, std::int64_t value, std::int64_t low,
                       std::int64_t high) {
  if (value >= low && value <= high) return "";
  return std::string(what) + " is " + std::to_string(value) + "; allowed is " +
         std::to_string(low) + " to " + std::to_string(high);
}

int Saturate(std::int64_t value) {
  return static_cast<int>(std::min<std::int64_t>(value, std::numeric_limits<int>::max()));
}

// Each output of a window of `size` sees `size - 1` more steps of the distance so far.
void GrowReceptiveField(int size, int stride, Layer* layer) {
  layer->receptive_field =
      Saturate(layer->receptive_field + (std::int64_t{size} - 1) * layer->jump);
  layer->jump = Saturate(std::int64_t{layer->jump} * stride);
}

// Slides a square window over the input: output size and receptive field.
std::string ApplyWindow(int padding, Layer* layer) {
  const int height = layer->input.height + 2 * padding;
  const int width = layer->input.width + 2 * padding;
  if (layer->kernel > height || layer->kernel > width) {
    return "kernel " + std::to_string(layer->kernel) + " is larger than its input " +
           Plane(layer->input) +
           (padding > 0 ? " with padding " + std::to_string(padding) : std::string());
  }
  layer->output.height = (height - layer->kernel) / layer->stride + 1;
  layer->output.width = (width - layer->kernel) / layer->stride + 1;
  GrowReceptiveField(layer->kernel, layer->stride, layer);
  return "";
}

// A layer of which every output sums `fan_in` products.
std::string CountWeighted(std::int64_t fan_in, bool first_trainable, Layer* layer) {
  const std::int64_t outputs = layer->output.elements();
  if (2.0 * static_cast<double>(fan_in) * static_cast<double>(outputs) > kMaxLayerFlops) {
    return "it would cost more than 10^15 FLOP per image";
  }
  layer->parameters = std::int64_t{layer->out} * (fan_in + (layer->bias ? 1 : 0));
  layer->forward_flops = 2 * fan_in * outputs;
  // Forward and weight gradient; the data gradient only where something before it can learn.
  layer->train_flops = layer->forward_flops * (first_trainable ? 2 : 3);
  return "";
}

std::string InferConv(bool first_trainable, Layer* layer) {
  const std::string error = ApplyWindow(layer->padding, layer);
  if (!error.empty()) return error;
  layer->output.channels = layer->out;
  if (layer->output.elements() > kMaxElements) return "";  // refused by the caller
  const std::int64_t fan_in = std::int64_t{layer->input.channels} * layer->kernel * layer->kernel;
  return CountWeighted(fan_in, first_trainable, layer);
}

std::string InferLinear(bool first_trainable, Layer* layer) {
  layer->output = {layer->out, 1, 1};
  GrowReceptiveField(std::max(layer->input.height, layer->input.width), 1, layer);
  return CountWeighted(layer->input.elements(), first_trainable, layer);
}

std::string InferLogSoftmax(bool last, Layer* layer) {
  if (!last) return "it can only be the last layer";
  if (layer->input.height != 1 || layer->input.width != 1) {
    return "it needs one value per class, but its input is " + FormatShape(layer->input) +
           "; pool it or add a linear layer";
  }
  return "";
}

// Fills in `layer`, whose input, output (= input), receptive field and jump are set.
std::string InferLayer(bool first_trainable, bool last, Layer* layer) {
  const std::string error = CheckLayerNumbers(*layer);
  if (!error.empty()) return error;
  switch (layer->kind) {
    case LayerKind::kConv:
      return InferConv(first_trainable, layer);
    case LayerKind::kRelu:
      return "";
    case LayerKind::kBatchNorm:
      layer->parameters = 2 * std::int64_t{layer->input.channels};
      return "";
    case LayerKind::kDropout:
    case LayerKind::kDropout2d:
      return "";
    case LayerKind::kMaxPool:
    case LayerKind::kAvgPool:
      return ApplyWindow(0, layer);
    case LayerKind::kGlobalAvgPool:
      layer->output.height = layer->output.width = 1;
      GrowReceptiveField(std::max(layer->input.height, layer->input.width), 1, layer);
      return "";
    case LayerKind::kLinear:
      return InferLinear(first_trainable, layer);
    case LayerKind::kLogSoftmax:
      return InferLogSoftmax(last, layer);
  }
  return "unknown kind";
}

std::string CheckInput(const Network& network) {
  const Shape& input = network.input;
  std::string error = CheckRange("input channels", input.channels, 1, kMaxChannels);
  if (error.empty()) error = CheckRange("input height", input.height, 1, kMaxSide);
  if (error.empty()) error = CheckRange("input width", input.width, 1, kMaxSide);
  if (error.empty() && input.elements() > kMaxElements) {
    error = "input " + FormatShape(input) + " has more than 2^31 values";
  }
  if (error.empty() && network.layers.empty()) error = "the network has no layers";
  if (error.empty() && network.layers.size() > kMaxLayers) {
    error = "the network has " + std::to_string(network.layers.size()) + " layers; at most " +
            std::to_string(kMaxLayers) + " are allowed";
  }
  return error;
}

std::string CheckEnd(const Shape& end) {
  if (end.height != 1 || end.width != 1) {
    return "the network ends in " + FormatShape(end) +
           "; it must end in one value per class (pool it or add a linear layer)";
  }
  if (end.channels < 2) return "the network ends in one value; it needs at least 2 classes";
  return "";
}

void Reset(const Shape& input, int receptive_field, int jump, Layer* layer) {
  layer->input = layer->output = input;
  layer->parameters = layer->forward_flops = layer->train_flops = 0;
  layer->receptive_field = receptive_field;
  layer->jump = jump;
}

// Adds `layer` to the network's totals. "" or why it cannot be.
std::string Accumulate(const Layer& layer, Network* network) {
  if (layer.output.elements() > kMaxElements) {
    return "its output " + FormatShape(layer.output) + " has more than 2^31 values per image";
  }
  network->parameters += layer.parameters;
  if (network->parameters > kMaxParameters) return "the network has more than 2^30 parameters";
  network->forward_flops += layer.forward_flops;
  network->train_flops += layer.train_flops;
  network->receptive_field = layer.receptive_field;
  if (layer.kind == LayerKind::kLinear) network->fully_connected = true;
  return "";
}

}  // namespace

std::string_view LayerKindName(LayerKind kind) {
  for (const auto& [candidate, name] : kNames) {
    if (candidate == kind) return name;
  }
  return "unknown";
}

bool ParseLayerKind(std::string_view name, LayerKind* kind) {
  for (const auto& [candidate, candidate_name] : kNames) {
    if (candidate_name == name) {
      *kind = candidate;
      return true;
    }
  }
  return false;
}

std::vector<std::string> LayerKindNames() {
  std::vector<std::string> names;
  for (const auto& entry : kNames) names.emplace_back(entry.second);
  return names;
}

std::string CheckLayerNumbers(const Layer& layer) {
  const bool conv = layer.kind == LayerKind::kConv;
  const bool pool = layer.kind == LayerKind::kMaxPool || layer.kind == LayerKind::kAvgPool;
  const bool dropout = layer.kind == LayerKind::kDropout || layer.kind == LayerKind::kDropout2d;
  std::string error;
  if (conv || layer.kind == LayerKind::kLinear)
    error = CheckRange("out", layer.out, 1, kMaxChannels);
  if (error.empty() && (conv || pool)) error = CheckRange("kernel", layer.kernel, 1, kMaxKernel);
  if (error.empty() && (conv || pool)) error = CheckRange("stride", layer.stride, 1, kMaxKernel);
  if (error.empty() && conv) error = CheckRange("padding", layer.padding, 0, kMaxKernel);
  if (dropout && !(layer.p >= 0 && layer.p < 1)) {
    error = "probability is " + FormatDouble(layer.p) + "; it must be at least 0 and below 1";
  }
  return error;
}

std::string InferShapes(Network* network, int* bad_layer) {
  int unused = -1;
  int& bad = bad_layer != nullptr ? *bad_layer : unused;
  bad = -1;
  network->classes = 0;
  network->parameters = network->forward_flops = network->train_flops = 0;
  network->receptive_field = 1;
  network->fully_connected = false;
  std::string error = CheckInput(*network);
  if (!error.empty()) return error;

  Shape shape = network->input;
  int receptive_field = 1;
  int jump = 1;
  for (std::size_t i = 0; i < network->layers.size(); ++i) {
    Layer& layer = network->layers[i];
    Reset(shape, receptive_field, jump, &layer);
    error = InferLayer(network->parameters == 0, i + 1 == network->layers.size(), &layer);
    if (error.empty()) error = Accumulate(layer, network);
    if (!error.empty()) {
      bad = static_cast<int>(i);
      return "layer " + std::to_string(i + 1) + " (" + DescribeLayer(layer) + "): " + error;
    }
    shape = layer.output;
    receptive_field = layer.receptive_field;
    jump = layer.jump;
  }
  error = CheckEnd(shape);
  if (!error.empty()) {
    bad = static_cast<int>(network->layers.size()) - 1;
    return error;
  }
  network->classes = shape.channels;
  return "";
}

std::string DescribeLayer(const Layer& layer) {
  std::string text(LayerKindName(layer.kind));
  switch (layer.kind) {
    case LayerKind::kConv:
      return text + " " + std::to_string(layer.out) + " " + Square(layer.kernel);
    case LayerKind::kMaxPool:
    case LayerKind::kAvgPool:
      return text + " " + Square(layer.kernel);
    case LayerKind::kLinear:
      return text + " " + std::to_string(layer.out);
    case LayerKind::kDropout:
    case LayerKind::kDropout2d:
      return text + " " + FormatDouble(layer.p);
    default:
      return text;
  }
}

}  // namespace sweep
