#pragma once

// Internal to sweep_torch: shows libtorch's types.

#include <ATen/ATen.h>

#include <string>

namespace sweep {

// Both losses take the network's raw outputs [N, classes] and labels [N] (int64) and are means over
// the batch.
//   nll                 cross entropy of a softmax over the classes, with label smoothing as
//                       torch.nn.CrossEntropyLoss
//   nll_batch_softmax   the same with the softmax over the batch, as in one of the write-ups.
//                       Where the network is sure of its labels, B images of C classes give ln(B /
//                       C).
at::Tensor Loss(const std::string& kind, const at::Tensor& outputs, const at::Tensor& labels,
                double label_smoothing);

// The predicted class of each image, [N] int64. `evaluate_with`: class_softmax takes the largest
// raw output; batch_softmax the largest log-probability after a softmax over the batch.
at::Tensor Predictions(const std::string& evaluate_with, const at::Tensor& outputs);

}  // namespace sweep
