#include "common/network/layer_kinds.h"

#include <algorithm>
#include <limits>

#include "common/base/value.h"

namespace sweep {
namespace {

constexpr int kMaxKernel = 255;
constexpr double kMaxLayerFlops = 1e15;

std::string Square(int side) { return std::to_string(side) + "×" + std::to_string(side); }

int Saturate(std::int64_t value) {
  return static_cast<int>(std::min<std::int64_t>(value, std::numeric_limits<int>::max()));
}

// A window of `size` widens the receptive field by `size - 1` steps of the current jump.
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
           FormatPlane(layer->input) +
           (padding > 0 ? " with padding " + std::to_string(padding) : std::string());
  }
  layer->output.height = (height - layer->kernel) / layer->stride + 1;
  layer->output.width = (width - layer->kernel) / layer->stride + 1;
  GrowReceptiveField(layer->kernel, layer->stride, layer);
  return "";
}

std::string InferWindow(const LayerPlace&, Layer* layer) {
  return ApplyWindow(layer->padding, layer);
}

// One output per channel.
std::string InferGlobal(const LayerPlace&, Layer* layer) {
  layer->output.height = layer->output.width = 1;
  GrowReceptiveField(std::max(layer->input.height, layer->input.width), 1, layer);
  return "";
}

// Counts a layer whose outputs each sum `fan_in` products.
std::string CountWeighted(std::int64_t fan_in, const LayerPlace& place, Layer* layer) {
  const std::int64_t outputs = layer->output.elements();
  if (2.0 * static_cast<double>(fan_in) * static_cast<double>(outputs) > kMaxLayerFlops) {
    return "it would cost more than 10^15 FLOP per image";
  }
  layer->parameters = std::int64_t{layer->out} * (fan_in + (layer->bias ? 1 : 0));
  layer->forward_flops = 2 * fan_in * outputs;
  // Forward and weight gradient; the data gradient only if an earlier layer can learn.
  layer->train_flops = layer->forward_flops * (place.first_trainable ? 2 : 3);
  return "";
}

std::string InferConv(const LayerPlace& place, Layer* layer) {
  const std::string error = ApplyWindow(layer->padding, layer);
  if (!error.empty()) return error;
  layer->output.channels = layer->out;
  if (layer->output.elements() > kMaxLayerElements) return "";  // refused by InferShapes
  const std::int64_t fan_in = std::int64_t{layer->input.channels} * layer->kernel * layer->kernel;
  return CountWeighted(fan_in, place, layer);
}

std::string InferLinear(const LayerPlace& place, Layer* layer) {
  layer->output = {layer->out, 1, 1};
  GrowReceptiveField(std::max(layer->input.height, layer->input.width), 1, layer);
  return CountWeighted(layer->input.elements(), place, layer);
}

std::string InferBatchNorm(const LayerPlace&, Layer* layer) {
  layer->parameters = 2 * std::int64_t{layer->input.channels};
  return "";
}

std::string InferLogSoftmax(const LayerPlace& place, Layer* layer) {
  if (!place.last) return "it can only be the last layer";
  if (layer->input.height != 1 || layer->input.width != 1) {
    return "it needs one value per class, but its input is " + FormatShape(layer->input) +
           "; pool it or add a linear layer";
  }
  return "";
}

std::string ConvText(const Layer& layer) {
  return std::to_string(layer.out) + " " + Square(layer.kernel);
}

std::string WindowText(const Layer& layer) { return Square(layer.kernel); }

std::string OutText(const Layer& layer) { return std::to_string(layer.out); }

std::string ProbabilityText(const Layer& layer) { return FormatDouble(layer.p); }

std::string NoBias(const Layer& layer) { return layer.bias ? "" : ", bias=False"; }

std::string ConvPython(const Layer& layer) {
  std::string text = "nn.Conv2d(" + std::to_string(layer.input.channels) + ", " +
                     std::to_string(layer.out) + ", kernel_size=" + std::to_string(layer.kernel);
  if (layer.stride != 1) text += ", stride=" + std::to_string(layer.stride);
  if (layer.padding != 0) text += ", padding=" + std::to_string(layer.padding);
  return text + NoBias(layer) + ")";
}

std::string PoolPython(const Layer& layer) {
  return "nn." + std::string(InfoOf(layer.kind).torch) + "(" + std::to_string(layer.kernel) +
         ", stride=" + std::to_string(layer.stride) + ")";
}

std::string DropoutPython(const Layer& layer) {
  return "nn." + std::string(InfoOf(layer.kind).torch) + "(" + FormatDouble(layer.p) + ")";
}

// The class `Linear` is defined in the file itself.
std::string LinearPython(const Layer& layer) {
  return "Linear(" + std::to_string(layer.input.elements()) + ", " + std::to_string(layer.out) +
         NoBias(layer) + ")";
}

LayerNumber Out(std::string_view help) {
  return {.name = "out", .field = &Layer::out, .min = 1, .max = kMaxChannels, .help = help};
}

LayerNumber Kernel(std::string_view help) {
  return {.name = "kernel", .field = &Layer::kernel, .min = 1, .max = kMaxKernel, .help = help};
}

LayerNumber Stride(LayerNumber::Default otherwise, std::string_view help) {
  return {.name = "stride",
          .field = &Layer::stride,
          .min = 1,
          .max = kMaxKernel,
          .otherwise = otherwise,
          .help = help};
}

LayerNumber Bias(std::string_view help) {
  return {.name = "bias",
          .field = &Layer::bias,
          .otherwise = LayerNumber::Default::kLayers,
          .help = help};
}

