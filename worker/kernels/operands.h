#pragma once

#include <cstdint>

#include "worker/kernels/layout.h"

namespace sweep::kernels {

// The operands of operators besides plain activations. Plain pointers into memory that the caller
// owns; null means absent. All activations are whole batches in the layout of layout.h, of the
// shape that the operator names.

// One bit per element: bit i is set if image i of the block keeps it.
struct KeepBits {
  const std::uint16_t* bits = nullptr;  // [block][channel][y][x], null: everything is kept
  bool per_channel = false;             // dropout2d: [block][channel]
};

// An operator's input as it is stored, and the operators between: BatchNorm as a scale and a shift
// per channel, and dropout. Both are applied while the values are loaded:
//   x = keep ? values · scale + shift : 0.
// Scale and shift include dropout's factor 1 / (1 - p).
struct Source {
  const float* values = nullptr;
  const float* scale = nullptr;  // [channels]; null: x = keep ? values : 0
  const float* shift = nullptr;  // [channels], with scale
  KeepBits keep;
};

// The gradient at the output of a convolution, computed from the gradient after its ReLU and
// BatchNorm:
//   z = activation > 0 ? gradient · scale + activation · slope + offset : 0
// with the coefficients of BatchNormBackward. Without them z is the gradient; with relu, only where
// activation > 0.
struct GradientSource {
  const float* gradient = nullptr;
  const float* activation = nullptr;  // the stored output of the ReLU, or of the convolution
  const float* scale = nullptr;       // [channels]; null: no BatchNorm
  const float* slope = nullptr;       // [channels], with scale
  const float* offset = nullptr;      // [channels], with scale
  bool relu = false;
};

// The destination of the gradient g with respect to a Source's x, back through dropout:
//   gradient = keep ? g · keep_factor : 0,
// and the sums that BatchNorm's backward pass needs.
struct GradientSink {
  float* gradient = nullptr;
  KeepBits keep;
  float keep_factor = 1;
  // Both or none: the Source's values and their mean per channel.
  const float* activation = nullptr;
  const float* mean = nullptr;
  // [unit][2][channels]: Σ gradient and Σ gradient · (activation - mean) over the unit's real
  // images.
  double* sums = nullptr;
};

}  // namespace sweep::kernels
