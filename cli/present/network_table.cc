#include "cli/present/network_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/present/text.h"
#include "common/network/layer_kinds.h"

namespace sweep::cli {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr double kNumberBytes = 4;

// The widths of torchsummary, and narrower ones for a terminal of 80 columns.
struct Columns {
  int layer = 20;
  int shape = 25;
  int parameters = 15;
  int forward = 14;
  int train = 12;
  int field = 6;
  int total() const { return layer + 2 + shape + 1 + parameters + 1 + forward + train + field; }
};
constexpr Columns kNarrow = {20, 18, 8, 9, 9, 6};

std::string ShapeText(const Layer& layer, int batch) {
  const int images = batch == 0 ? -1 : batch;
  // PyTorch's outputs of these layers have no height and width.
  const bool flat = layer.kind == LayerKind::kLinear || layer.kind == LayerKind::kLogSoftmax;
  if (flat) return fmt::format("[{}, {}]", images, layer.output.elements());
  return fmt::format("[{}, {}, {}, {}]", images, layer.output.channels, layer.output.height,
                     layer.output.width);
}

std::string Mega(std::int64_t flops) {
  return fmt::format("{:.3f}", static_cast<double>(flops) / 1e6);
}

std::string Line(const Columns& columns, const std::string& layer, const std::string& shape,
                 const std::string& parameters, const std::string& forward,
                 const std::string& train, const std::string& field) {
  return fmt::format("{:>{}}  {:>{}} {:>{}} {:>{}}{:>{}}{:>{}}\n", layer, columns.layer, shape,
                     columns.shape, parameters, columns.parameters, forward, columns.forward, train,
                     columns.train, field, columns.field);
}

}  // namespace

NetworkMemory MemoryOf(const Network& network, int batch) {
  std::int64_t outputs = 0;
  for (const Layer& layer : network.layers) outputs += layer.output.elements();
  const double images = std::max(batch, 1);
  const auto mebibytes = [](double numbers) { return numbers * kNumberBytes / kMebibyte; };
  return {.input = mebibytes(images * static_cast<double>(network.input.elements())),
          .passes = mebibytes(images * 2 * static_cast<double>(outputs)),
          .parameters = mebibytes(static_cast<double>(network.parameters))};
}

std::string NetworkTable(const Network& network, int batch, int width) {
  const Columns columns = width > 0 && width < Columns().total() ? kNarrow : Columns();
  const std::string thin(static_cast<std::size_t>(columns.total()), '-');
  const std::string thick(static_cast<std::size_t>(columns.total()), '=');
  const bool wide = columns.layer + columns.shape == Columns().layer + Columns().shape;
  std::string text = thin + "\n";
  text += Line(columns, "Layer (type)", "Output Shape", "Param #",
               wide ? "Forward MFLOP" : "Forward", wide ? "Train MFLOP" : "Train", "Field");
  text += thick + "\n";
  int number = 0;
  for (const Layer& layer : network.layers) {
    ++number;
    text +=
        Line(columns, fmt::format("{}-{}", InfoOf(layer.kind).torch, number),
             ShapeText(layer, batch), WithSeparators(layer.parameters), Mega(layer.forward_flops),
             Mega(layer.train_flops), fmt::format("{}", layer.receptive_field));
  }
  const NetworkMemory memory = MemoryOf(network, batch);
  // Every parameter trains; BatchNorm's running estimates are buffers, which torchsummary omits
  // too.
  text += fmt::format(
      "{0}\nTotal params: {1}\nTrainable params: {1}\nNon-trainable params: 0\n{2}\n"
      "Input size (MB): {3:.2f}\nForward/backward pass size (MB): {4:.2f}\n"
      "Params size (MB): {5:.2f}\nEstimated Total Size (MB): {6:.2f}\n{2}\n",
      thick, WithSeparators(network.parameters), thin, memory.input, memory.passes,
      memory.parameters, memory.total());
  return text + fmt::format(
                    "Forward MFLOP per image: {}\nTraining MFLOP per image: {}\n"
                    "Receptive field: {} x {} pixels\nFully connected layer: {}\n{}\n",
                    Mega(network.forward_flops), Mega(network.train_flops), network.receptive_field,
                    network.receptive_field, network.fully_connected ? "yes" : "no", thin);
}

}  // namespace sweep::cli