LayerKindInfo Conv() {
  LayerNumber kernel = Kernel("Side of the square kernel.");
  kernel.otherwise = LayerNumber::Default::kInFile;
  kernel.in_file = 3;
  return {.kind = LayerKind::kConv,
          .name = "conv",
          .torch = "Conv2d",
          .help = "Convolution with square kernels.",
          .numbers = {Out("Filters."),
                      kernel,
                      Stride(LayerNumber::Default::kLayers, "Pixels between two windows."),
                      {.name = "padding",
                       .field = &Layer::padding,
                       .max = kMaxKernel,
                       .otherwise = LayerNumber::Default::kLayers,
                       .takes_same = true,
                       .help = "Pixels of zeros around the image, or same: half an odd kernel."},
                      Bias("Whether each filter adds a bias.")},
          .needs = "settings, such as conv: {out: 16, kernel: 3}",
          .weights = LayerWeights::kFilters,
          .infer = InferConv,
          .text = ConvText,
          .python = ConvPython};
}

LayerKindInfo Dropout(LayerKind kind, std::string_view name, std::string_view torch,
                      std::string_view help) {
  return {.kind = kind,
          .name = name,
          .torch = torch,
          .help = help,
          .numbers = {{.name = "p",
                       .field = &Layer::p,
                       .max = 1,
                       .open_max = true,
                       .otherwise = LayerNumber::Default::kReference,
                       .help = "The probability of dropping.",
                       .label = "probability"}},
          .short_form = "p",
          .text = ProbabilityText,
          .python = DropoutPython};
}

LayerKindInfo Pool(LayerKind kind, std::string_view name, std::string_view torch,
                   std::string_view help, std::string_view needs) {
  return {.kind = kind,
          .name = name,
          .torch = torch,
          .help = help,
          .numbers = {Kernel("Side of the square window."),
                      Stride(LayerNumber::Default::kKernel,
                             "Pixels between two windows; the kernel's side without it.")},
          .short_form = "kernel",
          .needs = needs,
          .infer = InferWindow,
          .text = WindowText,
          .python = PoolPython};
}

LayerKindInfo Linear() {
  return {.kind = LayerKind::kLinear,
          .name = "linear",
          .torch = "Linear",
          .help = "A fully connected layer, which flattens its input.",
          .numbers = {Out("Outputs."), Bias("Whether each output adds a bias.")},
          .short_form = "out",
          .needs = "its number of outputs, such as linear: 10",
          .weights = LayerWeights::kMatrix,
          .infer = InferLinear,
          .text = OutText,
          .python = LinearPython};
}

std::vector<LayerKindInfo> MakeLayerKinds() {
  return {
      Conv(),
      {.kind = LayerKind::kRelu,
       .name = "relu",
       .torch = "ReLU",
       .help = "max(x, 0).",
       .python = [](const Layer&) -> std::string { return "nn.ReLU()"; }},
      {.kind = LayerKind::kBatchNorm,
       .name = "batch_norm",
       .torch = "BatchNorm2d",
       .help = "Batch normalization over channels.",
       .weights = LayerWeights::kNorm,
       .infer = InferBatchNorm,
       .python =
           [](const Layer& layer) {
             return "nn.BatchNorm2d(" + std::to_string(layer.input.channels) + ")";
           }},
      Dropout(LayerKind::kDropout, "dropout", "Dropout",
              "Drops single values with this probability."),
      Dropout(LayerKind::kDropout2d, "dropout2d", "Dropout2d",
              "Drops whole channels with this probability."),
      Pool(LayerKind::kMaxPool, "max_pool", "MaxPool2d", "The largest value of each window.",
           "a size, such as max_pool: 2"),
      Pool(LayerKind::kAvgPool, "avg_pool", "AvgPool2d", "The mean of each window.",
           "a size, such as avg_pool: 2"),
      {.kind = LayerKind::kGlobalAvgPool,
       .name = "global_avg_pool",
       .torch = "AdaptiveAvgPool2d",
       .help = "The mean of each channel.",
       .infer = InferGlobal,
       .python = [](const Layer&) -> std::string { return "nn.AdaptiveAvgPool2d(1)"; }},
      Linear(),
      {.kind = LayerKind::kLogSoftmax,
       .name = "log_softmax",
       .torch = "LogSoftmax",
       .help = "Logarithm of the softmax over the classes; only as the last layer.",
       .infer = InferLogSoftmax,
       .python = [](const Layer&) -> std::string { return "nn.LogSoftmax(dim=1)"; }},
  };
}

}  // namespace

const std::vector<LayerKindInfo>& LayerKinds() {
  static const auto& kinds = *new std::vector<LayerKindInfo>(MakeLayerKinds());
  return kinds;
}

const LayerKindInfo& InfoOf(LayerKind kind) {
  return LayerKinds().at(static_cast<std::size_t>(kind));
}

std::string CheckRange(std::string_view what, std::int64_t value, std::int64_t low,
                       std::int64_t high) {
  if (value >= low && value <= high) return "";
  return std::string(what) + " is " + std::to_string(value) + "; allowed is " +
         std::to_string(low) + " to " + std::to_string(high);
}

std::string FormatPlane(const Shape& shape) {
  return std::to_string(shape.height) + "×" + std::to_string(shape.width);
}

std::string FormatShape(const Shape& shape) {
  return std::to_string(shape.channels) + "×" + FormatPlane(shape);
}

}  // namespace sweep
