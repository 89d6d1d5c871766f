#include "worker/kernels/sgd.h"

namespace sweep::kernels {
namespace {

template <bool kNesterov>
void UpdateRange(const Sgd& work, std::size_t begin, std::size_t end, float decay) {
  const auto lr = static_cast<float>(work.lr);
  const auto momentum = static_cast<float>(work.momentum);
  float* __restrict parameters = work.parameters;
  float* __restrict velocities = work.momentum_buffer;
  const float* __restrict gradients = work.gradients;
  for (std::size_t i = begin; i < end; ++i) {
    const float update = gradients[i] + decay * parameters[i];
    const float velocity = momentum * velocities[i] + update;
    velocities[i] = velocity;
    parameters[i] -= lr * (kNesterov ? update + momentum * velocity : velocity);
  }
}

}  // namespace

void Update(const Sgd& work) {
  const auto decay = static_cast<float>(work.weight_decay);
  const auto update = work.nesterov ? UpdateRange<true> : UpdateRange<false>;
  update(work, 0, work.decayed, decay);
  update(work, work.decayed, work.count, 0.0f);
}

}  // namespace sweep::kernels
