#include "worker/trainer/network_module.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <utility>

#include "common/base/philox.h"
#include "worker/trainer/dropout_bits.h"

namespace sweep {
namespace {

constexpr double kBatchNormEpsilon = 1e-5;
constexpr double kBatchNormMomentum = 0.1;

bool HasWeight(const Layer& layer) {
  return layer.kind == LayerKind::kConv || layer.kind == LayerKind::kLinear;
}

// Inputs of one output unit.
std::int64_t FanIn(const Layer& layer) {
  if (layer.kind == LayerKind::kLinear) return layer.input.elements();
  return std::int64_t{layer.input.channels} * layer.kernel * layer.kernel;
}

std::vector<std::int64_t> WeightShape(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::kConv:
      return {layer.out, layer.input.channels, layer.kernel, layer.kernel};
    case LayerKind::kLinear:
      return {layer.out, layer.input.elements()};
    default:
      return {layer.input.channels};
  }
}

// U(±1/√fan_in), drawn in row-major order on the CPU.
void FillUniform(PhiloxStream* stream, double bound, const at::Tensor& tensor) {
  const at::Tensor values = at::empty(tensor.sizes(), at::kFloat);
  float* out = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    out[i] = static_cast<float>((2.0 * stream->NextUniform() - 1.0) * bound);
  }
  tensor.copy_(values);
}

// The part of a flat buffer from `offset` on as a tensor of that shape. Filters lie channels last:
// convolutions choose their layout, and that of all activations after them, by their operands'.
at::Tensor ViewOf(const at::Tensor& flat, std::int64_t offset, at::IntArrayRef shape) {
  const at::Tensor part = flat.narrow(0, offset, c10::multiply_integers(shape));
  if (shape.size() != 4) return part.view(shape);
  return part.view({shape[0], shape[2], shape[3], shape[1]}).permute({0, 3, 1, 2});
}

}  // namespace

NetworkModule::NetworkModule(const Network& network, std::uint64_t seed, const at::Device& device)
    : network_(network), dropout_key_(DropoutKey(seed)), device_(device) {
  const c10::NoGradGuard no_grad;
  AllocateParameters();
  Initialize(seed);
  for (NamedTensor& parameter : named_parameters_) parameter.tensor.requires_grad_(true);
  for (std::size_t i = 0; i < named_parameters_.size(); ++i) {
    named_parameters_[i].tensor.mutable_grad() = ViewAsParameter(gradients_, i);
  }
}

void NetworkModule::AllocateParameters() {
  struct Slot {
    at::Tensor* target;
    std::vector<std::int64_t> shape;
    bool is_weight;
    std::int64_t offset = 0;
  };
  states_.resize(network_.layers.size());
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& layer = network_.layers[i];
    const bool has_weight = HasWeight(layer);
    if (!has_weight && layer.kind != LayerKind::kBatchNorm) continue;
    const std::string prefix = "layers." + std::to_string(i) + ".";
    slots.push_back({&states_[i].weight, WeightShape(layer), has_weight});
    named_parameters_.push_back({prefix + "weight", {}});
    if (has_weight && !layer.bias) continue;
    slots.push_back({&states_[i].bias, {has_weight ? layer.out : layer.input.channels}, false});
    named_parameters_.push_back({prefix + "bias", {}});
  }
  std::int64_t total = 0;
  for (const bool weights : {true, false}) {
    for (Slot& slot : slots) {
      if (slot.is_weight != weights) continue;
      slot.offset = total;
      total += c10::multiply_integers(slot.shape);
    }
    if (weights) weight_elements_ = total;
  }
  parameters_ = at::zeros({total}, at::TensorOptions(device_).dtype(at::kFloat));
  gradients_ = at::zeros_like(parameters_);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    *slots[i].target = ViewOf(parameters_, slots[i].offset, slots[i].shape);
    named_parameters_[i].tensor = *slots[i].target;
    offsets_.push_back(slots[i].offset);
  }
}

