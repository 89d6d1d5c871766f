#pragma once

// Internal to sweep_torch: shows libtorch's types.

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/network/network.h"
#include "worker/trainer/parameters.h"

namespace sweep {

// A tensor of the network under its name in checkpoints.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

// A network in libtorch: stock operators and autograd on parameters that are views of one flat
// buffer, so that the optimiser takes a handful of operations for any number of layers. Numerics
// are PyTorch's: BatchNorm ε = 1e-5, momentum 0.1, normalising by the biased and estimating by the
// unbiased variance. Initial values and dropout come from Philox, so they are the same on every
// device. Not thread-safe.
class NetworkModule {
 public:
  // `network` has passed InferShapes. Starts from InitialParameters.
  NetworkModule(const Network& network, std::uint64_t seed, const at::Device& device);
  NetworkModule(const NetworkModule&) = delete;
  NetworkModule& operator=(const NetworkModule&) = delete;

  // Training: batch statistics, dropout drawn for (seed, step). `input` is [N, C, H, W]. Returns
  // the raw outputs [N, classes], before a final log_softmax layer.
  at::Tensor ForwardTraining(const at::Tensor& input, std::uint32_t step);
  // Evaluation: running estimates, no dropout, no gradient.
  at::Tensor ForwardEvaluation(const at::Tensor& input);

  // Sets all gradients to zero. Backward() of a loss accumulates into them.
  void ZeroGradients() { gradients_.zero_(); }

  // All parameters in one buffer with the offsets of layout(), and their gradients likewise.
  // Filters are stored channels last.
  const at::Tensor& flat_parameters() const { return parameters_; }
  const at::Tensor& flat_gradients() const { return gradients_; }
  const ParameterLayout& layout() const { return layout_; }

  // Trainable tensors in the order of the layout; views of the flat buffer.
  const std::vector<NamedTensor>& parameters() const { return named_parameters_; }
  // BatchNorm's running_mean, running_var (float) and num_batches_tracked (int64, no dimension).
  const std::vector<NamedTensor>& buffers() const { return named_buffers_; }
  // A view of another flat buffer (momentum, gradients) as parameter `index`.
  at::Tensor ViewAsParameter(const at::Tensor& flat, std::size_t index) const;

 private:
  // The tensors of one layer; undefined where the layer has none.
  struct LayerState {
    at::Tensor weight, bias, running_mean, running_var, batches_tracked;
  };

  void AllocateParameters(std::uint64_t seed);
  void AllocateEstimates();
  at::Tensor Forward(at::Tensor x, bool training, std::uint32_t step);
  at::Tensor DropoutMask(const at::Tensor& x, std::size_t layer, std::uint32_t step) const;

  const Network network_;
  const std::uint64_t dropout_key_;
  const at::Device device_;
  const ParameterLayout layout_;
  std::vector<LayerState> states_;
  std::vector<NamedTensor> named_parameters_;
  std::vector<NamedTensor> named_buffers_;
  at::Tensor parameters_;
  at::Tensor gradients_;
};

}  // namespace sweep
