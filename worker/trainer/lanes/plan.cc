#include "worker/trainer/lanes/plan.h"

#include <utility>

namespace sweep::lanes {
namespace {

using Kind = Operator::Kind;

// A pool stores the chosen pixel of its window in one byte.
constexpr int kMaxWindowPixels = 256;
// Labels are bytes.
constexpr int kMaxClasses = 256;

class Planner {
 public:
  explicit Planner(const Network& network) : network_(network) {
    plan_.activations.push_back({.shape = network.input});
  }

  std::string Run(Plan* plan) {
    if (network_.classes > kMaxClasses) return std::to_string(network_.classes) + " classes";
    for (layer_ = 0; layer_ < static_cast<int>(network_.layers.size()); ++layer_) {
      if (const std::string reason = Add(network_.layers[layer_]); !reason.empty()) {
        return "layer " + std::to_string(layer_ + 1) + " (" +
               DescribeLayer(network_.layers[layer_]) + "): " + reason;
      }
    }
    --layer_;
    if (!IsPlain(last())) Store();  // the loss reads stored values
    *plan = std::move(plan_);
    return "";
  }

 private:
  static bool IsPlain(const Activation& activation) {
    return activation.norm < 0 && activation.dropout < 0;
  }
  Activation& last() { return plan_.activations.back(); }
  // True if the operator that wrote the last activation can also apply a ReLU before it writes.
  bool IsOpen() {
    return !plan_.operators.empty() && plan_.operators.back().kind == Kind::kConvolution &&
           IsPlain(last());
  }

  void Append(Operator made, const Shape& output) {
    made.layer = layer_;
    made.input = static_cast<int>(plan_.activations.size()) - 1;
    if (made.kind != Kind::kStatistics) {
      plan_.activations.push_back({.shape = output});
      made.output = made.input + 1;
    }
    plan_.operators.push_back(made);
  }
  void Store(bool relu = false) {
    Append({.kind = Kind::kStore}, last().shape);
    last().relu = relu;
  }

  std::string Add(const Layer& layer) {
    switch (layer.kind) {
      case LayerKind::kConv:
        return AddConvolution(layer);
      case LayerKind::kLinear:
        AddLinear(layer);
        return "";
      case LayerKind::kRelu:
        if (IsOpen()) {
          last().relu = true;
        } else {
          Store(/*relu=*/true);
        }
        return "";
      case LayerKind::kBatchNorm:
        AddBatchNorm();
        return "";
      case LayerKind::kDropout:
      case LayerKind::kDropout2d:
        if (layer.p == 0) return "";
        if (last().dropout >= 0) Store();
        last().dropout = layer_;
        return "";
      case LayerKind::kMaxPool:
        if (layer.kernel * layer.kernel > kMaxWindowPixels) return "window too large";
        AddPool(Kind::kMaxPool, layer, layer.kernel, layer.kernel, layer.stride);
        return "";
      case LayerKind::kAvgPool:
        AddPool(Kind::kAveragePool, layer, layer.kernel, layer.kernel, layer.stride);
        return "";
      case LayerKind::kGlobalAvgPool:
        AddPool(Kind::kAveragePool, layer, layer.input.height, layer.input.width, 1);
        return "";
      case LayerKind::kLogSoftmax:
        return "";  // the loss applies it
    }
    return "unknown kind";
  }

  std::string AddConvolution(const Layer& layer) {
    if (layer.stride != 1) return "stride " + std::to_string(layer.stride);
    Append({.kind = Kind::kConvolution,
            .convolution = {.input = layer.input,
                            .out_channels = layer.out,
                            .kernel = layer.kernel,
                            .padding = layer.padding}},
           layer.output);
    return "";
  }

  // A linear layer is a 1×1 convolution of one pixel with all of the input's values as channels.
  // The memory is the same, but a BatchNorm or a dropout before it counts the original channels.
  void AddLinear(const Layer& layer) {
    const auto inputs = static_cast<int>(layer.input.elements());
    if (layer.input.channels != inputs && !IsPlain(last())) Store();
    Append({.kind = Kind::kConvolution,
            .convolution = {.input = {inputs, 1, 1}, .out_channels = layer.out}},
           layer.output);
  }

  void AddBatchNorm() {
    if (!IsPlain(last())) Store();
    const bool summed =
        !plan_.operators.empty() && (plan_.operators.back().kind == Kind::kConvolution ||
                                     plan_.operators.back().kind == Kind::kStore);
    if (!summed) Append({.kind = Kind::kStatistics}, {});
    last().norm = layer_;
  }

  void AddPool(Kind kind, const Layer& layer, int height, int width, int stride) {
    Append({.kind = kind,
            .pool = {.input = layer.input,
                     .kernel_height = height,
                     .kernel_width = width,
                     .stride = stride}},
           layer.output);
  }

  const Network& network_;
  int layer_ = 0;
  Plan plan_;
};

}  // namespace

std::string MakePlan(const Network& network, Plan* plan) { return Planner(network).Run(plan); }

}  // namespace sweep::lanes