void NetworkModule::Initialize(std::uint64_t seed) {
  const auto on_device = at::TensorOptions(device_);
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& layer = network_.layers[i];
    LayerState& state = states_[i];
    if (HasWeight(layer)) {
      PhiloxStream stream(DeriveKey(seed, "init"), i);
      const double bound = 1.0 / std::sqrt(static_cast<double>(FanIn(layer)));
      FillUniform(&stream, bound, state.weight);
      if (state.bias.defined()) FillUniform(&stream, bound, state.bias);
    } else if (layer.kind == LayerKind::kBatchNorm) {
      const std::string prefix = "layers." + std::to_string(i) + ".";
      state.weight.fill_(1.0);
      state.running_mean = at::zeros({layer.input.channels}, on_device.dtype(at::kFloat));
      state.running_var = at::ones({layer.input.channels}, on_device.dtype(at::kFloat));
      state.batches_tracked = at::zeros({}, on_device.dtype(at::kLong));
      named_buffers_.push_back({prefix + "running_mean", state.running_mean});
      named_buffers_.push_back({prefix + "running_var", state.running_var});
      named_buffers_.push_back({prefix + "num_batches_tracked", state.batches_tracked});
    }
  }
}

at::Tensor NetworkModule::ViewAsParameter(const at::Tensor& flat, std::size_t index) const {
  return ViewOf(flat, offsets_[index], named_parameters_[index].tensor.sizes());
}

at::Tensor NetworkModule::ForwardTraining(const at::Tensor& input, std::uint32_t step) {
  const c10::AutoGradMode with_gradient(true);
  return Forward(input, true, step);
}

at::Tensor NetworkModule::ForwardEvaluation(const at::Tensor& input) {
  const c10::NoGradGuard no_grad;
  return Forward(input, false, 0);
}

at::Tensor NetworkModule::Forward(at::Tensor x, bool training, std::uint32_t step) {
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& layer = network_.layers[i];
    LayerState& state = states_[i];
    switch (layer.kind) {
      case LayerKind::kConv:
        x = at::conv2d(x, state.weight, state.bias, layer.stride, layer.padding);
        break;
      case LayerKind::kRelu:
        x = at::relu(x);
        break;
      case LayerKind::kBatchNorm:
        if (training) state.batches_tracked.add_(1);
        x = at::batch_norm(x, state.weight, state.bias, state.running_mean, state.running_var,
                           training, kBatchNormMomentum, kBatchNormEpsilon,
                           /*cudnn_enabled=*/true);
        break;
      case LayerKind::kDropout:
      case LayerKind::kDropout2d:
        if (training && layer.p > 0) x = x * DropoutMask(x, i, step);
        break;
      case LayerKind::kMaxPool:
        x = at::max_pool2d(x, layer.kernel, layer.stride);
        break;
      case LayerKind::kAvgPool:
        x = at::avg_pool2d(x, layer.kernel, layer.stride);
        break;
      case LayerKind::kGlobalAvgPool:
        x = x.mean({2, 3}, /*keepdim=*/true);
        break;
      case LayerKind::kLinear:
        x = at::linear(x.flatten(1), state.weight, state.bias).unsqueeze(-1).unsqueeze(-1);
        break;
      case LayerKind::kLogSoftmax:
        break;  // the loss takes it, over classes or over the batch
    }
  }
  return x.flatten(1);
}

at::Tensor NetworkModule::DropoutMask(const at::Tensor& x, std::size_t layer,
                                      std::uint32_t step) const {
  std::vector<std::int64_t> shape = x.sizes().vec();
  if (network_.layers[layer].kind == LayerKind::kDropout2d) shape[2] = shape[3] = 1;
  const at::Tensor mask = at::empty(shape, at::kFloat, at::MemoryFormat::ChannelsLast);
  FillDropoutMask({.key = dropout_key_, .step = step, .layer = static_cast<std::uint32_t>(layer)},
                  network_.layers[layer].p, static_cast<std::size_t>(mask.numel()),
                  mask.data_ptr<float>());
  return mask.to(device_);
}

}  // namespace sweep
