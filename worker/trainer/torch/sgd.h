#pragma once

// Internal to sweep_torch: shows libtorch's types.

#include <ATen/ATen.h>

#include "common/protocol/trial_spec.h"
#include "worker/trainer/torch/network_module.h"

namespace sweep {

// Stochastic gradient descent as torch.optim.SGD computes it (momentum without dampening, the
// first buffer is the gradient; Nesterov; coupled weight decay), over the network's flat buffers.
class Sgd {
 public:
  // Keeps a pointer to `network`, which must outlive it.
  Sgd(const TrialSpec& spec, NetworkModule* network);

  // One update from the network's gradients, which it may overwrite.
  void Step(double lr);

  // Laid out as NetworkModule::flat_parameters().
  const at::Tensor& momentum_buffer() const { return momentum_buffer_; }

 private:
  NetworkModule* const network_;
  const double momentum_;
  const double weight_decay_;
  const bool nesterov_;
  const std::int64_t decayed_elements_;
  // Zeros before the first step: momentum · 0 + gradient is the gradient, as PyTorch has it.
  const at::Tensor momentum_buffer_;
};

}  // namespace sweep
