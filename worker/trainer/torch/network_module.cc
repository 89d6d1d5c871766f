#include "worker/trainer/torch/network_module.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "worker/trainer/dropout_bits.h"

namespace sweep {
namespace {

constexpr double kBatchNormEpsilon = 1e-5;
constexpr double kBatchNormMomentum = 0.1;

// The part of a flat buffer from `offset` on, as a tensor of that shape. Filters are stored
// channels last, because convolutions choose their layout, and that of all activations after them,
// by their operands.
at::Tensor ViewOf(const at::Tensor& flat, std::int64_t offset, at::IntArrayRef shape) {
  const at::Tensor part = flat.narrow(0, offset, c10::multiply_integers(shape));
  if (shape.size() != 4) return part.view(shape);
  return part.view({shape[0], shape[2], shape[3], shape[1]}).permute({0, 3, 1, 2});
}

}  // namespace

NetworkModule::NetworkModule(const Network& network, std::uint64_t seed, const at::Device& device)
    : network_(network),
      dropout_key_(DropoutKey(seed)),
      device_(device),
      layout_(LayOutParameters(network)) {
  const c10::NoGradGuard no_grad;
  states_.resize(network_.layers.size());
  AllocateParameters(seed);
  AllocateEstimates();
  for (NamedTensor& parameter : named_parameters_) parameter.tensor.requires_grad_(true);
  for (std::size_t i = 0; i < named_parameters_.size(); ++i) {
    named_parameters_[i].tensor.mutable_grad() = ViewAsParameter(gradients_, i);
  }
}

void NetworkModule::AllocateParameters(std::uint64_t seed) {
  const std::vector<float> initial = InitialParameters(network_, layout_, seed);
  const auto count = static_cast<std::int64_t>(layout_.count);
  parameters_ = at::zeros({count}, at::TensorOptions(device_).dtype(at::kFloat));
  gradients_ = at::zeros_like(parameters_);
  for (const Parameter& parameter : layout_.parameters) {
    const at::Tensor view =
        ViewOf(parameters_, static_cast<std::int64_t>(parameter.offset), parameter.shape);
    const at::Tensor values = at::empty(parameter.shape, at::kFloat);
    std::copy_n(initial.data() + parameter.offset, parameter.count, values.data_ptr<float>());
    view.copy_(values);
    LayerState& state = states_[parameter.layer];
    (state.weight.defined() ? state.bias : state.weight) = view;
    named_parameters_.push_back({parameter.name, view});
  }
}

void NetworkModule::AllocateEstimates() {
  const auto on_device = at::TensorOptions(device_);
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& layer = network_.layers[i];
    if (layer.kind != LayerKind::kBatchNorm) continue;
    LayerState& state = states_[i];
    const std::string prefix = "layers." + std::to_string(i) + ".";
    state.running_mean = at::zeros({layer.input.channels}, on_device.dtype(at::kFloat));
    state.running_var = at::ones({layer.input.channels}, on_device.dtype(at::kFloat));
    state.batches_tracked = at::zeros({}, on_device.dtype(at::kLong));
    named_buffers_.push_back({prefix + "running_mean", state.running_mean});
    named_buffers_.push_back({prefix + "running_var", state.running_var});
    named_buffers_.push_back({prefix + "num_batches_tracked", state.batches_tracked});
  }
}

at::Tensor NetworkModule::ViewAsParameter(const at::Tensor& flat, std::size_t index) const {
  const Parameter& parameter = layout_.parameters[index];
  return ViewOf(flat, static_cast<std::int64_t>(parameter.offset), parameter.shape);
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
        break;  // the loss applies it, over classes or over the batch
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
