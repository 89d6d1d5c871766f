#include "common/network/network.h"

#include <utility>

#include "common/base/value.h"
#include "common/network/layer_kinds.h"

namespace sweep {
namespace {

// Limits on a network. They keep every count below far from overflow and refuse a hostile file
// before anything is allocated for it.
constexpr int kMaxLayers = 1000;
constexpr int kMaxSide = 65536;
constexpr std::int64_t kMaxParameters = std::int64_t{1} << 30;  // 4 GiB of floats

std::string CheckInput(const Network& network) {
  const Shape& input = network.input;
  std::string error = CheckRange("input channels", input.channels, 1, kMaxChannels);
  if (error.empty()) error = CheckRange("input height", input.height, 1, kMaxSide);
  if (error.empty()) error = CheckRange("input width", input.width, 1, kMaxSide);
  if (error.empty() && input.elements() > kMaxLayerElements) {
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

// Adds `layer` to the network's totals. Returns "" or why a limit is exceeded.
std::string Accumulate(const Layer& layer, Network* network) {
  if (layer.output.elements() > kMaxLayerElements) {
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

std::string_view LayerKindName(LayerKind kind) { return InfoOf(kind).name; }

bool ParseLayerKind(std::string_view name, LayerKind* kind) {
  for (const LayerKindInfo& info : LayerKinds()) {
    if (info.name != name) continue;
    *kind = info.kind;
    return true;
  }
  return false;
}

std::vector<std::string> LayerKindNames() {
  std::vector<std::string> names;
  for (const LayerKindInfo& info : LayerKinds()) names.emplace_back(info.name);
  return names;
}

std::string CheckLayerNumbers(const Layer& layer) {
  for (const LayerNumber& number : InfoOf(layer.kind).numbers) {
    std::string error;
    if (const auto* whole = std::get_if<int Layer::*>(&number.field)) {
      error = CheckRange(number.label, layer.**whole, static_cast<std::int64_t>(number.min),
                         static_cast<std::int64_t>(number.max));
    } else if (const auto* real = std::get_if<double Layer::*>(&number.field)) {
      const double value = layer.**real;
      if (!(value >= number.min && (number.open_max ? value < number.max : value <= number.max))) {
        error = std::string(number.label) + " is " + FormatDouble(value) +
                "; it must be at least " + FormatDouble(number.min) +
                (number.open_max ? " and below " : " and at most ") + FormatDouble(number.max);
      }
    }
    if (!error.empty()) return error;
  }
  return "";
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
    const LayerPlace place{.first_trainable = network->parameters == 0,
                           .last = i + 1 == network->layers.size()};
    const auto infer = InfoOf(layer.kind).infer;
    error = CheckLayerNumbers(layer);
    if (error.empty() && infer != nullptr) error = infer(place, &layer);
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
  const LayerKindInfo& info = InfoOf(layer.kind);
  const std::string name(info.name);
  return info.text == nullptr ? name : name + " " + info.text(layer);
}

}  // namespace sweep
