#include "worker/trainer/torch/loss.h"

namespace sweep {

at::Tensor Loss(const std::string& kind, const at::Tensor& outputs, const at::Tensor& labels,
                double label_smoothing) {
  const std::int64_t dimension = kind == "nll_batch_softmax" ? 0 : 1;
  const at::Tensor log_probabilities = at::log_softmax(outputs, dimension);
  const at::Tensor nll = at::nll_loss(log_probabilities, labels);
  if (label_smoothing == 0) return nll;
  // The smoothed target gives label_smoothing / classes to every class.
  return nll * (1 - label_smoothing) - log_probabilities.mean() * label_smoothing;
}

at::Tensor Predictions(const std::string& evaluate_with, const at::Tensor& outputs) {
  if (evaluate_with == "batch_softmax") return at::log_softmax(outputs, 0).argmax(1);
  return outputs.argmax(1);
}

}  // namespace sweep
