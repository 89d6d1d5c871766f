#include "worker/trainer/torch/sgd.h"

#include <c10/core/GradMode.h>

namespace sweep {

Sgd::Sgd(const TrialSpec& spec, NetworkModule* network)
    : network_(network),
      momentum_(spec.momentum),
      weight_decay_(spec.weight_decay),
      nesterov_(spec.nesterov),
      decayed_elements_(spec.decay_norm_and_bias
                            ? network->flat_parameters().numel()
                            : static_cast<std::int64_t>(network->layout().weights)),
      momentum_buffer_(at::zeros_like(network->flat_parameters())) {}

void Sgd::Step(double lr) {
  const c10::NoGradGuard no_grad;
  const at::Tensor& parameters = network_->flat_parameters();
  at::Tensor update = network_->flat_gradients();
  if (weight_decay_ != 0) {
    update.narrow(0, 0, decayed_elements_)
        .add_(parameters.narrow(0, 0, decayed_elements_), weight_decay_);
  }
  if (momentum_ == 0) {
    momentum_buffer_.copy_(update);  // another trial may go on with a momentum
  } else {
    momentum_buffer_.mul_(momentum_).add_(update);
    if (nesterov_) {
      update.add_(momentum_buffer_, momentum_);
    } else {
      update = momentum_buffer_;
    }
  }
  parameters.add_(update, -lr);
}

}  // namespace sweep
