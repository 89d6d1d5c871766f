#pragma once

#include <cstdint>

#include "worker/kernels/layout.h"

namespace sweep::kernels {

// Log-softmax and negative log-likelihood, mean over the batch. Computed in double, element by
// element, since a batch has only a few thousand outputs.
struct Loss {
  int images = 0;
  int classes = 0;                       // at most 256
  const float* outputs = nullptr;        // [block][class][16], raw
  const std::uint8_t* labels = nullptr;  // [images]
  double label_smoothing = 0;            // every class gets label_smoothing / classes of the target
  bool over_batch = false;               // softmax over the images instead of the classes
  float* gradient = nullptr;             // like outputs, zero in unused lanes; null: not computed
};

// The mean loss.
double ComputeLoss(const Loss& work);

// The predicted class of each image: that of the largest output, or with over_batch, of the largest
// log-probability after a softmax over the images. The first of equals.
// `log_sums` is scratch of `classes` doubles.
void Predict(const Loss& work, std::uint8_t* predictions, double* log_sums);

}  // namespace sweep::kernels
