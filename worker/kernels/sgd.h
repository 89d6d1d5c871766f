#pragma once

#include <cstddef>

namespace sweep::kernels {

// One step of stochastic gradient descent as torch.optim.SGD computes it (momentum without
// dampening, Nesterov, coupled weight decay), in one pass over flat buffers:
//   u = gradient + weight_decay · parameter,  v = momentum · v + u,
//   parameter -= lr · (nesterov ? u + momentum · v : v).
// A momentum buffer of zeros before the first step gives PyTorch's first step.
struct Sgd {
  std::size_t count = 0;
  std::size_t decayed = 0;  // weight decay applies to this many, from the first on
  double lr = 0;
  double momentum = 0;
  double weight_decay = 0;
  bool nesterov = false;
  float* parameters = nullptr;
  const float* gradients = nullptr;
  float* momentum_buffer = nullptr;
};

void Update(const Sgd& work);

}  // namespace sweep::kernels
